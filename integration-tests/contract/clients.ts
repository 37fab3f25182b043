import { io as connectOurs } from "@plugboard/client";
import { io as connectPublished, type Socket } from "socket.io-client";
import { onTestFinished } from "vitest";
import { nextEvent } from "../support/next-event.js";

/** Both clients, typed as the published one. */
export const clients: readonly { name: string; connect(url: string): Promise<Socket> }[] = [
  { name: "socket.io-client", connect: (url) => connected(connectPublished(url, options)) },
  { name: "@plugboard/client", connect: (url) => connected(connectOurs(url, options) as unknown as Socket) },
];

const options = { forceNew: true, reconnection: false, transports: ["websocket"], ackTimeout: 10_000 };

async function connected(socket: Socket): Promise<Socket> {
  onTestFinished(() => void socket.disconnect());
  await nextEvent(socket, "connect");
  return socket;
}
