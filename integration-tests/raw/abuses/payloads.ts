import { gzipSync } from "node:zlib";
import { expect } from "vitest";
import { enginePath, type RawAnswer, type RawConnection } from "../../support/raw-connection.js";
import type { Abuse } from "../abuse.js";
import { AbusiveSession, askRaw, requestBytes, UNKNOWN_SID, withConnection } from "../../support/abusive-client.js";

const OK: RawAnswer = { status: 200, body: "ok" };
const CLOSED: RawAnswer = { status: 200, body: "1" };
const NOOP: RawAnswer = { status: 200, body: "6" };
const MAX_BYTES = 10_000;

interface Upload {
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a poll, then an upload behind it on the same connection, and returns both answers. */
async function pollAndUpload(session: AbusiveSession, { body, headers = {} }: Upload): Promise<[RawAnswer, RawAnswer]> {
  return withConnection(session.port, async (connection) => {
    connection.sendRequest("GET", session.path);
    const bytes = Buffer.from(body);
    connection.write(requestBytes("POST", session.path, { "Content-Length": String(bytes.length), ...headers }));
    connection.write(bytes);
    return [await connection.nextAnswer(), await connection.nextAnswer()];
  });
}

/** Ends the session: the poll that waits gets a close packet. */
function ends(title: string, upload: Upload | string, answer: RawAnswer = OK): Abuse {
  return {
    title: `${title} is answered with ${answer.status} ${answer.body}, and ends the session`,
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      const sent = typeof upload === "string" ? { body: upload } : upload;
      expect(await pollAndUpload(session, sent)).toEqual([CLOSED, answer]);
      await session.expectGone();
    },
  };
}

/** Has no effect. */
function isIgnored(title: string, body: string): Abuse {
  return {
    title: `${title} is answered with ok, and does nothing`,
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      expect(await session.post(body)).toEqual(OK);
      await session.expectAlive();
    },
  };
}

/** The same, without joining a namespace first. */
function tooEarly(body: string): Abuse {
  return {
    title: `${body} before CONNECT is answered with ok, and ends the session`,
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      expect(await pollAndUpload(session, { body })).toEqual([CLOSED, OK]);
      await session.expectGone();
    },
  };
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const CHUNKED = { "Transfer-Encoding": "chunked" };

function oversize(title: string, head: (path: string) => string, body: string): Abuse {
  return {
    title: `${title} is answered with 413, and the session lives on`,
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      expect(await askRaw(port, head(session.path) + body)).toEqual({ status: 413, body: "" });
      await session.expectAlive();
    },
  };
}

/** Goes on with a body that was answered, as long as somebody takes it. */
async function dripUntilCut(connection: RawConnection): Promise<void> {
  const drip = setInterval(() => connection.write("6"), 50);
  expect(await connection.rest()).toBe("");
  clearInterval(drip);
}

