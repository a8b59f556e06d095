import { expect, it } from "vitest";
import { keptSession } from "./kept-session.js";

function store(first?: string)
{
    const entries = new Map(first === undefined ? [] : [["coatcheck:session", first]]);
    return { entries, getItem: (key: string) => entries.get(key) ?? null, setItem: (key: string, value: string) => { entries.set(key, value); }, removeItem: (key: string) => { entries.delete(key); } };
}

it.each(["", "no json", "[]", "null", "5", '{"token":5,"resume":"x"}', '{"resume":{"protocol":"p"}}'])("takes nothing from %j", (text) => {
    expect(keptSession(store(text), false).load()).toEqual({});
});

it("works without any storage", () => {
    const forbidden = () => { throw new DOMException("no", "SecurityError"); };
    const kept = keptSession({ getItem: forbidden, setItem: forbidden, removeItem: forbidden }, false);
    expect(kept.load()).toEqual({});
    kept.save({ token: "t" });
    kept.wipe();
});

it("keeps token and state, and nothing after a wipe", () => {
    const at = store(), kept = keptSession(at, false), session = { token: "t", resume: { protocol: "p", state: "s" } };
    kept.save(session);
    expect(keptSession(at, false).load()).toEqual(session);
    kept.wipe();
    expect(at.entries.size).toBe(0);
});
