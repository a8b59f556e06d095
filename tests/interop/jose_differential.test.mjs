// jose_differential.test.mjs — thousands of tokens, good and spoilt, through npm `jose` and through our verifier
// (tests/tools/verify_cli.c) under the same policy, clock and keys. The law:
//
//     ours accepts  ⇔  jose accepts, and the token is in none of the classes below
//
// A class is a predicate written here from the token's text alone; it knows neither verifier. The first table holds the
// classes in which our policy is meant to be stricter; the second the few more that our token cases demand or leave to us,
// each with the case that says so. Every class must be met. COATCHECK_SEED repeats a run, COATCHECK_TOKENS sets its length.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { importJWK, jwtVerify } from "jose";
import { isHeld, isLoneSurrogateIn, scanJson } from "../harness/json_text.mjs";
import { keyPair } from "../harness/keys.mjs";
import { BINARY, REPOSITORY } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const VERIFIER = path.join(path.dirname(BINARY), "tests/tools/verify_cli");
const CASES = JSON.parse(fs.readFileSync(path.join(REPOSITORY, "tests/vectors/own/jwt_cases.json")));
const SEED = Number(process.env.COATCHECK_SEED ?? 20260801), COUNT = Number(process.env.COATCHECK_TOKENS ?? 6000);
const { now: NOW, leeway_s: LEEWAY, iss: ISS, aud: AUD, typ: TYP } = CASES.policy;

// ---- luck that can be repeated ----

