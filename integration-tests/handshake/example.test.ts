import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchChromium } from "../environments/chromium.js";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";
import { routes } from "./stock-and-ours.js";

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/login`, { method: "POST", redirect: "manual" });
  return response.headers.getSetCookie()[0]!.split(";")[0]!;
}

describe.each(routes)("the example of handshakes, with $name", ({ client, transport }) => {
  const open = (url: string, extraHeaders: Record<string, string>, options = {}) =>
    client.open(url, { transports: [transport], extraHeaders, ...options });
  const statusOf = async (socket: object): Promise<unknown> => {
    const [error] = await nextEvent<[Error & { description: unknown }]>(socket, "connect_error");
    return transport === "polling"
      ? error.description
      : Number(/\d+$/.exec((error.description as { message: string }).message)?.[0]);
  };

  it("lets in who is logged in, and refuses everybody else with 401", async () => {
    const { url } = await startExample("bare-node/handshake.js");
    expect(await statusOf(open(url, {}))).toBe(401);
    expect(await statusOf(open(url, { cookie: "login=guessed" }))).toBe(401);
    const socket = open(url, { cookie: await logIn(url) });
    await nextEvent(socket, "connect");
    expect(await socket.emitWithAck("whoami")).toBe("Ada");
  });

  it("refuses pages of other origins with 403, logged in or not", async () => {
    const { url } = await startExample("bare-node/handshake.js");
    const cookie = await logIn(url);
    expect(await statusOf(open(url, { cookie, origin: "https://evil.example" }))).toBe(403);
    await nextEvent(open(url, { cookie, origin: url }), "connect");
  });

  it("ends the sockets of a login that logs out: they come back and are refused", async () => {
    const { url } = await startExample("bare-node/handshake.js");
    const cookie = await logIn(url);
    const socket = open(url, { cookie }, { reconnection: true, reconnectionDelay: 10 });
    await nextEvent(socket, "connect");
    const other = open(url, { cookie: await logIn(url) });
    await nextEvent(other, "connect");
    const gone = nextEvent(socket, "disconnect");
    const refused = statusOf(socket);
    await fetch(`${url}/logout`, { method: "POST", headers: { cookie }, redirect: "manual" });
    expect((await gone)[0]).toBe("transport close");
    expect(await refused).toBe(401);
    expect(await other.emitWithAck("whoami")).toBe("Ada");
  });
});

describe("the page of the example of handshakes, in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  it("greets who logs in, and asks who logs out to log in", async () => {
    const { url } = await startExample("bare-node/handshake.js");
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.goto(url);
    const shows = (text: string): Promise<void> => page.locator("output", { hasText: text }).waitFor();
    await shows("Log in first");
    await page.click("text=Log in as Ada");
    await shows("Hello, Ada");
    await page.click("text=Log out");
    await shows("Log in first");
  });
});
