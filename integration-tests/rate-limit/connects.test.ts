import { limitConnects } from "@plugboard/rate-limit";
import { describe, expect, it } from "vitest";
import { nextEvent } from "../support/next-event.js";
import { bothClients } from "../support/both-clients.js";
import { serveLimited } from "./limited-server.js";

describe.each(bothClients)("limitConnects, with $name", (client) => {
  const refusal = async (url: string, auth: object = {}): Promise<unknown> => {
    const [error] = await nextEvent<[Error & { data: unknown }]>(client.open(url, { auth }), "connect_error");
    return { message: error.message, data: error.data };
  };
  const expected = {
    message: "Too many connections",
    data: { code: "SIO_RATE_LIMITED", retryAfterMs: expect.any(Number) as number },
  };

  it("tells the client beyond the limit when to come back, in the data of connect_error", async () => {
    const { io, url } = await serveLimited();
    io.use(limitConnects({ points: 2, duration: 60 }));
    await client.connect(url);
    await client.connect(url);
    const { data } = (await refusal(url)) as typeof expected;
    expect(data.code).toBe("SIO_RATE_LIMITED");
    expect(data.retryAfterMs).toBeGreaterThan(50_000);
    expect(data.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(io.sockets.sockets.size).toBe(2);
  });

  it("counts by user where an earlier middleware has set one, else by address", async () => {
    const { io, url } = await serveLimited();
    io.use((socket, next) => {
      if (socket.handshake.auth["id"] !== undefined) socket.data.user = { id: socket.handshake.auth["id"] };
      next();
    });
    io.use(limitConnects({ points: 1, duration: 60, by: "user" }));
    await client.connect(url, { auth: { id: 1 } });
    await client.connect(url, { auth: { id: 2 } });
    await client.connect(url);
    expect(await refusal(url, { id: 1 })).toEqual(expected);
    expect(await refusal(url)).toEqual(expected);
  });

  it("counts each namespace of one middleware together, and other namespaces not at all", async () => {
    const { io, url } = await serveLimited();
    const middleware = limitConnects({ points: 1, duration: 60, by: (socket) => socket.handshake.address });
    io.of("/a").use(middleware);
    io.of("/b").use(middleware);
    await client.connect(`${url}/a`);
    expect(await refusal(`${url}/b`)).toEqual(expected);
    await client.connect(url);
  });
});
