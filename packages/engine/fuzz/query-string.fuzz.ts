/*
 * Invariant: any method, URL and header fields are answered with a status of the table and fields that HTTP can carry,
 * or refused on the raw socket; sessions that are not named go on; in linear time and bounded memory.
 */
import { type HttpAnswer, parseQuery } from "@plugboard/engine";
import { MemoryRequest } from "@plugboard/testkit";
import { type FuzzInput, type FuzzTarget, mutateText, type Random, turn } from "@plugboard/testkit/fuzz";
import { EchoEngine } from "./echo-engine.js";
import { MemoryDuplex } from "./memory-duplex.js";
import { checkField, MemoryResponse, memoryRequest } from "./memory-http.js";

const STATUSES: ReadonlySet<number> = new Set([200, 400, 403, 413, 429, 500]);
/** What `ws` refuses has answers of its own: 405 for a method, 426 for a version. 204 is that of cors, for OPTIONS. */
const UPGRADE_STATUSES: ReadonlySet<number> = new Set([101, 204, 400, 403, 405, 426, 429]);
const MESSAGES: readonly string[] = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version",
];

/** By `handle`, through the middlewares of Node's binding, or as an upgrade. */
const ROUTES = ["handle", "handle", "node", "upgrade"] as const;
const METHODS = ["GET", "GET", "GET", "POST", "PUT", "OPTIONS", "HEAD", ""];
const PARAMETERS = [
  "EIO=4",
  "EIO=3",
  "EIO=4&EIO=3",
  "EIO[]=4",
  "transport=polling",
  "transport=websocket",
  "transport=webtransport",
  "transport=__proto__",
  "transport=polling&transport=websocket",
  "sid=$SID",
  "sid=__proto__",
  "sid=toString",
  "sid=",
  "sid[]=1",
  "j=0",
  "j=__proto__",
  "j=0;alert(1)",
  "b64=1",
  "t=abc",
  "__proto__=1",
  "__proto__[x]=1",
  "%E0%A4%A",
];
const FIELDS: ReadonlyArray<readonly [string, string]> = [
  ["origin", "http://example.com"],
  ["origin", "null"],
  ["origin", "a\r\nx: y"],
  ["content-type", "application/octet-stream"],
  ["content-type", "text/plain"],
  ["accept-encoding", "gzip, deflate"],
  ["accept-encoding", "gzip;q=0, *;q=0.5"],
  ["user-agent", "Mozilla (;MSIE)"],
  ["access-control-request-headers", "x-a, x-b"],
  ["cookie", "io=1; __proto__=2"],
];
const UPGRADE_FIELDS: ReadonlyArray<readonly [string, string]> = [
  ["sec-websocket-extensions", "permessage-deflate; client_max_window_bits"],
  ["sec-websocket-protocol", "a, b"],
  ["sec-websocket-version", "12"],
  ["sec-websocket-key", "short"],
  ["upgrade", "h2c"],
];

function generate(random: Random): FuzzInput {
  const route = random.pick(ROUTES);
  const method = random.oneIn(4) ? random.pick(METHODS) : "GET";
  const parameters = ["EIO=4", `transport=${route === "upgrade" ? "websocket" : "polling"}`];
  for (let left = random.small(4); left > 0; left--) parameters.push(random.pick(PARAMETERS));
  if (random.oneIn(3)) parameters.splice(random.int(2), 1);
  let url = `/engine.io/?${parameters.join("&")}`;
  if (random.oneIn(3)) url = mutateText(random, url, random.pick(PARAMETERS));
  if (random.oneIn(32)) url = random.text(random.small(100));
  return [route, method, url, ...fields(random, route === "upgrade" ? [...FIELDS, ...UPGRADE_FIELDS] : FIELDS)];
}

/** Names and values in turn. */
function fields(random: Random, known: ReadonlyArray<readonly [string, string]>): string[] {
  const chosen: string[] = [];
  for (let left = random.small(4); left > 0; left--) {
    const [name, value] = random.pick(known);
    chosen.push(name, random.oneIn(3) ? mutateText(random, value, random.pick(known)[1]) : value);
  }
  return chosen;
}

const url = (unit: string) => (size: number) => [
  "handle",
  "GET",
  "/engine.io/?EIO=4&transport=polling&" + unit.repeat(size / unit.length),
];
/** Node refuses fields beyond 16 KiB: ours are not much longer. */
const field = (route: string, name: string, unit: string) => (size: number) => [
  route,
  "GET",
  `/engine.io/?EIO=4&transport=${route === "upgrade" ? "websocket" : "polling"}`,
  name,
  unit.repeat(size / 16 / unit.length),
];

interface HostileRequest {
  readonly route: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
}

