/* uuid.ts — names for calls and proofs. */

/** A random UUID, also where pages may not ask for one (plain http). */
export function uuid(): string
{
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40; // RFC 9562 §5.4: version 4
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80; // and its variant
    return [...bytes].map((byte, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + byte.toString(16).padStart(2, "0")).join("");
}
