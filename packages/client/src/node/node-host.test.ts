import { describe, expect, it } from "vitest";
import { nodeHost } from "./node-host.js";

describe("nodeHost", () => {
  it("gives Buffers for every kind of bytes, without copying those that are there", () => {
    const bytes = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    for (const encoded of ["bAQI=", Buffer.from([1, 2]), bytes, new Uint8Array([1, 2]).buffer]) {
      const { type, data } = nodeHost.codec.decodePacket(encoded);
      expect(type).toBe("message");
      expect(Buffer.isBuffer(data)).toBe(true);
      expect(data).toEqual(Buffer.from([1, 2]));
    }
    expect((nodeHost.codec.decodePacket(bytes).data as Buffer).buffer).toBe(bytes.buffer);
  });

  it("encodes the bytes of a view alone", () => {
    const view = new Uint8Array([0, 1, 2, 3]).subarray(1, 3);
    expect(nodeHost.codec.encodePacket({ type: "message", data: view }, false)).toBe("bAQI=");
  });
});
