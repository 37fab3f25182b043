import { expect } from "vitest";
import type { RawPollingPeer, RawWebSocketPeer } from "@plugboard/testkit";
import type { InteropSocket } from "./interop-implementation.js";
import type { ListeningServer } from "./listening-server.js";
import { nextEvent } from "./next-event.js";
import { openRawPolling, openRawWebSocket } from "./raw-session.js";

/** The answer to a CONNECT to the main namespace. */
export const connectReply = /^40\{"sid":"[\w-]{20}"\}$/;

/** A raw websocket that has joined a namespace. */
export async function joinRawWebSocket(
  server: ListeningServer,
  namespace = "/",
): Promise<{ peer: RawWebSocketPeer; socket: InteropSocket; reply: string }> {
  const accepted = nextEvent<[InteropSocket]>(server.io.of(namespace), "connection");
  const { peer } = await openRawWebSocket(server);
  peer.send(namespace === "/" ? "40" : `40${namespace},`);
  const [socket] = await accepted;
  return { peer, socket, reply: String(await peer.next()) };
}

/** A raw polling peer that has joined the main namespace and has fetched everything so far. */
export async function joinRawPolling(
  server: ListeningServer,
): Promise<{ peer: RawPollingPeer; socket: InteropSocket }> {
  const accepted = nextEvent<[InteropSocket]>(server.io, "connection");
  const { peer } = await openRawPolling(server);
  await peer.post("40");
  const [socket] = await accepted;
  expect((await peer.poll()).body).toMatch(connectReply);
  return { peer, socket };
}
