import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";
import type { Server, ServerOptions } from "@plugboard/server";
import type { Browser, Page } from "playwright-core";
import type { ManagerOptions, SocketOptions } from "socket.io-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clients } from "../client/support/clients.js";
import { launchChromium } from "../environments/chromium.js";
import type { ListeningServer } from "../support/listening-server.js";
import { bothClients } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { serve } from "../support/serve.js";
import { outcomeOf, type Outcome } from "./outcome.js";
import type { TransportName } from "./stock-and-ours.js";

type ClientOptions = Partial<ManagerOptions & SocketOptions>;
type Host = "Node" | "Chromium";
type Next = (error?: unknown) => void;

/** One kind of refusal. */
interface Row {
  /** As in the table of docs/handshake.md. */
  readonly name: string;
  readonly options?: Partial<ServerOptions>;
  readonly client?: ClientOptions;
  readonly namespace?: string;
  refuse?(io: Server): void;
  expected(transport: TransportName, host: Host): Partial<Outcome>;
}

const stays = { active: true, comesBack: true };
const givesUp = { active: false, comesBack: false };

/** A refusal by status: what is shown of it depends on the transport, and websockets of browsers show nothing. */
function status(code: number, text: string | undefined, upgradeCode = code): Row["expected"] {
  return (transport, host) =>
    transport === "polling"
      ? { event: "connect_error", message: "xhr poll error", description: code, text, ...stays }
      : {
          event: "connect_error",
          message: "websocket error",
          description: host === "Node" ? `Unexpected server response: ${upgradeCode}` : "error",
          text: undefined,
          ...stays,
        };
}

/** A connection that ends without an answer. */
const dropped: Row["expected"] = (transport, host) =>
  transport === "polling"
    ? { event: "connect_error", message: "xhr poll error", description: 0, ...stays }
    : {
        event: "connect_error",
        message: "websocket error",
        description: host === "Node" ? "socket hang up" : "error",
        ...stays,
      };

const answer = (code: number, text: string) => (io: Server) =>
  void io.engine.use((_req: unknown, res: ServerResponse) => void res.writeHead(code).end(text));

const rows: readonly Row[] = [
  {
    name: "A middleware of the engine answers with a status",
    refuse: answer(401, "log in first"),
    expected: status(401, "log in first"),
  },
  {
    name: "It passes on an error with a `status`",
    refuse: (io) =>
      void io.engine.use((_req: unknown, _res: unknown, next: Next) =>
        next(Object.assign(new Error("not you"), { status: 403 })),
      ),
    expected: status(403, '{"code":3,"message":"not you"}'),
  },
  {
    name: "It passes on any other error, throws or rejects",
    refuse: (io) => void io.engine.use(() => Promise.reject(new Error("secret"))),
    expected: status(400, '{"code":3,"message":"Bad request"}'),
  },
  {
    name: "`allowRequest` says no",
    options: { allowRequest: (_req, decide) => decide("not today", false) },
    expected: status(403, '{"code":4,"message":"not today"}', 400),
  },
  {
    name: "Too many handshakes",
    options: { maxHandshakesPerSecond: 0 },
    expected: status(429, '{"code":4,"message":"Too many handshakes"}'),
  },
  {
    name: "503, from a middleware or a proxy while the server closes",
    refuse: (io) =>
      void io.engine.use((_req: unknown, res: ServerResponse) =>
        res.writeHead(503, { "Retry-After": "120" }).end("be right back"),
      ),
    expected: status(503, "be right back"),
  },
  {
    name: "The connection ends during the handshake",
    refuse: (io) => void io.engine.use((req: IncomingMessage) => req.socket.destroy()),
    expected: dropped,
  },
  {
    name: "`io.close()` while the handshake is being decided",
    refuse: (io) => void io.engine.use(() => void io.engine.close()),
    expected: dropped,
  },
  {
    name: "No answer within the `timeout` of the client",
    client: { timeout: 100 },
    refuse: (io) => void io.engine.use(() => {}),
    expected: () => ({ event: "connect_error", message: "timeout", description: undefined, ...stays }),
  },
  {
    name: "A middleware of the namespace refuses",
    refuse: (io) => void io.use((_socket, next) => next(Object.assign(new Error("no"), { data: { code: "E_NO" } }))),
    expected: () => ({ event: "connect_error", message: "no", data: { code: "E_NO" }, ...givesUp }),
  },
  {
    name: "There is no such namespace",
    namespace: "/nowhere",
    expected: () => ({ event: "connect_error", message: "Invalid namespace", data: undefined, ...givesUp }),
  },
  {
    name: "The connection is closed before the namespace answers",
    refuse: (io) => void io.use((socket) => void socket.conn.close()),
    expected: () => ({ event: "disconnect", message: "transport close", ...stays }),
  },
  {
    name: "`socket.disconnect()`",
    refuse: (io) => void io.on("connection", (socket) => void socket.disconnect()),
    expected: () => ({ event: "disconnect", message: "io server disconnect", description: undefined, ...givesUp }),
  },
  {
    name: "`socket.disconnect(true)`",
    refuse: (io) => void io.on("connection", (socket) => void socket.disconnect(true)),
    expected: () => ({ event: "disconnect", message: "io server disconnect", description: undefined, ...givesUp }),
  },
  {
    name: '`io.endSockets(room, "rehandshake")`',
    refuse: (io) => void io.on("connection", (socket) => void io.endSockets(socket.id, "rehandshake", "renewed")),
    expected: () => ({ event: "disconnect", message: "transport close", ...stays }),
  },
];

