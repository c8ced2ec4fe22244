import { lazy, Suspense, useRef, useState } from "react";
import { reasonOf, roomService } from "../api";
import { Involvement, type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import { isInstalled, useInstalled } from "../installed";
import { current, saveRoom } from "../state";
import { alertFlash } from "../ui/flash";
import { Icon, type IconName } from "../ui/icon";

const Help = lazy(async () => ({ default: (await import("../push/help")).Help }));

const shared = [Involvement.MENTIONS, Involvement.EVERYTHING, Involvement.NOTHING, Involvement.INVISIBLE];
const direct = [Involvement.EVERYTHING, Involvement.NOTHING];

interface Look {
  readonly icon: IconName;
  readonly means: string;
}

const levels: Readonly<Record<Involvement, Look>> = {
  [Involvement.UNSPECIFIED]: { icon: "notification-bell-loading", means: "not known" },
  [Involvement.MENTIONS]: { icon: "notification-bell-mentions", means: "only when mentioned" },
  [Involvement.EVERYTHING]: { icon: "notification-bell-everything", means: "every message" },
  [Involvement.NOTHING]: { icon: "notification-bell-nothing", means: "off" },
  [Involvement.INVISIBLE]: {
    icon: "notification-bell-invisible",
    means: "off, and hidden from the sidebar",
  },
};

const unnotified: Readonly<Record<"checking" | "no", Look>> = {
  checking: { icon: "notification-bell-loading", means: "checking" },
  no: { icon: "notification-bell-alert", means: "not on this device yet" },
};

/** A room's bell: it has this device notified, and then says how much one hears of the room. Until it is pressed it pulses. */
export function Bell({ room }: { room: Room }) {
  const notified = useInstalled((s) => s.notified);
  const [key] = useState(() => (isInstalled() ? "campfire.bell.app" : "campfire.bell"));
  const [fresh, setFresh] = useState(() => !localStorage.getItem(key));
  const [helping, setHelping] = useState(false);
  const [involvement, turn] = useInvolvement(room);
  const { icon, means } = notified === "yes" ? levels[involvement] : unnotified[notified];

  const press = async () => {
    if (notified === "checking") return;
    localStorage.setItem(key, "pressed");
    setFresh(false);
    if (notified === "yes") return turn();
    const outcome = await beNotified();
    if (outcome === "blocked") setHelping(true);
    else if (outcome) alertFlash(outcome);
  };
  const label = `Notifications: ${means}`;
  return (
    <>
      <button
        type="button"
        className={fresh ? "btn btn--pulsing" : "btn"}
        aria-label={label}
        aria-busy={notified === "checking"}
        title={label}
        data-testid="bell"
        onClick={() => void press()}
      >
        <Icon name={icon} />
      </button>
      {helping && (
        <Suspense>
          <Help onClose={() => setHelping(false)} />
        </Suspense>
      )}
    </>
  );
}

interface Props {
  readonly room: Room;
  /** Hears of the room as it is after each press. */
  readonly onSaved: (room: Room) => void;
}

/** The same for a room in a list, whatever this device is told. */
export function RoomLevel({ room, onSaved }: Props) {
  const [involvement, turn] = useInvolvement(room, onSaved);
  const { icon, means } = levels[involvement];
  return (
    <button
      type="button"
      className="btn"
      aria-label={`Notifications of ${room.name}: ${means}`}
      title={`Notifications: ${means}`}
      data-testid="bell"
      onClick={() => void turn()}
    >
      <Icon name={icon} />
    </button>
  );
}

/** How much one hears of a room, and a way to go one level on. */
function useInvolvement(room: Room, onSaved?: (room: Room) => void): [Involvement, () => Promise<void>] {
  const [wanted, setWanted] = useState<Involvement>();
  const turns = useRef(0);
  const involvement = wanted ?? room.involvement;

  const turn = async () => {
    const cycle = room.kind === RoomKind.DIRECT ? direct : shared;
    const next = cycle[(cycle.indexOf(involvement) + 1) % cycle.length]!;
    setWanted(next);
    const mine = ++turns.current;
    try {
      const answer = await roomService.setInvolvement({ roomId: room.id, involvement: next });
      if (mine !== turns.current || !answer.room) return; // turned again meanwhile
      saveRoom(answer.room);
      onSaved?.(answer.room);
      setWanted(undefined);
    } catch (error) {
      alertFlash(reasonOf(error));
      if (mine === turns.current) setWanted(undefined);
    }
  };
  return [involvement, turn];
}

/** Has this device notified, asking if need be. Answers what is in the way, or nothing. */
async function beNotified(): Promise<string | undefined> {
  // Asked at once: some browsers hear the question only as the answer to a press.
  let permission = "Notification" in window ? Notification.permission : "denied";
  if (permission === "default") permission = await Notification.requestPermission();
  if (permission === "default") return undefined; // put off
  const userId = current().user?.id;
  if (permission === "denied" || userId === undefined) return "blocked";
  const { subscribe, Unavailable } = await import("../push/device");
  try {
    await subscribe(userId);
    return undefined;
  } catch (error) {
    if (!(error instanceof Unavailable)) return reasonOf(error);
    return error.reason === "unreachable"
      ? "This browser’s push service can’t be reached right now."
      : "blocked";
  }
}
