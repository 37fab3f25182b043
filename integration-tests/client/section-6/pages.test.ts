import { expect, it, onTestFinished } from "vitest";
import type { EngineSession } from "../../support/raw-session.js";
import { nextEvent } from "../../support/next-event.js";
import { clientOnlySuite, singleTransports } from "../support/client-suite.js";
import { recorded } from "../support/observe.js";
import { loadInPage } from "../support/page.js";

clientOnlySuite("pages that are left", ({ client, startEngineServer }) => {
  it.each(singleTransports)("72: have closed their transport, in silence, over %s", async (transport) => {
    const server = await startEngineServer();
    const accepted = nextEvent<[EngineSession]>(server.io.engine, "connection");
    const page = await loadInPage(client);
    const engine = new page.Engine(server.url, {
      path: "/socket.io",
      transports: [transport],
      closeOnBeforeunload: true,
    });
    onTestFinished(() => {
      engine.close();
    });
    await nextEvent(engine, "open");
    const closes = recorded(engine, "close");
    const left = nextEvent((await accepted)[0], "close");
    const states: unknown[] = [];
    page.on("beforeunload", () => states.push(Reflect.get(engine.transport, "readyState")));

    page.dispatch("beforeunload");

    expect(states).toEqual(["closed"]);
    expect(() => engine.write("nobody reads this")).not.toThrow();
    expect(engine.readyState).toBe("open");
    await left;
    expect(closes).toEqual([]);
  });

  it("72: keep their connection unless they ask for that", async () => {
    const server = await startEngineServer();
    const page = await loadInPage(client);
    const engine = new page.Engine(server.url, { path: "/socket.io", transports: ["websocket"] });
    onTestFinished(() => {
      engine.close();
    });
    await nextEvent(engine, "open");

    page.dispatch("beforeunload");

    expect(Reflect.get(engine.transport, "readyState")).toBe("open");
  });

  it("72: are not listened to any longer by an engine that has closed", async () => {
    const server = await startEngineServer();
    const page = await loadInPage(client);
    const before = page.listenerCount("beforeunload");
    const engine = new page.Engine(server.url, { path: "/socket.io", closeOnBeforeunload: true });
    await nextEvent(engine, "open");
    expect(page.listenerCount("beforeunload")).toBe(before + 1);

    engine.close();
    if (engine.readyState !== "closed") await nextEvent(engine, "close");

    expect(page.listenerCount("beforeunload")).toBe(before);
  });
});
