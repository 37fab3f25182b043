import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Browser, clientKinds, loggedIn, stockOverWebSocket } from "../session/browser.js";
import { nextEvent } from "../support/next-event.js";
import { quietPort } from "../support/quiet-port.js";
import { enginePath, RawConnection } from "../support/raw-connection.js";
import { NEST_RUNS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

type Env = Readonly<Record<string, string>>;
type Refusal = Error & { data: unknown };
interface StoredSession {
  readonly cookie: { expires: Date };
  readonly cart?: readonly string[];
}

const REFUSED = { statusCode: 401, message: "log in first", error: "Unauthorized" };
const [stockOverPolling] = clientKinds as [(typeof clientKinds)[0]];

describe.each(NEST_RUNS)("logins on Nest $version with $platform", ({ version, platform }) => {
  let folder: string;
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    folder = await mkdtemp(join(tmpdir(), "plugboard-sessions-"));
    const FILE = join(folder, "sessions.json");
    app = await startNest(version, "logins", { PLATFORM: platform, FILE, COOKIE_CORS: "https://friend.example" });
  });
  afterAll(async () => {
    await app.kill();
    await rm(folder, { recursive: true, force: true });
  });

  /** One of its own, for a test that ends it or has other sessions. Its port is nobody else's while it restarts. */
  async function start(env: Env = {}): Promise<NestProcess & { restart(): Promise<NestProcess> }> {
    const own = { PLATFORM: platform, FILE: join(folder, "own-sessions.json"), ...env };
    const app = await startNest(version, "logins", { ...own, PORT: String(await quietPort()) });
    onTestFinished(() => app.kill());
    return {
      ...app,
      async restart() {
        await app.stop();
        const next = await startNest(version, "logins", { ...own, PORT: new URL(app.url).port });
        onTestFinished(() => next.kill());
        return next;
      },
    };
  }

  const handshake = (headers: Record<string, string>, path = "/socket.io/"): Promise<Response> =>
    fetch(`${app.url}${path}?EIO=4&transport=polling`, { headers });

  it.each([stockOverPolling, stockOverWebSocket])(
    "refuses $name while nobody is logged in, and lets it in when it connects after the login",
    async (kind) => {
      const browser = new Browser(app.url);
      const socket = browser.open(kind, { path: "/shop" });
      const [error] = await nextEvent<[Refusal]>(socket, "connect_error");
      expect(error.data).toEqual(REFUSED);
      // It stays away until the program says so: a guard has decided.
      expect(socket.active).toBe(false);
      await browser.post("/login");
      socket.connect();
      await nextEvent(socket, "connect");
      const user = platform === "express" ? "Ada" : null;
      expect(await socket.emitWithAck("who")).toEqual({ user, id: "ada" });
    },
  );

  it.each([stockOverPolling, stockOverWebSocket])(
    "ends $name with its login; it comes back, is refused, and gets in after the next login",
    async (kind) => {
      const browser = await loggedIn(app.url);
      const socket = await browser.connect(kind, { path: "/shop" });
      const ended = nextEvent(socket, "disconnect");
      const refused = nextEvent<[Refusal]>(socket, "connect_error");
      await browser.post("/logout");
      expect((await ended)[0]).toBe("transport close");
      expect((await refused)[0].data).toEqual(REFUSED);
      await browser.post("/login");
      socket.connect();
      await nextEvent(socket, "connect");
      expect(await socket.emitWithAck("who")).toMatchObject({ id: "ada" });
    },
  );

  it("lets nobody in who waits with its handshake until its session is no more", async () => {
    const browser = await loggedIn(app.url);
    const waiting = await RawConnection.open(Number(new URL(app.url).port));
    onTestFinished(() => void waiting.socket.destroy());
    // The last letter of the id in hexadecimal digits: for those who read cookies it is the same.
    const cookie = browser.cookie?.replace(/.(?=\.[^=]*$)/, (end) => `%${end.charCodeAt(0).toString(16)}`);
    expect(await waiting.upgrade(enginePath("websocket"), `Cookie: ${cookie}; odd=%\r\n`)).toBe(101);
    expect(await waiting.nextText()).toMatch(/^0/);
    await browser.post("/logout");
    waiting.sendText("40/shop,");
    expect(await waiting.nextText()).toBeUndefined();
  });

  it("a handshake with an empty sid, which is none, has its login too", async () => {
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverPolling, { path: "/shop", query: { sid: "" } });
    expect(await socket.emitWithAck("who")).toMatchObject({ id: "ada" });
  });

  it("takes a socket back by itself when the server restarts, with what is in its session", async () => {
    const app = await start();
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket, { path: "/shop" });
    expect(await socket.emitWithAck("add", "tea")).toEqual(["tea"]);
    const lost = nextEvent(socket, "disconnect");
    await app.restart();
    await lost;
    if (!socket.connected) await nextEvent(socket, "connect");
    expect(await socket.emitWithAck("add", "milk")).toEqual(["tea", "milk"]);
    expect(await browser.get("/data")).toMatchObject({ cart: ["tea", "milk"] });
  });

  it("loses no change by two sockets of a session", async () => {
    const browser = await loggedIn(app.url);
    const sockets = await Promise.all(
      [stockOverPolling, stockOverWebSocket].map((kind) => browser.connect(kind, { path: "/shop" })),
    );
    await Promise.all(Array.from({ length: 10 }, (_, i) => sockets[i % 2]!.emitWithAck("add", `${i}`)));
    expect(((await browser.get("/data")) as { cart: string[] }).cart).toHaveLength(10);
  });

  it("loses no change by a request and a socket at the same time", async () => {
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket, { path: "/shop" });
    const isHeld = nextEvent(socket, "held");
    const held = browser.post("/held");
    await isHeld;
    expect(await socket.emitWithAck("add", "tea")).toEqual(["held", "tea"]);
    await held;
    expect(await browser.get("/data")).toMatchObject({ cart: ["held", "tea"] });
  });

  it("lets nobody into a namespace whose login has ended since the handshake", async () => {
    const browser = await loggedIn(app.url);
    const { cookie = "" } = browser;
    const { sid } = JSON.parse((await (await handshake({ cookie })).text()).slice(1)) as { sid: string };
    await browser.post("/logout");
    const poll = `${app.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const packets = fetch(poll).then((answer) => answer.text());
    await fetch(poll, { method: "POST", body: "40/shop," });
    expect(await packets).not.toContain("40/shop");
  });

  it("refuses a handshake that has the cookie and comes from a page of another origin", async () => {
    const { url } = app;
    const { cookie = "" } = await loggedIn(url);
    const statusOf = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers })).status;
    expect(await statusOf({ cookie, origin: "https://evil.example" })).toBe(403);
    expect(await statusOf({ cookie, origin: "https://friend.example" })).toBe(200);
    expect(await statusOf({ cookie, origin: url })).toBe(200);
    expect(await statusOf({ cookie })).toBe(200);
    // Without the cookie it is nobody, and may bring a token.
    expect(await statusOf({ origin: "https://evil.example" })).toBe(200);
    const browser = new Browser(url);
    const extraHeaders = { cookie, origin: "https://evil.example" };
    const foreign = browser.open(stockOverWebSocket, { path: "/shop", extraHeaders, reconnection: false });
    const [error] = await nextEvent<[{ description: { message: string } }]>(foreign, "connect_error");
    expect(error.description.message).toContain("403");
  });

  it("lets a page of another origin read all polls of its connection, and tells its browser so before", async () => {
    const headers = { origin: "https://friend.example" };
    const poll = `${app.url}/socket.io/?EIO=4&transport=polling`;
    const asks = { ...headers, "access-control-request-method": "GET", "access-control-request-headers": "x-own" };
    const { sid } = JSON.parse((await (await handshake(headers)).text()).slice(1)) as { sid: string };
    const answers = await Promise.all([
      fetch(poll, { method: "OPTIONS", headers: asks }),
      fetch(`${poll}&sid=${sid}`, { method: "OPTIONS", headers: asks }),
      fetch(`${poll}&sid=${sid}`, { method: "POST", headers, body: "40" }),
    ]);
    const fields = answers.map(({ status, headers }) => [status, headers.get("access-control-allow-origin")]);
    expect(fields).toEqual([204, 204, 200].map((status) => [status, headers.origin]));
    expect(answers.at(-1)?.headers.get("access-control-allow-credentials")).toBe("true");
  });

  it("takes a page for its own that comes by a proxy whom the platform trusts", async () => {
    const { cookie = "" } = await loggedIn(app.url);
    const headers = { cookie, origin: "https://shop.example:8443", "x-forwarded-proto": "https" };
    const by = async (host: string): Promise<number> =>
      (await handshake({ ...headers, "x-forwarded-host": host })).status;
    expect(await by("shop.example:8443")).toBe(200);
    expect(await by("shop.example")).toBe(403);
  });

  it("saves what the application changes in the session at a handshake, and sends its cookie", async () => {
    const { headers } = await handshake({ "x-visit": "first" }, "/socket.io");
    const browser = new Browser(app.url);
    browser.cookie = headers.getSetCookie()[0]?.split(";")[0] as string;
    expect(await browser.get("/data")).toMatchObject({ visit: "first" });
  });

  it("knows no user where nobody is logged in", async () => {
    const browser = new Browser(app.url);
    const socket = await browser.connect(stockOverWebSocket);
    expect(await socket.emitWithAck("hello")).toBe("stranger");
  });

  it("ends a socket when its session expires, and refuses it then", async () => {
    const browser = await loggedIn(app.url);
    const socket = await browser.connect(stockOverWebSocket, { path: "/shop" });
    await socket.emitWithAck("add", "expires soon");
    const ended = nextEvent(socket, "disconnect");
    const refused = nextEvent<[Refusal]>(socket, "connect_error");
    const file = join(folder, "sessions.json");
    const stored = JSON.parse(await readFile(file, "utf8")) as Record<string, StoredSession>;
    const own = Object.values(stored).filter(({ cart }) => cart?.includes("expires soon"));
    for (const { cookie } of own) cookie.expires = new Date(Date.now() + 500);
    await writeFile(file, JSON.stringify(stored));
    socket.emit("look");
    expect((await ended)[0]).toBe("transport close");
    expect((await refused)[0].data).toEqual(REFUSED);
  });

  // By our clock: Nest has no part in it.
  if (version === "12" && platform === "express") {
    it("ends a socket when its token expires, and lets it in with the next one", async () => {
      const browser = new Browser(app.url);
      const lifetimes = [1000, 60_000];
      const auth = (done: (auth: object) => void): void => done({ token: `ada:${lifetimes.shift() ?? 0}` });
      const socket = browser.open(stockOverWebSocket, { path: "/tokens", auth });
      const ended = nextEvent(socket, "disconnect");
      await nextEvent(socket, "connect");
      expect((await ended)[0]).toBe("transport close");
      await nextEvent(socket, "connect");
      expect(await socket.emitWithAck("who")).toBe("ada in /tokens");
    });
  }
});