let state = SEED >>> 0;
const random = () => { // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

// ---- keys ----

const KEYS = {};
for (const [alg, kid] of [["ES256", "key-es-1"], ["EdDSA", "key-ed-1"]]) {
    const { jwk, privateKey } = keyPair(alg);
    KEYS[alg] = { alg, kid, privateKey, jwk: { ...jwk, kid } };
}
const STRANGER = keyPair().privateKey;

const sign = (key, bytes) => (key.asymmetricKeyType === "ec" ? crypto.sign("sha256", bytes, { key, dsaEncoding: "ieee-p1363" })
    : crypto.sign(null, bytes, key));

// ---- tokens: a header and claims as lists of members in text, so that no writer puts anything right ----

const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
const textOf = (members) => `{${members.map(([name, value]) => `${name}:${value}`).join(",")}}`;
const q = JSON.stringify;

function freshToken()
{
    const key = KEYS[pick(["ES256", "EdDSA"])];
    return {
        key: key.privateKey,
        header: [['"typ"', q(TYP)], ['"alg"', q(key.alg)], ['"kid"', q(key.kid)]],
        claims: [['"iss"', q(ISS)], ['"aud"', q(AUD)], ['"sub"', q("sub-0001")], ['"iat"', `${NOW - 10}`], ['"nbf"', `${NOW - 10}`],
            ['"exp"', `${NOW + 600}`], ['"jti"', q("j-1")]],
        headerBytes: (text) => Buffer.from(text), payloadBytes: (text) => Buffer.from(text), // what spoils bytes goes here
        headerText: (text) => text, payloadText: (text) => text, // and here what spoils base64url before it is signed
        signature: (bytes) => bytes, parts: (parts) => parts, whole: (text) => text,
    };
}

const set = (members, name, value) => {
    const member = members.find(([known]) => known === q(name));
    if (member) member[1] = value;
    else members.push([q(name), value]);
};
const unset = (members, name) => members.splice(members.findIndex(([known]) => known === q(name)), 1);
const insert = (members, member) => members.splice(below(members.length + 1), 0, member);
const chain = (object, step, change) => {
    const before = object[step];
    object[step] = (value) => change(before(value));
};
const nested = (depth) => (pick([true, false]) ? "[".repeat(depth) + "]".repeat(depth)
    : '{"a":'.repeat(depth) + "1" + "}".repeat(depth));
const escaped = (text) => q(text).replace(/[a-z]/i, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
const NUMBERS = ["0", "-0", "-1", "1e400", "-1e400", "9223372036854775807", "9223372036854775808", "-9223372036854775809",
    "18446744073709551616",
    `${"9".repeat(300)}`, "1e18", "1e19", "1.5", "0.1", "1e-400", "0.12345678901234567890123", "01", "+1", "1.", ".5", "NaN",
        "Infinity", "0x10"];
const TIMES = () => pick([...Array.from({ length: 21 }, (_, i) => `${NOW - 10 + i}`), `${NOW + 600}`, `${NOW - 3600}`,
    `${NOW + 86401}`, `${NOW + 600}.0`,
    `${NOW + 600}.5`, `${(NOW + 600) / 1e9}e9`, `${NOW - 10}e0`, `"${NOW + 600}"`, "null", "true", "[]", `${(NOW + 600) * 1000}`,
        ...NUMBERS]);
const STRINGS = ['""', "5", "null", "true", "[]", "{}", q("x".repeat(255)), q("x".repeat(256)), q("ü".repeat(127)), q("ü".repeat(128)),
    '"a\\u0000b"',
    '"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"😀"', '"a\\nb"', '"a\nb"', '"\\x41"', '"unclosed'];
const CLAIM_NAMES = ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"], HEADER_NAMES = ["alg", "typ", "kid"];

// Each changes a token in one way; most leave it validly signed, because what is signed is what an issuer may get wrong.
const MUTATIONS = {
    time: (t) => set(t.claims, pick(["iat", "nbf", "exp"]), TIMES()),
    text: (t) => set(t.claims, pick(["iss", "aud", "sub", "jti"]), pick(STRINGS)),
    issuer: (t) => set(t.claims, "iss", pick([q(`${ISS}/`), q(ISS.toUpperCase()), escaped(ISS), q(`${ISS}\0`), `[${q(ISS)}]`])),
    audience: (t) => set(t.claims, "aud", pick([q("WS"), q("ws "), escaped(AUD), '"ws\\u0000"', '["ws"]', '["other","ws"]',
        '["other"]', "[]", '["ws",5]',
        '["ws",null]', '["w\\u0000s","ws"]', `[${q("x".repeat(300))},"ws"]`, '["ws","\\ud800"]'])),
    missing: (t) => unset(t.claims, pick(CLAIM_NAMES)),
    unknown: (t) => insert(t.claims, [q(`x${below(9)}${below(9)}`), pick([...NUMBERS, ...STRINGS, nested(2 + below(3)),
        nested(28 + below(8)), nested(1000)])]),
    duplicateClaim: (t) => insert(t.claims, [pick([q, escaped])(pick(CLAIM_NAMES)), pick([q("x"), `${NOW + 600}`, q(AUD), q(ISS)])]),
    nestedDuplicate: (t) => insert(t.claims, ['"x"', pick(['{"a":1,"a":1}', '[{"a":1,"\\u0061":2}]', '{"a":{"a":1}}',
        '[{"a":1},{"a":1}]'])]),
    memberName: (t) => insert(t.claims, [pick(['"a\\u0000b"', '"\\ud800"', '""', "5", '"😀"', "x"]), "1"]),
    alg: (t) => set(t.header, "alg", pick([...["none", "None", "", "HS256", "RS256", "ES384", "es256", "ES256 ", "ES256\0", "EdDSA",
        "ES256", "Ed25519"].map(q),
        escaped("ES256"), "5", "null", '["ES256"]'])),
    typ: (t) => set(t.header, "typ", pick([...["AT+JWT", "at+JWT", "application/at+jwt", "Application/AT+jwt", "jwt", "at+jwt ",
        "id+jwt", "at+jwt\0"].map(q),
        escaped(TYP), "1", "null"])),
    kid: (t) => set(t.header, "kid", pick([...["key-es-1", "key-ed-1", "KEY-ES-1", "", "key-es-1\0", "../../dev/null",
        "k".repeat(2000)].map(q),
        escaped("key-es-1"), "1", "null", '["key-es-1"]'])),
    headerMissing: (t) => unset(t.header, pick(HEADER_NAMES)),
    headerMore: (t) => insert(t.header, pick([['"crit"', '["exp"]'], ['"crit"', "[]"], ['"crit"', '["b64"]'], ['"b64"', "true"],
        ['"b64"', "false"], ['"zip"', '"DEF"'],
        ['"jku"', '"https://other.test/"'], ['"x5u"', '"https://other.test/"'], ['"jwk"', q(KEYS.ES256.jwk)], ['"x"',
            nested(30 + below(4))], ['"cty"', '"JWT"'],
        ['"n"', pick(NUMBERS)], ['"s"', pick(STRINGS)]])),
    headerDuplicate: (t) => insert(t.header, [pick([q, escaped])(pick(HEADER_NAMES)), pick(['"none"', '"ES256"', '"EdDSA"', q(TYP),
        '"key-es-1"'])]),
    noise: (t) => chain(t, pick(["headerBytes", "payloadBytes"]), (bytes) => Buffer.concat([Buffer.from(pick([" ", "\n", "\t", ""])),
        bytes,
        Buffer.from(pick([" ", "\r\n", "", "x", "}", "\0", ",", "{}"]))])),
    mark: (t) => chain(t, pick(["headerBytes", "payloadBytes"]), (bytes) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])),
    badUtf8: (t) => { // inside a string of its own, so that nothing else is spoilt
        insert(pick([t.claims, t.header]), ['"u"', '"@@"']);
        for (const step of ["headerBytes", "payloadBytes"])
            chain(t, step, (bytes) => Buffer.from(bytes.toString("latin1").replace("@@", pick(["\xff", "\xc0\xaf", "\xed\xa0\x80",
                "\xe2\x82", "\xf4\x90\x80\x80", "\x80"])), "latin1"));
    },
    noObject: (t) => chain(t, pick(["headerBytes", "payloadBytes"]), () => Buffer.from(pick(["[]", "{}", "5", '""', "null", "", "{",
        "[{}]"]))),
    long: (t) => insert(t.claims, ['"pad"', q("x".repeat(pick([100, 4000, 5300, 5500, 5600, 5700, 5800, 9000, 20000])))]),
    padBeforeSigning: (t) => chain(t, pick(["headerText", "payloadText"]), (text) => text + pick(["=", "==", "="])),
    trailingBits: (t) => { // unused bits exist when a part's bytes are no multiple of three
        const step = pick(["header", "payload"]);
        chain(t, `${step}Bytes`, (bytes) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 3)) % 3, " ")]));
        chain(t, `${step}Text`, (text) => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1));
    },
    alphabet: (t) => chain(t, pick(["headerText", "payloadText"]), (text) => pick([text.replaceAll("-", "+").replaceAll("_", "/"),
        `${text} `, `${text.slice(0, 8)}\t${text.slice(8)}`,
        `${text.slice(0, 5)}!${text.slice(5)}`, `${text}A`])),
    flip: (t) => chain(t, "signature", (bytes) => { bytes[below(bytes.length)] ^= 1 << below(8); return bytes; }),
    cut: (t) => chain(t, "signature", (bytes) => pick([bytes.subarray(0, 63), bytes.subarray(0, 32), Buffer.alloc(0), Buffer.alloc(64),
        Buffer.concat([bytes, Buffer.alloc(1)]),
        Buffer.concat([bytes, bytes]), Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)])])),
    stranger: (t) => { t.key = STRANGER; },
    otherKey: (t) => { t.key = KEYS[pick(["ES256", "EdDSA"])].privateKey; },
    changedAfterwards: (t) => chain(t, "parts", ([header, , signature]) => [header, b64(textOf(withAnotherSub(t.claims))), signature]),
    signatureText: (t) => chain(t, "whole", (text) => pick([`${text}=`, `${text}==`,
        `${text.slice(0, -1)}${String.fromCharCode(text.charCodeAt(text.length - 1) + 1)}`, `${text} `,
        `${text.slice(0, -5)}\t${text.slice(-5)}`, `${text}A`, `${text.slice(0, -1)}`, text.replaceAll("-", "+").replaceAll("_", "/"),
            `${text}．`])),
    form: (t) => chain(t, "whole", (text) => pick(["", ".", "..", `.${text}`, `${text}.`, `${text}.e30.e30`, text.replace(".", ".."),
        text.replace(".", ""), `Bearer ${text}`, ` ${text}`,
        `${text}\r`, text.slice(0, text.lastIndexOf(".")), text.slice(0, text.lastIndexOf(".") + 1), text.toUpperCase()])),
};
const withAnotherSub = (claims) => claims.map(([name, value]) => (name === '"sub"' ? [name, '"sub-0002"'] : [name, value]));

