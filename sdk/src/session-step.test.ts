/* session-step.test.ts — the stories of tests/vectors/session on this step: an event a line, what is to be done after it, and
 * what the session is then. A story names only the members of a state that it is about. */
/// <reference types="vite/client" />
import { describe, expect, it } from "vitest";
import { newSession, type Resume, type SessionEvent, type SessionSetup } from "./session-state.js";
import { nextMs, step } from "./session-step.js";

interface Story {
    readonly name: string;
    readonly setup?: Partial<SessionSetup>;
    readonly online?: boolean;
    readonly kept?: { readonly token?: string; readonly resume?: Resume };
    readonly steps: readonly {
        readonly event: SessionEvent;
        readonly effects: readonly unknown[];
        readonly state?: Readonly<Record<string, unknown>>;
        /** When a tick is due; null: never. */
        readonly nextMs?: number | null;
    }[];
}

const files = import.meta.glob<{ default: { readonly stories: readonly Story[] } }>("../../tests/vectors/session/*.json", { eager: true });

for (const [path, { default: { stories } }] of Object.entries(files))
    describe(path.split("/").at(-1) ?? path, () => {
        for (const story of stories) it(story.name, () => tell(story));
    });

it("the stories are session/begin.json, session/refresh.json, session/losses.json and session/slots.json", () => {
    expect(Object.keys(files).map((path) => path.split("/").at(-1)).sort()).toEqual(["begin.json", "losses.json", "refresh.json", "slots.json"]);
});

function tell({ setup, online = false, kept, steps }: Story): void
{
    let state = newSession({ canAuthenticate: true, canRefresh: false, canBind: false, ...setup }, online, kept);
    steps.forEach(({ event, effects, state: wanted = {}, nextMs: moment }, i) => {
        const before = JSON.stringify(state);
        const [now, todo] = step(state, event);
        const where = `step ${i + 1}, ${event.is} at ${event.atMs}`;
        expect(JSON.stringify(state), `${where}: the old state is untouched`).toBe(before);
        expect(JSON.parse(JSON.stringify(todo)), where).toEqual(effects);
        expect(JSON.parse(JSON.stringify(now)), where).toMatchObject(wanted);
        if (moment !== undefined) expect(nextMs(now) ?? null, `${where}: next`).toBe(moment);
        state = now;
    });
}
