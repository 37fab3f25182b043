import { limitHandshakes } from "@plugboard/rate-limit";
import type { Limiter } from "@plugboard/rate-limit";
import { Server } from "@plugboard/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { enginePath } from "../support/raw-connection.js";
import { refusedUpgrade } from "../support/refused-upgrade.js";
import { bothClients } from "../support/both-clients.js";
import { serveLimited } from "./limited-server.js";

const polling = (url: string): Promise<Response> => fetch(url + enginePath("polling"));

describe("limitHandshakes", () => {
  afterEach(() => void vi.useRealTimers());

  it("answers the handshake beyond the limit with 429 and Retry-After on both transports, and makes no session", async () => {
    const { io, url } = await serveLimited();
    limitHandshakes(io, { points: 2, duration: 60 });
    expect((await polling(url)).status).toBe(200);
    expect((await polling(url)).status).toBe(200);
    const refused = await polling(url);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("60");
    expect(await refused.json()).toEqual({ code: 4, message: "Too many handshakes" });
    const upgrade = await refusedUpgrade(url + enginePath("websocket"));
    expect(upgrade).toMatchObject({ status: 429, headers: { "retry-after": "60" }, body: "Too many handshakes" });
    expect(io.engine.clientsCount).toBe(2);
  });

  it.each(bothClients)("lets a $name go on over polls, posts and an upgrade, which do not count", async (client) => {
    const { io, url } = await serveLimited();
    limitHandshakes(io, { points: 1, duration: 60 });
    io.on("connection", (socket) => socket.on("echo", (value, ack) => ack(value)));
    const ada = await client.connect(url, { transports: ["polling", "websocket"] });
    if (ada.io.engine.transport.name === "polling") await nextEvent(ada.io.engine, "upgrade");
    for (let count = 0; count < 5; count++) expect(await ada.emitWithAck("echo", count)).toBe(count);
    const [error] = await nextEvent<[{ description?: unknown }]>(
      client.open(url, { transports: ["polling"] }),
      "connect_error",
    );
    expect(error.description).toBe(429);
    await nextEvent(client.open(url), "connect_error");
    expect(await ada.emitWithAck("echo", "still here")).toBe("still here");
  });

  it.each(bothClients)("lets a refused $name in by itself once the window is over", async (client) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], shouldAdvanceTime: true });
    const { io, url } = await serveLimited({ pingInterval: 3_600_000 });
    limitHandshakes(io, { points: 1, duration: 60 });
    await client.connect(url);
    const bob = client.open(url, { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 50 });
    for (let refusals = 0; refusals < 2; refusals++) await nextEvent(bob, "connect_error");
    vi.advanceTimersByTime(60_000);
    await nextEvent(bob, "connect");
  });

  it("counts by what a function makes of the request", async () => {
    const { io, url } = await serveLimited();
    limitHandshakes(io, { points: 1, duration: 60, by: ({ headers }) => String(headers["x-forwarded-for"]) });
    const from = async (address: string): Promise<number> =>
      (await fetch(url + enginePath("polling"), { headers: { "x-forwarded-for": address } })).status;
    expect([await from("192.0.2.1"), await from("192.0.2.2"), await from("192.0.2.1")]).toEqual([200, 200, 429]);
  });

  it("asks the server's own allowRequest about what is within the limit, about nothing else", async () => {
    let asked = 0;
    const { io, url } = await serveLimited({ allowRequest: (_request, decide) => decide("not today", ++asked === 0) });
    limitHandshakes(io, { points: 2, duration: 60 });
    const statuses = [(await polling(url)).status, (await polling(url)).status, (await polling(url)).status];
    expect(statuses).toEqual([403, 403, 429]);
    expect(asked).toBe(2);
  });

  it("works for a server that is attached later", async () => {
    const io = new Server();
    limitHandshakes(io, { points: 1, duration: 60 });
    const { io: front, url } = await serveLimited({ path: "/front" });
    io.attach(front.httpServer);
    expect([(await polling(url)).status, (await polling(url)).status]).toEqual([200, 429]);
    await io.close();
  });

  it("counts for a server that is attached again together", async () => {
    const { io, url } = await serveLimited();
    limitHandshakes(io, { points: 1, duration: 60 });
    const { io: front, url: otherUrl } = await serveLimited({ path: "/front" });
    io.attach(front.httpServer);
    expect([(await polling(url)).status, (await polling(otherUrl)).status]).toEqual([200, 429]);
    await io.close();
  });

  it("counts for all servers that it was attached to before", async () => {
    const { io, url } = await serveLimited();
    const { io: front, url: otherUrl } = await serveLimited({ path: "/front" });
    io.attach(front.httpServer);
    limitHandshakes(io, { points: 1, duration: 60 });
    expect([(await polling(url)).status, (await polling(otherUrl)).status]).toEqual([200, 429]);
    await io.close();
  });

  it.each([
    ["allow", 200],
    ["refuse", 429],
  ] as const)("has a limiter that fails %s handshakes, and reports it once", async (onLimiterError, status) => {
    const { io, url, failures } = await serveLimited();
    const error = new Error("down");
    const limiter: Limiter = { consume: () => Promise.reject(error) };
    limitHandshakes(io, { limiter, onLimiterError });
    expect([(await polling(url)).status, (await polling(url)).status]).toEqual([status, status]);
    expect(failures).toEqual([{ socket: undefined, event: "rate-limit", args: [], ack: undefined, error }]);
  });
});
