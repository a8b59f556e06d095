/* warnings.ts — what is worth an alert of the page's own, and no error: told on `warnings$` and nowhere else. */
import type { WarningReason } from "./session-state.js";

export type SDKWarning =
    | {
        readonly code: "credential_refresh_fallback";
        readonly source: "CredentialProvider";
        /** Why the key of the browser could not take over. More may be added: do not branch on it. */
        readonly reason: string;
        readonly message: string;
    }
    | {
        readonly code: "credential_no_refresh_handler";
        readonly source: "CredentialProvider";
        readonly message: string;
        /** When the session ends, in milliseconds since 1970. */
        readonly expiresAt: number | undefined;
    };

const WORDS: Record<Exclude<WarningReason, "no-refresh-handler">, string> = {
    "no-scope": "the token lacks the scope sat:refresh",
    "no-dpop-support": "no WebCrypto here; serve the page by https",
    "endpoint-failed": "the server did not bind the token",
    "activation-timeout": "the server did not answer in time",
};

export function warningOf(reason: WarningReason, endsMs: number | undefined): SDKWarning
{
    const source = "CredentialProvider";
    if (reason === "no-refresh-handler")
        return { code: "credential_no_refresh_handler", source, expiresAt: endsMs, message: "without refresh() the session ends with its credential" };
    return { code: "credential_refresh_fallback", source, reason, message: `refresh() is used: ${WORDS[reason]}` };
}
