import { io as connect, type Socket } from "socket.io-client";
import { nextEvent } from "../support/next-event.js";
import type { RedisNode } from "./redis-node.js";

/** Connects a client to one node and lets it enter a room. */
export async function connectTo(node: RedisNode | undefined, name: string, room: string): Promise<Socket> {
  const socket = connect(`http://localhost:${node?.port}`, { auth: { name, room }, forceNew: true });
  await nextEvent(socket, "connect");
  return socket;
}
