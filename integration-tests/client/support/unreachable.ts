import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { onTestFinished } from "vitest";
import { quietPort } from "../../support/quiet-port.js";

/** Resolves with the URL of a port at which nobody listens: connections are refused. */
export async function refusingUrl(): Promise<string> {
  return `http://127.0.0.1:${await quietPort()}`;
}

/**
 * Resolves with the URL of a server that takes connections and says nothing, and how many it took.
 * @param options - `refusals`: how many it breaks off at first
 */
export async function silentServer({ refusals = 0 } = {}): Promise<{ url: string; connections: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count++;
    socket.on("error", () => {});
    if (count <= refusals) socket.destroy();
    onClose.add(() => socket.destroy());
  });
  const onClose = new Set<() => void>();
  const url = await listenOn(server);
  onTestFinished(() => {
    server.close();
    for (const close of onClose) close();
  });
  return { url, connections: () => count };
}

async function listenOn(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
