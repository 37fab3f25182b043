import { expect, it } from "vitest";
import { connectClient } from "../support/connect-client.js";
import { nextEvent } from "../support/next-event.js";
import { processorTimeOf } from "../support/processor-time.js";
import { joinRawPolling, joinRawWebSocket } from "../support/raw-namespace.js";
import { serve } from "../support/serve.js";

/** What quadratic work on a million bytes would exceed many times over. */
const LINEAR_MS = 2000;

it("CVE-2020-36049: packets of a million digits or of one long name are read in linear time", async () => {
  const server = await serve();
  const million = 999_000;
  for (const packet of [
    `42${"1".repeat(million)}`,
    `45${"1".repeat(million)}`,
    `45${"1".repeat(million)}-["x"]`,
    `42/${"x".repeat(million)}`,
    `42/${"x".repeat(million)},["x"]`,
    `42["${"\\u0001".repeat(million / 6)}`,
  ]) {
    const { peer } = await joinRawWebSocket(server);
    const reading = processorTimeOf(async () => {
      peer.send(packet);
      await peer.closed;
    });
    expect(await reading).toBeLessThan(LINEAR_MS);
  }
});

it("CVE-2022-2421: a placeholder that is no index of an attachment closes the connection", async () => {
  const server = await serve();
  const bystander = await connectClient(server.url);
  for (const num of ['"splice"', '"0"', "-1", "1", "0.5", "1e999", "null", "true", "{}", "[0]"]) {
    const { peer, socket } = await joinRawWebSocket(server);
    const failed = nextEvent<[Error]>(socket, "error");
    peer.send(`451-["x",{"_placeholder":true,"num":${num}}]`);
    peer.send(Uint8Array.of(1));
    expect((await failed)[0].message).toBe("illegal attachments");
    expect(await peer.closed).toBe(1005);
  }
  expect(bystander.connected).toBe(true);
});

it("CVE-2023-32695: an event whose name is no text closes the connection before it reaches a listener", async () => {
  const server = await serve();
  for (const name of ["null", "true", "{}", '{"toString":"x"}', '["x"]', '["__proto__"]']) {
    const { peer, socket } = await joinRawWebSocket(server);
    let seen = 0;
    socket.onAny(() => seen++);
    peer.send(`42[${name},"y"]`);
    expect(await peer.closed).toBe(1005);
    expect(seen).toBe(0);
  }
});

it("CVE-2026-33151: a packet that announces more than ten attachments is refused before any of them", async () => {
  const server = await serve();
  for (const count of ["11", "1000000", "9".repeat(400)]) {
    const { peer, socket } = await joinRawWebSocket(server);
    const failed = nextEvent<[Error]>(socket, "error");
    peer.send(`45${count}-["x",{"_placeholder":true,"num":0}]`);
    expect((await failed)[0].message).toBe("too many attachments");
    expect(await peer.closed).toBe(1005);
  }
});

it("CVE-2026-69185: a binary packet without attachments is refused, and so are bytes after it", async () => {
  const server = await serve();
  for (const packet of ['50-["x"]', '60-0["x"]', '5-["x"]', '500-["x"]', '5-0-["x"]']) {
    const { peer, socket } = await joinRawPolling(server);
    const failed = nextEvent<[Error]>(socket, "error");
    let seen = 0;
    socket.onAny(() => seen++);
    await peer.post([`4${packet}`, "bAQID", "bAQID"].join("\x1e"));
    expect((await failed)[0].message).toBe("Illegal attachments");
    expect((await peer.poll()).body).toBe("6\x1e1");
    expect(seen).toBe(0);
  }
});
