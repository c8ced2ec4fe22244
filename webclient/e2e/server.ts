import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const binary = process.env.CAMPFIRE_BINARY ?? resolve(import.meta.dirname, "../../campfire");

/** A real Campfire with a database of its own, on a free port. */
export class Server {
  /** Whose pages are open: they are closed first, so that none complains of a server that has gone. */
  readonly guests: { leave(): Promise<void> }[] = [];
  private process: ChildProcess | undefined;
  private log = "";
  private readonly data = mkdtempSync(join(tmpdir(), "campfire-e2e-"));

  private constructor(private readonly port: number) {}

  /** Starts one and waits until it answers. */
  static async start(): Promise<Server> {
    const server = new Server(await freePort());
    await server.launch();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it on its port and data; also again after kill. */
  async launch() {
    const child = spawn(binary, ["--addr", `127.0.0.1:${this.port}`, "--data", this.data], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (text) => (this.log += String(text)));
    const patience = Date.now() + 10_000;
    while (Date.now() < patience) {
      if (child.exitCode !== null) break;
      const answer = await this.call("AccountService", "GetAccount", {}).catch(() => undefined);
      if (answer?.ok) return;
      await new Promise((done) => setTimeout(done, 25));
    }
    throw new Error(`campfire did not start:\n${this.log}`);
  }

  /** Ends it without warning. */
  async kill() {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once("exit", done));
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends it and removes its data. */
  async stop() {
    for (const guest of this.guests) await guest.leave();
    await this.kill();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Calls a method of the API as a program would. */
  call(service: string, method: string, request: object, token?: string): Promise<Response> {
    return fetch(`${this.url}/campfire.v1.${service}/${method}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify(request),
    });
  }

  /** Calls a method and answers what it answered; anything but success throws. */
  async ask<Answer>(service: string, method: string, request: object, token?: string): Promise<Answer> {
    const answer = await this.call(service, method, request, token);
    if (!answer.ok) throw new Error(`${method}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  }

  /** Makes the account and its first administrator, and answers their session token. */
  async setUp(name = "Ada Lovelace"): Promise<string> {
    const person = { name, emailAddress: emailOf(name), password };
    const { sessionToken } = await this.ask<{ sessionToken: string }>("AccountService", "SetUp", person);
    return sessionToken;
  }

  /** Lets someone join, and answers their session token. */
  async join(adminToken: string, name: string): Promise<string> {
    const { joinCode } = await this.ask<{ joinCode: string }>(
      "AccountService",
      "GetJoinCode",
      {},
      adminToken,
    );
    const person = { joinCode, name, emailAddress: emailOf(name), password };
    const { sessionToken } = await this.ask<{ sessionToken: string }>("SessionService", "Join", person);
    return sessionToken;
  }

  /** The id of the only room, or of the one with this name. */
  async room(token: string, name?: string): Promise<string> {
    const { rooms } = await this.ask<{ rooms: { id: string; name: string }[] }>(
      "RoomService",
      "ListRooms",
      {},
      token,
    );
    const room = name === undefined ? rooms[0] : rooms.find((r) => r.name === name);
    if (!room) throw new Error(`no room ${name}`);
    return room.id;
  }

  /** Who this token belongs to. */
  async idOf(token: string): Promise<string> {
    const { user } = await this.ask<{ user: { id: string } }>("SessionService", "GetCurrentUser", {}, token);
    return user.id;
  }

  /** Makes a room and answers its id; with members a closed one. */
  async makeRoom(token: string, name: string, memberIds?: string[]): Promise<string> {
    const kind = memberIds ? "ROOM_KIND_CLOSED" : "ROOM_KIND_OPEN";
    const request = { kind, name, memberIds };
    const { room } = await this.ask<{ room: { id: string } }>("RoomService", "CreateRoom", request, token);
    return room.id;
  }

  /** Opens the ping with these people and answers its id. */
  async ping(token: string, ...userIds: string[]): Promise<string> {
    const request = { userIds };
    const { room } = await this.ask<{ room: { id: string } }>(
      "RoomService",
      "OpenDirectRoom",
      request,
      token,
    );
    return room.id;
  }

  /** Posts text or HTML. */
  async post(token: string, roomId: string, body: { text: string } | { html: string }): Promise<string> {
    const { message } = await this.ask<{ message: { id: string } }>(
      "MessageService",
      "PostMessage",
      { roomId, ...body },
      token,
    );
    return message.id;
  }
}

/** Everyone's password. */
export const password = "correct horse battery";

/** The address someone signs in with. */
export function emailOf(name: string): string {
  return `${name.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\W+/g, ".")}@example.com`;
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once("error", fail);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === "object" ? done(address.port) : fail(new Error("no port")),
      );
    });
  });
}
