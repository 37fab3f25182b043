import { expectEqual } from "../../client/scenarios/expect-equal.js";
import { impatient, scenario, type Scenario } from "../../client/scenarios/scenario.js";
import { nextEvent } from "../../support/next-event.js";

/** Where the server is that takes 100 kB at a time and pings often. */
export const TIGHT_PATH = "/tight";

/** The name of a transport that is given by its name or its class. */
function nameOf(transport: unknown): string {
  return typeof transport === "string" ? transport : (transport as { prototype: { name: string } }).prototype.name;
}

/** Pages and workers of a browser: there, scripts cannot set headers of a websocket handshake. */
const isBrowser = "document" in globalThis || "importScripts" in globalThis;

/** What depends on the host more than most: how requests are made, how they fail, and its timers. */
export const moreScenarios: Record<string, Scenario> = {
  "travels as it was told to": (io, url, options = {}) => {
    const name = nameOf(options.transports?.at(-1));
    const travels = scenario(async ({ connect }) => {
      const socket = await connect();

      expectEqual(socket.io.engine.transport.name, name, "transport here");
      expectEqual(await socket.emitWithAck("how do I travel"), name, "transport there");
    });
    return travels(io, url, options);
  },

  "sends headers of its own wherever the host lets it": (io, url, options = {}) => {
    const isAllowed = !isBrowser || nameOf(options.transports?.[0]) !== "websocket";
    const sends = scenario(async ({ connect }) => {
      const socket = await connect({ extraHeaders: { "x-token": "secret" } });

      expectEqual(await socket.emitWithAck("what is my token"), isAllowed ? "secret" : null, "token");
    });
    return sends(io, url, options);
  },

  "splits what is too much for one request": scenario(async ({ connect }) => {
    const socket = await connect({ path: TIGHT_PATH });
    const texts = Array.from({ length: 20 }, (_, index) => `${index} `.repeat(10_000));
    for (const text of texts) socket.emit("measure", text);

    expectEqual(
      await socket.emitWithAck("measured"),
      texts.map((text) => text.length),
    );
  }),

  "takes a hundred events at once": scenario(async ({ connect }) => {
    const socket = await connect();
    const received: unknown[] = [];
    socket.on("one of many", (value) => received.push(value));
    await socket.emitWithAck("burst", 100);

    expectEqual(
      received,
      Array.from({ length: 100 }, (_, index) => index),
    );
  }),

  "answers the pings of the server": scenario(async ({ connect }) => {
    const socket = await connect({ path: TIGHT_PATH });
    // The next ping comes only once the one before has been answered.
    for (let count = 0; count < 3; count++) await nextEvent(socket.io, "ping");

    expectEqual(socket.connected, true, "connected");
  }),

  "comes back after hearing what makes no sense": scenario(async ({ connect }) => {
    const socket = await connect(impatient);
    const gone = nextEvent(socket, "disconnect");
    const back = nextEvent(socket, "connect");
    socket.emit("talk nonsense");

    expectEqual((await gone)[0], "parse error", "reason");
    await back;
    expectEqual(await socket.emitWithAck("echo", 1), 1);
  }),

  "learns that there is nobody at an address": scenario(async ({ open }) => {
    const socket = open({ path: "/nobody" });
    const [error] = await nextEvent<[Error & { type?: string }]>(socket, "connect_error");

    expectEqual(error.type, "TransportError", "type");
    expectEqual(/^(xhr poll|fetch read|websocket) error$/.test(error.message), true, error.message);
    expectEqual(socket.active, true, "active");
  }),

  "sends Blobs as bytes, in their place among other events, where there are Blobs": scenario(async ({ connect }) => {
    if (typeof Blob === "undefined") return;
    const socket = await connect();
    const received: unknown[] = [];
    socket.on("echo", (value) => received.push(value));
    const last = nextEvent(socket, "last");
    socket.emit("echo", 1);
    socket.emit("echo", { list: [new Blob([Uint8Array.of(1, 2)]), new Blob([Uint8Array.of(3)])] });
    socket.emit("echo", 2);
    socket.emit("say last");
    await last;

    expectEqual(received, [1, { list: [Uint8Array.of(1, 2), Uint8Array.of(3)] }, 2]);
  }),

  "receives bytes as Blobs when it is told to, where there are Blobs": scenario(async ({ connect }) => {
    if (typeof Blob === "undefined") return;
    const socket = await connect();
    socket.io.engine.binaryType = "blob";
    const received = (await socket.emitWithAck("echo", Uint8Array.of(1, 2))) as Blob;

    expectEqual(received instanceof Blob, true, "a Blob");
    expectEqual(await received.arrayBuffer(), Uint8Array.of(1, 2));
  }),
};
