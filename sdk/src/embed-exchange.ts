/* embed-exchange.ts — a click-to-call token for an access token. Loaded by the provider that needs it: other pages have none. */
import { readCredential, type SDKCredential } from "./credentials.js";
import { ask } from "./http.js";
import { readToken } from "./token.js";

const EXCHANGE_TIMEOUT_MS = 10_000;
const LIFE_MS = 3_600_000; // of a token that does not say itself when it ends

export async function exchange(url: string, embedToken: string, signal: AbortSignal | undefined): Promise<SDKCredential>
{
    const answer = await ask({ url: `${url}/api/fabric/embeds/tokens`, method: "POST", body: { token: embedToken }, signal, timeoutMs: EXCHANGE_TIMEOUT_MS });
    const { token } = readCredential(answer, "the exchange of the embed token");
    return { token, expiry_at: readToken(token)?.endsMs ?? Date.now() + LIFE_MS };
}
