/* server-clock.ts — what time it is at the server, as far as a client can know. Clocks of clients lie, so nothing is decided by
 * them: time passes by the monotonic clock, and the server's messages say what it is there. A message is never older than its
 * stamp, so of several guesses the latest is the best; and as the monotonic clock of a machine may stand still while it sleeps,
 * the guess may only move forward. */

/** Server time minus monotonic time in milliseconds; undefined as long as the server has not said anything. */
export type ClockOffset = number | undefined;

/** What the offset is after the server said, at a monotonic moment, that its time was this. */
export function offsetAfter(offset: ClockOffset, serverMs: number, atMs: number): ClockOffset
{
    const said = serverMs - atMs;
    return Number.isFinite(said) && (offset === undefined || said > offset) ? said : offset;
}

/** The monotonic moment at which it is so late at the server. */
export function momentOf(offset: ClockOffset, serverMs: number | undefined): number | undefined
{
    return offset === undefined || serverMs === undefined ? undefined : serverMs - offset;
}
