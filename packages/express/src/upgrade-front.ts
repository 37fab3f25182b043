import type { IncomingMessage, Server as HttpServer } from "node:http";
import type { Duplex } from "node:stream";

/** Takes an upgrade, or says that it is somebody else's. */
export type TakeUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/**
 * Takes upgrades before the listeners of an HTTP server hear of them: some of those, such as a `WebSocketServer` with a path, end
 * every upgrade that is not theirs. All others get theirs as if nobody stood here.
 *
 * @param passUpgrade - gets an upgrade that nobody listens for
 * @param onLeft - told of the socket of one that others have heard of, who may have left it to nobody
 * @returns undoes it
 */
export function takeUpgrades(
  server: HttpServer,
  take: TakeUpgrade,
  passUpgrade: (req: IncomingMessage, socket: Duplex) => void,
  onLeft: (socket: Duplex) => void,
): () => void {
  const emit = server.emit;
  let isOver = false;
  const emitThrough = (event: string | symbol, ...args: unknown[]): boolean => {
    if (!isOver && event === "upgrade") {
      const [req, socket, head] = args as [IncomingMessage, Duplex, Buffer];
      if (unlessAnswering(socket, () => take(req, socket, head))) return true;
      if (server.listenerCount("upgrade") > 1) onLeft(socket);
    }
    return Reflect.apply(emit, server, [event, ...args]);
  };
  // Node announces upgrades only while somebody listens for them.
  const onUpgrade = (req: IncomingMessage, socket: Duplex): void => {
    if (server.listenerCount("upgrade") === 1) unlessAnswering(socket, () => passUpgrade(req, socket));
  };
  server.emit = emitThrough;
  server.on("upgrade", onUpgrade);
  return () => {
    isOver = true;
    server.off("upgrade", onUpgrade);
    // Somebody may have come to stand in front, who goes on calling this one.
    if (server.emit === emitThrough) server.emit = emit;
  };
}

/**
 * A response to an earlier request on the same connection may not be over. Nobody who waits for answers sends an upgrade then, and
 * two responses cannot have one socket: so it is cut.
 */
function unlessAnswering<Result>(socket: Duplex, answer: () => Result): Result | true {
  try {
    return answer();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_HTTP_SOCKET_ASSIGNED") throw error;
    socket.on("error", () => {}).destroy();
    return true;
  }
}
