import { expect } from "vitest";
import { enginePath, type RawAnswer } from "../../support/raw-connection.js";
import type { Abuse } from "../abuse.js";
import {
  ask,
  askRaw,
  requestBytes,
  UNKNOWN_SID,
  withConnection,
  AbusiveSession,
} from "../../support/abusive-client.js";

const PATH = "/socket.io/";
const UNKNOWN_TRANSPORT: RawAnswer = { status: 400, body: '{"code":0,"message":"Transport unknown"}' };
const BAD_METHOD: RawAnswer = { status: 400, body: '{"code":2,"message":"Bad handshake method"}' };
const BAD_REQUEST: RawAnswer = { status: 400, body: '{"code":3,"message":"Bad request"}' };
const BAD_PROTOCOL: RawAnswer = { status: 400, body: '{"code":5,"message":"Unsupported protocol version"}' };
/** The HTTP parser has given up; nothing of ours was reached. */
const NO_HTTP: RawAnswer = { status: 400, body: "" };

/** A request with this query is answered like that. */
function query(text: string, answer: RawAnswer): Abuse {
  const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return {
    title: `GET ?${shown} is answered with ${answer.status} ${answer.body}`,
    run: async (port) => {
      expect(await ask(port, "GET", `${PATH}?${text}`)).toEqual(answer);
    },
  };
}

/** A query that is odd but says all that is needed. */
function acceptedQuery(title: string, text: string): Abuse {
  return {
    title: `a handshake with ${title} is let in`,
    run: async (port) => {
      const { status, body } = await ask(port, "GET", `${PATH}?${text}`);
      expect(status).toBe(200);
      const { sid } = JSON.parse(body.slice(1)) as { sid: string };
      expect(await ask(port, "POST", enginePath("polling", sid), "1")).toEqual({ status: 200, body: "ok" });
    },
  };
}

/** Bytes that are no HTTP are answered with that status, and the connection is closed. */
function noHttp(title: string, bytes: string, status = NO_HTTP.status): Abuse {
  return {
    title: `${title} is answered with ${status}, and the connection closed`,
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(bytes);
        expect(await connection.nextAnswer()).toEqual({ ...NO_HTTP, status });
        await connection.rest();
      }),
  };
}

/** A request to a session that is answered like that, and does nothing to it. */
function toSession(title: string, bytes: (sid: string) => string, answer: RawAnswer): Abuse {
  return {
    title: `${title} is answered with ${answer.status}, and the session lives on`,
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      expect(await askRaw(port, bytes(session.sid))).toEqual(answer);
      await session.expectAlive();
    },
  };
}

const HANDSHAKE = "EIO=4&transport=polling";

export const MALFORMED_REQUESTS: readonly Abuse[] = [
  query("", UNKNOWN_TRANSPORT),
  query("EIO=4", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=constructor", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=__proto__", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=webtransport", UNKNOWN_TRANSPORT),
  query("EIO=4&transport[]=polling", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=polling&transport=nothing", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=%00polling", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=%zz%ff%", UNKNOWN_TRANSPORT),
  query("EIO=4&transport=websocket", BAD_REQUEST),
  query("transport=polling", BAD_PROTOCOL),
  query("EIO=3&transport=polling", BAD_PROTOCOL),
  query("EIO=04&transport=polling", BAD_PROTOCOL),
  query("EIO=4&EIO=3&transport=polling", BAD_PROTOCOL),
  query(`${HANDSHAKE}&sid=unknown`, UNKNOWN_SID),
  query(`${HANDSHAKE}&sid=__proto__`, UNKNOWN_SID),
  query(`${HANDSHAKE}&sid=constructor`, UNKNOWN_SID),
  query(`${HANDSHAKE}&sid=%00`, UNKNOWN_SID),
  query(`${HANDSHAKE}&sid=${"x".repeat(10_000)}`, UNKNOWN_SID),
  acceptedQuery("an empty session id", `${HANDSHAKE}&sid=`),
  acceptedQuery("broken escapes", `${HANDSHAKE}&%=%E0%A4%A&=&&`),
  acceptedQuery("thousands of parameters", `${HANDSHAKE}${"&a=".repeat(4000)}`),
  acceptedQuery("names of inherited properties", `${HANDSHAKE}&__proto__=1&constructor=1&hasOwnProperty=1`),
  ...["POST", "PUT", "DELETE", "OPTIONS", "PATCH"].map((method): Abuse => ({
    title: `${method} without a session is answered with 400 ${BAD_METHOD.body}`,
    run: async (port) => {
      expect(await askRaw(port, requestBytes(method, enginePath("polling"), { "Content-Length": "0" }))).toEqual(
        BAD_METHOD,
      );
    },
  })),
  ...["PUT", "DELETE", "OPTIONS"].map((method) =>
    toSession(
      `${method} with a session`,
      (sid) => requestBytes(method, enginePath("polling", sid), { "Content-Length": "0" }),
      { status: 500, body: "" },
    ),
  ),
  toSession("a request for another transport", (sid) => requestBytes("GET", enginePath("websocket", sid)), BAD_REQUEST),
  toSession(
    "a request in another protocol version",
    (sid) => requestBytes("GET", enginePath("polling", sid).replace("EIO=4", "EIO=3")),
    BAD_REQUEST,
  ),
  noHttp("a line that is no request", "good morning\r\n\r\n"),
  noHttp("an unknown HTTP version", `GET ${enginePath("polling")} HTTP/9.9\r\nHost: localhost\r\n\r\n`),
  noHttp("a header with a control character", requestBytes("GET", enginePath("polling"), { Origin: "\x01" })),
  noHttp("a header without a colon", `GET ${enginePath("polling")} HTTP/1.1\r\nHost localhost\r\n\r\n`),
  noHttp(
    "a body with two lengths",
    requestBytes("POST", enginePath("polling"), { "Content-Length": "1", "Transfer-Encoding": "chunked" }),
  ),
  noHttp("a length that is no number", requestBytes("POST", enginePath("polling"), { "Content-Length": "-1" })),
  noHttp("TLS where none is spoken", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  noHttp("a URL of 20 kB", requestBytes("GET", `${PATH}?${"x".repeat(20_000)}`), 431),
  noHttp("headers of 20 kB", requestBytes("GET", enginePath("polling"), { "X-Long": "x".repeat(20_000) }), 431),
  {
    title: "an expectation that nobody can meet is answered with 417",
    run: async (port) => {
      const { status } = await askRaw(port, requestBytes("GET", enginePath("polling"), { Expect: "the impossible" }));
      expect(status).toBe(417);
    },
  },
];
