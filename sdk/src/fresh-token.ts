/* fresh-token.ts — one access token that is always fresh, in a closure and nowhere else: no storage, no object that a page can
 * look into. Whoever needs it asks here; those who ask while one is being fetched share that fetch. It is renewed ahead of its end
 * by the monotonic clock. While the present one is still good a failed renewal disturbs nobody; it is tried again. */
import { delayMs, RETRY } from "./backoff.js";
import { CoatcheckError } from "./errors.js";
import { within } from "./http.js";
import type { Platform } from "./platform.js";

export interface Grant {
    readonly token: string;
    /** Whose it is, as the server says. */
    readonly userId: string;
    /** Monotonic moments: when it was asked for, and when it ends; Infinity if nobody said. */
    readonly beganMs: number;
    readonly endsMs: number;
}

export interface FreshToken {
    /** A grant that has not ended. Aborting the signal ends this wait, not the fetch that others share. */
    get(signal?: AbortSignal): Promise<Grant>;
    /** The server refused this token: it is not given out again. */
    drop(token: string): void;
    end(): void;
}

export interface FreshTokenSetup {
    readonly platform: Platform;
    /** Fetches one. Aborted by `end()` alone. */
    open(signal: AbortSignal): Promise<Grant>;
    /** Renew it without being asked, as long as nobody ends it. */
    readonly isKeptFresh: boolean;
    /** What became of each fetch. isNeeded: nothing good is left. */
    opening?(): void;
    opened?(grant: Grant): void;
    failed?(error: unknown, isNeeded: boolean): void;
}

const AHEAD_MS = 30_000;
const GAP_MS = 1_000; // between two at least, however short they live

/** When to renew: half a minute before the end, or at half of a life that is shorter than a minute. */
export function renewMs({ beganMs, endsMs }: Grant): number
{
    return endsMs - Math.min(AHEAD_MS, (endsMs - beganMs) / 2);
}

export function freshToken({ platform, open, isKeptFresh, opening, opened, failed }: FreshTokenSetup): FreshToken
{
    const stop = new AbortController();
    let grant: Grant | undefined, flight: Promise<Grant> | undefined, tries = 0;
    let unplan = () => {}, unwatch: (() => void) | undefined;

    const isGood = (one: Grant | undefined): one is Grant => one !== undefined && platform.nowMs() < one.endsMs;

    function fetchOne(): Promise<Grant>
    {
        if (flight) return flight;
        if (!grant) opening?.();
        unwatch ??= isKeptFresh ? platform.watch((news) => { if (news !== "offline") look(); }) : () => {};
        return (flight = open(stop.signal).then((fresh) => {
            alive();
            [grant, tries] = [fresh, 0];
            plan(Math.max(renewMs(fresh) - platform.nowMs(), GAP_MS));
            opened?.(fresh);
            return fresh;
        }).catch((error: unknown) => {
            alive();
            failed?.(error, !isGood(grant));
            if (isGood(grant)) plan(delayMs(RETRY, tries++, platform.dice()));
            throw error;
        }).finally(() => { flight = undefined; }));
    }

    function plan(inMs: number): void
    {
        unplan();
        if (isKeptFresh && inMs < Infinity) unplan = platform.after(inMs, look);
    }

    // A timer may come early, or late because the page slept: what counts is what time it is.
    function look(): void
    {
        if (!grant) return;
        const inMs = renewMs(grant) - platform.nowMs();
        if (inMs > 0) plan(inMs);
        else fetchOne().catch(() => {}); // told by failed()
    }

    function alive(): void
    {
        if (stop.signal.aborted) throw new CoatcheckError("destroyed", "this was destroyed; make a new one");
    }

    return {
        async get(signal)
        {
            alive();
            if (!isGood(grant)) return within(Infinity, signal, "the wait for a token", () => fetchOne());
            if (!tries) look(); // else it was tried, and will be again in its own time
            return grant;
        },
        drop(token)
        {
            if (grant?.token === token) grant = undefined;
        },
        end()
        {
            grant = undefined;
            unplan();
            unwatch?.();
            stop.abort(new CoatcheckError("destroyed", "this was destroyed"));
        },
    };
}
