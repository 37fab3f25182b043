import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { Opcode } from "../../support/client-frame.js";
import { enginePath } from "../../support/raw-connection.js";
import type { Abuse } from "../abuse.js";
import {
  AbusiveSession,
  AbusiveWebSocket,
  requestBytes,
  UPGRADE_HEADERS,
  withConnection,
} from "../../support/abusive-client.js";

const TIMED_OUT = { status: 408, body: "" };
/** Sends some bytes with breaks, and stops soon enough that the answer finds nothing of ours on its way. */
async function drip(connection: { write(bytes: string): void }): Promise<void> {
  for (let count = 0; count < 3; count++) {
    connection.write("x");
    await setTimeout(30);
  }
}

/** An upgrade that stops after these frames: the candidate is closed in time, and the session goes on. */
function unfinishedUpgrade(title: string, ...frames: string[]): Abuse {
  return {
    title: `an upgrade that ${title} is given up in time, and the session goes on over polling`,
    server: "notUpgraded",
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      await withConnection(port, async (connection) => {
        expect(await connection.upgrade(enginePath("websocket", session.sid))).toBe(101);
        for (const frame of frames) connection.sendText(frame);
        for (const frame of frames) expect(await connection.nextText()).toBe(frame.replace("2", "3"));
        expect(await connection.nextFrame()).toEqual({ opcode: Opcode.CLOSE, payload: Buffer.alloc(0) });
      });
      await session.expectAlive();
    },
  };
}

export const HALF_OPEN: readonly Abuse[] = [
  {
    title: "a connection that says nothing is answered with 408 and closed",
    server: "unread",
    run: (port) =>
      withConnection(port, async (connection) => {
        expect(await connection.nextAnswer()).toEqual(TIMED_OUT);
        await connection.rest();
      }),
  },
  {
    title: "headers that come byte by byte are answered with 408, and the connection closed",
    server: "unread",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(`GET ${enginePath("polling")} HTTP/1.1\r\nX-Slow: `);
        await drip(connection);
        expect(await connection.nextAnswer()).toEqual(TIMED_OUT);
        await connection.rest();
      }),
  },
  {
    title: "upgrade headers that do not end are answered with 408, and the connection closed",
    server: "unread",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(requestBytes("GET", enginePath("websocket"), UPGRADE_HEADERS).slice(0, -2));
        expect(await connection.nextAnswer()).toEqual(TIMED_OUT);
        await connection.rest();
      }),
  },
  {
    title: "a body that comes byte by byte is cut, and ends the session",
    server: "unread",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.write(requestBytes("POST", session.path, { "Content-Length": "5000" }));
        await drip(connection);
        await connection.rest();
      });
      await session.untilGone();
    },
  },
  {
    title: "a body that is cut in its middle, and is answered no more, ends the session",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        connection.write(requestBytes("POST", session.path, { "Content-Length": "5000" }) + "6");
      });
      await session.untilGone();
    },
  },
  {
    title: "a session over polling that says nothing after its handshake ends in time",
    server: "unanswered",
    run: async (port) => (await AbusiveSession.open(port)).untilGone(),
  },
  {
    title: "a session over polling that polls but joins nothing ends in time",
    server: "unjoined",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      expect(await session.poll()).toEqual({ status: 200, body: "1" });
      await session.expectGone();
    },
  },
  {
    title: "a poll that is reset ends the session",
    run: async (port) => {
      const session = await AbusiveSession.open(port);
      await withConnection(port, async (connection) => {
        // Behind an upload, so that its answer tells that the poll has begun.
        connection.sendRequest("POST", session.path, "6");
        connection.sendRequest("GET", session.path);
        await connection.nextAnswer();
        connection.reset();
        await session.untilGone();
      });
    },
  },
  {
    title: "a websocket that says nothing is closed in time",
    server: "unjoined",
    run: (port) =>
      AbusiveWebSocket.use(port, undefined, async (websocket) => {
        expect(await websocket.closeCode()).toBe(1005);
        await websocket.untilGone();
      }),
  },
  {
    title: "a websocket that joins and then answers no ping is closed, and cut when it does not answer that either",
    server: "unanswered",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        expect(await websocket.connection.nextText()).toBe("2");
        expect(await websocket.closeCode()).toBe(1005);
        await websocket.untilGone();
        expect(await websocket.connection.rest()).toBe("");
      }),
  },
  {
    title: "a websocket of which the first half of a frame comes is closed in time",
    server: "unanswered",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.write(Uint8Array.of(0x81, 0xfe, 0x10));
        expect(await websocket.connection.nextText()).toBe("2");
        expect(await websocket.closeCode()).toBe(1005);
        await websocket.untilGone();
      }),
  },
  unfinishedUpgrade("says nothing"),
  unfinishedUpgrade("stops after the probe", "2probe"),
  {
    title: "an upgrade that is reset amid the probe leaves the session on polling",
    run: async (port) => {
      const session = await (await AbusiveSession.open(port)).join();
      await withConnection(port, async (connection) => {
        expect(await connection.upgrade(enginePath("websocket", session.sid))).toBe(101);
        connection.sendText("2probe");
        expect(await connection.nextText()).toBe("3probe");
        connection.reset();
      });
      await session.expectAlive();
    },
  },
  {
    title: "an upgrade that is nobody's is ended in time",
    server: "notUpgraded",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(requestBytes("GET", "/elsewhere", UPGRADE_HEADERS));
        expect(await connection.rest()).toBe("");
      }),
  },
  {
    title: "an upgrade that is reset before its answer leaves nothing",
    run: (port) =>
      withConnection(port, async (connection) => {
        connection.write(requestBytes("GET", enginePath("websocket"), UPGRADE_HEADERS));
        connection.reset();
        await connection.closed;
      }),
  },
  {
    title: "a websocket that ends without a close frame ends the session",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.end();
        await websocket.untilGone();
        await websocket.connection.rest();
      }),
  },
  {
    title: "a websocket that is reset ends the session",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.connection.reset();
        await websocket.untilGone();
      }),
  },
  {
    title: "a websocket that is reset amid an attachment ends the session",
    run: (port) =>
      AbusiveWebSocket.use(port, "", async (websocket) => {
        websocket.send('452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
        websocket.send(new Uint8Array(5000));
        websocket.connection.reset();
        await websocket.untilGone();
      }),
  },
];
