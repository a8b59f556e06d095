import { describe, expect, it } from "vitest";
import { CoatcheckError } from "./errors.js";
import { freshToken, renewMs, type FreshTokenSetup, type Grant } from "./fresh-token.js";
import { fakePlatform, settled } from "./testing/fake-platform.js";

function scene({ lifeMs = 900_000, isKeptFresh = true }: { lifeMs?: number; isKeptFresh?: boolean } = {})
{
    const platform = fakePlatform(), told: string[] = [];
    const scene_ = { platform, told, opens: 0, fails: undefined as Error | undefined, gate: Promise.resolve(), signals: [] as AbortSignal[] };
    const setup: FreshTokenSetup = {
        platform, isKeptFresh,
        async open(signal): Promise<Grant>
        {
            scene_.opens++;
            scene_.signals.push(signal);
            const token = `t${scene_.opens}`, beganMs = platform.nowMs();
            await scene_.gate;
            if (scene_.fails) throw scene_.fails;
            return { token, userId: "u", beganMs, endsMs: beganMs + lifeMs };
        },
        opening: () => told.push("opening"),
        opened: ({ token }) => told.push(`opened ${token}`),
        failed: (error, isNeeded) => told.push(`failed ${(error as Error).message} ${isNeeded ? "needed" : "not needed"}`),
    };
    return Object.assign(scene_, { tokens: freshToken(setup) });
}

describe("refusals", () => {
    it("after end() nothing is given, nothing fetched, no timer left, and the fetch that runs is aborted", async () => {
        const s = scene();
        let open = () => {};
        s.gate = new Promise((resolve) => { open = resolve; });
        const wait = s.tokens.get();
        s.tokens.end();
        expect(s.signals[0]?.aborted).toBe(true);
        open();
        await expect(wait).rejects.toMatchObject({ code: "destroyed" });
        await expect(s.tokens.get()).rejects.toMatchObject({ code: "destroyed" });
        expect([s.opens, s.platform.timers, s.platform.watchers]).toEqual([1, 0, 0]);
        expect(s.told).toEqual(["opening"]);
    });

    it("a failure is told to all who wait, and the next one who asks tries again", async () => {
        const s = scene();
        s.fails = new CoatcheckError("network", "gone");
        await expect(Promise.all([s.tokens.get(), s.tokens.get()])).rejects.toMatchObject({ code: "network" });
        expect(s.told).toEqual(["opening", "failed gone needed"]);
        s.fails = undefined;
        expect((await s.tokens.get()).token).toBe("t2");
    });

    it("an aborted wait ends alone: the others get the token of the same fetch", async () => {
        const s = scene(), stop = new AbortController();
        let open = () => {};
        s.gate = new Promise((resolve) => { open = resolve; });
        const one = s.tokens.get(stop.signal), other = s.tokens.get();
        stop.abort();
        await expect(one).rejects.toMatchObject({ code: "aborted" });
        open();
        expect((await other).token).toBe("t1");
        expect(s.opens).toBe(1);
    });
});

it("nothing happens before somebody asks", async () => {
    const s = scene();
    await s.platform.pass(10_000_000);
    expect([s.opens, s.platform.timers, s.platform.watchers]).toEqual([0, 0, 0]);
});

it("a hundred who ask at once share one fetch, and later ones its token", async () => {
    const s = scene();
    const all = await Promise.all(Array.from({ length: 100 }, () => s.tokens.get()));
    expect(new Set(all.map(({ token }) => token))).toEqual(new Set(["t1"]));
    await s.tokens.get();
    expect([s.opens, s.told]).toEqual([1, ["opening", "opened t1"]]);
});

it.each([[900_000, 870_000], [60_000, 30_000], [59_000, 29_500], [10_000, 5_000], [Infinity, Infinity]])(
    "of a life of %i ms it is renewed after %i", (lifeMs, afterMs) => {
        expect(renewMs({ token: "t", userId: "u", beganMs: 0, endsMs: lifeMs })).toBe(afterMs);
    });

it.each([[0], [-3_600_000], [1]])("one whose life is %i ms is not asked for again and again", async (lifeMs) => {
    const s = scene({ lifeMs });
    await s.tokens.get();
    await s.platform.pass(10_000);
    expect(s.opens).toBeLessThanOrEqual(11);
});

it("ends for those who wait with the same word, also where the fetch ends with another", async () => {
    const platform = fakePlatform();
    const tokens = freshToken({ platform, isKeptFresh: true, open: (signal) => new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new CoatcheckError("aborted", "x")));
    }) });
    const wait = expect(tokens.get()).rejects.toMatchObject({ code: "destroyed" });
    tokens.end();
    await wait;
});

it("is renewed half a minute before its end, without being asked", async () => {
    const s = scene();
    await s.tokens.get();
    await s.platform.pass(869_999);
    expect(s.opens).toBe(1);
    await s.platform.pass(1);
    expect([s.opens, s.told.at(-1)]).toEqual([2, "opened t2"]);
    await s.platform.pass(870_000 * 3);
    expect(s.opens).toBe(5);
});

it("a failed renewal is tried again, ever slower, and disturbs nobody until the end", async () => {
    const s = scene();
    await s.tokens.get();
    s.fails = new Error("no");
    await s.platform.pass(870_000);
    expect((await s.tokens.get()).token).toBe("t1");
    await settled();
    expect(s.told.slice(2)).toEqual(["failed no not needed"]); // asking does not hurry it
    await s.platform.pass(31_000);
    expect(s.told.at(-1)).toBe("failed no needed");
    const { opens } = s;
    await s.platform.pass(1_000_000);
    expect(s.opens, "and then not by itself").toBe(opens);
    await expect(s.tokens.get()).rejects.toThrow("no");
});

it("a tab that slept past the end fetches when it wakes, and gives out nothing that is over", async () => {
    const s = scene();
    await s.tokens.get();
    s.platform.suspend(2_000_000);
    s.platform.tell("offline");
    expect(s.opens).toBe(1);
    s.platform.tell("wake");
    s.platform.tell("online");
    expect(s.opens).toBe(2);
    expect((await s.tokens.get()).token).toBe("t2");
});

it("one that is not kept fresh is fetched again when it is asked for, not before", async () => {
    const s = scene({ isKeptFresh: false });
    await s.tokens.get();
    await s.platform.pass(10_000_000);
    expect([s.opens, s.platform.timers, s.platform.watchers]).toEqual([1, 0, 0]);
    expect((await s.tokens.get()).token).toBe("t2");
});

it("a token that was refused is dropped, a newer one is not", async () => {
    const s = scene();
    await s.tokens.get();
    s.tokens.drop("t1");
    expect((await s.tokens.get()).token).toBe("t2");
    s.tokens.drop("t1");
    await settled();
    expect((await s.tokens.get()).token).toBe("t2");
    expect(s.opens).toBe(2);
});
