import { type ReactNode, useEffect, useRef, useState } from "react";
import { messageService, reasonOf } from "../api";
import type { Boost, Message } from "../gen/campfire/v1/message_pb";
import { saveMessage, useCampfire } from "../state";
import { Avatar } from "../ui/avatar";
import { alertFlash } from "../ui/flash";
import { Icon } from "../ui/icon";
import { isEmojiOnly } from "./rich-text";

/** How long a boost may be. */
export const BOOST_LENGTH = 16;

interface Props {
  readonly message: Message;
  readonly adding: boolean;
  readonly onAdd: () => void;
  /** The form, while one is being added. */
  readonly children: ReactNode;
}

/** The boosts of a message, each its own pill, and the button that adds one. */
export function Boosts({ message, adding, onAdd, children }: Props) {
  return (
    <div className="boosts">
      {message.boosts.map((boost) => (
        <Pill key={boost.id} boost={boost} />
      ))}
      {children}
      {!adding && message.boosts.length > 0 && (
        <button
          type="button"
          className="btn boost__action"
          aria-label="Add a boost"
          title="Add a boost"
          onClick={onAdd}
        >
          <Icon name="boost" />
        </button>
      )}
    </div>
  );
}

function Pill({ boost }: { boost: Boost }) {
  const mine = useCampfire((s) => s.user?.id === boost.booster?.id);
  const [revealed, setRevealed] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const name = boost.booster?.name ?? "Someone";
  const label = `${name} boosted ${boost.content}`;
  const text = isEmojiOnly(boost.content) ? (
    <span className="boost-character">{boost.content}</span>
  ) : (
    boost.content
  );
  const remove = async () => {
    setLeaving(true);
    try {
      const answer = await messageService.removeBoost({ boostId: boost.id });
      if (answer.message) saveMessage(answer.message);
    } catch (error) {
      setLeaving(false);
      alertFlash(reasonOf(error));
    }
  };
  const classes = ["boost", mine && "boost--own", leaving && "boost--deleting"].filter(Boolean).join(" ");
  return (
    <div className={classes} title={label} data-testid="boost">
      {boost.booster && <Avatar user={boost.booster} className="boost__avatar" link={label} />}
      {mine ? (
        <button
          type="button"
          className="boost__content"
          aria-label={label}
          aria-description="Press Enter to delete"
          aria-expanded={revealed}
          onClick={() => setRevealed(!revealed)}
        >
          {text}
        </button>
      ) : (
        <span className="boost__content">
          <span className="for-screen-reader">{name} boosted </span>
          {text}
        </span>
      )}
      {revealed && (
        <button
          type="button"
          className="btn btn--negative boost__delete"
          aria-label="Delete this boost"
          autoFocus
          onClick={() => void remove()}
        >
          <Icon name="minus" />
        </button>
      )}
    </div>
  );
}

/** The pill in which a boost is written. */
export function BoostForm({ message, onClose }: { message: Message; onClose: () => void }) {
  const user = useCampfire((s) => s.user);
  const [content, setContent] = useState("");
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.scrollIntoView({ block: "center", behavior: "smooth" });
  }, []);
  const close = () => {
    form.current?.closest(".message")?.querySelector<HTMLElement>(".message__options-btn")?.focus();
    onClose();
  };
  const submit = async () => {
    if (!content.trim()) return;
    close();
    try {
      const answer = await messageService.addBoost({ messageId: message.id, content: content.trim() });
      if (answer.message) saveMessage(answer.message);
    } catch (error) {
      alertFlash(reasonOf(error));
    }
  };
  return (
    <form
      ref={form}
      className="boost boost__form"
      data-testid="boost-form"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onKeyDown={(event) => event.key === "Escape" && close()}
    >
      {user && <Avatar user={user} className="boost__avatar" />}
      <input
        className="input input--boost"
        aria-label="Boost"
        maxLength={BOOST_LENGTH}
        autoFocus
        autoComplete="off"
        required
        value={content}
        onChange={(event) => setContent(event.target.value)}
      />
      <button type="submit" className="btn btn--reversed" aria-label="Submit">
        <Icon name="check" />
      </button>
      <button type="button" className="btn btn--negative" aria-label="Cancel" onClick={close}>
        <Icon name="minus" />
      </button>
    </form>
  );
}
