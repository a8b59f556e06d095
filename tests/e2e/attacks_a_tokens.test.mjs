// attacks_a_tokens.test.mjs — forged and broken access tokens against a running server. Names begin with the number of
// the case. Each token goes over REST (subscriber/info) and on the socket (connect): both must refuse it alike.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import net from "node:net";
import { advance } from "../harness/clock.mjs";
import { accepted, b64, compact, refused, refusedOnSocket, refusedOverRest, signed, workshop } from "../harness/forge.mjs";
import { call, info, JWKS, mint, mintToken, nowS, readToken } from "../harness/http.mjs";
import { keyPair, thumbprint } from "../harness/keys.mjs";
import { RawSocket, responses } from "../harness/raw.mjs";
import { RawWebSocket, frame, OPCODE } from "../harness/frames.mjs";
import { connected, Session } from "../harness/session.mjs";
import { startServer } from "../harness/server.mjs";
import { run, test } from "../harness/suite.mjs";

const FINGERPRINT = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"; // RFC 7638 §3.1
let server, shop, baseline;

const parts = () => shop.token.split(".");
const withHeader = (header) => compact(header, shop.claims, shop.ours);
const withClaims = (claims) => compact(shop.header, claims, shop.ours);
const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
// The object's JSON with extra text put in after the opening brace.
const spliced = (object, extra) => `{${extra},${JSON.stringify(object).slice(1)}`;

async function each(cases) { for (const [label, token] of Object.entries(cases)) await refused(server, token, label); }

test("A-1 alg none in any case or empty, with and without a leftover signature", async () => {
    const [, payload, signature] = parts();
    for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
        const header = b64(JSON.stringify({ ...shop.header, alg }));
        for (const end of ["", signature, b64("x")]) await refused(server, `${header}.${payload}.${end}`, `${alg} + ${end.length}`);
    }
});

test("A-2 HS256 with our public key as the secret", async () => {
    const key = crypto.createPublicKey({ key: shop.jwk, format: "jwk" });
    const x = Buffer.from(shop.jwk.x, "base64url"), y = Buffer.from(shop.jwk.y, "base64url");
    const pem = key.export({ type: "spki", format: "pem" });
    const secrets = { pem, "pem without newline": pem.trim(), der: key.export({ type: "spki", format: "der" }),
        jwk: JSON.stringify(shop.jwk), x, "x text": shop.jwk.x, xy: Buffer.concat([x, y]),
        point: Buffer.concat([Buffer.from([4]), x, y]), empty: "", kid: shop.header.kid };
    for (const [label, secret] of Object.entries(secrets))
        await refused(server, compact({ ...shop.header, alg: "HS256" }, shop.claims, secret, "HS256"), label);
});

test("A-3 the algorithm comes from the key record: other families, own and foreign keys", async () => {
    const ed = keyPair("EdDSA").privateKey;
    const p384 = keyPair("ES384").privateKey;
    const rsa = keyPair("RS256").privateKey;
    const k1 = keyPair("ES256K").privateKey;
    for (const kid of [shop.header.kid, "attacker"]) {
        const header = { ...shop.header, kid };
        await each({
            [`EdDSA ${kid}`]: compact({ ...header, alg: "EdDSA" }, shop.claims, ed, "EdDSA"),
            [`ES384 ${kid}`]: compact({ ...header, alg: "ES384" }, shop.claims, p384, "ES384"),
            [`PS256 ${kid}`]: compact({ ...header, alg: "PS256" }, shop.claims, rsa, "PS256"),
            [`RS256 ${kid}`]: compact({ ...header, alg: "RS256" }, shop.claims, rsa, "RS256"),
            [`ES256K ${kid}`]: compact({ ...header, alg: "ES256K" }, shop.claims, k1),
            [`ES256 stranger ${kid}`]: compact(header, shop.claims, shop.stranger),
        });
    }
    for (const alg of ["EdDSA", "ES384", "ES256K", "RS256", "HS256"])
        await refused(server, withHeader({ ...shop.header, alg }), `${alg} over a good ES256 signature`);
});

test("A-4 alg missing, of another type, padded, other case", async () => {
    await refused(server, withHeader(without(shop.header, "alg")), "missing");
    for (const alg of [null, 256, ["ES256"], { alg: "ES256" }, true, "ES256 ", " ES256", "ES256\u0000", "es256", "Es256", "ΕS256",
        "ES256\n"]) await refused(server, withHeader({ ...shop.header, alg }), JSON.stringify(alg));
});

