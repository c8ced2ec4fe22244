import type { DescService } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { AccountService } from "./gen/campfire/v1/account_pb";
import { EventService } from "./gen/campfire/v1/event_pb";
import { MessageService } from "./gen/campfire/v1/message_pb";
import { PresenceService } from "./gen/campfire/v1/presence_pb";
import { RoomKind, RoomService } from "./gen/campfire/v1/room_pb";
import { SessionService } from "./gen/campfire/v1/session_pb";
import { type User, UserService, UserStatus } from "./gen/campfire/v1/user_pb";
import { BadRequestSchema } from "./gen/google/rpc/error_details_pb";

let signedOut = () => {};

const noticeSignOut: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (codeOf(error) === Code.Unauthenticated) signedOut();
    throw error;
  }
};

const transport = createConnectTransport({
  baseUrl: location.origin,
  defaultTimeoutMs: 15_000,
  interceptors: [noticeSignOut],
});

/** A client for a service that only some screens need; they bring its definition along. */
export function clientOf<S extends DescService>(service: S): Client<S> {
  return createClient(service, transport);
}

/** The account: its name, its first run, its join code. */
export const accountService = createClient(AccountService, transport);
/** Signing in and out, joining, who one is. */
export const sessionService = createClient(SessionService, transport);
/** People and bots. */
export const userService = createClient(UserService, transport);
/** Rooms and who is in them. */
export const roomService = createClient(RoomService, transport);
/** The conversation. */
export const messageService = createClient(MessageService, transport);
/** Who looks at a room, and who is typing. */
export const presenceService = createClient(PresenceService, transport);
/** The stream; live.ts alone opens it. */
export const eventService = createClient(EventService, transport);

/** All active people, by name, page after page. */
export async function everyone(): Promise<User[]> {
  const all: User[] = [];
  let pageToken = "";
  do {
    const page = await userService.listUsers({ pageToken });
    all.push(...page.users.filter(isActive)); // administrators are told of banned people too
    pageToken = page.nextPageToken;
  } while (pageToken);
  return all;
}

/** All active people and bots, by name: bots stand in no list but those of the open rooms, where everyone is. */
export async function everyoneAndBots(): Promise<User[]> {
  const { rooms } = await roomService.listRooms({ includeInvisible: true });
  const open = rooms.find((r) => r.kind === RoomKind.OPEN);
  return open ? (await everyoneIn(open.id)).filter(isActive) : everyone();
}

/** All people and bots in a room, by name, page after page. */
export async function everyoneIn(roomId: string): Promise<User[]> {
  const all: User[] = [];
  let pageToken = "";
  do {
    const page = await roomService.listMembers({ roomId, pageToken });
    all.push(...page.members);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return all;
}

/** Says what to do when the server no longer knows who is calling. */
export function onSignedOut(listener: () => void) {
  signedOut = listener;
}

/** The code of whatever was thrown. */
export function codeOf(error: unknown): Code {
  return ConnectError.from(error).code;
}

/** Whether trying the same again later may help. */
export function isPassing(error: unknown): boolean {
  switch (codeOf(error)) {
    case Code.InvalidArgument:
    case Code.NotFound:
    case Code.PermissionDenied:
    case Code.AlreadyExists:
    case Code.FailedPrecondition:
    case Code.Unauthenticated:
    case Code.Unimplemented:
      return false;
    default:
      return true;
  }
}

/** What to tell the person about whatever was thrown. */
export function reasonOf(error: unknown): string {
  const { code, rawMessage } = ConnectError.from(error);
  switch (code) {
    case Code.Unavailable:
    case Code.Unknown:
    case Code.DeadlineExceeded:
    case Code.Canceled:
      return "Campfire can’t be reached right now.";
    case Code.Internal:
      return `Something went wrong on the server. ${rawMessage}`;
    default:
      return sentence(rawMessage);
  }
}

/** The fields the server objected to, each with what is wrong with it. */
export function violationsOf(error: unknown): { field: string; description: string }[] {
  return ConnectError.from(error)
    .findDetails(BadRequestSchema)
    .flatMap((detail) => detail.fieldViolations);
}

/** Whether someone takes part: only they can be in a room. */
export function isActive({ status }: User): boolean {
  return status === UserStatus.ACTIVE;
}

function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