function write(t)
{
    const header = t.headerText(b64(t.headerBytes(textOf(t.header)))), payload = t.payloadText(b64(t.payloadBytes(textOf(t.claims))));
    const signature = b64(t.signature(sign(t.key, Buffer.from(`${header}.${payload}`))));
    return t.whole(t.parts([header, payload, signature]).join("."));
}

function nextToken()
{
    const token = freshToken(), names = [];
    for (let left = pick([0, 1, 1, 1, 1, 1, 1, 2]); left > 0; left--) names.push(pick(Object.keys(MUTATIONS)));
    for (const name of names) MUTATIONS[name](token);
    return { text: write(token), how: names.join(" + ") || "as it should be" };
}

// ---- the classes: predicates over the token's text ----

const utf8 = new TextDecoder("utf-8"), strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const parse = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const objectOf = (value) => (value && typeof value === "object" && !Array.isArray(value) ? value : {});

function look(text)
{
    const parts = text.split("."), bytes = parts.slice(0, 2).map((part) => Buffer.from(part, "base64url"));
    const texts = bytes.map((part) => utf8.decode(part)), [header, claims = {}] = texts.map((part) => objectOf(parse(part)));
    return { text, parts, bytes, header, claims, scans: [texts[0], texts[1] ?? ""].map(scanJson) };
}