test("A-5 kid with paths, SQL, NUL, length, formats, pipes, other types", async () => {
    const kids = ["../../../dev/null", "/etc/passwd", "' UNION SELECT 'AAAA'--", "x' OR '1'='1", "\u0000", `${shop.header.kid}\u0000`,
        `${shop.header.kid} `, shop.header.kid.slice(0, -1), "%s%s%n", "|sleep 5", "$(id)", "", 1, null, [shop.header.kid],
        { kid: shop.header.kid }, "k".repeat(4000), "Я"];
    for (const kid of kids)
        for (const [who, key] of [["ours", shop.ours], ["stranger", shop.stranger]])
            await refused(server, compact({ ...shop.header, kid }, shop.claims, key), `${who} ${JSON.stringify(kid).slice(0, 40)}`);
    const upper = shop.header.kid.toUpperCase();
    if (upper !== shop.header.kid) await refused(server, withHeader({ ...shop.header, kid: upper }), "upper case");
    await refused(server, compact({ ...shop.header, kid: "k".repeat(10240) }, shop.claims, shop.ours), "10 kB");
});

test("A-6 jku, x5u, x5c and jwk are never followed", async () => {
    let visits = 0;
    const listener = net.createServer((socket) => { visits++; socket.destroy(); });
    await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${listener.address().port}/keys`;
    const lures = { jku: url, x5u: url, x5c: ["MIIB"], jwk: shop.strangerJwk };
    for (const [name, value] of Object.entries(lures)) {
        const signing = (header) => compact(header, shop.claims, shop.stranger);
        await refused(server, signing({ ...shop.header, [name]: value }), `${name}, our kid`);
        await refused(server, signing({ ...shop.header, kid: "evil", [name]: value }), `${name}, other kid`);
        await refused(server, signing({ ...without(shop.header, "kid"), [name]: value }), `${name}, no kid`);
    }
    await new Promise((resolve) => listener.close(resolve));
    assert.equal(visits, 0);
});

test("A-7 crit of any form, and b64 false", async () => {
    for (const crit of [["exp"], ["x"], [], ["x", "x"], "x", null, 1, ["b64"], ["alg"], [1], {}])
        await refused(server, withHeader({ ...shop.header, crit, x: 1, exp: 1 }), JSON.stringify(crit));
    await refused(server, withHeader({ ...shop.header, b64: false, crit: ["b64"] }), "b64 with crit");
    await refused(server, withHeader({ ...shop.header, b64: false }), "b64 alone");
});

test("A-8 duplicate members in header and claims, also by escape", async () => {
    const { header, claims } = shop;
    for (const extra of ['"alg":"ES256"', '"alg":"none"', '"\\u0061lg":"ES256"', `"kid":"${header.kid}"`, '"typ":"SAT"', '"x":1,"x":1'])
        await refused(server, withHeader(spliced(header, extra)), `header ${extra}`);
    for (const extra of [`"sub":"${claims.sub}"`, `"exp":${claims.exp}`, '"exp":1', `"\\u0065xp":${claims.exp}`, '"kind":"subscriber"',
        '"x":1,"x":2', '"x":{"a":1,"a":1}'])
        await refused(server, withClaims(spliced(claims, extra)), `claims ${extra}`);
});

test("A-9 NUL in identity claims and in the reference", async () => {
    for (const name of ["iss", "aud", "sub", "jti"]) {
        await refused(server, shop.sign({ [name]: `${shop.claims[name]}\u0000` }), `${name} with NUL at the end`);
        await refused(server, shop.sign({ [name]: `${shop.claims[name]}\u0000x` }), `${name} with NUL inside`);
    }
    for (const name of ["kind", "prj", "fam"]) await refused(server, shop.sign({ [name]: `${shop.claims[name]}\u0000` }), name);
    assert.equal((await mint(server, { reference: "workshop@example.com\u0000" })).status, 422);
    assert.equal((await mint(server, { reference: "workshop@example.com\u0000x" })).status, 422);
});

test("A-10 escaped member names mean the same or are refused", async () => {
    const escaped = (object, name) => JSON.stringify(object).replace(`"${name}"`, `"\\u${name.charCodeAt(0).toString(16)
        .padStart(4, "0")}${name.slice(1)}"`);
    for (const name of ["alg", "kid", "typ"]) await sameOrRefused(withHeader(escaped(shop.header, name)), `header ${name}`);
    for (const name of ["iss", "aud", "sub", "exp", "kind", "prj"])
        await sameOrRefused(withClaims(escaped(shop.claims, name)), `claims ${name}`);
    await refused(server, withHeader(escaped({ ...shop.header, alg: "none" }, "alg")), "escaped alg none");
    await refused(server, withHeader(escaped({ ...shop.header, crit: ["x"] }, "crit")), "escaped crit");
    await refused(server, withClaims(escaped({ ...shop.claims, exp: nowS() - 60 }, "exp")), "escaped exp in the past");
    await refused(server, withClaims(escaped({ ...shop.claims, nbf: nowS() + 600 }, "nbf")), "escaped nbf ahead");
});

