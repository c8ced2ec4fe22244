import { Component, memo, type ReactNode, useEffect, useState } from "react";
import { type Message, MessageKind } from "../gen/campfire/v1/message_pb";
import { UserRole } from "../gen/campfire/v1/user_pb";
import { discardPost, failPost, update, useCampfire } from "../state";
import { Avatar, describe } from "../ui/avatar";
import { LongDate, TimeOfDay } from "../ui/time";
import { BoostForm, Boosts } from "./boosts";
import { EditForm } from "./edit-form";
import { Options } from "./options";
import { isEmojiOnly, PendingText, plainText, RichText } from "./rich-text";
import { SoundView } from "./sound-view";
import { soundAskedFor } from "./sounds";
import type { Post } from "./timeline";

interface Props {
  readonly message: Message | undefined;
  readonly post: Post | undefined;
  readonly createdAt: number;
  readonly threaded: boolean;
  readonly firstOfDay: boolean;
  readonly highlighted: boolean;
}

/** How long the message an address names stays outlined. */
const HIGHLIGHT_MS = 1500;

/** One line of the conversation: a message, or a post on its way to be one. */
export const MessageView = memo(function MessageView(props: Props) {
  const { message, post, createdAt, threaded, firstOfDay } = props;
  const user = useCampfire((s) => s.user);
  const editing = useCampfire((s) => message !== undefined && s.editing === message.id);
  const highlighted = useBriefly(props.highlighted);
  const [boosting, setBoosting] = useState(false);
  const author = message ? message.creator : user;
  const mine = author !== undefined && author.id === user?.id;
  const emoji = message ? message.kind === MessageKind.EMOJI : isEmojiOnly(plainText(post?.html ?? ""));
  const mentioned = !mine && user !== undefined && mentions(message, user.id);
  const mayEdit = mine || user?.role === UserRole.ADMINISTRATOR;
  const states = {
    me: mine,
    threaded,
    "first-of-day": firstOfDay,
    mentioned,
    emoji,
    pending: post !== undefined && post.failure === undefined,
    failed: post?.failure !== undefined,
    highlighted,
  };
  const on = Object.entries(states).filter(([, is]) => is);
  const classes = ["message", "message--formatted", ...on.map(([name]) => `message--${name}`)];
  const flags = Object.fromEntries(on.map(([name]) => [`data-${name === "me" ? "mine" : name}`, ""]));

  return (
    <div
      className={classes.join(" ")}
      data-testid="message"
      data-message-id={message?.id}
      data-client-id={message?.clientMessageId ?? post?.clientMessageId}
      data-user-id={author?.id}
      data-created-at={createdAt}
      {...flags}
    >
      {firstOfDay && (
        <h2 className="message__day-separator" data-testid="day-separator">
          <LongDate ms={createdAt} />
        </h2>
      )}
      {author && !threaded && (
        <Avatar user={author} className="message__avatar" title={describe(author)} link={author.name} />
      )}
      <div className="message__body">
        <div className="message__bubble">
          <div className="message__meta">
            <h3 className="message__heading">
              {author && (
                <strong className="message__author" title={describe(author)} data-testid="message-author">
                  {author.name}
                </strong>
              )}
              {message ? (
                <a
                  className="message__permalink"
                  href={`/rooms/${message.roomId}/@${message.id}`}
                  data-testid="message-time"
                >
                  <TimeOfDay ms={createdAt} />
                </a>
              ) : (
                <span className="message__permalink">
                  <TimeOfDay ms={createdAt} />
                </span>
              )}
            </h3>
            {message && !editing && (
              <Options message={message} mayEdit={mayEdit} onBoost={() => setBoosting(true)} />
            )}
          </div>
          {message && editing && <EditForm message={message} />}
          <Readable key={message?.revision}>
            {message && !editing && <Content message={message} />}
            {post && !message && <PendingContent post={post} />}
          </Readable>
          {post?.failure !== undefined && <Failure post={post} failure={post.failure} />}
          {message && (message.boosts.length > 0 || boosting) && (
            <Boosts message={message} adding={boosting} onAdd={() => setBoosting(true)}>
              {boosting && <BoostForm message={message} onClose={() => setBoosting(false)} />}
            </Boosts>
          )}
        </div>
      </div>
    </div>
  );
});

function Content({ message }: { message: Message }) {
  if (message.kind !== MessageKind.SOUND || !message.sound) return <RichText html={message.bodyHtml} />;
  return <SoundView messageId={message.id} sound={message.sound} />;
}

function PendingContent({ post }: { post: Post }) {
  const sound = soundAskedFor(plainText(post.html));
  return sound ? <PendingText html={`Playing ${sound}…`} /> : <PendingText html={post.html} />;
}

function Failure({ post, failure }: { post: Post; failure: string }) {
  return (
    <div className="message__failure" role="alert">
      <span>{failure}</span>
      {post.hopeless ? (
        <button type="button" className="btn" onClick={() => update({ recalled: post })}>
          <span>Edit</span>
        </button>
      ) : (
        <button type="button" className="btn" onClick={() => failPost(post.clientMessageId, undefined)}>
          <span>Try again</span>
        </button>
      )}
      <button type="button" className="btn" onClick={() => discardPost(post.clientMessageId)}>
        <span>Discard</span>
      </button>
    </div>
  );
}

function mentions(message: Message | undefined, userId: string): boolean {
  return message?.bodyHtml.includes(`data-user-id="${userId}"`) ?? false;
}

/** Says so, where a message cannot be drawn, and leaves the others alone. */
class Readable extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <p className="message__unreadable">This message can’t be displayed.</p>;
  }
}

function useBriefly(on: boolean): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!on) return;
    const timer = setTimeout(() => setOver(true), HIGHLIGHT_MS);
    return () => clearTimeout(timer);
  }, [on]);
  return on && !over;
}
