import { readFileSync } from "node:fs";
import * as msgpack from "@plugboard/msgpack";
import { chromium, type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { serve } from "../support/serve.js";
import type { ServerOptions } from "@plugboard/server";

const WEBSOCKET_BUNDLE = "socket.io.websocket.esm.min.js";

let browser: Browser;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"],
  });
});

afterAll(() => browser?.close());

/** How a page gets hold of `io`. */
const asScript = (file: string): string => `<script src="/socket.io/${file}"></script><script>run(io)</script>`;
const asModule = (file: string): string =>
  `<script type="module">import { io } from "/socket.io/${file}"; run(io);</script>`;
const asAmd = (file: string): string =>
  `<script>const define = (names, factory) => run(factory()); define.amd = {};</script>
   <script src="/socket.io/${file}"></script>`;

const pages = [
  { file: "socket.io.js", how: "as a script", html: asScript },
  { file: "socket.io.min.js", how: "as a script", html: asScript },
  { file: "socket.io.min.js", how: "by an AMD loader", html: asAmd },
  { file: "socket.io.esm.min.js", how: "as a module", html: asModule },
  { file: "socket.io.msgpack.min.js", how: "as a script", html: asScript, options: { parser: msgpack } },
  { file: WEBSOCKET_BUNDLE, how: "as a module", html: asModule, transport: "websocket" },
] as const;

describe("a page that loads the client from the server", () => {
  it.each(pages)("$how talks to it: $file", async ({ file, html, ...rest }) => {
    const options: Partial<ServerOptions> = "options" in rest ? rest.options : {};
    const { io, url, webServer } = await serve({ ...options });
    io.on("connection", (socket) => {
      socket.on("echo", (bytes: Buffer, value: unknown, answer: (...args: unknown[]) => void) => {
        answer(socket.conn.transport.name, Buffer.isBuffer(bytes), bytes, value);
      });
    });
    const own = readFileSync(new URL(`../../packages/client/dist/${WEBSOCKET_BUNDLE}`, import.meta.url));
    const [others] = webServer.listeners("request") as Array<(...args: unknown[]) => void>;
    webServer.removeAllListeners("request").on("request", (req, res) => {
      if (req.url === "/") res.setHeader("Content-Type", "text/html").end(pageWith(html(file)));
      // The one bundle that a server does not serve.
      else if (req.url?.endsWith(WEBSOCKET_BUNDLE)) res.setHeader("Content-Type", "text/javascript").end(own);
      else others?.call(webServer, req, res);
    });

    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const failed = new Promise<string>((resolve) => page.on("pageerror", (error) => resolve(error.message)));
    await page.goto(url);
    const shown = await Promise.race([page.locator("output:not(:empty)").textContent({ timeout: 15_000 }), failed]);
    const upgraded = "transport" in rest ? rest.transport : "websocket";
    expect(shown).toBe(JSON.stringify([upgraded, true, "ArrayBuffer", [1, 2, 255], { text: "é😀" }]));
  });
});

/** A page that says what an echo over the upgraded connection brings. */
function pageWith(scripts: string): string {
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><output></output><script>
    function run(io) {
      const socket = io();
      const ask = () => {
        socket.emit("echo", new Uint8Array([1, 2, 255]), { text: "é😀" }, (transport, isBuffer, bytes, value) => {
          const kind = Object.prototype.toString.call(bytes).slice(8, -1);
          const shown = JSON.stringify([transport, isBuffer, kind, [...new Uint8Array(bytes)], value]);
          document.querySelector("output").textContent = shown;
        });
      };
      socket.on("connect", () => {
        const { engine } = socket.io;
        if (engine.transport.name === "websocket") ask();
        else engine.once("upgrade", ask);
      });
    }
  </script>${scripts}`;
}
