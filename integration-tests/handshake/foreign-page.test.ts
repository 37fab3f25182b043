import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "@plugboard/server";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../environments/chromium.js";
import { serve } from "../support/serve.js";

const transports = ["polling", "websocket"] as const;

const bundle = readFileSync(
  fileURLToPath(new URL("../../packages/client/dist/socket.io.min.js", import.meta.url)),
  "utf8",
);
const page = `<!doctype html><link rel="icon" href="data:,"><script>${bundle}</script>`;
const givePage = (res: ServerResponse, headers: Record<string, string> = {}): void =>
  void res.writeHead(200, { "Content-Type": "text/html", ...headers }).end(page);

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser?.close());

interface Scene {
  readonly url: string;
  /** A page of the server's origin, logged in by its cookie. */
  readonly own: Page;
  /** A page of another port of the same host: the site is the same, so that cookies go along, and the origin is not. */
  readonly foreign: Page;
  readonly foreignUrl: string;
  /** Who has been let in, by the cookie. */
  readonly users: string[];
  /** The cookies of all handshakes that were refused. */
  readonly refusedCookies: unknown[];
}

/** Starts a server whose cookie says who a socket belongs to, and opens a page on either side. */
async function start(
  options: Partial<ServerOptions> | ((foreignUrl: string) => Partial<ServerOptions>),
): Promise<Scene> {
  const elsewhere = createServer((_req, res) => givePage(res)).listen(0, "127.0.0.1");
  await once(elsewhere, "listening");
  onTestFinished(() => void (elsewhere.close(), elsewhere.closeAllConnections()));
  const foreignUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
  const webServer = createServer((_req, res) =>
    givePage(res, { "Set-Cookie": "user=ada; HttpOnly; SameSite=Lax; Path=/" }),
  );
  const server = await serve(typeof options === "function" ? options(foreignUrl) : options, { webServer });
  const users: string[] = [];
  const refusedCookies: unknown[] = [];
  server.io.use((socket, next) => {
    const user = /\buser=(\w+)/.exec(socket.request.headers.cookie ?? "")?.[1];
    if (user === undefined) return next(new Error("not logged in"));
    users.push(user);
    next();
  });
  server.io.engine.on("connection_error", ({ req }: { req: { headers: { cookie?: string } } }) =>
    refusedCookies.push(req.headers.cookie),
  );
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const own = await context.newPage();
  await own.goto(server.url);
  const foreign = await context.newPage();
  await foreign.goto(foreignUrl);
  return { url: server.url, own, foreign, foreignUrl, users, refusedCookies };
}

/** Opens a socket in a page with cookies, and tells "connected" or the message of the error. */
function connectIn(place: Pick<Page, "evaluate">, url: string, transport: string): Promise<unknown> {
  return place.evaluate(`new Promise((resolve) => {
    const options = { transports: ["${transport}"], withCredentials: true, reconnection: false, forceNew: true };
    const socket = io("${url}", options);
    socket.on("connect", () => { socket.disconnect(); resolve("connected"); });
    socket.on("connect_error", (error) => resolve(error.message));
  })`);
}

