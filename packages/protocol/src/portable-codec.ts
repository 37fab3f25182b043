import { portableByteHost } from "./byte-host.js";
import { createEngineCodec, type EngineCodec } from "./engine-codec.js";

/** The codec for hosts that bring nothing of their own. */
export const portableCodec: EngineCodec = /* @__PURE__ */ createEngineCodec(portableByteHost);
