import { randomInt } from "node:crypto";
import { RawConnection, enginePath } from "../support/raw-connection.js";

const LANES = 16;

/** One client from its first byte to its last. */
export type Cycle = (clients: Clients) => Promise<void>;

const sidOf = (handshake: string): string => (JSON.parse(handshake.slice(1)) as { sid: string }).sid;

async function answered(answer: Promise<{ status: number; body: string }>): Promise<string> {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`answered with ${status}: ${body}`);
  return body;
}

/** Where the clients connect to, and the HTTP connections that one client hands on to the next. */
class Clients {
  readonly port: number;
  readonly #kept: RawConnection[] = [];

  constructor(port: number) {
    this.port = port;
  }

  async take(): Promise<RawConnection> {
    return this.#kept.pop() ?? (await RawConnection.open(this.port));
  }

  keep(connection: RawConnection): void {
    this.#kept.push(connection);
  }

  async end(): Promise<void> {
    await Promise.all(this.#kept.splice(0).map(endOf));
  }
}

async function endOf(connection: RawConnection): Promise<void> {
  connection.end();
  await connection.closed;
}

/** A client over polling that has joined a namespace. */
class PollingClient {
  readonly connection: RawConnection;
  readonly sid: string;

  private constructor(connection: RawConnection, sid: string) {
    this.connection = connection;
    this.sid = sid;
  }

  static async join(clients: Clients, namespace = ""): Promise<PollingClient> {
    const connection = await clients.take();
    const client = new PollingClient(
      connection,
      sidOf(await answered(connection.request("GET", enginePath("polling")))),
    );
    await client.post(`40${namespace}`);
    const reply = await client.poll();
    if (!reply.startsWith(`40${namespace}{"sid"`)) throw new Error(`not joined: ${reply}`);
    return client;
  }

  async post(packets: string): Promise<void> {
    await answered(this.connection.request("POST", enginePath("polling", this.sid), packets));
  }

  poll(): Promise<string> {
    return answered(this.connection.request("GET", enginePath("polling", this.sid)));
  }

  /** Polls until an answer, whose packets may follow those of a broadcast, ends like this. */
  async pollUntil(end: string): Promise<void> {
    while (!`\x1e${await this.poll()}`.endsWith(`\x1e${end}`)) continue;
  }
}

/** Says goodbye in both layers. */
async function pollAndLeave(clients: Clients): Promise<void> {
  const client = await PollingClient.join(clients);
  await client.post('421["ping"]');
  await client.pollUntil('431["pong"]');
  await client.post("41\x1e1");
  clients.keep(client.connection);
}

/** Is gone in the middle of a poll. */
async function abortPoll(clients: Clients): Promise<void> {
  const { connection, sid } = await PollingClient.join(clients);
  connection.sendRequest("GET", enginePath("polling", sid));
  await endOf(connection);
}

/** Is sent away by the server. */
async function pollUntilSentAway(clients: Clients): Promise<void> {
  const client = await PollingClient.join(clients);
  await client.post('42["leave me"]');
  await client.pollUntil("1");
  clients.keep(client.connection);
}

/** Joins a namespace that is there for it alone, and breaks the protocol. */
async function pollAndBreakRules(clients: Clients): Promise<void> {
  const client = await PollingClient.join(clients, `/of-${randomInt(1e9)},`);
  await client.post("4nonsense");
  await client.pollUntil("1");
  clients.keep(client.connection);
}

/** Moves on to a WebSocket. */
async function upgradeAndClose(clients: Clients): Promise<void> {
  const client = await PollingClient.join(clients);
  const candidate = await RawConnection.open(clients.port);
  await candidate.upgrade(enginePath("websocket", client.sid));
  const lastPoll = client.poll();
  candidate.sendText("2probe");
  await candidate.nextText();
  await lastPoll;
  clients.keep(client.connection);
  candidate.sendText("5");
  candidate.sendCloseFrame();
  await endOf(candidate);
}

async function joinByWebSocket({ port }: Clients, namespace = ""): Promise<RawConnection> {
  const connection = await RawConnection.open(port);
  const status = await connection.upgrade(enginePath("websocket"));
  if (status !== 101) throw new Error(`refused with ${status}`);
  await connection.nextText();
  connection.sendText(`40${namespace}`);
  const reply = await connection.nextText();
  if (!reply?.startsWith(`40${namespace}{"sid"`)) throw new Error(`not joined: ${reply}`);
  return connection;
}

/** Says goodbye in all layers. */
async function talkAndLeave(clients: Clients): Promise<void> {
  const connection = await joinByWebSocket(clients);
  connection.sendText('421["ping"]');
  while ((await connection.nextText()) !== '431["pong"]') continue;
  connection.sendText("41");
  connection.sendCloseFrame();
  await endOf(connection);
}

async function cutWebSocket(clients: Clients): Promise<void> {
  const connection = await joinByWebSocket(clients);
  connection.reset();
  await connection.closed;
}

async function endWithoutCloseFrame(clients: Clients): Promise<void> {
  await endOf(await joinByWebSocket(clients));
}

async function webSocketUntilSentAway(clients: Clients): Promise<void> {
  const connection = await joinByWebSocket(clients);
  connection.sendText('42["leave me"]');
  while ((await connection.nextText()) !== undefined) continue;
  connection.sendCloseFrame();
  await endOf(connection);
}

/** Joins a namespace that is there for it alone, and breaks the protocol. */
async function breakRules(clients: Clients): Promise<void> {
  const connection = await joinByWebSocket(clients, `/of-${randomInt(1e9)},`);
  connection.sendText("4nonsense");
  while ((await connection.nextText()) !== undefined) continue;
  connection.sendCloseFrame();
  await endOf(connection);
}

export const POLLING_CYCLES: readonly Cycle[] = [
  pollAndLeave,
  abortPoll,
  pollUntilSentAway,
  pollAndBreakRules,
  upgradeAndClose,
];

export const WEBSOCKET_CYCLES: readonly Cycle[] = [
  talkAndLeave,
  cutWebSocket,
  endWithoutCloseFrame,
  webSocketUntilSentAway,
  breakRules,
];

/** Runs that many cycles, the given ones in turn, a few at the same time. */
export async function runCycles(port: number, cycles: readonly Cycle[], count: number): Promise<void> {
  const clients = new Clients(port);
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count) await cycles[started++ % cycles.length]?.(clients);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await clients.end();
}
