import { Code } from "@connectrpc/connect";
import { useEffect, useLayoutEffect, useState } from "react";
import { codeOf, reasonOf } from "../api";
import { Composer } from "../composer/composer";
import { DropZone } from "../composer/drop-zone";
import { closeTimeline, openTimeline, showNewest } from "../messages/history";
import { MessageList } from "../messages/message-list";
import { quoteHtml } from "../messages/quote";
import { soundsFor } from "../messages/sounds";
import { noteReading } from "../messages/unread";
import { rememberRoom } from "../sidebar/rooms";
import { current, useCampfire } from "../state";
import { alertFlash, filesLater } from "../ui/flash";
import { Page } from "../ui/page";
import { isGone, leave, useLeaving } from "./gone";
import { bePresent } from "./presence";
import { RoomNav } from "./room-nav";
import { Welcome } from "./welcome";

/** A room: its name, its conversation, and where to write. */
export function RoomScreen({ roomId, messageId }: { roomId: string; messageId: string | undefined }) {
  const room = useCampfire((s) => s.rooms?.[roomId]);
  const timeline = useCampfire((s) => (s.timeline?.roomId === roomId ? s.timeline : undefined));
  const userId = useCampfire((s) => s.user?.id);
  const [failure, setFailure] = useState<string>();

  useEffect(() => {
    const userId = current().user?.id;
    if (userId) rememberRoom(userId, roomId);
    return bePresent(roomId);
  }, [roomId]);

  // Before anything is drawn: what is on the shelf is to be seen at once.
  useLayoutEffect(() => {
    openTimeline(roomId, messageId).then(
      () => setFailure(undefined),
      (error: unknown) => {
        if (isGone(error)) leave();
        else if (codeOf(error) !== Code.Unauthenticated) setFailure(reasonOf(error));
      },
    );
    return closeTimeline;
  }, [roomId, messageId]);

  useEffect(() => noteReading(roomId), [roomId]);

  useLeaving(roomId);

  const retry = () => {
    setFailure(undefined);
    openTimeline(roomId, messageId).catch((error: unknown) => setFailure(reasonOf(error)));
  };
  return (
    <Page title={room?.name ?? "Campfire"} nav={room && <RoomNav room={room} />}>
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
      <DropZone onFiles={filesLater} />
      <footer id="footer">
        {room && userId && (
          <Composer
            key={roomId}
            room={room}
            userId={userId}
            quote={quoteHtml}
            words={soundsFor}
            onPost={() => void showNewest().catch((error: unknown) => alertFlash(reasonOf(error)))}
          />
        )}
      </footer>
    </Page>
  );
}
