/* embed/index.ts — the entry `coatcheck/embed`: for the page that shows an app in a frame. The app's side is `coatcheck/frame`. */
export { CoatcheckError, type ErrorCode } from "../errors.js";
export { loadEmbed, type EmbedClient, type EmbedOptions } from "./host.js";
