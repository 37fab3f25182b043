import { RawConnection, enginePath } from "../support/raw-connection.js";

/** One client from its first byte to its last. */
export type Cycle = (port: number) => Promise<void>;

interface Polling {
  readonly connection: RawConnection;
  readonly sid: string;
  post(packets: string): Promise<void>;
  poll(): Promise<string>;
}

const sidOf = (handshake: string): string => (JSON.parse(handshake.slice(1)) as { sid: string }).sid;

async function answered(answer: Promise<{ status: number; body: string }>): Promise<string> {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(`answered with ${status}: ${body}`);
  return body;
}

async function joinByPolling(port: number, namespace = ""): Promise<Polling> {
  const connection = await RawConnection.open(port);
  const sid = sidOf(await answered(connection.request("GET", enginePath("polling"))));
  const path = enginePath("polling", sid);
  const post = async (packets: string): Promise<void> => {
    await answered(connection.request("POST", path, packets));
  };
  const poll = (): Promise<string> => answered(connection.request("GET", path));
  await post(`40${namespace}`);
  const reply = await poll();
  if (!reply.startsWith(`40${namespace}{"sid"`)) throw new Error(`not joined: ${reply}`);
  return { connection, sid, post, poll };
}

async function end(connection: RawConnection): Promise<void> {
  connection.end();
  await connection.closed;
}

/** Says goodbye in both layers. */
async function pollAndLeave(port: number): Promise<void> {
  const { connection, post, poll } = await joinByPolling(port);
  await post('421["ping"]');
  // Broadcasts of others may come first.
  while (!(await poll()).includes('431["pong"]')) continue;
  await post("41\x1e1");
  await end(connection);
}

/** Is gone in the middle of a poll. */
async function abortPoll(port: number): Promise<void> {
  const { connection, sid } = await joinByPolling(port);
  connection.sendRequest("GET", enginePath("polling", sid));
  connection.reset();
  await connection.closed;
}

/** Is sent away by the server. */
async function pollUntilSentAway(port: number): Promise<void> {
  const { connection, post, poll } = await joinByPolling(port);
  await post('42["leave me"]');
  while (!/(^|\x1e)1$/.test(await poll())) continue;
  await end(connection);
}

/** Joins a namespace that is there for it alone, and breaks the protocol. */
async function pollAndBreakRules(port: number): Promise<void> {
  const { connection, post } = await joinByPolling(port, `/of-${Math.floor(Math.random() * 1e9)},`);
  await post("4nonsense\x1e?");
  await end(connection);
}

/** Moves on to a WebSocket. */
async function upgradeAndClose(port: number): Promise<void> {
  const { connection, sid, poll } = await joinByPolling(port);
  const candidate = await RawConnection.open(port);
  await candidate.upgrade(enginePath("websocket", sid));
  const lastPoll = poll();
  candidate.sendText("2probe");
  await candidate.nextText();
  await lastPoll;
  candidate.sendText("5");
  candidate.sendCloseFrame();
  await Promise.all([end(connection), end(candidate)]);
}

async function joinByWebSocket(port: number, namespace = ""): Promise<RawConnection> {
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
async function talkAndLeave(port: number): Promise<void> {
  const connection = await joinByWebSocket(port);
  connection.sendText('421["ping"]');
  while ((await connection.nextText()) !== '431["pong"]') continue;
  connection.sendText("41");
  connection.sendCloseFrame();
  await end(connection);
}

async function cutWebSocket(port: number): Promise<void> {
  const connection = await joinByWebSocket(port);
  connection.reset();
  await connection.closed;
}

async function endWithoutCloseFrame(port: number): Promise<void> {
  await end(await joinByWebSocket(port));
}

async function webSocketUntilSentAway(port: number): Promise<void> {
  const connection = await joinByWebSocket(port);
  connection.sendText('42["leave me"]');
  while ((await connection.nextText()) !== undefined) continue;
  connection.sendCloseFrame();
  await end(connection);
}

/** Joins a namespace that is there for it alone, and breaks the protocol. */
async function breakRules(port: number): Promise<void> {
  const connection = await joinByWebSocket(port, `/of-${Math.floor(Math.random() * 1e9)},`);
  connection.sendText("4nonsense");
  while ((await connection.nextText()) !== undefined) continue;
  connection.sendCloseFrame();
  await end(connection);
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
export async function runCycles(port: number, cycles: readonly Cycle[], count: number, lanes = 16): Promise<void> {
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < count) await cycles[started++ % cycles.length]?.(port);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
