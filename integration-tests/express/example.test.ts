import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../environments/chromium.js";
import { bothClients } from "../support/both-clients.js";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";

describe("examples/express", () => {
  it("shares a cart with either client over polling and websocket, and ends with the login", async () => {
    const { url, stop } = await startExample("express/shop.js");
    for (const client of bothClients) {
      for (const transport of ["polling", "websocket"]) {
        const transports = [transport];
        await nextEvent(client.open(url, { transports }), "connect_error");
        const login = await fetch(`${url}/login`, {
          method: "POST",
          body: new URLSearchParams({ username: "ada", password: "secret" }),
        });
        expect(login.status).toBe(204);
        const extraHeaders = { cookie: login.headers.getSetCookie()[0]!.split(";", 1)[0]! };
        const socket = await client.connect(url, { transports, extraHeaders });
        expect(await socket.emitWithAck("cart:add", { sku: "tea" })).toEqual({ count: 1 });
        expect(await socket.emitWithAck("cart:add", { sku: "" })).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
        const gone = nextEvent(socket, "disconnect");
        await fetch(`${url}/logout`, { method: "POST", headers: extraHeaders });
        await gone;
        await nextEvent(client.open(url, { transports, extraHeaders }), "connect_error");
      }
    }
    expect(await stop()).toBe(0);
  });
});

describe("examples/express in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  const shows = (page: Page, selector: string, text: string): Promise<void> =>
    page.locator(selector).filter({ hasText: text }).first().waitFor();

  async function openTab(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    await page.goto(url);
    return page;
  }

  it("logs in, fills one cart from two tabs, and logs both out", async () => {
    const { url } = await startExample("express/shop.js");
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const first = await openTab(context, url);
    await shows(first, "#state", "please log in");
    await first.fill("[name=username]", "ada");
    await first.fill("[name=password]", "wrong");
    await first.click("#login button");
    await shows(first, "#answer", "wrong name or password");
    await first.fill("[name=password]", "secret");
    await first.click("#login button");
    await shows(first, "#state", "logged in as ada");
    const second = await openTab(context, url);
    await shows(second, "#state", "logged in as ada");
    await first.fill("[name=sku]", "tea");
    await first.click("#add button");
    await shows(first, "#cart li", "tea");
    await shows(second, "#cart li", "tea");
    await second.click("#logout");
    await shows(first, "#state", "please log in");
    await shows(second, "#state", "please log in");
  });
});
