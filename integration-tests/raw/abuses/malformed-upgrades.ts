import { expect } from "vitest";
import { enginePath } from "../../support/raw-connection.js";
import type { Abuse } from "../abuse.js";
import {
  AbusiveSession,
  AbusiveWebSocket,
  requestBytes,
  UPGRADE_HEADERS,
  withConnection,
} from "../../support/abusive-client.js";
import { clientFrame, Opcode } from "../../support/client-frame.js";

type Headers = Readonly<Record<string, string>>;

/** An upgrade request that is refused in plain HTTP, after which the connection is closed. */
function refused(title: string, request: { path?: string; method?: string; headers?: Headers }, body: string): Abuse {
  const { path = enginePath("websocket"), method = "GET", headers = {} } = request;
  return {
    title: `an upgrade ${title} is refused with 400 ${body}`,
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(requestBytes(method, path, { ...UPGRADE_HEADERS, ...headers }));
        expect(await connection.nextAnswer()).toEqual({ status: 400, body });
        await connection.rest();
      }),
  };
}

/** A second websocket for a session gets the 101 and then an empty close frame. */
async function expectClosedCandidate(port: number, sid: string): Promise<void> {
  await withConnection(port, async (connection) => {
    expect(await connection.upgrade(enginePath("websocket", sid))).toBe(101);
    expect(await connection.nextFrame()).toEqual({ opcode: Opcode.CLOSE, payload: Buffer.alloc(0) });
  });
}

/** A candidate whose first frames are these is closed, and the session goes on over polling. */
function candidate(title: string, frames: readonly Buffer[], code: number): Abuse {
  return {
    title: `a candidate that begins with ${title} is closed with ${code}, and the session goes on over polling`,
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      await withConnection(port, async (connection) => {
        expect(await connection.upgrade(enginePath("websocket", session.sid))).toBe(101);
        for (const frame of frames) connection.write(frame);
        let frame = await connection.nextFrame();
        while (frame.opcode !== Opcode.CLOSE) frame = await connection.nextFrame();
        expect(frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE(0)).toBe(code);
      });
      await session.expectAlive();
    },
  };
}

export const MALFORMED_UPGRADES: readonly Abuse[] = [
  refused("with an unknown transport", { path: "/socket.io/?EIO=4&transport=foo" }, "Transport unknown"),
  refused("without a transport", { path: "/socket.io/" }, "Transport unknown"),
  refused("to WebTransport", { path: "/socket.io/?EIO=4&transport=webtransport" }, "Transport unknown"),
  refused("with the transport __proto__", { path: "/socket.io/?EIO=4&transport=__proto__" }, "Transport unknown"),
  refused("of an unknown session", { path: enginePath("websocket", "unknown") }, "Session ID unknown"),
  refused("of the session __proto__", { path: enginePath("websocket", "__proto__") }, "Session ID unknown"),
  refused("in protocol 3", { path: "/socket.io/?EIO=3&transport=websocket" }, "Unsupported protocol version"),
  refused("by POST", { method: "POST" }, "Bad handshake method"),
  refused("without a key", { headers: { "Sec-WebSocket-Key": "" } }, "Missing or invalid Sec-WebSocket-Key header"),
  refused(
    "with a key that is none",
    { headers: { "Sec-WebSocket-Key": "short" } },
    "Missing or invalid Sec-WebSocket-Key header",
  ),
  refused(
    "with an unknown version",
    { headers: { "Sec-WebSocket-Version": "99" } },
    "Missing or invalid Sec-WebSocket-Version header",
  ),
  refused("to something else", { headers: { Upgrade: "h2c" } }, "Invalid Upgrade header"),
  refused(
    "with a malformed subprotocol",
    { headers: { "Sec-WebSocket-Protocol": "," } },
    "Invalid Sec-WebSocket-Protocol header",
  ),
  {
    title: "an upgrade for polling gets the 101 and an empty close frame",
    run: (port) =>
      withConnection(port, async (connection) => {
        expect(await connection.upgrade(enginePath("polling"))).toBe(101);
        expect(await connection.nextFrame()).toEqual({ opcode: Opcode.CLOSE, payload: Buffer.alloc(0) });
      }),
  },
  {
    title: "a second websocket for a session on websocket is closed, and the session goes on",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        await expectClosedCandidate(port, websocket.sid);
        await websocket.expectEcho();
      }),
  },
  {
    title: "a second candidate is closed, and the first one goes on",
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      await withConnection(port, async (connection) => {
        expect(await connection.upgrade(enginePath("websocket", session.sid))).toBe(101);
        await expectClosedCandidate(port, session.sid);
        connection.sendText("2probe");
        expect(await connection.nextText()).toBe("3probe");
        connection.sendText("5");
        connection.sendText('421["echo","x"]');
        expect(await connection.nextText()).toBe('431["x"]');
      });
      await session.untilGone();
    },
  },
  {
    title: "an upgrade packet without a probe before it is taken",
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      await withConnection(port, async (connection) => {
        expect(await connection.upgrade(enginePath("websocket", session.sid))).toBe(101);
        connection.sendText("5");
        connection.sendText('421["echo","x"]');
        expect(await connection.nextText()).toBe('431["x"]');
      });
      await session.untilGone();
    },
  },
  {
    title: "frames that come with the upgrade request are taken in order",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(
          Buffer.concat([
            Buffer.from(requestBytes("GET", enginePath("websocket"), UPGRADE_HEADERS)),
            clientFrame("40"),
            clientFrame('42["early"]', { isFinal: false }).subarray(0, 3),
          ]),
        );
        expect(await connection.upgraded()).toBe(101);
        expect(await connection.nextText()).toMatch(/^0\{/);
        expect(await connection.nextText()).toMatch(/^40\{"sid"/);
      }),
  },
  candidate("a message", [clientFrame("4hello")], 1005),
  candidate("a probe that is none", [clientFrame("2")], 1005),
  candidate("nothing in a frame", [clientFrame("")], 1005),
  candidate("bytes", [clientFrame(Uint8Array.of(1, 2, 3), { opcode: Opcode.BINARY })], 1005),
  candidate("two probes", [clientFrame("2probe"), clientFrame("2probe")], 1005),
  candidate("an unmasked frame", [clientFrame("2probe", { isMasked: false })], 1002),
  candidate("too long a frame", [clientFrame("", { announcedLength: 1n << 40n })], 1009),
];