async function sameOrRefused(token, label)
{
    const answer = await info(server, token);
    if (answer.status === 200) assert.equal(answer.json.id, shop.subscriber_id, label);
    else assert.equal(answer.status, 401, label);
}

test("A-11 no valid UTF-8, lone surrogates, byte-order marks, UTF-16", async () => {
    const claims = JSON.stringify(shop.claims);
    const bytes = (before, middle, after) => Buffer.concat([Buffer.from(before), Buffer.from(middle), Buffer.from(after)]);
    const inSub = (middle) => bytes(`{"x":"`, middle, `",${claims.slice(1)}`);
    await each({
        "lone high surrogate": withClaims(spliced(shop.claims, '"x":"\\ud800"')),
        "reversed pair": withClaims(spliced(shop.claims, '"x":"\\udc00\\ud800"')),
        "overlong slash": withClaims(inSub([0xc0, 0xaf])),
        "raw surrogate": withClaims(inSub([0xed, 0xa0, 0x80])),
        "ff": withClaims(inSub([0xff])),
        "cut sequence": withClaims(inSub([0xe2, 0x82])),
        "above 10ffff": withClaims(inSub([0xf4, 0x90, 0x80, 0x80])),
        "byte-order mark": withClaims(bytes("", [0xef, 0xbb, 0xbf], claims)),
        "utf-16": withClaims(Buffer.from(claims, "utf16le")),
        "utf-16 header": compact(Buffer.from(JSON.stringify(shop.header), "utf16le"), shop.claims, shop.ours),
        "bom header": compact(bytes("", [0xef, 0xbb, 0xbf], JSON.stringify(shop.header)), shop.claims, shop.ours),
    });
});

test("A-12 claims that are no single JSON object", async () => {
    const claims = JSON.stringify(shop.claims);
    const wrong = ["[]", `[${claims}]`, '"x"', "7", "null", "true", "", claims + claims, `${claims} {}`, `${claims}x`, `${claims}\u0000`,
        `/* */${claims}`, `${claims}//`, spliced(shop.claims, '"x":NaN'), spliced(shop.claims, '"x":Infinity'), claims.slice(0, -1),
        claims.replace("{", "{,"), claims.replaceAll('"', "'")];
    for (const text of wrong) await refused(server, withClaims(text), text.slice(0, 30));
});

test("A-13 tokens of 9 kB to 100 MB and deep nesting", async () => {
    await refused(server, withClaims({ ...shop.claims, pad: "p".repeat(9000) }), "9 kB, well signed");
    const deep = "[".repeat(1000) + "]".repeat(1000);
    await refused(server, withClaims(spliced(shop.claims, `"x":${deep}`)), "claims 1000 deep");
    await refused(server, withHeader(spliced(shop.header, `"x":${deep}`)), "header 1000 deep");
    await refusedOverRest(server, "e".repeat(16 * 1024), "16 kB");
    await floodsHeader(1024 * 1024);
    await floodsHeader(100 * 1024 * 1024);
});

// Sends a token without end and expects the server to hang up long before it has all.
async function floodsHeader(size)
{
    const raw = new RawSocket(server.port);
    await raw.connected;
    await raw.send(`GET /api/fabric/subscriber/info HTTP/1.1\r\nHost: ${server.host}\r\nAuthorization: Bearer `);
    const piece = Buffer.alloc(65536, "a");
    let sent = 0;
    while (sent < size && !raw.isClosed && !responses(raw.read).list.length) {
        await raw.send(piece);
        sent += piece.length;
    }
    await raw.until((s) => s.isClosed, "the end of the flood");
    const [answer] = responses(raw.read).list;
    if (answer) assert.ok([400, 401, 413, 431].includes(answer.status), String(answer.status));
}