const TEXT_CLAIMS = ["iss", "aud", "sub", "jti"], TIME_CLAIMS = ["iat", "nbf", "exp"];
const texts = (value) => (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
const isName = (value, mayBeList) => (mayBeList && Array.isArray(value) ? value.every((item) => typeof item === "string")
    : typeof value === "string" && value !== "");
const hasNul = (value) => texts(value).some((item) => item.includes("\0"));

const STRICTER = {
    "duplicate members": ({ scans }) => scans.some(({ duplicates }) => duplicates.length),
    "non-canonical base64url": ({ parts }) => parts.some((part) => {
        const text = part.replace(/=+$/, "");
        return Buffer.from(text, "base64url").toString("base64url") !== text;
    }),
    padding: ({ parts }) => parts.some((part) => part.includes("=")),
    "iat in the future": ({ claims }) => claims.iat > NOW + LEEWAY,
    "number overflow": ({ scans }) => scans.some(({ numbers }) => !numbers.every(isHeld)),
    "NUL or lone surrogate": ({ scans, header, claims }) => TEXT_CLAIMS.some((name) => hasNul(claims[name]))
        || HEADER_NAMES.some((name) => hasNul(header[name]))
        || scans.some(({ names, strings }) => names.some(hasNul) || strings.some(isLoneSurrogateIn)),
    "depth and size": ({ text, scans, claims }) => Buffer.byteLength(text) > CASES.policy.max_token_bytes || scans.some(({ depth }) =>
        depth > CASES.policy.max_json_depth)
        || TEXT_CLAIMS.some((name) => typeof claims[name] === "string" && Buffer.byteLength(claims[name]) > 255),
};
// name: [the case of own/jwt_cases.json, predicate]
const FURTHER = {
    "a byte-order mark": ["payload/bom", ({ bytes }) => bytes.some((part) => part[0] === 0xef && part[1] === 0xbb
        && part[2] === 0xbf)],
    "not UTF-8": ["payload/overlong-utf8", ({ bytes }) =>
        bytes.some((part) => { try { strictUtf8.decode(part); return false; } catch { return true; } })],
    "a time not written as a whole number from 0 on": ["either/exp-exponent", ({ scans: [, { topLevel }] }) =>
        TIME_CLAIMS.some((name) => topLevel.has(name) && !/^(0|[1-9]\d*|-0)$/.test(topLevel.get(name)))],
    "no time to live": ["time/exp-before-iat", ({ claims }) => claims.iat > 0 && claims.exp <= claims.iat],
    "a name that is no text, or empty": ["aud-iss/sub-number", ({ claims }) => TEXT_CLAIMS.some((name) => name in claims
        && !isName(claims[name], name === "aud"))],
    "another spelling of typ": ["either/typ-upper", ({ header }) => header.typ !== TYP],
    "a header that changes what the payload means": ["typ/zip-def", ({ header }) => ["zip", "b64", "crit"].some((name) =>
        name in header)],
};
const classesOf = (token) => {
    const seen = look(token);
    return [...Object.entries(STRICTER), ...Object.entries(FURTHER).map(([name, [, is]]) => [name, is])].filter(([, is]) =>
        is(seen)).map(([name]) => name);
};

// ---- the two verifiers ----

async function joseAccepts(tokens, keys)
{
    const byKid = new Map(await Promise.all(keys.map(async (jwk) => [jwk.kid, await importJWK(jwk, jwk.kty === "EC" ? "ES256"
        : "EdDSA")])));
    const options = { issuer: ISS, audience: AUD, algorithms: CASES.policy.allowed_algs, typ: TYP, clockTolerance: LEEWAY,
        requiredClaims: CASES.policy.required_claims,
        currentDate: new Date(NOW * 1000) };
    const keyOf = ({ kid }) => byKid.get(kid) ?? Promise.reject(new Error("no such key"));
    const answers = [];
    for (const token of tokens) answers.push(await jwtVerify(token, keyOf, options).then(() => true, () => false));
    return answers;
}

function weAccept(tokens, keys)
{
    const policy = JSON.stringify({ keys, iss: ISS, aud: AUD, typ: TYP, now: NOW, leeway_s: LEEWAY });
    const child = spawn(VERIFIER, [], { stdio: ["pipe", "pipe", "inherit"] });
    return new Promise((resolve, reject) => {
        const parts = [];
        child.stdout.on("data", (part) => parts.push(part));
        child.once("error", reject);
        child.once("close", (code) => {
            const lines = Buffer.concat(parts).toString().trim().split("\n");
            if (code !== 0 || lines.length !== tokens.length) reject(new Error(`exit ${code}, ${lines.length} answers to ${tokens.length} tokens`));
            resolve(lines.map((line) => line === "accept"));
        });
        child.stdin.on("error", () => {}); // an early end shows in the exit code
        child.stdin.end([policy, ...tokens].join("\n") + "\n");
    });
}

const tell = ({ how, text }, theirs, ours, classes) =>
    `${how}: jose ${theirs ? "accepts" : "refuses"}, we ${ours ? "accept" : "refuse"}, classes [${classes}]\n       ${text.slice(0, 900)}`;

async function compare(tokens, keys)
{
    const texts = tokens.map(({ text }) => text);
    const [theirs, ours] = await Promise.all([joseAccepts(texts, keys), weAccept(texts, keys)]);
    const tally = { both: 0, neither: 0, stricter: new Map() }, surprises = [];
    tokens.forEach((token, i) => {
        const classes = classesOf(token.text), wanted = theirs[i] && classes.length === 0;
        if (ours[i] !== wanted) surprises.push(tell(token, theirs[i], ours[i], classes));
        if (ours[i] === theirs[i]) tally[ours[i] ? "both" : "neither"]++;
        else for (const name of classes) tally.stricter.set(name, (tally.stricter.get(name) ?? 0) + 1);
    });
    return { tally, surprises };
}

test(`${COUNT} tokens of seed ${SEED}: only the known classes differ`, async () => {
    const tokens = Array.from({ length: COUNT }, nextToken);
    const { tally, surprises } = await compare(tokens, Object.values(KEYS).map(({ jwk }) => jwk));
    console.log(`     both accept ${tally.both}, both refuse ${tally.neither}, only jose accepts:`);
    for (const [name, count] of tally.stricter) console.log(`       ${String(count).padStart(5)}  ${name}`);
    assert.deepEqual(surprises.slice(0, 12), [], `${surprises.length} surprises`);
    assert.ok(tally.both > COUNT / 10 && tally.neither > COUNT / 10, "good and bad tokens are both many");
    for (const name of [...Object.keys(STRICTER), ...Object.keys(FURTHER)])
        assert.ok(tally.stricter.get(name) > 0, `no token met the class "${name}"`);
});

test("our own token cases fall under the same law", async () => {
    const tokens = CASES.cases.filter(({ token }) => !token.includes("\n")).map(({ token, group, id }) => ({ text: token,
        how: `${group}/${id}` }));
    const { surprises } = await compare(tokens, CASES.jwks.keys);
    assert.deepEqual(surprises, []);
});

test("each further class stands on a token case", () => {
    const known = new Map(CASES.cases.map((row) => [`${row.group}/${row.id}`, row]));
    for (const [name, [id]] of Object.entries(FURTHER)) {
        assert.ok(known.has(id), `${name}: ${id}`);
        assert.notEqual(known.get(id).expect, "accept", `${name}: ${id}`);
        assert.ok(classesOf(known.get(id).token).length > 0, `${name}: the case ${id} is in no class`);
    }
});

await run();
