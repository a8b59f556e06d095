import { expect, it } from "vitest";
import { momentOf, offsetAfter } from "./server-clock.js";

it("only moves forward: a late word is no news, a word after a sleep is", () => {
    const first = offsetAfter(undefined, 1_000_000, 10);
    expect(first).toBe(999_990);
    expect(offsetAfter(first, 1_000_005, 100)).toBe(first);
    expect(offsetAfter(first, 1_500_000, 100)).toBe(1_499_900);
    expect(offsetAfter(first, NaN, 100)).toBe(first);
});

it("says nothing before the server has", () => {
    expect(momentOf(undefined, 5)).toBeUndefined();
    expect(momentOf(5, undefined)).toBeUndefined();
    expect(momentOf(5, 15)).toBe(10);
});
