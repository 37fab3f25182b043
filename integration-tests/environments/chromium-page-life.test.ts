import type { Browser, Page } from "playwright-core";
import type { Socket } from "socket.io-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type InteropSocket, plugboard } from "../support/interop-implementation.js";
import { nextEvent } from "../support/next-event.js";
import { chromiumFiles, launchChromium, openPage, programIn } from "./chromium.js";
import { type EnvironmentServer, startEnvironmentServer } from "./environment-server.js";
import type { ClientExports } from "./fixtures/run-scenario.js";

/** What functions see that are evaluated in the page: they can use nothing else around them. */
declare const client: ClientExports;
declare const sockets: Socket[];
declare function dispatchEvent(event: Event): boolean;

let browser: Browser;
let server: EnvironmentServer;
/** Another origin on the same site. */
let elsewhere: EnvironmentServer;
let page: Page;
/** What the page printed, and its uncaught errors. */
let printed: string[];

beforeAll(async () => {
  const cookie = { name: "ticket", path: "/", httpOnly: true };
  [browser, server, elsewhere] = await Promise.all([
    launchChromium(),
    startEnvironmentServer(plugboard, await chromiumFiles(), { cookie }),
    startEnvironmentServer(plugboard, new Map(), { cookie }),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([server?.close(), elsewhere?.close()]);
});

beforeEach(async () => {
  page = await openPage(browser, `${server.url}/module.html`);
  onTestFinished(() => page.context().close());
  await programIn(page, async () => {});
  printed = [];
  page.on("console", (message) => printed.push(message.text()));
  page.on("pageerror", (error) => printed.push(error.message));
});

interface OpenOptions {
  readonly url?: string;
  /** "class X" stands for what the client exports as X. */
  readonly transports: readonly string[];
  readonly [option: string]: unknown;
}

/** Connects a socket in the page, which is kept in its global `sockets`, and resolves with the server's end. */
async function connect({ url, ...options }: OpenOptions): Promise<InteropSocket> {
  const accepted = nextEvent<[InteropSocket]>(url === elsewhere.url ? elsewhere.io : server.io, "connection");
  await page.evaluate(
    async ([target, { transports, ...rest }]) => {
      const chosen = transports.map((name) => (name.startsWith("class ") ? client[name.slice(6)] : name)) as string[];
      const all = { forceNew: true, reconnectionDelay: 50, randomizationFactor: 0, ...rest, transports: chosen };
      const socket = target === undefined ? client.io(all) : client.io(target, all);
      const scope = globalThis as unknown as { sockets?: Socket[] };
      (scope.sockets ??= []).push(socket);
      socket.on("disconnect", (reason) => console.log("disconnect: " + reason));
      socket.on("connect_error", (error) => console.log("connect_error: " + error.message));
      await new Promise<void>((resolve) => socket.once("connect", resolve));
    },
    [url, options] as const,
  );
  return (await accepted)[0];
}

const travels = [
  { travel: "polling", transports: ["polling"] },
  { travel: "polling by fetch", transports: ["class Fetch"] },
  { travel: "websocket", transports: ["websocket"] },
] as const;
const requests = travels.slice(0, 2);

describe("Chromium page: where it connects to", () => {
  it.each(travels)("is its own origin without a URL, over $travel", async ({ transports }) => {
    expect((await connect({ transports })).handshake.headers.host).toBe(new URL(server.url).host);
  });
});

describe("Chromium page: cookies", () => {
  it.each(travels)("sends cookies of its own origin, over $travel", async ({ transports }) => {
    const first = await connect({ transports: ["polling"] });
    expect(first.handshake.headers.cookie).toBeUndefined();
    expect((await connect({ transports })).handshake.headers.cookie).toMatch(/^ticket=/);
  });

  it.each(requests)("sends cookies to another origin only when told to, over $travel", async ({ transports }) => {
    const { url } = elsewhere;
    const ask = async (withCredentials: boolean) =>
      (await connect({ url, transports, withCredentials })).handshake.headers.cookie;

    expect(await ask(true)).toBeUndefined();
    expect(await ask(true)).toMatch(/^ticket=/);
    expect(await ask(false)).toBeUndefined();
  });
});

describe("Chromium page: when the network is gone", () => {
  it("all its connections close at once, and come back with the network", async () => {
    for (const { transports } of [...travels, ...travels]) await connect({ transports });
    const watched = page.evaluate(() => {
      const seen = sockets.map(async (socket) => {
        const [reason, details] = await new Promise<unknown[]>((resolve) => {
          socket.once("disconnect", (...args) => resolve(args));
        });
        return [reason, (details as { description: string }).description];
      });
      return Promise.all(seen);
    });
    await page.context().setOffline(true);

    expect(await watched).toEqual(sixTimes(["transport close", "network connection lost"]));
    await page.context().setOffline(false);
    const back = page.evaluate(() => {
      const seen = sockets.map(async (socket) => {
        if (!socket.connected) await new Promise<void>((resolve) => socket.once("connect", resolve));
        return socket.connected;
      });
      return Promise.all(seen);
    });
    expect(await back).toEqual(sixTimes(true));
  });
});

describe("Chromium page: when it is left", () => {
  it.each(travels)("the server learns so at once, and the page complains of nothing, over $travel", async (travel) => {
    const socket = await connect(travel);
    const gone = nextEvent(socket, "disconnect");
    await page.goto(`${server.url}/blank.html`);

    expect((await gone)[0]).toMatch(/^transport (close|error)$/);
    expect(printed).toEqual([]);
  });

  it.each(travels)("the server learns so when the page is closed, over $travel", async ({ transports }) => {
    const socket = await connect({ transports });
    const gone = nextEvent(socket, "disconnect");
    await page.close();

    expect((await gone)[0]).toMatch(/^transport (close|error)$/);
  });

  it.each(travels)("closes by itself before that, in silence, if it is to, over $travel", async ({ transports }) => {
    const [staying, leaving] = [
      await connect({ transports }),
      await connect({ transports, closeOnBeforeunload: true }),
    ];
    const gone = nextEvent(leaving, "disconnect");
    await page.evaluate(() => dispatchEvent(new Event("beforeunload")));

    expect((await gone)[0]).toBe("transport close");
    expect(staying.connected).toBe(true);
    expect(printed).toEqual([]);
  });
});

function sixTimes<Value>(value: Value): Value[] {
  return Array.from({ length: 6 }, () => value);
}
