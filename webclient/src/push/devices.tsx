import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { useState } from "react";
import { codeOf, reasonOf } from "../api";
import type { PushSubscription } from "../gen/campfire/v1/push_pb";
import { programOf } from "../profile/program";
import { useAnswer } from "../ui/answer";
import { confirm } from "../ui/dialog";
import { alertFlash, flash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, Page } from "../ui/page";
import { DateAndTime } from "../ui/time";
import { pushService, remove } from "./device";

/** The devices that are notified of one's messages, each with a way to try it and to end it. */
export function Devices() {
  const {
    value: devices,
    set,
    failure,
  } = useAnswer("devices", async () => {
    return (await pushService.listPushSubscriptions({})).subscriptions;
  });
  const end = async (device: PushSubscription) => {
    const name = programOf(device.userAgent);
    if (!(await confirm(`Stop notifications on ${name}?`, "Stop"))) return;
    try {
      await remove(device);
      set((devices ?? []).filter((d) => d.id !== device.id));
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <Page title="Devices with notifications" nav={<BackButton />}>
      <div className="panel panel--wide txt-align-center">
        <div className="flex flex-column gap align-center">
          <h1 className="txt-x-large">Devices with notifications</h1>
          {failure && <p role="alert">{failure.reason}</p>}
          {devices?.length === 0 && <p className="txt-subtle">None yet: the bell of a room adds this one.</p>}
        </div>
        {devices && devices.length > 0 && (
          <ul className="panel__box" data-testid="devices">
            {devices.map((device) => (
              <Device key={device.id} device={device} onEnd={() => void end(device)} />
            ))}
          </ul>
        )}
      </div>
    </Page>
  );
}

function Device({ device, onEnd }: { device: PushSubscription; onEnd: () => void }) {
  const [busy, setBusy] = useState(false);
  const name = programOf(device.userAgent);
  const test = async () => {
    setBusy(true);
    try {
      await pushService.sendTestNotification({ subscriptionId: device.id });
      flash("Sent.");
    } catch (error) {
      const refused = codeOf(error) === Code.Unavailable;
      alertFlash(refused ? `The push service of ${name} did not take it.` : reasonOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li className="membership-item" data-testid="device">
      <span className="flex flex-column min-width">
        <strong className="membership-item__name" title={device.userAgent}>
          {name}
        </strong>
        <span className="txt-small txt-subtle overflow-ellipsis" title={device.endpoint}>
          {device.endpoint}
        </span>
        {device.createdAt && (
          <span className="txt-small txt-subtle">
            since <DateAndTime ms={timestampMs(device.createdAt)} />
          </span>
        )}
      </span>
      <hr className="separator" aria-hidden="true" />
      <button
        type="button"
        className="btn btn--reversed"
        aria-label={`Send test notification to ${name}`}
        aria-busy={busy}
        title="Send test notification"
        onClick={() => void test()}
      >
        <Icon name="notification-bell-everything" />
      </button>
      <button
        type="button"
        className="btn btn--negative"
        aria-label={`Delete ${name}`}
        title="Delete"
        onClick={onEnd}
      >
        <Icon name="minus" />
      </button>
    </li>
  );
}
