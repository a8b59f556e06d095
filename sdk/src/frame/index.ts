/* frame/index.ts — the entry `coatcheck/frame`: for the app that others show in a frame, its page (`openFrame`) and the backend that
 * serves it (`framePolicy`). The other side is `coatcheck/embed`. */
export { CoatcheckError, type ErrorCode } from "../errors.js";
export { openFrame, type Frame, type FrameOptions } from "./frame.js";
export { framePolicy } from "./policy.js";
