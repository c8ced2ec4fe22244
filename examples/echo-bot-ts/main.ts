// Answers whoever speaks to it, in a room by a mention or in a direct one. It keeps where it is in the stream, goes on from
// there after a cut or a restart, and answers nothing twice.
//
//   npm install
//   CAMPFIRE_URL=http://localhost:8080 CAMPFIRE_BOT_KEY=7-aBcD… npm start
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { EventService } from "campfire-client/event";
import { type Message, MessageService } from "campfire-client/message";
import { RoomKind, RoomService } from "campfire-client/room";
import { SessionService } from "campfire-client/session";
import { type User, UserRole } from "campfire-client/user";

const { CAMPFIRE_URL = "http://localhost:8080", CAMPFIRE_BOT_KEY = "", ECHO_BOT_STATE = "echo-bot.state" } = process.env;

const withKey: Interceptor = (next) => (request) => {
  request.header.set("Authorization", `Bearer ${CAMPFIRE_BOT_KEY}`);
  return next(request);
};
const transport = createConnectTransport({ baseUrl: CAMPFIRE_URL, httpVersion: "1.1", interceptors: [withKey] });
const sessions = createClient(SessionService, transport);
const rooms = createClient(RoomService, transport);
const messages = createClient(MessageService, transport);
const events = createClient(EventService, transport);

let resumeToken = readState();

function readState() {
  try {
    return readFileSync(ECHO_BOT_STATE, "utf8");
  } catch {
    return ""; // from now on
  }
}

/** Notes how far the bot has come, so that a crash leaves either the old token or the new one. */
function keep(token: string) {
  resumeToken = token;
  writeFileSync(`${ECHO_BOT_STATE}.new`, token);
  renameSync(`${ECHO_BOT_STATE}.new`, ECHO_BOT_STATE);
}

/** Handles what happens until the stream ends. A dead stream is told by its silence. */
async function listen(me: User) {
  const hangUp = new AbortController();
  let patience = 60_000;
  let silence = setTimeout(() => hangUp.abort(), patience);
  try {
    for await (const { event, resumeToken: token } of events.subscribe({ resumeToken }, { signal: hangUp.signal })) {
      if (event.case === "hello") {
        patience = Number(event.value.heartbeatInterval?.seconds ?? 24) * 2500;
        console.log(`listening as ${me.name}`);
      }
      clearTimeout(silence);
      silence = setTimeout(() => hangUp.abort(), patience);
      if (event.case === "messageCreated" && event.value.message) await hear(me, event.value.message);
      if (token) keep(token); // only now: what was not handled comes again
    }
  } finally {
    clearTimeout(silence);
    hangUp.abort(); // leaving the loop does not end the request
  }
}

/** Answers a message to the bot. It leaves those of bots alone: two of them would talk for ever. */
async function hear(me: User, message: Message) {
  if (message.creator?.role === UserRole.BOT) return;
  try {
    if (!(await isToMe(me, message))) return;
    const said = message.bodyText.replaceAll(`@${me.name}`, "").trim();
    await messages.postMessage({
      roomId: message.roomId,
      clientMessageId: `echo-${me.id}-${message.id}`, // the same for the same message: posted twice, it is one answer
      body: { case: "text", value: `You said: ${said}` },
    });
  } catch (error) {
    if (ConnectError.from(error).code !== Code.NotFound) throw error; // else the bot is no longer in the room
  }
}

async function isToMe(me: User, message: Message) {
  if (message.bodyHtml.includes(`data-user-id="${me.id}"`)) return true;
  const { room } = await rooms.getRoom({ roomId: message.roomId });
  return room?.kind === RoomKind.DIRECT;
}

for (let wait = 200; ; wait = Math.min(2 * wait, 15_000)) {
  try {
    const { user } = await sessions.getCurrentUser({});
    wait = 200;
    await listen(user!);
  } catch (error) {
    const failure = ConnectError.from(error);
    if (failure.code === Code.Unauthenticated) throw failure; // the key is nobody's, or no longer
    console.log(`back in a moment: ${failure.message}`);
  }
  await sleep(wait);
}
