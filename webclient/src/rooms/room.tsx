import { Code } from "@connectrpc/connect";
import { useEffect, useState } from "react";
import { codeOf, reasonOf, roomService } from "../api";
import { Invite } from "../account/invite";
import { Composer } from "../composer/composer";
import { RoomKind } from "../gen/campfire/v1/room_pb";
import { closeTimeline, openTimeline, showNewest } from "../messages/history";
import { MessageList } from "../messages/message-list";
import { quoteHtml } from "../messages/quote";
import { originalRoom, rememberRoom } from "../sidebar/rooms";
import { current, saveRoom, useCampfire } from "../state";
import { alertFlash } from "../ui/flash";
import { Logo } from "../ui/logo";
import { Page } from "../ui/page";
import { navigate } from "../ui/router";
import { bePresent } from "./presence";

/** A room: its name, its conversation, and where to write. */
export function RoomScreen({ roomId, messageId }: { roomId: string; messageId: string | undefined }) {
  const room = useCampfire((s) => s.rooms?.[roomId]);
  const missing = useCampfire((s) => s.rooms !== undefined && !s.rooms[roomId]);
  const timeline = useCampfire((s) => (s.timeline?.roomId === roomId ? s.timeline : undefined));
  const [failure, setFailure] = useState<string>();

  useEffect(() => {
    const userId = current().user?.id;
    if (userId) rememberRoom(userId, roomId);
    return bePresent(roomId);
  }, [roomId]);

  useEffect(() => {
    openTimeline(roomId, messageId).then(
      () => setFailure(undefined),
      (error: unknown) => {
        if (codeOf(error) === Code.NotFound || codeOf(error) === Code.InvalidArgument) leave();
        else if (codeOf(error) !== Code.Unauthenticated) setFailure(reasonOf(error));
      },
    );
    return closeTimeline;
  }, [roomId, messageId]);

  // Not in the sidebar: hidden from it, or not (or no longer) a room of this person.
  useEffect(() => {
    if (!missing) return;
    roomService.getRoom({ roomId }).then(
      (answer) => answer.room && saveRoom(answer.room),
      (error: unknown) => {
        if (codeOf(error) === Code.NotFound || codeOf(error) === Code.InvalidArgument) leave();
      },
    );
  }, [missing, roomId]);

  const retry = () => {
    setFailure(undefined);
    openTimeline(roomId, messageId).catch((error: unknown) => setFailure(reasonOf(error)));
  };
  const direct = room?.kind === RoomKind.DIRECT;
  const nav = room && (
    <h1 className="room--current" data-testid="room-title">
      <span className="overflow-ellipsis">
        {direct && <span className="for-screen-reader">Ping with </span>}
        {room.name}
      </span>
    </h1>
  );
  return (
    <Page title={room?.name ?? "Campfire"} nav={nav}>
      {failure !== undefined && !timeline?.loaded ? (
        <div className="message-area">
          <div className="message-area__failure flex flex-column align-center gap pad" role="alert">
            <p>{failure}</p>
            <button type="button" className="btn" onClick={retry}>
              <span>Try again</span>
            </button>
          </div>
        </div>
      ) : (
        timeline && (
          <MessageList
            key={`${roomId}/${messageId ?? ""}`}
            timeline={timeline}
            focus={messageId}
            welcome={<Welcome roomId={roomId} />}
          />
        )
      )}
      <footer id="footer">
        {room && (
          <Composer
            key={roomId}
            room={room}
            quote={quoteHtml}
            onPost={() => void showNewest().catch((error: unknown) => alertFlash(reasonOf(error)))}
          />
        )}
      </footer>
    </Page>
  );
}

/** How many messages the first room may have and still greet. */
const GREETS_UP_TO = 40;

function Welcome({ roomId }: { roomId: string }) {
  const first = useCampfire((s) => s.rooms !== undefined && originalRoom(s.rooms) === roomId);
  const few = useCampfire((s) => (s.timeline?.messages.length ?? 0) <= GREETS_UP_TO);
  const name = useCampfire((s) => s.account?.name);
  if (!first || !few) return null;
  return (
    <div id="system_welcome" data-testid="invite-card">
      <span className="account-logo">
        <Logo />
      </span>
      <p className="txt-large">
        <strong>Welcome to {name}</strong>
      </p>
      <p>Share this link, and whoever opens it can join you here.</p>
      <Invite />
    </div>
  );
}

function leave() {
  alertFlash("That room is gone or you don’t have access.");
  navigate("/", { replace: true });
}
