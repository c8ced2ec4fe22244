import { useRef, useState } from "react";
import { reasonOf, roomService } from "../api";
import { Involvement, type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import { saveRoom } from "../state";
import { alertFlash } from "../ui/flash";
import { Icon, type IconName } from "../ui/icon";

const shared = [Involvement.MENTIONS, Involvement.EVERYTHING, Involvement.NOTHING, Involvement.INVISIBLE];
const direct = [Involvement.EVERYTHING, Involvement.NOTHING];

const levels: Readonly<Record<Involvement, { readonly icon: IconName; readonly means: string }>> = {
  [Involvement.UNSPECIFIED]: { icon: "notification-bell-loading", means: "not known" },
  [Involvement.MENTIONS]: { icon: "notification-bell-mentions", means: "only when mentioned" },
  [Involvement.EVERYTHING]: { icon: "notification-bell-everything", means: "every message" },
  [Involvement.NOTHING]: { icon: "notification-bell-nothing", means: "off" },
  [Involvement.INVISIBLE]: {
    icon: "notification-bell-invisible",
    means: "off, and hidden from the sidebar",
  },
};

const pressedKey = "campfire.bell";

interface Props {
  readonly room: Room;
  /** Hears of the room as it is after each press. */
  readonly onSaved?: (room: Room) => void;
  /** Whether its name says which room it is for. */
  readonly named?: boolean;
}

/** How much one hears of a room; each press goes one level on. Until the first press on this device it pulses. */
export function Bell({ room, onSaved, named }: Props) {
  const [wanted, setWanted] = useState<Involvement>();
  const [fresh, setFresh] = useState(() => !localStorage.getItem(pressedKey));
  const presses = useRef(0);
  const involvement = wanted ?? room.involvement;
  const { icon, means } = levels[involvement];

  const press = async () => {
    localStorage.setItem(pressedKey, "pressed");
    setFresh(false);
    const cycle = room.kind === RoomKind.DIRECT ? direct : shared;
    const next = cycle[(cycle.indexOf(involvement) + 1) % cycle.length]!;
    setWanted(next);
    const press = ++presses.current;
    try {
      const answer = await roomService.setInvolvement({ roomId: room.id, involvement: next });
      if (press !== presses.current || !answer.room) return; // pressed again meanwhile
      saveRoom(answer.room);
      onSaved?.(answer.room);
      setWanted(undefined);
    } catch (error) {
      alertFlash(reasonOf(error));
      if (press === presses.current) setWanted(undefined);
    }
  };
  const label = named ? `Notifications of ${room.name}: ${means}` : `Notifications: ${means}`;
  return (
    <button
      type="button"
      className={fresh && !named ? "btn btn--pulsing" : "btn"}
      aria-label={label}
      title={`Notifications: ${means}`}
      data-testid="bell"
      onClick={() => void press()}
    >
      <Icon name={icon} />
    </button>
  );
}
