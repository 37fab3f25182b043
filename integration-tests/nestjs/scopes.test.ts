import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { bothClients, type StockOrOurs } from "../support/both-clients.js";
import { nextEvent } from "../support/next-event.js";
import { NEST_VERSIONS, prepareNest, startNest, type NestProcess } from "./nest-app.js";

const [{ connect, open }] = bothClients as [StockOrOurs];

interface Visit {
  readonly number: number;
}

describe.each(NEST_VERSIONS)("providers with a scope on Nest %s", (version) => {
  let app: NestProcess;
  beforeAll(async () => {
    await prepareNest(version);
    app = await startNest(version, "scopes");
  });
  afterAll(async () => {
    expect(app.output()).not.toContain("unhandledRejection");
    await app.kill();
  });
  const visit = (auth: object = {}): ReturnType<typeof connect> => connect(`${app.url}/visits`, { auth });

  it("are made once for each socket: for its middlewares, guards, gateway and services alike", async () => {
    const [one, other] = await Promise.all([visit(), visit()]);
    const told = (await one.timeout(5000).emitWithAck("tell")) as Visit;
    expect(told).toEqual({
      number: expect.any(Number) as number,
      id: one.id,
      seen: ["middleware true", "guard $connect"],
      isSame: true,
      state: "connected",
      tenant: expect.any(Number) as number,
      nsp: "/visits",
    });
    expect(await one.emitWithAck("twice")).toEqual(told);
    const { number } = (await other.emitWithAck("tell")) as Visit;
    expect(number).not.toBe(told.number);
  });

  it("serve guards, interceptors, pipes, filters and contracts of events", async () => {
    const client = await visit();
    const { number } = (await client.emitWithAck("tell")) as Visit;
    expect(await client.emitWithAck("forbidden")).toMatchObject({ status: "error", code: "SIO_FORBIDDEN" });
    expect(await client.emitWithAck("piped", { a: 1 })).toEqual({ a: 1, number, pipe: number, interceptor: number });
    expect(await client.emitWithAck("fail")).toEqual({ filter: number, message: `failed ${number}` });
    expect(await client.emitWithAck("agreed", 7)).toBe(7);
    expect(await client.emitWithAck("agreed", "7")).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
  });

  it.each([
    ["visits", { stranger: true }, "stranger"],
    ["visits", { broken: true }, "cannot be made"],
    ["feature", {}, "no ticket"],
  ])("refuse at connect as middlewares: /%s with %j", async (namespace, auth, message) => {
    const [error] = await nextEvent<[Error]>(open(`${app.url}/${namespace}`, { auth }), "connect_error");
    expect(error.message).toBe(message);
  });

  it("let in at connect as middlewares of forFeature", async () => {
    await connect(`${app.url}/feature`, { auth: { ticket: 1 } });
  });

  it("tell a client why handleConnection of its instance has refused it", async () => {
    const client = open(`${app.url}/visits`, { auth: { fail: true } });
    const disconnected = nextEvent(client, "disconnect");
    expect(await nextEvent(client, "exception")).toMatchObject([{ code: "SIO_EVENT_ERROR", message: "not you" }]);
    expect((await disconnected)[0]).toBe("io server disconnect");
  });

  it("are shared by the sockets that a ContextIdStrategy puts together, if they are durable", async () => {
    const tell = async (tenant: string): Promise<unknown> =>
      (await connect(`${app.url}/tenants`, { auth: { tenant } })).timeout(5000).emitWithAck("tell");
    const first = await tell("acme");
    expect(first).toMatchObject({ name: "acme" });
    expect(await tell("acme")).toEqual(first);
    expect(await tell("other")).not.toEqual(first);
    const tenantOf = async (tenant: string): Promise<unknown> =>
      ((await (await visit({ tenant })).emitWithAck("tell")) as { tenant: number }).tenant;
    expect(await tenantOf("shared")).toBe(await tenantOf("shared"));
  });

  it("are let go when their socket has left, and handleDisconnect was called on them", async () => {
    const client = await visit();
    const { number } = (await client.emitWithAck("tell")) as Visit;
    client.disconnect();
    await app.printed(`left ${number} connected\n`);
    await vi.waitFor(async () => {
      const { made, released } = (await (await fetch(`${app.url}/released`)).json()) as Record<string, number>;
      expect(released).toBe(made);
    }, 20_000);
  });

  it("are those of a gateway that inherits its hooks and handlers, too", async () => {
    const client = await connect(`${app.url}/inherited`);
    expect(await client.timeout(5000).emitWithAck("tell")).toMatchObject({
      id: client.id,
      state: "connected",
      nsp: "/inherited",
    });
    expect(await client.emitWithAck("agreed", 7)).toBe(7);
  });

  it("leave gateways with one instance alone", async () => {
    const client = await connect(`${app.url}/single`);
    expect(await client.emitWithAck("ask")).toBe(true);
  });
});
