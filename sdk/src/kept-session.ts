/* kept-session.ts — what a page that is loaded again needs to come back to its session: the credential and the session's state, in
 * sessionStorage (this tab) or localStorage (persistSession). Never a key: those stay in WebCrypto. Storage may be forbidden or
 * full; then nothing is kept. */
import { membersOf, parsed, textOf, tried } from "./http.js";
import type { Kept } from "./session-state.js";

export interface KeptSession {
    load(): Kept;
    save(kept: Kept): void;
    wipe(): void;
}

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const ENTRY = "coatcheck:session";

export function keptSession(store: Store | undefined, outlivesTab: boolean): KeptSession
{
    const at = () => store ?? (outlivesTab ? localStorage : sessionStorage);
    let last = "";
    return {
        load: () => tried(() => read(at().getItem(ENTRY))) ?? {},
        save({ token, resume })
        {
            const text = JSON.stringify({ token, resume });
            if (text === last) return;
            last = text;
            tried(() => at().setItem(ENTRY, text));
        },
        wipe() { tried(() => at().removeItem(ENTRY)); },
    };
}

function read(text: string | null): Kept
{
    const { token, resume } = membersOf(parsed(text ?? ""));
    const protocol = textOf(membersOf(resume)["protocol"]), state = textOf(membersOf(resume)["state"]);
    return { token: textOf(token) || undefined, resume: state ? { protocol, state } : undefined };
}
