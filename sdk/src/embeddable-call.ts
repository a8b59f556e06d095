/* embeddable-call.ts — a "call us" button in one function: exchange, session, call. */
import type { Call, MediaOptions } from "./call.js";
import { CoatcheckClient, type ClientOptions } from "./client.js";
import { EmbedTokenCredentialProvider } from "./credentials.js";
import { DependencyError } from "./errors.js";

export interface EmbeddableCallOptions extends MediaOptions, Pick<ClientOptions, "webSocketConstructor" | "webRTCApiProvider"> {
    /** Whom to call, such as `/public/front-desk`. */
    readonly to: string;
    /** The click-to-call token in the page, `c2c_…`. */
    readonly embedToken: string;
    /** The server's host or origin. */
    readonly host: string;
}

/**
 * Calls, and resolves with the call when the server has taken it. Its session ends with it.
 * @throws DependencyError an option is missing
 * @throws CallCreateError, CoatcheckError
 */
export async function embeddableCall(options: EmbeddableCallOptions): Promise<Call>
{
    const { to, embedToken, host } = options ?? {};
    const missing = Object.entries({ to, embedToken, host }).filter(([, value]) => !value).map(([name]) => name);
    if (missing.length) throw new DependencyError("option_missing", `embeddableCall() needs ${missing.join(" and ")}`);
    const client = new CoatcheckClient(new EmbedTokenCredentialProvider(host, embedToken), { ...options, skipRegister: true, url: host });
    try {
        const call = await client.dial(to, options);
        call.status$.subscribe({ complete: () => void client.destroy() });
        return call;
    } catch (error) {
        await client.destroy();
        throw error;
    }
}