test("A-13 a token above the message limit of a session", async () => {
    const ws = await RawWebSocket.open(server);
    const message = JSON.stringify({ jsonrpc: "2.0", id: "1", method: "signalwire.connect", params: { authentication: {
        jwt_token: "e".repeat(70000) } } });
    await ws.send(frame(OPCODE.TEXT, message));
    const end = await ws.untilFrame((f) => f.opcode === OPCODE.CLOSE, "1009");
    if (end !== "closed") assert.equal(end.code, 1009);
    ws.close();
    await refusedOnSocket(server, "e".repeat(20000), "20 kB in a message that fits");
});

test("A-14 base64url with padding, other alphabets, white space, impossible length, spare bits", async () => {
    const [header, payload, signature] = parts();
    const last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const spare = signature.slice(0, -1) + last[last.indexOf(signature.at(-1)) + 1]; // 64 bytes leave 4 spare bits
    await each({
        "padded signature": `${header}.${payload}.${signature}==`, "padded header": `${header}=.${payload}.${signature}`,
        "plus": `${header}.${payload}.+${signature.slice(1)}`, "slash": `${header}.${payload}./${signature.slice(1)}`,
        "space": `${header}.${payload}.${signature.slice(0, 9)} ${signature.slice(9)}`,
        "newline": `${header}.${payload}.${signature}\n`, "tab": `${header}.\t${payload}.${signature}`,
        "length 1 mod 4": `${header}.${payload}.${signature}AAA`, "spare bits of the signature": `${header}.${payload}.${spare}`,
    });
    const signedText = (h, p) => `${h}.${p}.${b64(signed(`${h}.${p}`, shop.ours))}`;
    for (const [label, text] of [["header", JSON.stringify(shop.header)], ["claims", JSON.stringify(shop.claims)]]) {
        const odd = b64(text.length % 3 === 1 ? text : `${text}${" ".repeat((4 - (text.length % 3)) % 3)}`);
        const loose = odd.slice(0, -1) + last[last.indexOf(odd.at(-1)) + 1];
        const [h, p] = label === "header" ? [loose, payload] : [header, loose];
        await refused(server, signedText(h, p), `spare bits of the ${label}, signed`);
        const padded = Buffer.from(text).toString("base64");
        if (padded.endsWith("="))
            await refused(server, label === "header" ? signedText(padded, payload) : signedText(header, padded), `padded ${label}, signed`);
    }
});

test("A-15 other numbers of parts, stray dots and bytes, JSON serialization", async () => {
    const [header, payload, signature] = parts();
    const { token } = shop;
    await each({
        "1 part": header, "2 parts": `${header}.${payload}`, "4 parts": `${token}.x`, "5 parts": `${token}.x.y`, "empty": "",
        "dots": "..", "leading dot": `.${token}`, "trailing dot": `${token}.`, "empty signature": `${header}.${payload}.`,
        "empty payload": `${header}..${signature}`, "empty header": `.${payload}.${signature}`, "two dots": `${header}..${payload}.${signature}`,
        "newline": `${header}.\n${payload}.${signature}`, "NUL": `${token}\u0000`, "NUL and more": `${token}\u0000x`,
        "full-width dot": `${header}\uff0e${payload}.${signature}`, "bearer inside": `Bearer ${token}`, "twice": `${token} ${token}`,
        "JSON": JSON.stringify({ protected: header, payload, signature }),
        "JSON general": JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    });
});

test("A-16 ES256 signatures out of range, of other lengths and forms", async () => {
    const [header, payload, signature] = parts();
    const sig = Buffer.from(signature, "base64url");
    const r = sig.subarray(0, 32), s = sig.subarray(32), zero = Buffer.alloc(32), ones = Buffer.alloc(32, 0xff);
    const n = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
    const der = crypto.sign("sha256", Buffer.from(`${header}.${payload}`), shop.ours);
    const forms = { "0,0": [zero, zero], "r=0": [zero, s], "s=0": [r, zero], "r=n": [n, s], "s=n": [r, n], "n,n": [n, n],
        "r=2^256-1": [ones, s], "s=2^256-1": [r, ones], "all ones": [ones, ones], "63 bytes": [sig.subarray(0, 63)],
        "65 bytes, leading zero": [Buffer.alloc(1), sig], "65 bytes, trailing zero": [sig, Buffer.alloc(1)], "128 bytes": [sig, sig],
        "66 bytes, both padded": [Buffer.alloc(1), r, Buffer.alloc(1), s], "swapped": [s, r], "DER": [der], "1 byte": [sig.subarray(0, 1)],
        "4 kB": [Buffer.alloc(4096, 7)] };
    for (const [label, pieces] of Object.entries(forms))
        await refused(server, `${header}.${payload}.${b64(Buffer.concat(pieces))}`, label);
    for (const at of [0, 31, 32, 63]) {
        const flipped = Buffer.from(sig);
        flipped[at] ^= 1;
        await refused(server, `${header}.${payload}.${b64(flipped)}`, `bit flipped in byte ${at}`);
    }
});