describe("a page of a foreign origin in Chromium", () => {
  it("opens a websocket that the cookie of a user authenticates, without the rule", async () => {
    const { url, foreign, users } = await start({});
    expect(await connectIn(foreign, url, "websocket")).toBe("connected");
    expect(users).toEqual(["ada"]);
  });

  it("opens such a session over polling, too, without the rule, where cors answers every origin", async () => {
    const { url, foreign, users } = await start({ cors: { origin: true, credentials: true } });
    expect(await connectIn(foreign, url, "polling")).toBe("connected");
    expect(users).toEqual(["ada"]);
  });

  it.each(transports)(
    "cannot open one over %s with the rule, though its cookie is sent; the own page can",
    async (transport) => {
      const { url, own, foreign, users, refusedCookies } = await start({ checkOrigin: true });
      const message = transport === "polling" ? "xhr poll error" : "websocket error";
      expect(await connectIn(foreign, url, transport)).toBe(message);
      expect(users).toEqual([]);
      expect(refusedCookies).toEqual(["user=ada"]);
      expect(await connectIn(own, url, transport)).toBe("connected");
      expect(users).toEqual(["ada"]);
    },
  );

  it.each(transports)(
    "cannot open one over %s with the rule when cors allows anybody, without cookies",
    async (transport) => {
      for (const origin of ["*", true]) {
        const { url, foreign, users } = await start({ checkOrigin: true, cors: { origin } });
        expect(await connectIn(foreign, url, transport)).toMatch(/ error$/);
        expect(users).toEqual([]);
      }
    },
  );

  it.each(transports)("opens one over %s with the rule when cors names it, with credentials", async (transport) => {
    const { url, foreign, users } = await start((origin) => ({
      checkOrigin: true,
      cors: { origin, credentials: true },
    }));
    expect(await connectIn(foreign, url, transport)).toBe("connected");
    expect(users).toEqual(["ada"]);
  });

  it("is told neither status nor body of the refusal", async () => {
    const { url, foreign } = await start({ checkOrigin: true });
    const told = await foreign.evaluate(`new Promise((resolve) => {
      const socket = io("${url}", { transports: ["polling"], reconnection: false });
      socket.on("connect_error", ({ description, context }) => resolve([description, context.responseText]));
    })`);
    expect(told).toEqual([0, ""]);
  });

  it.each(transports)("cannot hide its origin in a sandboxed frame, over %s", async (transport) => {
    const { url, own, users } = await start({ checkOrigin: true });
    await own.evaluate(`new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.sandbox = "allow-scripts";
      frame.onload = resolve;
      frame.src = "${url}/sandboxed";
      document.body.append(frame);
    })`);
    const frame = own.frames()[1]!;
    expect(await frame.evaluate("origin")).toBe("null");
    expect(await connectIn(frame, url, transport)).toMatch(/ error$/);
    expect(users).toEqual([]);
  });

  it("cannot begin a session by a script, an image or a blind request, which say nothing of its origin", async () => {
    const { url, foreign, refusedCookies } = await start({ checkOrigin: true });
    const polling = `${url}/socket.io/?EIO=4&transport=polling`;
    const result = await foreign.evaluate(`(async () => {
      globalThis.___eio = [() => { globalThis.leak = true; }];
      const load = (name, src) => new Promise((resolve) => {
        const element = document.createElement(name);
        element.onload = element.onerror = () => resolve();
        element.src = src;
        document.body.append(element);
      });
      await load("script", "${polling}&j=0");
      await load("img", "${polling}");
      await fetch("${polling}", { mode: "no-cors", credentials: "include" });
      return globalThis.leak ?? "nothing learnt";
    })()`);
    expect(result).toBe("nothing learnt");
    expect(refusedCookies).toEqual(["user=ada", "user=ada", "user=ada"]);
  });

  it("learns the id of a session by a script without the rule", async () => {
    const { url, foreign } = await start({});
    const learnt = await foreign.evaluate(`new Promise((resolve) => {
      globalThis.___eio = [resolve];
      const script = document.createElement("script");
      script.src = "${url}/socket.io/?EIO=4&transport=polling&j=0";
      document.body.append(script);
    })`);
    expect(learnt).toMatch(/"sid":/);
  });
});

describe("a page of the own origin in Chromium", () => {
  it("polls, posts and upgrades under the rule", async () => {
    const { url, own } = await start({ checkOrigin: true });
    const travelled = await own.evaluate(`new Promise((resolve, reject) => {
      const socket = io("${url}", { forceNew: true });
      socket.on("connect_error", reject);
      socket.on("connect", () => {
        const { engine } = socket.io;
        const tell = () => resolve(engine.transport.name);
        if (engine.transport.name === "websocket") tell();
        else engine.once("upgrade", tell);
      });
    })`);
    expect(travelled).toBe("websocket");
  });
});
