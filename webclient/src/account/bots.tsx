import { everyoneIn, roomService } from "../api";
import type { Bot } from "../gen/campfire/v1/bot_pb";
import { type Room, RoomKind } from "../gen/campfire/v1/room_pb";
import { useAnswer } from "../ui/answer";
import { Avatar } from "../ui/avatar";
import { CopyButton } from "../ui/copy";
import { Icon, type IconName } from "../ui/icon";
import { BackButton, ErrorScreen, Page } from "../ui/page";
import { Translate } from "../ui/translate";
import { botService, useBotKeys } from "./bot-keys";

/** The bots, and for each of their rooms how to post into it. */
export function Bots() {
  const { value, failure } = useAnswer("bots", async () => {
    const [{ bots }, rooms] = await Promise.all([botService.listBots({}), sharedRooms()]);
    return { bots, rooms };
  });
  if (failure) return <ErrorScreen title={failure.reason} />;
  return (
    <Page title="Chat bots" nav={<BackButton to="/account/edit" />}>
      <div className="panel panel--wide">
        <Translate of="bots" />
        <div className="flex flex-column gap align-center">
          <h1 className="txt-x-large">Chat bots</h1>
          <p className="txt-align-center">Let other services post into Campfire.</p>
          <a className="btn btn--reversed" href="/account/bots/new" title="Add a chat bot">
            <Icon name="bot" />
            <Icon name="add" />
            <span className="for-screen-reader">Add a chat bot</span>
          </a>
          {value && value.bots.length > 0 && (
            <ul className="flex flex-column gap full-width" aria-label="Bots">
              {value.bots.map((bot) => (
                <BotCard key={bot.user?.id} bot={bot} rooms={value.rooms} />
              ))}
            </ul>
          )}
        </div>
      </div>
    </Page>
  );
}

interface SharedRoom {
  readonly room: Room;
  /** Who is in a closed room; undefined for an open one, where everyone is. */
  readonly memberIds: ReadonlySet<string> | undefined;
}

// The administrator's own rooms: those of others are none of theirs.
async function sharedRooms(): Promise<SharedRoom[]> {
  const { rooms } = await roomService.listRooms({ includeInvisible: true });
  const shared = rooms.filter((r) => r.kind !== RoomKind.DIRECT);
  return Promise.all(
    shared.map(async (room) => {
      if (room.kind === RoomKind.OPEN) return { room, memberIds: undefined };
      const members = await everyoneIn(room.id);
      return { room, memberIds: new Set(members.map((u) => u.id)) };
    }),
  );
}

function BotCard({ bot, rooms }: { bot: Bot; rooms: readonly SharedRoom[] }) {
  const { user } = bot;
  const key = useBotKeys((keys) => (user ? keys[user.id] : undefined));
  if (!user) return null;
  const posts = (roomId: string) =>
    new URL(`/rooms/${roomId}/${key ?? `${user.id}-KEY`}/messages`, location.origin).href;
  return (
    <li className="panel__box" data-testid="bot">
      <div className="membership-item">
        <Avatar user={user} />
        <strong className="membership-item__name">{user.name}</strong>
        <hr className="separator" aria-hidden="true" />
        <a
          className="btn"
          href={`/account/bots/${user.id}/edit`}
          data-opens=""
          aria-label={`Edit ${user.name}`}
          title={`Edit ${user.name}`}
        >
          <Icon name="pencil" />
        </a>
      </div>
      {key ? (
        <div className="flex flex-column gap-half">
          <Line icon="key" label={`Key of ${user.name}`} text={key} />
          <p className="txt-small">Keep this key somewhere safe now: Campfire shows it only this once.</p>
        </div>
      ) : (
        <p className="txt-small txt-subtle">
          Put the bot’s key where it says {user.id}-KEY. Who has lost it makes a new one.
        </p>
      )}
      {rooms
        .filter(({ memberIds }) => memberIds === undefined || memberIds.has(user.id))
        .map(({ room }) => (
          <fieldset key={room.id} className="bot__room">
            <legend className="overflow-ellipsis">{room.name}</legend>
            <Line
              icon="messages-outlined"
              label={`Posts a message to ${room.name}`}
              text={`curl -d 'Hello!' ${posts(room.id)}`}
            />
            <Line
              icon="attachment"
              label={`Posts a file to ${room.name}`}
              text={`curl -F "attachment=@/path/to/file" ${posts(room.id)}`}
              later
            />
          </fieldset>
        ))}
    </li>
  );
}

interface LineProps {
  readonly icon: IconName;
  readonly label: string;
  readonly text: string;
  /** Whether it works from v2.0 on. */
  readonly later?: boolean;
}

/** A line to copy into a terminal. */
function Line({ icon, label, text, later }: LineProps) {
  return (
    <div className="bot__line">
      <Icon name={icon} />
      <input
        className="input input--code"
        readOnly
        value={text}
        aria-label={label}
        onFocus={(event) => event.target.select()}
      />
      <CopyButton text={text} label="Copy" about={label} />
      {later && <span className="later-tag">Coming in v2.0</span>}
    </div>
  );
}
