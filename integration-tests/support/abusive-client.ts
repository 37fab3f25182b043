import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { clientFrame, Opcode } from "./client-frame.js";
import { enginePath, RawConnection, type RawAnswer } from "./raw-connection.js";

/** Lets `use` have a connection, which is cut afterwards. */
export async function withConnection<Result>(
  port: number,
  use: (connection: RawConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await RawConnection.open(port);
  try {
    return await use(connection);
  } finally {
    connection.socket.destroy();
  }
}

/** A request on a connection of its own. */
export function ask(port: number, method: "GET" | "POST", path: string, body?: string): Promise<RawAnswer> {
  return withConnection(port, (connection) => connection.request(method, path, body));
}

/** Sends bytes on a connection of its own and returns the answer. */
export function askRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  return withConnection(port, (connection) => {
    connection.write(bytes);
    return connection.nextAnswer();
  });
}

/** The bytes of a request; what is undefined is left out. */
export function requestBytes(method: string, path: string, headers: Readonly<Record<string, string>> = {}): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join("")}\r\n`;
}

export const UPGRADE_HEADERS = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
} as const;

const sidOf = (handshake: string): string => (JSON.parse(handshake.slice(1)) as { sid: string }).sid;

/** A session over polling; each request has a connection of its own, as those of a hostile client may. */
export class AbusiveSession {
  readonly port: number;
  readonly sid: string;

  private constructor(port: number, sid: string) {
    this.port = port;
    this.sid = sid;
  }

  static async open(port: number): Promise<AbusiveSession> {
    return new AbusiveSession(port, sidOf((await ask(port, "GET", enginePath("polling"))).body));
  }

  get path(): string {
    return enginePath("polling", this.sid);
  }

  poll(): Promise<RawAnswer> {
    return ask(this.port, "GET", this.path);
  }

  post(body: string): Promise<RawAnswer> {
    return ask(this.port, "POST", this.path, body);
  }

  /** Joins the main namespace and fetches what is there. */
  async join(): Promise<this> {
    await this.post("40");
    expect((await this.poll()).body).toMatch(/^40\{"sid"/);
    return this;
  }

  /** Proves that the session works, and ends it. */
  async expectAlive(): Promise<void> {
    expect(await this.post("1")).toMatchObject({ status: 200, body: "ok" });
    await this.expectGone();
  }

  async expectGone(): Promise<void> {
    expect(await this.poll()).toEqual(UNKNOWN_SID);
  }

  /** Waits until the server has noticed. Does not poll, which could itself be what ends the session. */
  async untilGone(): Promise<void> {
    await untilUnknown(this.port, this.sid);
  }
}

export const UNKNOWN_SID: RawAnswer = { status: 400, body: '{"code":1,"message":"Session ID unknown"}' };

/** Asks about a session, in a way that does nothing to it, until the server does not know it any more. */
async function untilUnknown(port: number, sid: string): Promise<void> {
  await withConnection(port, async (connection) => {
    // A method that sessions have no use for: answered with 500, or 400 from another transport, as long as it lives.
    const question = requestBytes("PUT", enginePath("polling", sid), { "Content-Length": "0" });
    for (;;) {
      connection.write(question);
      if ((await connection.nextAnswer()).body === UNKNOWN_SID.body) return;
      await setTimeout(5);
    }
  });
}

/** A session over websocket. */
export class AbusiveWebSocket {
  readonly port: number;
  readonly sid: string;
  readonly connection: RawConnection;

  private constructor(port: number, sid: string, connection: RawConnection) {
    this.port = port;
    this.sid = sid;
    this.connection = connection;
  }

  /** @param namespace - to be joined; `undefined` joins none */
  static async use(
    port: number,
    namespace: string | undefined,
    use: (websocket: AbusiveWebSocket) => Promise<void>,
  ): Promise<void> {
    const sid = await withConnection(port, async (connection) => {
      const status = await connection.upgrade(enginePath("websocket"));
      expect(status).toBe(101);
      const websocket = new AbusiveWebSocket(port, sidOf((await connection.nextText()) ?? ""), connection);
      if (namespace !== undefined) {
        websocket.send(`40${namespace}`);
        expect(await connection.nextText()).toMatch(`40${namespace}{"sid"`);
      }
      await use(websocket);
      return websocket.sid;
    });
    await untilUnknown(port, sid);
  }

  send(data: string | Uint8Array): void {
    this.connection.write(clientFrame(data, { opcode: typeof data === "string" ? Opcode.TEXT : Opcode.BINARY }));
  }

  /** Waits for the close frame of the server and returns its code: 1005 when it has none. */
  async closeCode(): Promise<number> {
    for (;;) {
      const { opcode, payload } = await this.connection.nextFrame();
      if (opcode === Opcode.CLOSE) return payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    }
  }

  /** Waits until the server has forgotten the session. */
  untilGone(): Promise<void> {
    return untilUnknown(this.port, this.sid);
  }

  /** Proves that the connection still carries events. */
  async expectEcho(): Promise<void> {
    this.send('421["echo","x"]');
    while ((await this.connection.nextText()) !== '431["x"]') continue;
  }
}
