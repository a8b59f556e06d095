/* platform.ts — the only door to clocks, timers, dice and the page's own events. Everything is looked up when it is used, so that
 * importing the package on a server touches nothing. */

export interface Platform {
    /** Monotonic milliseconds. */
    nowMs(): number;
    /** In 0..1. */
    dice(): number;
    /** Calls back once, not before delayMs; gives a function that calls it off. */
    after(delayMs: number, run: () => void): () => void;
    /** Tells when the page may have slept, and when the network comes and goes; gives a function that ends it. */
    watch(tell: (news: "wake" | "online" | "offline") => void): () => void;
}

/** setTimeout takes 31 bits, more would be none at all; and no fraction. A tick that comes early does nothing. */
export const LONGEST_MS = 0x7fffffff;

export function browserPlatform(): Platform
{
    return {
        nowMs: () => performance.now(),
        dice: () => Math.random(),
        after(delayMs, run)
        {
            const timer = setTimeout(run, Math.min(Math.ceil(delayMs), LONGEST_MS));
            return () => clearTimeout(timer);
        },
        watch(tell)
        {
            const stop = new AbortController();
            const hear = ({ type }: Event) => tell(type === "online" || type === "offline" ? type : "wake");
            for (const name of ["online", "offline", "pageshow", "visibilitychange"]) globalThis.addEventListener?.(name, hear, { signal: stop.signal });
            return () => stop.abort();
        },
    };
}
