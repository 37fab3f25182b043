export {
  type FuzzInput,
  type FuzzSession,
  type FuzzTarget,
  loadInput,
  type StoredInput,
  storeInput,
} from "./fuzz-target.js";
export { jsonText, type PacketGrammar, packetText } from "./grammar.js";
export type { Growth } from "./growth.js";
export { joinBytes, mutateBytes, mutateText, splitBytes } from "./mutation.js";
export { Random } from "./random.js";
export { fuzz, FuzzFailure, type FuzzOptions, type FuzzReport, inputAt, replay, turn } from "./run-fuzz.js";
