import type { IncomingMessage, ServerResponse } from "node:http";

/** How long a client may go on with a body that is answered already: for it to read the answer, and to finish. */
const REST_OF_BODY_MS = 1000;

/**
 * Once a request is answered, whoever answers it, what still comes of its body is thrown away, and the connection is cut
 * when that does not end within a second: nobody else would.
 */
export function boundRestOfBody(req: IncomingMessage, res: ServerResponse): void {
  res.once("finish", () => {
    if (!req.complete) cutUnlessComplete(req);
  });
}

function cutUnlessComplete(req: IncomingMessage): void {
  if (req.destroyed) return;
  const timer = setTimeout(() => req.destroy(), REST_OF_BODY_MS).unref();
  req.resume().once("close", () => clearTimeout(timer));
}