test("A-17 the n-s twin is refused, or is the same token by its jti", async () => {
    const [header, payload, signature] = parts();
    const sig = Buffer.from(signature, "base64url");
    const n = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const s = (n - BigInt(`0x${sig.toString("hex", 32)}`)).toString(16).padStart(64, "0");
    const twin = `${header}.${payload}.${b64(Buffer.concat([sig.subarray(0, 32), Buffer.from(s, "hex")]))}`;
    const answer = await info(server, twin);
    assert.ok([200, 401].includes(answer.status));
    if (answer.status !== 200) return;
    const { result } = await accepted(server, twin, "twin");
    assert.equal(result.authorization.jti, shop.claims.jti);
});

test("A-18 exp at now, past, absent, of other types, out of range", async () => {
    const exp = (value) => withClaims(JSON.stringify(shop.claims).replace(/"exp":\d+/, `"exp":${value}`));
    const now = nowS();
    const wrong = [now, now - 1, now - 86400, 0, 1, -1, `"${now + 600}"`, "true", "null", "[]", "{}", "1e400", "-1e400",
        "9223372036854775807", "9223372036854775808", "18446744073709551617", "18446744073709551616", String(2 ** 32 + now),
        String((now + 600) * 1000), `[${now + 600}]`, "9007199254740993"];
    for (const value of wrong) await refused(server, exp(value), `exp ${value}`);
    await refused(server, withClaims(without(shop.claims, "exp")), "exp absent");
    await refused(server, shop.sign({ exp: now + 7 * 86400 }), "a life beyond the longest policy");
    await refused(server, withClaims(without(shop.claims, "iat")), "iat absent");
});

test("A-18 a token is good until its second comes, and never after", async () => {
    const { token } = await mintToken(server, { reference: "workshop@example.com", expire_at: nowS() + 20 });
    const session = await connected(server, token);
    assert.equal((await session.closed).code, 4401);
    await refused(server, token, "expired");
}, { beside: true });

// On a server of its own: whatever else was minted would age with it.
test("A-18 the same in a test project whose time is moved", async () => {
    const aged = await startServer();
    const { token } = await mintToken(aged, { reference: "workshop@example.com" });
    const session = await connected(aged, token);
    await advance(aged, "119m");
    await accepted(aged, token, "a minute before its end");
    await advance(aged, "1m");
    assert.equal((await session.closed).code, 4401);
    await refused(aged, token, "expired");
    await aged.stop();
}, { beside: true });

test("A-19 fractional and exponent dates keep their value or are refused", async () => {
    const now = nowS();
    const exp = (value) => withClaims(JSON.stringify(shop.claims).replace(/"exp":\d+/, `"exp":${value}`));
    for (const value of [`${now + 600}.0`, `${now + 600}.5`, `${((now + 600) / 1e9).toFixed(9)}e9`]) {
        const answer = await info(server, exp(value));
        assert.ok([200, 401].includes(answer.status));
        if (answer.status === 200) assert.ok(Math.abs(answer.json.sat_claims.expires_at - (now + 600)) <= 1, value);
    }
    for (const value of [`${now - 60}.9`, `${((now - 60) / 1e9).toFixed(9)}e9`, "1e9", "0.9e1", `${now + 600}e-1`, "1e-400"])
        await refused(server, exp(value), `exp ${value}`);
});

