import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../environments/chromium.js";
import { expressVersions } from "./peers.js";
import { expireSoon, memoryOnly, startShop, type ShopApp } from "./session-app.js";

const PAGE = `<!doctype html><title>shop</title><script src="/socket.io/socket.io.js"></script><script>
  globalThis.seen = [];
  globalThis.socket = io({ reconnectionDelay: 50, reconnectionDelayMax: 50 });
  socket.on("connect", () => seen.push("connect"));
  socket.on("disconnect", (reason) => seen.push(reason));
  socket.on("connect_error", (error) => seen.push(error.description));
</script>`;

interface PageScope {
  readonly seen: unknown[];
  readonly socket: { emit(name: string): void; emitWithAck(name: string): Promise<unknown> };
}

describe("a page in Chromium, with the cookies that the browser keeps", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  /** What the page has seen since it was asked last, once it has seen this. */
  async function until(page: Page, what: string | number): Promise<unknown[]> {
    await page.waitForFunction((wanted) => (globalThis as unknown as PageScope).seen.includes(wanted), what);
    return page.evaluate(() => (globalThis as unknown as PageScope).seen.splice(0));
  }
  const post = (page: Page, path: string): Promise<number> =>
    page.evaluate(async (to) => (await fetch(to, { method: "POST" })).status, path);
  const ask = (page: Page, event: string): Promise<unknown> =>
    page.evaluate((name) => (globalThis as unknown as PageScope).socket.emitWithAck(name), event);

  it.each(expressVersions)(
    "logs in, out and in, is put out when the session ends, and survives a restart, on Express $version",
    async (express) => {
      const store = memoryOnly();
      const start = (): Promise<ShopApp> =>
        startShop(express, store, {
          cookie: { maxAge: 3_600_000 },
          setup: (app, io) => {
            app.get("/", (_req, res) => void res.send(PAGE));
            io.on("connection", (socket) => socket.handle("look", () => void socket.session.reload().catch(() => {})));
          },
        });
      const first = await start();
      const context = await browser.newContext();
      onTestFinished(() => context.close());
      const page = await context.newPage();
      await page.goto(first.url);

      expect(await until(page, 401)).not.toContain("connect");
      expect(await post(page, "/login")).toBe(200);
      await until(page, "connect");
      expect(await ask(page, "who")).toBe("Ada");
      expect((await context.cookies())[0]).toMatchObject({ name: "connect.sid", httpOnly: true });

      await post(page, "/logout");
      expect((await until(page, 401))[0]).toBe("transport close");
      await post(page, "/login");
      await until(page, "connect");

      expireSoon(store);
      // No acknowledgement: the connection may end first.
      await page.evaluate(() => void (globalThis as unknown as PageScope).socket.emit("look"));
      expect((await until(page, 401))[0]).toBe("transport close");
      await post(page, "/login");
      await until(page, "connect");

      const { port } = new URL(first.url);
      await first.io.shutdown();
      const second = await start();
      const again = second.app.listen(Number(port), "127.0.0.1");
      onTestFinished(() => again.closeAllConnections());
      await until(page, "connect");
      expect(await ask(page, "who")).toBe("Ada");
    },
  );
});
