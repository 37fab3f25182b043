/** For sibling packages alone: no promise is made about what stands here. */
export { isBinary, MAX_DATA_DEPTH } from "./binary-extraction.js";
export { bytesOf, isBytes } from "./bytes.js";
