import { serveEcho } from "./serve-echo.mjs";

/** A handler, whose return value is the acknowledgement. */
await serveEcho((io) => io.handle("echo", (payload) => payload));
