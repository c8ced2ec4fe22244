import { reasonOf, roomService } from "../api";
import { RoomKind } from "../gen/campfire/v1/room_pb";
import { removeRoom, withUser } from "../state";
import { useAnswer, useChangedUsers } from "../ui/answer";
import { Avatar } from "../ui/avatar";
import { confirm } from "../ui/dialog";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { BackButton, ErrorScreen, Page } from "../ui/page";
import { navigate } from "../ui/router";
import { changeRoom, isGone, Left, useLeaving } from "./gone";

/** Who is in a ping, and a way to end it. */
export function PingSettings({ roomId }: { roomId: string }) {
  const {
    value: room,
    failure,
    change,
  } = useAnswer(roomId, async () => (await roomService.getRoom({ roomId })).room!);
  useLeaving(roomId);
  useChangedUsers((user) => change((room) => withUser(room, user)));
  if (failure) return isGone(failure.error) ? <Left /> : <ErrorScreen title={failure.reason} />;
  if (!room) return <Page title="Ping settings">{null}</Page>;
  if (room.kind !== RoomKind.DIRECT) return <ErrorScreen title="There is nothing at this address." />;
  const remove = async () => {
    const sure = await confirm("Delete this ping and all of its messages? There is no undo.", "Delete");
    if (!sure) return;
    try {
      await changeRoom(roomId, async () => {
        await roomService.deleteRoom({ roomId });
        removeRoom(roomId);
        navigate("/", { replace: true });
      });
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <Page title={room.name} nav={<BackButton to={`/rooms/${roomId}`} />}>
      <div className="panel">
        <h1 className="for-screen-reader">Ping with {room.name}</h1>
        <ul className="directs--edit" aria-label="People">
          {room.participants.map((user) => (
            <li key={user.id} className="direct">
              <Avatar user={user} />
              <strong className="full-width overflow-ellipsis">{user.name}</strong>
            </li>
          ))}
        </ul>
        <button
          type="button"
          className="btn btn--negative panel__button margin-block-start"
          aria-label="Delete ping"
          onClick={() => void remove()}
        >
          <Icon name="trash" />
          <span>Ping</span>
        </button>
      </div>
    </Page>
  );
}
