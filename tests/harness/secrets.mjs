// secrets.mjs — whatever passed through the tests' hands that must never be kept: every token, ticket, proof, secret and
// Authorization value, of every script. A server's logs and files are searched for all of them when it stops (case 135).
//
// Of each secret its last characters stand for it, as text, as hex and as the bytes it encodes: the beginning may be a
// public id or a header that many share.
import fs from "node:fs";
import path from "node:path";

const TAIL = 20, MOST = 200_000, FILE_MOST = 64 * 1024 * 1024;
const SPOKEN = /^(?:token|access_token|refresh_token|launch_token|launchToken|bootstrapToken|sessionToken|accessToken|api_token|dpop_token|jwt_token|secret|client_secret|secret_key|c2c_token|admin_token|subject_token)$/;
const PUBLIC = /^(?:Bearer )?(?:pk_(?:test|live)|cli)_/; // ids that tests put where secrets belong
const tails = new Map(); // tail -> what it is of

// Not what a test made up to be refused: rows of zeros, an id in a secret's place.
function note(tail, what)
{
    if (tail.length === TAIL && new Set(tail).size >= 8 && !/[0-9a-f]-[0-9a-f]{4}-[0-9a-f]{12}$/.test(tail) && tails.size < MOST) tails.set(tail, what);
}

export function remember(text, what)
{
    if (typeof text !== "string" || PUBLIC.test(text)) return;
    const last = text.split(/[. :]/).at(-1);
    if (last.length < TAIL) return;
    if (/^Basic /i.test(text)) {
        const pair = Buffer.from(last, "base64").toString("latin1"), password = pair.slice(pair.indexOf(":") + 1);
        if (password.length >= TAIL && !PUBLIC.test(password)) { note(password.slice(-TAIL), what); note(last.slice(-TAIL), what); }
        return;
    }
    note(last.slice(-TAIL), what);
    note(Buffer.from(last).toString("hex").slice(-TAIL), `${what} as hex`);
    const bytes = Buffer.from(last, "base64url");
    if (bytes.length >= TAIL + 4) note(bytes.subarray(-TAIL).toString("latin1"), `${what} as bytes`);
}

// All secrets among the members of a JSON value, by their names.
export function rememberAll(value, depth = 0)
{
    if (depth > 4 || value === null || typeof value !== "object") return;
    for (const [name, member] of Object.entries(value)) {
        if (SPOKEN.test(name)) remember(member, name);
        else rememberAll(member, depth + 1);
    }
}

export function rememberFields(headers)
{
    for (const [name, value] of Object.entries(headers))
        if (["authorization", "dpop"].includes(name.toLowerCase())) for (const one of [value].flat()) remember(one, name.toLowerCase());
}

// The first of them that the text holds (latin1: a character a byte), or undefined.
export function secretIn(text)
{
    for (let at = 0; at + TAIL <= text.length; at++) {
        const what = tails.get(text.slice(at, at + TAIL));
        if (what) return what;
    }
    return undefined;
}

export const secretInFile = (file) => secretIn(fs.readFileSync(file, "latin1"));

// A command that works on the folder meanwhile may take the database's log away, between the listing and the reading.
function unlessGone(look)
{
    try {
        return look();
    } catch (error) {
        if (error.code !== "ENOENT") throw error;
        return undefined;
    }
}

// What a folder's files hold that they should not. Keys, and the test project's own credentials, have files of theirs.
export function secretsInFolder(folder)
{
    const meant = /^(?:seed\.json|master\.key.*|.*\.(?:pem|key|so))$/;
    return fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && !meant.test(entry.name))
        .flatMap(({ name }) => {
            const file = path.join(folder, name);
            const what = unlessGone(() => (fs.statSync(file).size <= FILE_MOST ? secretInFile(file) : undefined));
            return what ? [`${name}: ${what}`] : [];
        });
}
