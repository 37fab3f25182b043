import { describe, expect, it } from "vitest";
import { bothClients } from "../support/both-clients.js";
import { startExample } from "../support/example-process.js";
import { nextEvent } from "../support/next-event.js";

async function logIn(url: string, name: string): Promise<string> {
  const response = await fetch(`${url}/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  expect(response.status).toBe(200);
  return response.headers.getSetCookie()[0]!.split(";", 1)[0]!;
}

describe.each(bothClients)("examples/fastify, by $name", (client) => {
  it.each(["polling", "websocket"])("shares a board over %s among those who have logged in", async (transport) => {
    const { url, stop } = await startExample("fastify/todo.js");
    const transports = [transport];
    await nextEvent(client.open(url, { transports }), "connect_error");
    const cookie = await logIn(url, "Ada");
    const ada = await client.connect(url, { transports, extraHeaders: { cookie } });
    const bob = await client.connect(url, { transports, extraHeaders: { cookie: await logIn(url, "Bob") } });
    const added = nextEvent(bob, "todo:added");
    expect(await ada.emitWithAck("todo:add", { text: "write it down" })).toEqual({ id: 1 });
    expect(await added).toEqual([{ id: 1, text: "write it down", by: "Ada" }]);
    expect(await ada.emitWithAck("todo:add", { text: "" })).toMatchObject({ code: "SIO_INVALID_PAYLOAD" });
    expect(await (await fetch(`${url}/me`, { headers: { cookie } })).json()).toEqual({ user: "Ada", added: 1 });
    const gone = nextEvent<[string]>(ada, "disconnect");
    await fetch(`${url}/logout`, { method: "POST", headers: { cookie } });
    expect(["transport close", "transport error"]).toContain((await gone)[0]);
    await nextEvent(client.open(url, { transports, extraHeaders: { cookie } }), "connect_error");
    expect(bob.connected).toBe(true);
    expect(await stop()).toBe(0);
  });
});