const cases = rows.flatMap((row) => (["polling", "websocket"] as const).map((transport) => ({ ...row, transport })));

const bundleOf = (client: string): string =>
  readFileSync(fileURLToPath(new URL(`../../node_modules/${client}/dist/socket.io.min.js`, import.meta.url)), "utf8");

/** A server that gives out a page with each client, which is on its own origin. */
function serveWithPages(options: Partial<ServerOptions> = {}): Promise<ListeningServer> {
  const webServer = createServer(({ url = "" }, res) => {
    const client = decodeURIComponent(url.slice(1));
    res.setHeader("Content-Type", "text/html; charset=utf-8");
    res.end(`<!doctype html><link rel="icon" href="data:,"><script>${bundleOf(client)}</script>`);
  });
  return serve({ serveClient: false, ...options }, { webServer });
}

/** Lets clients of one kind in one host meet every kind of refusal. */
function describeRefusals(
  host: Host,
  run: (url: string, namespace: string, options: ClientOptions) => Promise<Outcome>,
) {
  it.each(cases)("$name, over $transport", async ({ options, client, namespace = "", refuse, transport, expected }) => {
    const server = await serveWithPages(options);
    refuse?.(server.io as unknown as Server);
    const outcome = await run(server.url, namespace, { ...client, transports: [transport] });
    expect(outcome).toMatchObject(expected(transport, host));
  });
}

describe.each(clients)("in Node, $name is told", ({ io }) => {
  describeRefusals("Node", (url, namespace, options) => outcomeOf(io, url + namespace, options));
});

describe.each(["@plugboard/client", "socket.io-client"])("in Chromium, %s is told", (client) => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchChromium();
    page = await browser.newPage();
  });
  afterAll(() => browser?.close());

  describeRefusals("Chromium", async (url, namespace, options) => {
    await page.goto(`${url}/${encodeURIComponent(client)}`);
    return page.evaluate(
      `(${outcomeOf.toString()})(io, ${JSON.stringify(url + namespace)}, ${JSON.stringify(options)})`,
    ) as Promise<Outcome>;
  });
});

describe.each(bothClients)("an upgrade that is refused, for $name", (client) => {
  it("is no error: the socket is connected and stays on polling", async () => {
    const server = await serveWithPages();
    server.io.engine.use((req: IncomingMessage, res: ServerResponse, next: Next) => {
      if (req.headers.upgrade === undefined) next();
      else res.writeHead(401).end("no websockets here");
    });
    server.io.on("connection", (socket) => socket.on("echo", (value: unknown, reply: Next) => reply(value)));
    const socket = client.open(server.url, { transports: ["polling", "websocket"] });
    const errors: unknown[] = [];
    socket.on("connect_error", (error) => errors.push(error));
    // The probe goes out beside the first packets: it may fail before the namespace has answered.
    const probed = nextEvent<[Error]>(socket.io.engine, "upgradeError");
    await nextEvent(socket, "connect");
    const [error] = await probed;
    expect(error.message).toMatch(/^probe error/);
    expect(await socket.emitWithAck("echo", "still here")).toBe("still here");
    expect(socket.io.engine.transport.name).toBe("polling");
    expect(errors).toEqual([]);
  });
});

describe("docs/handshake.md", () => {
  it("has a row for each of these refusals", () => {
    const text = readFileSync(fileURLToPath(new URL("../../docs/handshake.md", import.meta.url)), "utf8");
    const listed = [...text.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, first]) => first);
    expect(listed).toEqual(expect.arrayContaining(rows.map(({ name }) => name)));
  });
});
