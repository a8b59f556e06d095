import { expect, it } from "vitest";
import { delayMs, RECONNECT, slotOf } from "./backoff.js";

it("doubles, up to a limit, with luck of half to all of it", () => {
    expect([0, 1, 2, 8, 9, 40].map((tries) => delayMs(RECONNECT, tries))).toEqual([100, 200, 400, 25_600, 30_000, 30_000]);
    expect([0, 0.5, 1].map((dice) => delayMs(RECONNECT, 2, dice))).toEqual([200, 300, 400]);
});

it.each([["restarting; come back in 2 s", 2000], ["come back in 250 ms", 250], ["could not decide; come back in 1.5 s", 1500], ["", undefined], ["come back in a while", undefined], ["come back in -1 s", undefined]])(
    "the server says when: %j", (reason, ms) => expect(slotOf(reason)).toBe(ms));