test("A-20 nbf and iat later than now and leeway", async () => {
    const now = nowS();
    for (const ahead of [60, 3600]) {
        await refused(server, shop.sign({ nbf: now + ahead }), `nbf ${ahead} s ahead`);
        await refused(server, shop.sign({ iat: now + ahead, exp: now + ahead + 600 }), `iat ${ahead} s ahead`);
    }
    for (const value of ["1", true, [], {}, -1]) await refused(server, shop.sign({ iat: value }), `iat ${JSON.stringify(value)}`);
    for (const value of ["1", true, [], {}]) await refused(server, shop.sign({ nbf: value }), `nbf ${JSON.stringify(value)}`);
    await accepted(server, shop.sign({ nbf: now - 60 }), "nbf in the past");
});

test("A-21 iss and aud that are nearly ours", async () => {
    const { iss, aud } = shop.claims;
    const near = (value) => [`${value}/`, value.toUpperCase(), `${value}x`, value.slice(0, -1), ` ${value}`, "", 7, null, {}, true];
    for (const value of [...near(iss), [iss]]) await refused(server, shop.sign({ iss: value }), `iss ${JSON.stringify(value)}`);
    for (const value of [...near(aud), [], ["x"], [`${aud}x`], [[aud]], { 0: aud }, [7], [aud, 7]])
        await refused(server, shop.sign({ aud: value }), `aud ${JSON.stringify(value)}`);
    for (const name of ["iss", "aud", "sub", "jti", "prj", "kind", "gt"])
        await refused(server, withClaims(without(shop.claims, name)), `${name} absent`);
});

test("A-21 sub, prj, jti, fam and cnf of other shapes", async () => {
    const zero = "00000000-0000-0000-0000-000000000000", nobody = crypto.randomUUID();
    for (const sub of ["", "x", zero, 7, null, [shop.claims.sub], `${shop.claims.sub} `, `{${shop.claims.sub}}`])
        await refused(server, shop.sign({ sub }), `sub ${JSON.stringify(sub)}`);
    await sameOrRefused(shop.sign({ sub: shop.claims.sub.toUpperCase() }), "sub in capitals");
    for (const prj of ["", "x", zero, nobody, 7, null, [shop.claims.prj]])
        await refused(server, shop.sign({ prj }), `prj ${JSON.stringify(prj)}`);
    for (const jti of ["", 7, null, []]) await refused(server, shop.sign({ jti }), `jti ${JSON.stringify(jti)}`);
    for (const cnf of [null, 7, "x", [], {}, { jkt: 7 }, { jkt: "" }, { jkt: "x" }, { jkt: null }])
        await refused(server, shop.sign({ cnf }), `cnf ${JSON.stringify(cnf)}`);
    for (const gt of ["1", -1, 1.5, null, true]) await refused(server, shop.sign({ gt }), `gt ${JSON.stringify(gt)}`);
});

test("A-22 token flavours never stand in for another", async () => {
    await refused(server, shop.refresh_token, "refresh token as access token");
    for (const typ of ["Refresh", "at+jwt", "dpop+jwt", "JWT", "sat", "SAT ", "application/SAT", "", 7, null, ["SAT"]])
        await refused(server, withHeader({ ...shop.header, typ }), `typ ${JSON.stringify(typ)}`);
    await refused(server, withHeader(without(shop.header, "typ")), "typ absent");
    for (const kind of ["participant", "embedded", "refresh", "admin", "Subscriber", "subscriber ", "", 1, null, ["subscriber"]])
        await refused(server, shop.sign({ kind }), `kind ${JSON.stringify(kind)}`);
    const rsa = keyPair("RS256");
    const proof = compact({ typ: "dpop+jwt", alg: "RS256", jwk: rsa.jwk },
        { jti: crypto.randomUUID(), rpc: "request", mth: "signalwire.connect", iat: nowS() }, rsa.privateKey, "RS256");
    await refused(server, proof, "a proof as access token");
    await refused(server, compact({ ...shop.header, typ: "dpop+jwt" }, { jti: "x", htm: "GET", htu: "/", iat: nowS() }, shop.ours),
        "a proof signed with our own key");
    for (const name of ["c2c_token", "publishable_key", "api_token", "secret_key"])
        await refused(server, server.contract[name], name);
});