export const PAYLOADS: readonly Abuse[] = [
  ends("an empty body", ""),
  ends("a body of one separator", "\x1e"),
  ends("a separator at the end", "6\x1e"),
  ends("two separators in a row", "6\x1e\x1e6"),
  ends("an unknown packet type", "9"),
  ends("a body that is no payload", "<html></html>"),
  ends("a ping, which is for the server to send", "2"),
  ends("bytes that were not announced", "bAQID"),
  ends("base64 that is none", "b!!!!"),
  ends("text that is no UTF-8", { body: Buffer.from([0x34, 0xff, 0xfe, 0x80]) }),
  ends("a compressed body", { body: gzipSync("42"), headers: { "Content-Encoding": "gzip" } }),
  ends(
    "a body of bytes",
    { body: Buffer.from([4, 1, 2]), headers: { "Content-Type": "application/octet-stream" } },
    { status: 400, body: "" },
  ),
  isIgnored("a pong that nobody asked for", "3"),
  isIgnored("a handshake", '0{"sid":"x"}'),
  isIgnored("an upgrade without a websocket", "5"),
  isIgnored("a body of nothing but noops", "6\x1e".repeat(MAX_BYTES / 2 - 1) + "6"),
  ...['42["early"]', "41", "430[]", "44{}", '451-["x",{"_placeholder":true,"num":0}]\x1ebAA==', "4", "49"].map(
    tooEarly,
  ),
  {
    title: "a close packet is answered with ok, the poll with a noop, and ends the session",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      expect(await pollAndUpload(session, { body: "1\x1e4after" })).toEqual([NOOP, OK]);
      await session.expectGone();
    },
  },
  {
    title: "a second poll ends the session: the first gets a close packet, the second 400",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.sendRequest("GET", session.path);
        connection.sendRequest("GET", session.path);
        expect(await connection.nextAnswer()).toEqual(CLOSED);
        expect(await connection.nextAnswer()).toEqual({ status: 400, body: "" });
      });
      await session.expectGone();
    },
  },
  {
    title: "a second upload ends the session: the first loses its connection, the second gets 400",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        // Behind a handshake, so that its answer tells when the upload has begun.
        const { path } = await AbusiveSession.open(port);
        connection.sendRequest("POST", path, "1");
        connection.write(requestBytes("POST", session.path, { "Content-Length": "5" }) + "6");
        await connection.nextAnswer();
        expect(await session.post("6")).toEqual({ status: 400, body: "" });
        expect(await connection.rest()).toBe("");
      });
      await session.expectGone();
    },
  },
  {
    title: "requests in one packet are answered in order",
    run: (port) =>
      withConnection(port, async (connection) => {
        const [a, b] = [await AbusiveSession.open(port), await AbusiveSession.open(port)];
        const post = (path: string): string => `${requestBytes("POST", path, { "Content-Length": "1" })}1`;
        connection.write(post(a.path) + requestBytes("GET", a.path) + post(b.path) + requestBytes("GET", b.path));
        for (const answer of [OK, NOOP, OK, NOOP]) expect(await connection.nextAnswer()).toEqual(answer);
      }),
  },
  oversize(
    "a body that says it is too long",
    (path) => requestBytes("POST", path, { "Content-Length": String(MAX_BYTES + 1) }),
    "6".repeat(MAX_BYTES + 1),
  ),
  oversize(
    "a body that says it is huge, and of which only a part comes",
    (path) => requestBytes("POST", path, { "Content-Length": "1000000000000" }),
    "6".repeat(MAX_BYTES * 2),
  ),
  oversize(
    "a body that does not say how long it is, and is too long",
    (path) => requestBytes("POST", path, CHUNKED),
    chunk("6".repeat(MAX_BYTES)) + chunk("66"),
  ),
  {
    title: "a body that goes on after its 413 is cut in time, and the session lives on",
    server: "notUpgraded",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.write(requestBytes("POST", session.path, { "Content-Length": "99999" }) + "6".repeat(MAX_BYTES + 1));
        expect(await connection.nextAnswer()).toEqual({ status: 413, body: "" });
        await dripUntilCut(connection);
      });
      await session.expectAlive();
    },
  },
  {
    title: "a body of a request that was refused is cut in time",
    server: "notUpgraded",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(requestBytes("POST", enginePath("polling", "unknown"), { "Content-Length": "999" }) + "6");
        expect(await connection.nextAnswer()).toEqual(UNKNOWN_SID);
        await dripUntilCut(connection);
      }),
  },
  ...[
    { what: "a file of the client", method: "POST", path: "/socket.io/socket.io.min.js", status: 200 },
    { what: "a preflight", method: "OPTIONS", path: enginePath("polling"), status: 204 },
    { what: "a preflight for a file of the client", method: "OPTIONS", path: "/socket.io/socket.io.js", status: 204 },
  ].map(({ what, method, path, status }): Abuse => ({
    title: `a body of a request for ${what} is cut in time`,
    server: "notUpgraded",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(requestBytes(method, path, { "Content-Length": "99999" }) + "6");
        expect(await connection.nextAnswer()).toMatchObject({ status });
        await dripUntilCut(connection);
      }),
  })),
  {
    title: "a body that is shorter than it says ends the session when its connection ends",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.write(requestBytes("POST", session.path, { "Content-Length": "100" }) + "6");
        connection.end();
        await connection.rest();
        await session.untilGone();
      });
    },
  },
  {
    title: "a body that is longer than it says is taken as long as it says, and the rest answered with 400",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.sendRequest("POST", session.path, "6");
        expect(await connection.nextAnswer()).toEqual(OK);
        connection.write("nonsense\r\n\r\n");
        expect(await connection.nextAnswer()).toEqual({ status: 400, body: "" });
        await connection.rest();
      });
      await session.expectAlive();
    },
  },
  {
    title: "a chunk that is none ends the session",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.write(requestBytes("POST", session.path, CHUNKED) + chunk("6") + "nonsense\r\n");
        await connection.rest();
        await session.untilGone();
      });
    },
  },
  {
    title: "an upload that is reset ends the session",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        const { path } = await AbusiveSession.open(port);
        connection.sendRequest("POST", path, "1");
        connection.write(requestBytes("POST", session.path, { "Content-Length": "5" }) + "6");
        await connection.nextAnswer();
        connection.reset();
        await session.untilGone();
      });
    },
  },
];
