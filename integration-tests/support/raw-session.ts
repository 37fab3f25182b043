import { onTestFinished } from "vitest";
import { RawPollingPeer, RawWebSocketPeer } from "@plugboard/testkit";
import type { InteropServer, InteropSocket } from "./interop-implementation.js";
import { nextEvent } from "./next-event.js";
import { whenWritable } from "./when-writable.js";

/** One Engine.IO connection as the server sees it. */
export type EngineSession = InteropSocket["conn"];

interface ServerUnderTest {
  readonly io: InteropServer;
  readonly url: string;
}

export interface RawPollingSession {
  readonly peer: RawPollingPeer;
  readonly session: EngineSession;
}
export interface RawWebSocketSession {
  readonly peer: RawWebSocketPeer;
  readonly session: EngineSession;
  /** The first frame, whole. */
  readonly handshake: string;
}

/** URL of the Engine.IO endpoint of a server, without a query. */
export const endpoint = (server: ServerUnderTest): string => `${server.url}/socket.io/`;

/** Opens a session over polling by hand; no namespace is joined. */
export async function openRawPolling(server: ServerUnderTest): Promise<RawPollingSession> {
  const accepted = nextEvent<[EngineSession]>(server.io.engine, "connection");
  const peer = new RawPollingPeer(endpoint(server));
  await peer.open();
  return { peer, session: (await accepted)[0] };
}

/** Opens a session over websocket by hand; no namespace is joined. */
export async function openRawWebSocket(server: ServerUnderTest, query = ""): Promise<RawWebSocketSession> {
  const accepted = nextEvent<[EngineSession]>(server.io.engine, "connection");
  const peer = rawWebSocket(`${endpoint(server)}?EIO=4&transport=websocket${query}`);
  const handshake = String(await peer.next());
  return { peer, session: (await accepted)[0], handshake };
}

/** Opens the websocket with which the session of a polling peer could go on. */
export function rawUpgrade(server: ServerUnderTest, { sid }: { sid: string }): RawWebSocketPeer {
  return rawWebSocket(`${endpoint(server)}?EIO=4&transport=websocket&sid=${sid}`);
}

/** A websocket that is cut when the running test finishes. */
export function rawWebSocket(url: string): RawWebSocketPeer {
  const peer = new RawWebSocketPeer(url);
  onTestFinished(() => peer.socket.terminate());
  return peer;
}

/** Sends a poll and resolves, once it waits at the server, with the answer to come. */
export async function pendingPoll({
  peer,
  session,
}: RawPollingSession): Promise<{ answer: Promise<{ status: number; body: string }> }> {
  const answer = peer.poll();
  await whenWritable(session);
  return { answer };
}
