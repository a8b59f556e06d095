// ring.mjs — opens the key ring of a test's own server, so that a test can sign what the server itself would never sign.
//
// Only with the real key is a case about claims or headers about them at all; with any other it stops at the signature.
// The ring lies in the data folder, wrapped under master.key by AES-256-SIV (RFC 5297), which Node does not have.
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";

export function databaseFile(folder)
{
    const files = fs.readdirSync(folder).map((name) => path.join(folder, String(name)));
    const found = files.find((file) => fs.statSync(file).isFile()
        && fs.readFileSync(file).subarray(0, 15).toString() === "SQLite format 3");
    if (!found) throw new Error(`no database in ${folder}: ${files}`);
    return found;
}

export function rows(folder, sql)
{
    const text = execFileSync("sqlite3", ["-readonly", "-json", databaseFile(folder), sql], { encoding: "utf8" });
    return text.trim() ? JSON.parse(text) : [];
}

// For what no command makes yet. The server must not run.
export function change(folder, sql)
{
    execFileSync("sqlite3", [databaseFile(folder), sql], { stdio: ["ignore", "ignore", "pipe"] });
}

const SIGN = 1; // ring_use of engine/decision.h

// The private key that belongs to a key of the published set.
export async function signingKey(server, jwk)
{
    const master = Buffer.from(fs.readFileSync(path.join(server.data, "master.key"), "utf8").trim(), "base64url");
    const wrapping = Buffer.from(crypto.hkdfSync("sha256", master, "", "coatcheck wrap v1", 64));
    const [row] = rows(server.data, `SELECT id, hex(wrapped) AS wrapped FROM ring_keys WHERE use = ${SIGN} AND id = '${jwk.kid}'`);
    const scalar = sivOpen(wrapping, Buffer.from(row.wrapped, "hex"), ["coatcheck ring v1", row.id, Buffer.from([SIGN])]);
    return crypto.createPrivateKey({ format: "jwk", key: { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, d: scalar.toString("base64url") } });
}

// ---- AES-256-SIV, opening only ----

function sivOpen(key, sealed, associated)
{
    const tag = sealed.subarray(0, 16);
    const counter = Buffer.from(tag);
    counter[8] &= 0x7f;
    counter[12] &= 0x7f;
    const cipher = crypto.createDecipheriv("aes-256-ctr", key.subarray(32), counter);
    const plain = Buffer.concat([cipher.update(sealed.subarray(16)), cipher.final()]);
    if (!s2v(key.subarray(0, 32), [...associated.map((part) => Buffer.from(part)), plain]).equals(tag))
        throw new Error("the master key does not open the ring");
    return plain;
}

function s2v(key, strings)
{
    let d = cmac(key, Buffer.alloc(16));
    for (const string of strings.slice(0, -1)) d = xor(doubled(d), cmac(key, string));
    const last = strings.at(-1);
    if (last.length < 16) return cmac(key, xor(doubled(d), Buffer.concat([last, Buffer.from([0x80]), Buffer.alloc(15 - last.length)])));
    const end = last.length - 16;
    return cmac(key, Buffer.concat([last.subarray(0, end), xor(last.subarray(end), d)]));
}

function cmac(key, data)
{
    const once = doubled(block(key, Buffer.alloc(16)));
    const whole = data.length > 0 && data.length % 16 === 0;
    const padded = whole ? Buffer.from(data) : Buffer.concat([data, Buffer.from([0x80]), Buffer.alloc(15 - (data.length % 16))]);
    xor(padded.subarray(-16), whole ? once : doubled(once)).copy(padded, padded.length - 16);
    let state = Buffer.alloc(16);
    for (let at = 0; at < padded.length; at += 16) state = block(key, xor(state, padded.subarray(at, at + 16)));
    return state;
}

function block(key, data)
{
    const cipher = crypto.createCipheriv("aes-256-ecb", key, null).setAutoPadding(false);
    return Buffer.concat([cipher.update(data), cipher.final()]);
}

const xor = (a, b) => Buffer.from(a.map((byte, i) => byte ^ b[i]));

function doubled(data)
{
    const out = Buffer.alloc(16);
    for (let i = 0; i < 16; i++) out[i] = ((data[i] << 1) | ((data[i + 1] ?? 0) >> 7)) & 0xff;
    if (data[0] & 0x80) out[15] ^= 0x87;
    return out;
}
