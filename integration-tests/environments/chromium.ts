import { chromium, type Browser, type Page, type Worker } from "playwright-core";
import { clientBundle, type ClientBundle } from "./client-files.js";
import type { Environment } from "./describe-scenarios.js";
import type { Files } from "./environment-server.js";
import { bundle } from "./scenario-bundle.js";

/** The Chromium of this machine: `CHROMIUM_PATH`, or where Debian puts it. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
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
}

const bundles: readonly ClientBundle[] = ["socket.io.esm.min.js", "socket.io.min.js", "socket.io.js"];

/** For a page and for workers of type "module". */
const moduleProgram = `import "/scenarios.js";
import * as client from "/socket.io.esm.min.js";
globalThis.client = client;`;

/** For classic workers. */
const scriptProgram = (file: ClientBundle): string => `importScripts("/scenarios.js", "/${file}");
self.client = self.io;`;

const blankPage = "<!doctype html><title>blank</title>";
const modulePage = `${blankPage}<script type="module" src="/module.js"></script>`;
const scriptPage = `${blankPage}<script src="/scenarios.js"></script>
<script src="/socket.io.min.js"></script><script>globalThis.client = io;</script>`;

/** The client's bundles, the scenarios, and programs that load both in pages and in each kind of worker. */
export async function chromiumFiles(): Promise<Files> {
  const html = (text: string) => ({ type: "text/html", text });
  const script = (text: string) => ({ type: "text/javascript", text });
  return new Map([
    ["/blank.html", html(blankPage)],
    ["/module.html", html(modulePage)],
    ["/script.html", html(scriptPage)],
    ["/module.js", script(moduleProgram)],
    ["/script.js", script(scriptProgram("socket.io.min.js"))],
    ["/debug-script.js", script(scriptProgram("socket.io.js"))],
    ["/scenarios.js", script(await bundle("./fixtures/browser-scenarios.ts", "iife"))],
    ...bundles.map((file) => [`/${file}`, script(clientBundle(file))] as const),
  ]);
}

/** How long a page or worker may take to load its program. */
const LOAD_TIMEOUT_MS = 25_000;

/** A page or a worker. */
interface Place {
  evaluate(expression: string): Promise<unknown>;
}

/** A page or worker that runs one of the programs above, as an environment for scenarios. */
export async function programIn(place: Place, close: () => Promise<void>): Promise<Environment> {
  const giveUp = Date.now() + LOAD_TIMEOUT_MS;
  while (!(await place.evaluate("globalThis.client !== undefined"))) {
    if (Date.now() > giveUp) throw new Error("the program with the client does not load");
  }
  return {
    // A browser opens six connections to a server at most, and a client that polls may take two of them.
    atOnce: 2,
    async run(run) {
      await place.evaluate(`globalThis.run(${JSON.stringify(run)})`);
    },
    close,
  };
}

/** Opens a page in a context of its own, with no cookies and no cache of others. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Starts one of the programs above, `/module.js` or a script, in a worker of a page. */
export async function startWorker(page: Page, program: string): Promise<Worker> {
  const [worker] = await Promise.all([
    page.waitForEvent("worker"),
    page.evaluate(`void (globalThis.worker = new Worker("${program}", { type: "${typeOf(program)}" }))`),
  ]);
  return worker;
}

/** Starts one of the programs above, `/module.js` or a script, in a service worker. */
export async function startServiceWorker(page: Page, program: string): Promise<Worker> {
  const [worker] = await Promise.all([
    page.context().waitForEvent("serviceworker"),
    page.evaluate(`void navigator.serviceWorker.register("${program}", { type: "${typeOf(program)}" })`),
  ]);
  return worker;
}

function typeOf(program: string): "module" | "classic" {
  return program === "/module.js" ? "module" : "classic";
}
