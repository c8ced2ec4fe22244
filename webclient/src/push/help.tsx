import type { ReactNode } from "react";
import { isInstalled } from "../installed";
import { useModal } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { here, InstallHelp, Instructions, useInstallable } from "./install";
import type { Platform } from "./platform";

/** Why this device says nothing, and what to change in its settings so that it does. */
export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useModal();
  const platform = here();
  const browser = window.isSecureContext ? browserSteps(platform) : undefined;
  const system = window.isSecureContext && isInstalled() ? systemSteps(platform) : undefined;
  const installable = useInstallable() && window.isSecureContext;
  const alone = [browser, system, installable || undefined].filter((s) => s !== undefined).length === 1;
  return (
    <dialog
      ref={dialog}
      className="dialog notifications-help"
      aria-labelledby="notifications-help"
      data-testid="notifications-help"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <button
        type="button"
        className="btn dialog__close"
        aria-label="Close"
        title="Close"
        autoFocus
        onClick={onClose}
      >
        <Icon name="remove" />
      </button>
      <Icon name="notification-bell-alert" />
      <h1 id="notifications-help">Notifications are blocked</h1>
      <p>
        {window.isSecureContext
          ? "This device keeps Campfire from notifying you."
          : "Browsers allow notifications only where the address begins with https."}{" "}
        What you hear of each room you can choose all the same, in{" "}
        <a href="/users/me/profile">your profile</a>.
      </p>
      {browser && <Steps title="Browser settings" steps={browser} open={alone} />}
      {system && <Steps title="System settings" steps={system} open={alone} />}
      {installable && <InstallHelp open={alone} />}
    </dialog>
  );
}

function Steps({ title, steps, open }: { title: string; steps: readonly ReactNode[]; open: boolean }) {
  return (
    <Instructions title={title} open={open}>
      <ol>
        {steps.map((step, i) => (
          <li key={i}>{step}</li>
        ))}
      </ol>
    </Instructions>
  );
}

const again = <>Load this page again and press the bell.</>;

/** How to let this site notify, in a browser that has a setting for it. */
function browserSteps({ browser, system }: Platform): readonly ReactNode[] | undefined {
  if (system === "ios") return undefined; // its browsers do not know the setting
  const mobile = system === "android";
  switch (browser) {
    case "chrome":
    case "opera":
    case "other":
      return mobile
        ? [
            <>
              Press <Icon name="sliders" /> or <Icon name="lock" /> beside the address.
            </>,
            <>
              Open <mark>Permissions</mark>, then <mark>Notifications</mark>, and switch them{" "}
              <Icon name="switch" /> on.
            </>,
            again,
          ]
        : [
            <>
              Press <Icon name="sliders" /> or <Icon name="lock" /> beside the address.
            </>,
            <>
              Set <mark>Notifications</mark> to <mark>Allow</mark> <Icon name="switch" />.
            </>,
            <>
              If they stay off, open the browser’s <Icon name="settings" /> <mark>Settings</mark>,{" "}
              <mark>Privacy and security</mark>, <mark>Site settings</mark>, <mark>Notifications</mark>, and
              let sites ask.
            </>,
            again,
          ];
    case "edge":
      return mobile
        ? [
            <>
              Press <Icon name="lock" /> beside the address.
            </>,
            <>
              Open <mark>Permissions</mark> and allow <mark>Notifications</mark>.
            </>,
            again,
          ]
        : [
            <>
              Press <Icon name="lock" /> beside the address.
            </>,
            <>
              Open <mark>Permissions for this site</mark> and set <mark>Notifications</mark> to{" "}
              <mark>Allow</mark>.
            </>,
            again,
          ];
    case "firefox":
      return mobile
        ? [
            <>
              Press <Icon name="lock" /> beside the address.
            </>,
            <>
              Press <mark>Notification</mark> until it says <mark>Allowed</mark>.
            </>,
            again,
          ]
        : [
            <>
              Press <Icon name="sliders" /> or <Icon name="lock" /> beside the address and remove{" "}
              <mark>Blocked</mark> after <mark>Send notifications</mark>.
            </>,
            <>
              If it is not there, open <Icon name="settings" /> <mark>Settings</mark>,{" "}
              <mark>Privacy &amp; Security</mark>, and the settings beside <mark>Notifications</mark>: this
              site has to be allowed.
            </>,
            again,
          ];
    case "safari":
      return [
        <>
          Open <mark>Safari</mark>, <Icon name="settings" /> <mark>Settings</mark>, <mark>Websites</mark>,{" "}
          <mark>Notifications</mark>.
        </>,
        <>
          Set this site to <mark>Allow</mark>.
        </>,
        again,
      ];
  }
}

/** How to let the app notify, as the system asks of every app. */
function systemSteps({ system }: Platform): readonly ReactNode[] {
  switch (system) {
    case "windows":
      return [
        <>
          Open <Icon name="settings" /> <mark>Settings</mark>, <mark>System</mark>, <mark>Notifications</mark>
          .
        </>,
        <>
          Switch <Icon name="switch" /> them on, and in the list below for this app and for your browser.
        </>,
      ];
    case "macos":
      return [
        <>
          Open <Icon name="settings" /> <mark>System Settings</mark>, <mark>Notifications</mark>.
        </>,
        <>
          Choose this app, and your browser, and switch <Icon name="switch" />{" "}
          <mark>Allow notifications</mark> on.
        </>,
      ];
    case "ios":
      return [
        <>
          Open <Icon name="settings" /> <mark>Settings</mark>, <mark>Notifications</mark>.
        </>,
        <>
          Choose this app and switch <Icon name="switch" /> <mark>Allow Notifications</mark> on.
        </>,
      ];
    case "android":
      return [
        <>
          Hold the app’s icon and press <mark>App info</mark>.
        </>,
        <>
          Open <mark>Notifications</mark> and switch <Icon name="switch" /> them on.
        </>,
      ];
    default:
      return [
        <>
          Open your system’s <Icon name="settings" /> <mark>Settings</mark> and find{" "}
          <mark>Notifications</mark>.
        </>,
        <>
          Switch <Icon name="switch" /> them on for this app and for your browser, and leave{" "}
          <mark>Do not disturb</mark>.
        </>,
      ];
  }
}