const UPGRADE_HEADERS = {
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

function requestOf([route, method, url, ...lines]: string[], sid: string): HostileRequest {
  const headers: Record<string, string> = route === "upgrade" ? { ...UPGRADE_HEADERS } : {};
  for (let i = 0; i + 1 < lines.length; i += 2) headers[lines[i] as string] = lines[i + 1] as string;
  return { route: route as string, method: method as string, url: (url as string).replaceAll("$SID", sid), headers };
}

export const target: FuzzTarget = {
  name: "query-string",
  generate,
  growing: {
    parameters: url("a=1&"),
    "different parameters": (size) => [
      "handle",
      "GET",
      "/engine.io/?EIO=4&transport=polling&" + Array.from({ length: size / 10 }, (_, i) => `key${i}=1&`).join(""),
    ],
    "sid over and over": url("sid=__proto__&"),
    "percent signs": url("%"),
    "bytes that are not UTF-8": url("%ff"),
    "plus signs": url("+"),
    "j of letters": (size) => ["handle", "GET", "/engine.io/?EIO=4&transport=polling&j=" + "a".repeat(size)],
    "a long sid": (size) => ["handle", "GET", "/engine.io/?EIO=4&transport=polling&sid=" + "a".repeat(size)],
    "a long transport": (size) => ["handle", "GET", "/engine.io/?EIO=4&transport=" + "a".repeat(size)],
    "a long path": (size) => ["handle", "GET", "/".repeat(size)],
    "encodings to choose from": field("handle", "accept-encoding", "gzip;q=0.5, "),
    "white space in encodings": field("handle", "accept-encoding", " "),
    "commas in encodings": field("handle", "accept-encoding", ","),
    "semicolons in encodings": field("handle", "accept-encoding", "gzip;"),
    "a long origin": field("node", "origin", "a"),
    "a long user agent": field("handle", "user-agent", ";MSI"),
    "extensions to choose from": field("upgrade", "sec-websocket-extensions", "permessage-deflate, "),
    "parameters of an extension": field("upgrade", "sec-websocket-extensions", "a; b=1, "),
    "protocols to choose from": field("upgrade", "sec-websocket-protocol", "a,"),
  },
  async open() {
    const echo = await EchoEngine.open({
      httpCompression: { threshold: 64, level: 1, memLevel: 1 },
      perMessageDeflate: true,
      cookie: true,
    });
    const crossOrigin = await EchoEngine.open({ cors: { origin: true, credentials: true }, perMessageDeflate: true });

    async function handle({ method, url, headers }: HostileRequest): Promise<string> {
      const request = new MemoryRequest(url, { method, headers, body: "4a" });
      // A poll waits for something to say, until its client goes away.
      const idle = setImmediate(() => request.goAway());
      const answer = await Promise.race([echo.engine.handle(request), whenGivenUp()]);
      clearImmediate(idle);
      if (answer === undefined) return "pending";
      for (const [name, value] of Object.entries(answer.headers)) checkField(name, value);
      const text = await textOf(answer);
      answer.done();
      return `${checkStatus(answer.status, text)}${answer.headers["Content-Encoding"] ? " compressed" : ""}`;
    }

    async function throughNode({ method, url, headers }: HostileRequest): Promise<string> {
      const request = memoryRequest(method, url, headers, [Buffer.from("4a")]);
      const response = new MemoryResponse(request);
      crossOrigin.engine.handleRequest(request, response.asResponse);
      const idle = setTimeout(() => response.destroy(), 0);
      await response.done;
      clearTimeout(idle);
      // The body was never asked for.
      request.destroy();
      if (response.statusCode === 0) return "node pending";
      // Preflight requests are answered by the cors middleware.
      if (response.statusCode === 204) return "node 204";
      return `node ${checkStatus(response.statusCode, Buffer.concat(response.body).toString())}`;
    }

    async function upgrade({ method, url, headers }: HostileRequest): Promise<string> {
      const socket = new MemoryDuplex();
      const request = memoryRequest(method, url, headers);
      crossOrigin.engine.handleUpgrade(Object.assign(request, { socket }), socket, Buffer.alloc(0));
      await turn();
      const output = socket.output().toString("latin1");
      socket.destroy();
      request.destroy();
      await turn();
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(output)?.[1]);
      if (!UPGRADE_STATUSES.has(status)) throw new Error(`an upgrade was answered with ${output || "nothing"}`);
      return `upgrade ${status}`;
    }

    async function run(input: FuzzInput): Promise<string> {
      const [route, , target] = input as string[];
      const engine = route === "handle" ? echo : crossOrigin;
      const sid = target?.includes("$SID") ? await engine.openPolling() : "";
      const request = requestOf(input as string[], sid);
      const query = parseQuery(request.url);
      if (Object.values(query).some((value) => typeof value !== "string")) throw new Error("a parameter is no string");
      const outcome = await (route === "handle" ? handle : route === "node" ? throughNode : upgrade)(request);
      endSessions(engine);
      return outcome;
    }

    return {
      run,
      async checkOthers() {
        await echo.checkOthers();
        await crossOrigin.checkOthers();
      },
      async close() {
        await echo.close();
        await crossOrigin.close();
      },
    };
  },
};

/** Ends whatever the request has opened: all but the first session, which looks on. */
function endSessions({ engine }: EchoEngine): void {
  for (const session of Object.values(engine.clients).slice(1)) session.close(true);
}

/** Resolves to nothing once a poll without an answer has been given up. */
async function whenGivenUp(): Promise<undefined> {
  await turn();
  await turn();
  return undefined;
}

async function textOf({ body }: HttpAnswer): Promise<string> {
  if (typeof body === "string") return body;
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  // Compressed: that it comes to its end is what matters.
  for await (const chunk of body) if (chunk.length === 0) return "";
  return "";
}

/** @throws when no table has this answer */
function checkStatus(status: number, text: string): string {
  if (!STATUSES.has(status)) throw new Error(`answered with ${status}`);
  if (status === 200 || text === "") return String(status);
  const { code, message } = JSON.parse(text) as { code: number; message: string };
  if (MESSAGES[code] !== message) throw new Error(`answered with ${text}`);
  return `${status} code ${code}`;
}
