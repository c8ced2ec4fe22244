import { Code } from "@connectrpc/connect";
import { codeOf, isPassing, messageService, reasonOf, violationsOf } from "../api";
import type { Post } from "../messages/timeline";
import { current, discardPost, failPost, saveMessage, update, useCampfire } from "../state";

/** How long to wait before each repeat of a post that did not go through; then it is given up. */
export const RETRY_MS = [1000, 2000, 4000, 8000, 16_000];

/** What a post says that was made to a room which is not there any more. */
export const roomGone = "This room no longer exists.";

const sending = new Set<string>();
let wake = new AbortController();

/**
 * Starts sending this person's posts, also those left by an earlier page, and tries again at once whenever the stream is
 * back. Returns how to stop.
 */
export function startOutbox(userId: string): () => void {
  update({ posts: stored(userId) });
  const stop = useCampfire.subscribe((now, before) => {
    if (now.posts !== before.posts) store(userId, now.posts, before.posts);
    if (now.connection === "live" && before.connection !== "live") retryNow();
    sendAll();
  });
  window.addEventListener("online", retryNow);
  sendAll();
  return () => {
    stop();
    window.removeEventListener("online", retryNow);
    retryNow(); // what still waits sees that its person is gone
  };
}

/** The rooms that have something to send, each with what goes first. */
export function nextPosts(posts: readonly Post[]): Map<string, Post> {
  const next = new Map<string, Post>();
  for (const p of posts) {
    if (p.failure === undefined && !next.has(p.roomId)) next.set(p.roomId, p);
  }
  return next;
}

function sendAll() {
  for (const [roomId, next] of nextPosts(current().posts)) {
    if (!sending.has(roomId)) void send(next);
  }
}

/** Sends one post until it went through or is given up. Only one of a room is on its way, so that they stay in order. */
async function send({ clientMessageId, roomId, html }: Post) {
  const waiting = () => current().posts.some((p) => p.clientMessageId === clientMessageId);
  sending.add(roomId);
  try {
    for (const delay of [...RETRY_MS, undefined]) {
      try {
        const answer = await messageService.postMessage({
          roomId,
          clientMessageId,
          body: { case: "html", value: html },
        });
        if (answer.message) saveMessage(answer.message);
        discardPost(clientMessageId);
        return;
      } catch (error) {
        if (codeOf(error) === Code.Unauthenticated || !waiting()) return;
        if (!isPassing(error) || delay === undefined) return giveUp(clientMessageId, error);
        await pause(delay);
        if (!waiting()) return;
      }
    }
  } finally {
    sending.delete(roomId);
    sendAll();
  }
}

function giveUp(clientMessageId: string, error: unknown) {
  const [violation] = violationsOf(error);
  const reason = violation ? `It ${violation.description}.` : reasonOf(error);
  const gone = codeOf(error) === Code.NotFound;
  failPost(clientMessageId, gone ? roomGone : `Not sent. ${reason}`, !isPassing(error));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function retryNow() {
  wake.abort();
  wake = new AbortController();
}

// One entry a post, so that tabs of one person do not overwrite each other's.
function store(userId: string, now: readonly Post[], before: readonly Post[]) {
  if (current().user?.id !== userId) return; // signed out: what is left waits for the next time
  for (const p of before) {
    if (!now.some((n) => n.clientMessageId === p.clientMessageId)) localStorage.removeItem(key(userId, p));
  }
  for (const p of now) {
    if (before.includes(p)) continue;
    try {
      localStorage.setItem(key(userId, p), JSON.stringify(p));
    } catch {
      return; // no room or no permission: the post lives as long as the page
    }
  }
}

function stored(userId: string): Post[] {
  const posts: Post[] = [];
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(key(userId))) continue;
    try {
      const post = JSON.parse(localStorage.getItem(name) ?? "") as Post;
      if (post.failure === roomGone) localStorage.removeItem(name);
      else posts.push(post);
    } catch {
      localStorage.removeItem(name);
    }
  }
  return posts.sort((a, b) => a.createdAt - b.createdAt);
}

function key(userId: string, post?: Post): string {
  return `campfire.outbox.${userId}.${post?.clientMessageId ?? ""}`;
}
