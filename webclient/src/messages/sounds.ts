import { create } from "zustand";
import type { Message } from "../gen/campfire/v1/message_pb";

/** The names "/play" knows, in alphabetical order. */
export const soundNames: readonly string[] = (
  "56k ballmer bell bezos bueller butts clowntown cottoneyejoe crickets curb dadgummit dangerzone danielsan deeper " +
  "donotwant drama flawless glados gogogo greatjob greyjoy guarantee heygirl honk horn horror incoming inconceivable " +
  "letitgo live loggins makeitso mario_coin maybe noooo nyan ohmy ohyeah pushit rimshot rollout rumble sax secret " +
  "sexyback story tada tmyk totes trololo trombone unix vuvuzela what whoomp wups yay yeah yodel"
).split(" ");

const names = new Set(soundNames);

/** The sound a text asks for: "/play", a name that is known, and nothing else. */
export function soundAskedFor(text: string): string | undefined {
  const name = /^\/play (\w+)$/.exec(text)?.[1];
  return name !== undefined && names.has(name) ? name : undefined;
}

/** What "/play" may become, while it is being written. */
export function soundsFor(text: string): readonly string[] {
  const begun = /^\/play (\w*)$/.exec(text)?.[1];
  return begun === undefined ? [] : soundNames.filter((name) => name.startsWith(begun));
}

/** The messages whose sound the browser did not let play by itself: they wait for a click. */
export const useWaiting = create<{ readonly ids: ReadonlySet<string> }>()(() => ({ ids: new Set() }));

const played = new Set<string>();

/** Plays the sound of a message that has just been posted: once, however often it is heard of. */
export function playOnArrival({ id, sound }: Message) {
  if (!sound || played.has(id)) return;
  played.add(id);
  play(id, sound.name);
}

/** Plays the sound of a message from its beginning. */
export function play(messageId: string, name: string) {
  const player = playerOf(messageId, name);
  player.currentTime = 0;
  player.play().then(
    () => setWaiting(messageId, false),
    (error: unknown) => {
      player.remove();
      if (error instanceof DOMException && error.name === "NotAllowedError") setWaiting(messageId, true);
    },
  );
}

/** The address of a sound's picture. */
export function pictureOf(name: string): string {
  return `/sounds/${name}.svg?v=${import.meta.env.SOUNDS_VERSION}`;
}

// On the page while it plays, but outside the conversation, whose lines come and go.
function playerOf(messageId: string, name: string): HTMLAudioElement {
  const playing = document.querySelector<HTMLAudioElement>(`audio[data-message-id="${messageId}"]`);
  if (playing) return playing;
  const player = new Audio(`/sounds/${name}.mp3?v=${import.meta.env.SOUNDS_VERSION}`);
  player.dataset.messageId = messageId;
  player.dataset.sound = name;
  player.addEventListener("ended", () => player.remove());
  document.body.append(player);
  return player;
}

function setWaiting(messageId: string, waiting: boolean) {
  useWaiting.setState(({ ids }) => {
    if (ids.has(messageId) === waiting) return {};
    const now = new Set(ids);
    if (waiting) now.add(messageId);
    else now.delete(messageId);
    return { ids: now };
  });
}
