// json_text.mjs — what JSON.parse does not tell about a JSON text: members given twice, numbers as they were written, how
// deep it goes. For texts that JSON.parse takes; of others it only tells what it can see.
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[{}[\]:,]/gs;

// { duplicates: [name], depth, numbers: [literal], strings: [value, member names too], topLevel: Map name -> literal text }
export function scanJson(text)
{
    const out = { duplicates: [], depth: 0, numbers: [], strings: [], names: [], topLevel: new Map() };
    const stack = []; // a Set of names for each object, null for each array
    const tokens = [...text.matchAll(TOKEN)].map(([token]) => token);
    tokens.forEach((token, i) => {
        if (token === "{" || token === "[") {
            stack.push(token === "{" ? new Set() : null);
            out.depth = Math.max(out.depth, stack.length);
        } else if (token === "}" || token === "]") {
            stack.pop();
        } else if (token[0] === '"') {
            takeString(out, stack, token, tokens, i);
        } else if (/^[-\d]/.test(token)) {
            out.numbers.push(token);
        }
    });
    return out;
}

function takeString(out, stack, token, tokens, i)
{
    let value = token;
    try { value = JSON.parse(token); } catch { /* the parsers will say so */ }
    out.strings.push(value);
    const names = stack.at(-1);
    if (tokens[i + 1] !== ":" || !names) return;
    out.names.push(value);
    if (names.has(value)) out.duplicates.push(value);
    names.add(value);
    if (stack.length === 1) out.topLevel.set(value, tokens[i + 2]);
}

// Whether the number is one that 64 bits can hold as it is written: an integer of 64 bits, or a double without loss of digits.
export function isHeld(literal)
{
    if (/^-?\d+$/.test(literal)) {
        const number = BigInt(literal);
        return number >= -(2n ** 63n) && number < 2n ** 63n;
    }
    const [, digits] = literal.toLowerCase().match(/^-?([\d.]+)/);
    const counted = digits.replace(".", "").replace(/^0+/, "").replace(/0+$/, "");
    const value = Number(literal);
    return counted === "" || (counted.length <= 17 && Number.isFinite(value) && Math.abs(value) >= 1e-307);
}

export const isLoneSurrogateIn = (text) => /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text);
