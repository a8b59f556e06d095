/* fake-platform.ts — a platform whose time passes when a test says so. */
import type { Platform } from "../platform.js";

type News = "wake" | "online" | "offline";

export interface FakePlatform extends Platform {
    /** Lets so many milliseconds pass: timers run in their order, and what they start is waited for. */
    pass(ms: number): Promise<void>;
    /** The same, without timers: as in a tab that sleeps. */
    suspend(ms: number): void;
    tell(news: News): void;
    readonly timers: number;
    readonly watchers: number;
}

/** Lets everything go on that waits for nothing but its turn. */
export async function settled(): Promise<void>
{
    for (let turns = 0; turns < 60; turns++) await Promise.resolve();
}

export function fakePlatform(): FakePlatform
{
    let nowMs = 5_000;
    const timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
    const watchers = new Set<(news: News) => void>();
    return {
        nowMs: () => nowMs,
        dice: () => 1,
        after(delayMs, run)
        {
            const timer = { atMs: nowMs + delayMs, run };
            timers.add(timer);
            return () => { timers.delete(timer); };
        },
        watch(tell)
        {
            watchers.add(tell);
            return () => { watchers.delete(tell); };
        },
        async pass(ms)
        {
            const endMs = nowMs + ms;
            for (;;) {
                const next = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
                if (!next) break;
                timers.delete(next);
                nowMs = Math.max(nowMs, next.atMs);
                next.run();
                await settled();
            }
            nowMs = endMs;
            await settled();
        },
        suspend(ms) { nowMs += ms; },
        tell(news) { for (const one of [...watchers]) one(news); },
        get timers() { return timers.size; },
        get watchers() { return watchers.size; },
    };
}
