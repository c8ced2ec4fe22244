import { Fragment, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { reasonOf } from "../api";
import { useCampfire } from "../state";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { loadNewer, loadOlder, showNewest } from "./history";
import { MessageView } from "./message";
import { Scroller } from "./scroller";
import { entries, firstUnread, type Timeline } from "./timeline";

interface Props {
  readonly timeline: Timeline;
  /** The message the address names. */
  readonly focus: string | undefined;
  /** What stands above the first message of all. */
  readonly welcome: ReactNode;
}

/** The conversation of the open room: its lines, paging at both ends, and the way back to the newest. */
export function MessageList({ timeline, focus, welcome }: Props) {
  const posts = useCampfire((s) => s.posts);
  const userId = useCampfire((s) => s.user?.id ?? "");
  const lines = useMemo(() => entries(timeline, posts, userId), [timeline, posts, userId]);
  const unread = useCampfire((s) => s.unread);
  const firstNew = useMemo(
    () => unread && firstUnread(timeline, unread, userId)?.clientMessageId,
    [timeline, unread, userId],
  );
  const [following, setFollowing] = useState(true);
  const scroller = useRef<Scroller>(null);
  const area = useRef<HTMLDivElement>(null);
  const last = lines.at(-1)?.key;
  const { loaded, hasOlder, hasNewer } = timeline;

  useEffect(() => {
    if (!loaded) return;
    const rows = area.current!.getElementsByClassName("message");
    const first = rows[0];
    const last = rows[rows.length - 1];
    const watch = new IntersectionObserver(
      (seen) => {
        for (const { target, isIntersecting } of seen) {
          if (!isIntersecting) continue;
          if (target === first) loadOlder().catch(tell);
          if (target === last) loadNewer().catch(tell);
        }
      },
      { root: area.current!.querySelector(".messages"), rootMargin: "200px 0px" },
    );
    if (!last) loadNewer().catch(tell);
    if (hasOlder && first) watch.observe(first);
    if (hasNewer && last) watch.observe(last);
    return () => watch.disconnect();
  }, [timeline, loaded, hasOlder, hasNewer]);

  const jump = async () => {
    await showNewest().catch(tell);
    scroller.current?.toEnd();
  };

  return (
    <div className="message-area" ref={area}>
      <Scroller
        ref={scroller}
        visit={loaded ? "loaded" : "loading"}
        last={last}
        posted={lines.findLast((line) => line.post)?.key}
        upToDate={!hasNewer}
        focus={focus}
        onFollowing={setFollowing}
      >
        {loaded && !hasOlder && welcome}
        {lines.map(({ key, message, post, createdAt, threaded, firstOfDay }) => (
          <Fragment key={key}>
            {key === firstNew && (
              <p className="messages__new" data-testid="new-messages">
                <span>New messages</span>
              </p>
            )}
            <MessageView
              message={message}
              post={post}
              createdAt={createdAt}
              threaded={threaded && key !== firstNew}
              firstOfDay={firstOfDay}
              highlighted={focus !== undefined && message?.id === focus}
            />
          </Fragment>
        ))}
        {!loaded && (
          <div className="flex justify-center pad">
            <span className="spinner" role="status" aria-label="Loading messages" />
          </div>
        )}
      </Scroller>
      <button
        type="button"
        className="btn message-area__return-to-latest btn--pulsing"
        data-testid="jump-to-newest"
        aria-label="Jump to newest"
        title="Jump to newest"
        hidden={!loaded || (following && !hasNewer)}
        onClick={() => void jump()}
      >
        <Icon name="arrow-down" />
      </button>
    </div>
  );
}

function tell(error: unknown) {
  alertFlash(reasonOf(error));
}
