/** For sibling packages alone: no promise is made about what stands here. */
export { createId } from "./socket-id.js";
