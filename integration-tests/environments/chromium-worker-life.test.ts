import type { Browser, Worker } from "playwright-core";
import type { Socket } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { plugboard } from "../support/interop-implementation.js";
import { chromiumFiles, launchChromium, openPage, programIn, startServiceWorker, startWorker } from "./chromium.js";
import { type EnvironmentServer, startEnvironmentServer } from "./environment-server.js";
import type { ClientExports } from "./fixtures/run-scenario.js";

/** What functions see that are evaluated in the worker: they can use nothing else around them. */
declare const client: ClientExports;
declare function dispatchEvent(event: Event): boolean;

let browser: Browser;
let server: EnvironmentServer;

beforeAll(async () => {
  [browser, server] = await Promise.all([launchChromium(), startEnvironmentServer(plugboard, await chromiumFiles())]);
});

afterAll(async () => {
  await browser?.close();
  await server?.close();
});

async function startClient(start: typeof startWorker): Promise<Worker> {
  const page = await openPage(browser, `${server.url}/blank.html`);
  onTestFinished(() => page.context().close());
  const worker = await start(page, "/module.js");
  await programIn(worker, async () => {});
  return worker;
}

describe.each([
  { kind: "worker", start: startWorker },
  { kind: "service worker", start: startServiceWorker },
])("Chromium $kind", ({ start }) => {
  it("connects to its own origin without a URL", async () => {
    const worker = await startClient(start);
    const id = await worker.evaluate(async () => {
      const socket = client.io({ transports: ["websocket"] });
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      return socket.id;
    });

    expect(server.io.sockets.sockets.has(id as string)).toBe(true);
  });

  // Workers that may sleep wake up only for listeners that were there from the start.
  it("has added its listeners when its script has run, and adds none as it connects", async () => {
    const worker = await startClient(start);
    const late = await worker.evaluate(async () => {
      const added: unknown[] = [];
      Object.assign(globalThis, { addEventListener: (event: string) => added.push(event) });
      for (const transport of ["websocket", client["Fetch"]] as string[]) {
        const socket = client.io({ forceNew: true, transports: [transport] });
        await new Promise<void>((resolve) => socket.once("connect", resolve));
        socket.disconnect();
      }
      return added;
    });

    expect(late).toEqual([]);
  });

  it("closes all its connections when the network is gone, and opens them again", async () => {
    const worker = await startClient(start);
    const seen = await worker.evaluate(async () => {
      const open = (transport: unknown): Socket =>
        client.io({ forceNew: true, reconnectionDelay: 10, transports: [transport as string] });
      const sockets = ["websocket", client["Fetch"], "websocket", client["Fetch"]].map(open);
      const all = (event: "connect" | "disconnect"): Promise<unknown[]> =>
        Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once(event as "disconnect", resolve))));
      await all("connect");
      const [gone, back] = [all("disconnect"), all("connect")];
      dispatchEvent(new Event("offline"));
      const reasons = await gone;
      await back;
      return [...reasons, ...sockets.map((socket) => socket.connected)];
    });

    expect(seen).toEqual([...Array<string>(4).fill("transport close"), ...Array<boolean>(4).fill(true)]);
  });
});

describe("Chromium service worker, which has no XMLHttpRequest,", () => {
  it("says so when polling is all it may try", async () => {
    const worker = await startClient(startServiceWorker);
    const message = await worker.evaluate(() => {
      const socket = client.io({ reconnection: false });
      return new Promise<string>((resolve) => socket.once("connect_error", (error) => resolve(error.message)));
    });

    expect(message).toBe("xhr poll error");
  });

  it("connects over websocket when it may try all transports", async () => {
    const worker = await startClient(startServiceWorker);
    const transport = await worker.evaluate(async () => {
      const socket = client.io({ tryAllTransports: true });
      await new Promise<void>((resolve) => socket.once("connect", resolve));
      return socket.io.engine.transport.name;
    });

    expect(transport).toBe("websocket");
  });
});
