import { expect, it } from "vitest";
import { openClient } from "../../support/connect-client.js";
import { interopSuite } from "../../support/interop-suite.js";
import { nextEvent } from "../../support/next-event.js";

interopSuite("refused connections", ({ startServer }) => {
  it("shows a websocket client that allowRequest refuses an error and nothing of a session", async () => {
    const server = await startServer({ allowRequest: (_req, answer) => answer(null, false) });
    const client = openClient(server.url, { autoConnect: false });
    client.io.open();
    const { engine } = client.io;
    const seen: string[] = [];
    for (const event of ["open", "handshake", "packet", "data", "error"] as const) {
      engine.on(event, () => seen.push(event));
    }

    await nextEvent(engine, "close");

    expect(seen).toEqual(["error"]);
    expect(server.io.engine.clientsCount).toBe(0);
  });
});
