import { type ByteHost, createPacketCodec, type PacketCodec } from "@plugboard/protocol";

/** How received bytes are handed to the user. `nodebuffer` in Node only, `blob` in browsers only. */
export type BinaryType = "nodebuffer" | "arraybuffer" | "blob";

/** What differs between places JavaScript runs in. There are two: {@link webHost} and that of Node, Bun and Deno. */
export interface Host {
  readonly codec: PacketCodec;
  /** What the engine's `binaryType` is at first. */
  readonly binaryType: BinaryType;
}

/** Over the `btoa` and `atob` that every browser has: smaller than tables of our own. Text that is no base64 gives nothing. */
const webBytes: ByteHost = {
  encodeBase64(bytes) {
    let text = "";
    for (const byte of bytes) text += String.fromCharCode(byte);
    return btoa(text);
  },
  decodeBase64(text) {
    try {
      return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    } catch {
      return new Uint8Array(0);
    }
  },
};

/** Browsers, workers, React Native and everything else with the globals of the web. */
export const webHost: Host = { codec: createPacketCodec(webBytes), binaryType: "arraybuffer" };