test("A-22 a bound token: read-only calls without a proof, a session only with the right one", async () => {
    const key = keyPair(), fingerprint = thumbprint(key.jwk);
    const { token } = await mintToken(server, { reference: "bound@example.com", fingerprint });
    assert.equal((await info(server, token)).status, 200);
    const proof = (more = {}, jwk = key.jwk, signer = key.privateKey) => compact({ typ: "dpop+jwt", alg: "ES256", jwk },
        { jti: crypto.randomUUID(), rpc: "request", mth: "signalwire.connect", iat: nowS(), ...more }, signer);
    const attempt = async (dpop_token) => {
        const session = await Session.open(server);
        const reply = await session.connect(token, dpop_token === undefined ? {} : { dpop_token });
        session.ws.terminate();
        return reply;
    };
    assert.equal((await attempt()).error?.code, -32002, "no proof");
    const stranger = keyPair();
    const wrong = { "another key": proof({}, shop.strangerJwk, shop.stranger), "another signer": proof({}, undefined, stranger.privateKey),
        "another method": proof({ mth: "signalwire.reauthenticate" }), "an HTTP proof": proof({ rpc: undefined, mth: undefined, htm: "GET",
            htu: "/" }), "old": proof({ iat: nowS() - 400 }), "ahead": proof({ iat: nowS() + 400 }), "no iat": proof({ iat: undefined }),
        "no jti": proof({ jti: undefined }), "both": proof({ htm: "GET", htu: "/" }), "not a JWS": "x", "empty": "" };
    for (const [label, dpop] of Object.entries(wrong)) assert.equal((await attempt(dpop)).error?.code, -32002, label);
    const good = proof();
    assert.ok((await attempt(good)).result, "the right proof");
    assert.equal((await attempt(good)).error?.code, -32002, "the same proof again");
});

test("A-24 the key set shows exactly the live keys, public members only", async () => {
    const { keys } = (await call(server, "GET", JWKS)).json;
    assert.ok(keys.some((key) => key.kid === shop.header.kid));
    assert.equal(new Set(keys.map((key) => key.kid)).size, keys.length);
    for (const key of keys) for (const name of ["d", "p", "q", "k", "dp", "dq", "qi"]) assert.ok(!(name in key), name);
    for (const kid of ["gone-key", "00000000", ""]) await refused(server, withHeader({ ...shop.header, kid }), "a key that is gone");
});

test("A-27 expire_at: never an eternal token", async () => {
    const now = nowS();
    for (const value of [0, -1, now - 1, now, now + 0.5, now + 3 * 86400, "x", String(now + 60), true, [], {}, 1e15])
        assert.equal((await mint(server, { reference: "a27@example.com", expire_at: value })).status, 422, JSON.stringify(value));
    for (const value of ["9223372036854775807", "9223372036854775808", "18446744073709551617", "1e400", "-0", "1e10"]) {
        const answer = await mint(server, `{"reference":"a27@example.com","expire_at":${value}}`, { "content-type": "application/json" });
        assert.ok([400, 422].includes(answer.status), `${value} -> ${answer.status}`);
    }
    const loose = await mintToken(server, { reference: "a27@example.com", scope: "sat:refresh", expire_at: now + 3600 });
    const { claims } = readToken(loose.token);
    assert.ok(claims.exp <= claims.iat + 60);
});

test("A-28 extra body members never reach the claims", async () => {
    const extras = { project_id: crypto.randomUUID(), scope2: "admin", subscriber_id: crypto.randomUUID(), exp: 1, iat: 1, kid: "evil",
        kind: "admin", sub: "root", prj: crypto.randomUUID(), cnf: { jkt: FINGERPRINT }, jti: "mine", alg: "none", gt: 0, iss: "evil",
        aud: "evil", fam: "x", par: "x", typ: "x", ch: "evil.example", __proto__x: 1, admin: true };
    const answer = await mint(server, { reference: "a28@example.com", ...extras });
    assert.ok([200, 422].includes(answer.status));
    if (answer.status !== 200) return;
    const { header, claims } = readToken(answer.json.token);
    assert.deepEqual(header, shop.header);
    assert.deepEqual(Object.keys(claims).sort(), Object.keys(shop.claims).sort());
    assert.deepEqual([claims.prj, claims.kind, claims.iss, claims.aud], [shop.claims.prj, "subscriber", shop.claims.iss, shop.claims.aud]);
    assert.notEqual(answer.json.subscriber_id, extras.subscriber_id);
    for (const scope of ["admin", "sat:refresh admin", ["sat:refresh", "admin"]])
        assert.equal((await mint(server, { reference: "a28@example.com", scope })).status, 422);
});

await run({
    before: async () => {
        server = await startServer();
        shop = await workshop(server);
        baseline = await server.baseline();
    },
    after: async () => { await server.assertSound(baseline); await server.stop(); },
});
