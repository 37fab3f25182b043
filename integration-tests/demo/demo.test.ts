import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quietPort } from "../support/quiet-port.js";
import { startDemo, type DemoProcess } from "./demo-process.js";

const demoFolder = fileURLToPath(new URL("../../examples/demo", import.meta.url));
const onePixel = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** What is used here of the browser's HTMLImageElement: the tests are compiled without the types of the DOM. */
interface Picture {
  readonly naturalWidth: number;
  decode(): Promise<void>;
}

let browser: Browser;
let demo: DemoProcess;
let ada: Page;
let bob: Page;
const complaints: string[] = [];

async function openTab(name: string, room: string): Promise<Page> {
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`http://localhost:${demo.port}/?name=${name}&room=${room}`);
  return page;
}

/** Resolves once the element shows the text; times out as a failure of the test otherwise. */
const shows = (page: Page, selector: string, text: string | RegExp): Promise<void> =>
  page.locator(selector).filter({ hasText: text }).first().waitFor();

async function say(page: Page, text: string): Promise<void> {
  await page.fill("input[name=text]", text);
  await page.click("#chat button");
}

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  demo = await startDemo(await quietPort());
  [ada, bob] = await Promise.all([openTab("Ada", "lobby"), openTab("Bob", "lobby")]);
});

afterAll(async () => {
  await browser?.close();
  await demo?.stop("SIGKILL");
});

// One story, told in order: each test goes on where the one before it stopped.
describe("the demo in two browser tabs", () => {
  it("connects over polling, upgrades to websocket and measures the round trip of an ack", async () => {
    for (const tab of [ada, bob]) {
      await shows(tab, "#transport", "polling, then websocket");
      await shows(tab, "#latency", /^\d+\.\d ms$/);
    }
  });

  it("lists who is in the room and carries what they say", async () => {
    for (const tab of [ada, bob]) await shows(tab, "#presence", "Ada, Bob");
    await say(ada, "hello from Ada");
    for (const tab of [ada, bob]) await shows(tab, "#log li", "Ada: hello from Ada");
  });

  it("carries an image to the other tab as binary", async () => {
    await ada.setInputFiles("input[type=file]", { name: "pixel.png", mimeType: "image/png", buffer: onePixel });
    await shows(bob, "#log li", `Ada sent ${onePixel.length} bytes (ArrayBuffer)`);
    const widthOnceDecoded = (image: Picture): Promise<number> => image.decode().then(() => image.naturalWidth);
    expect(await bob.locator("#log img").evaluate(widthOnceDecoded)).toBe(1);
  });

  it("keeps rooms apart", async () => {
    await bob.fill("input[name=room]", "attic");
    await bob.click("#join button");
    await shows(ada, "#presence", /^Ada$/);
    await shows(bob, "#presence", /^Bob$/);
    await say(ada, "only the lobby hears this");
    await shows(ada, "#log li", "only the lobby hears this");
    await say(bob, "hello attic");
    await shows(bob, "#log li", "hello attic");
    expect(await bob.locator("#log li").allTextContents()).toEqual(["Bob: hello attic"]);
    await bob.fill("input[name=room]", "lobby");
    await bob.click("#join button");
    await shows(ada, "#presence", "Ada, Bob");
  });

  it("lets a Node program in, with the three lines that the server printed", async () => {
    const program = demo.greeting.slice(demo.greeting.indexOf("import "));
    expect(program.trimEnd().split("\n")).toHaveLength(3);
    const visitor = spawn(process.execPath, ["--input-type=module", "--eval", program], { cwd: demoFolder });
    const answered = new Promise((resolve) => visitor.stdout.setEncoding("utf8").once("data", resolve));
    await shows(ada, "#presence", "Ada, Bob, Node");
    await shows(bob, "#log li", "Node: hello");
    expect(await answered).toBe("Node says hello\n");
    visitor.kill();
    await shows(ada, "#presence", /^Ada, Bob$/);
  });

  it("makes the browser complain about nothing", () => {
    expect(complaints).toEqual([]);
  });

  it("says in one line that the port is busy", async () => {
    await expect(startDemo(demo.port)).rejects.toMatchObject({
      cause: { code: 1, stderr: `Port ${demo.port} is in use: choose another one, as in PORT=3001 npm start\n` },
    });
  });

  it.each(["SIGKILL", "SIGTERM"] as const)("brings both tabs back after the server ended by %s", async (signal) => {
    expect(await demo.stop(signal)).toBe(signal === "SIGTERM" ? 0 : signal);
    for (const tab of [ada, bob]) await shows(tab, "#banner", /Reconnecting/);
    demo = await startDemo(demo.port);
    for (const tab of [ada, bob]) {
      await tab.locator("#banner").waitFor({ state: "hidden" });
      await shows(tab, "#transport", "polling, then websocket");
      await shows(tab, "#presence", "Ada, Bob");
    }
    await say(bob, `back after ${signal}`);
    await shows(ada, "#log li", `Bob: back after ${signal}`);
  });
});
