/* backoff.ts — how long to stay away. Doubling, with luck of half to all of it, so that many clients that lost one server do
 * not come back as one. What the server asks for goes before. */

export const RECONNECT = { firstMs: 100, mostMs: 30_000 } as const;
export const RETRY = { firstMs: 1_000, mostMs: 30_000 } as const;

export function delayMs({ firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number }, tries: number, dice = 1): number
{
    return Math.round(Math.min(firstMs * 2 ** tries, mostMs) * (0.5 + dice / 2));
}

/** What the server says about when to come back, in the reason of a close: `…come back in 2 s`. */
export function slotOf(reason: string): number | undefined
{
    const told = /come back in (\d+\.?\d*) (m?s)\b/.exec(reason);
    return told ? Number(told[1]) * (told[2] === "s" ? 1000 : 1) : undefined;
}
