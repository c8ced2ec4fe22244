import type { Sound } from "../gen/campfire/v1/message_pb";
import { pictureOf, play, useWaiting } from "./sounds";

/** A sound in the conversation: a button that plays it, and its caption or its picture. */
export function SoundView({ messageId, sound }: { messageId: string; sound: Sound }) {
  const { name, caption, width, height } = sound;
  const waiting = useWaiting((s) => s.ids.has(messageId));
  return (
    <div className="message__content message__sound" dir="auto" data-testid="message-body" data-sound={name}>
      <button
        type="button"
        className={`btn btn--plain message__sound-btn ${waiting ? "btn--pulsing" : ""}`}
        aria-label={`Play ${name}`}
        title={`Play ${name}`}
        onClick={() => play(messageId, name)}
      >
        <span aria-hidden="true">🔊</span>
      </button>{" "}
      {width > 0 ? (
        <img src={pictureOf(name)} width={width} height={height} alt={name} loading="lazy" />
      ) : (
        <span>{caption || name}</span>
      )}
      {waiting && <span className="message__sound-note">Press to hear it</span>}
    </div>
  );
}
