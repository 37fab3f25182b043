import { expect, it } from "vitest";
import { interopSuite } from "../../support/interop-suite.js";
import { openRawPolling } from "../../support/raw-session.js";

function freezeDeeply<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  Object.values(value).forEach(freezeDeeply);
  return Object.freeze(value);
}

interopSuite("packets", ({ startServer }) => {
  it("closes a polling session in order that sends an event before it has joined", async () => {
    const server = await startServer();
    const { peer } = await openRawPolling(server);

    await peer.post('42["early"]');

    expect((await peer.poll()).body).toBe("6\x1e1");
    expect((await peer.poll()).status).toBe(400);
  });

  it("are encoded without a change to what was given", async () => {
    const { io } = await startServer();
    const [first, second] = [Buffer.from([1]), Buffer.from([2])];
    const data = ["name", { list: [first, 2], text: "x" }, second];
    const packet = freezeDeeply({ type: 2, nsp: "/", id: 7, data });

    const chunks = io.encoder.encode(packet);

    expect(chunks).toHaveLength(3);
    expect(packet).toEqual({ type: 2, nsp: "/", id: 7, data: ["name", { list: [first, 2], text: "x" }, second] });
  });
});
