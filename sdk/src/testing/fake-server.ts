/* fake-server.ts — stands in for `fetch`: each request is remembered, and answered by a function of the test. */
import { vi } from "vitest";

export interface Seen {
    readonly method: string;
    readonly path: string;
    readonly bearer: string | undefined;
    readonly body: unknown;
    readonly init: RequestInit;
}

export interface Reply {
    readonly status?: number;
    readonly json?: unknown;
    readonly text?: string;
    readonly headers?: Readonly<Record<string, string>>;
}

/** answer: undefined is a network that is not there. */
export function fakeServer(answer: (seen: Seen) => Reply | undefined | Promise<Reply | undefined>): Seen[]
{
    const seen: Seen[] = [];
    vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
        const { authorization } = init.headers as { authorization?: string };
        const one: Seen = { method: init.method ?? "GET", path: url, bearer: authorization?.replace(/^Bearer /, ""),
            body: typeof init.body === "string" ? JSON.parse(init.body) : undefined, init };
        seen.push(one);
        const reply = await answer(one);
        if (!reply) throw new TypeError("Failed to fetch");
        const { status = 200, json, text = JSON.stringify(json ?? {}), headers = {} } = reply;
        return new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
    });
    return seen;
}
