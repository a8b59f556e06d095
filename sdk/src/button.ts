/* button.ts — the door to embeddableCall(), which is loaded when it is called. */
import type { Call } from "./call.js";
import type { EmbeddableCallOptions } from "./embeddable-call.js";

/**
 * Calls, and resolves with the call when the server has taken it. Its session ends with it.
 * @throws DependencyError an option is missing
 * @throws CallCreateError, CoatcheckError
 */
export async function embeddableCall(options: EmbeddableCallOptions): Promise<Call>
{
    return (await import("./embeddable-call.js")).embeddableCall(options);
}
