import { createPacketCodec } from "@plugboard/protocol";
import type { Host } from "../host.js";

/** A Buffer over the same memory. */
function bufferOf(bytes: Uint8Array | ArrayBuffer): Buffer {
  if (bytes instanceof Uint8Array) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Buffer.from(bytes);
}

const codec = createPacketCodec({
  encodeBase64: (bytes) => bufferOf(bytes).toString("base64"),
  decodeBase64: (text) => Buffer.from(text, "base64"),
});

/** Node.js, Bun and Deno: bytes are Buffers. */
export const nodeHost: Host = {
  codec: {
    ...codec,
    decodePacket: (encoded) =>
      codec.decodePacket(typeof encoded === "string" || Buffer.isBuffer(encoded) ? encoded : bufferOf(encoded)),
  },
  binaryType: "nodebuffer",
};
