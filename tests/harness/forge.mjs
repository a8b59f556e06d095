// forge.mjs — tokens as an attacker makes them: any header, any claims, any signature, signed with any key.
//
// Two hands can sign. The attacker's own key shows that a stranger gets nowhere. The server's real key (see ring.mjs)
// shows that a rule holds by itself: everything about such a token is right except the one thing the case is about.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { info, JWKS, call, mintToken, readToken } from "./http.mjs";
import { keyPair } from "./keys.mjs";
import { RawSocket, responses } from "./raw.mjs";
import { signingKey } from "./ring.mjs";
import { Session } from "./session.mjs";

export const b64 = (data) => Buffer.from(data).toString("base64url");
const text = (value) => (typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value));

// header and claims: an object, or the exact bytes. key: a private KeyObject; alg says how it signs.
export function compact(header, claims, key, alg = "ES256")
{
    const input = `${b64(text(header))}.${b64(text(claims))}`;
    return `${input}.${b64(signed(input, key, alg))}`;
}

export function signed(input, key, alg = "ES256")
{
    const data = Buffer.from(input);
    const ways = {
        ES256: () => crypto.sign("sha256", data, { key, dsaEncoding: "ieee-p1363" }),
        ES384: () => crypto.sign("sha384", data, { key, dsaEncoding: "ieee-p1363" }),
        EdDSA: () => crypto.sign(null, data, key),
        RS256: () => crypto.sign("sha256", data, key),
        PS256: () => crypto.sign("sha256", data, { key, padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
        HS256: () => crypto.createHmac("sha256", key).update(data).digest(),
    };
    return ways[alg]();
}

// A pattern to vary: a good token's header and claims, both hands, the public key.
export async function workshop(server)
{
    const { token, subscriber_id, refresh_token } = await mintToken(server, { reference: "workshop@example.com" });
    const { header, claims } = readToken(token);
    const keys = (await call(server, "GET", JWKS)).json.keys;
    const jwk = keys.find((key) => key.kid === header.kid);
    const ours = await signingKey(server, jwk);
    const stranger = keyPair();
    const shop = { server, token, refresh_token, subscriber_id, header, claims, jwk, ours, stranger: stranger.privateKey,
        strangerJwk: stranger.jwk };
    shop.sign = (changes = {}, headerChanges = {}) => compact({ ...header, ...headerChanges }, { ...claims, ...changes }, ours);
    await accepted(server, shop.sign(), "a token signed with the real key: otherwise no case below says anything");
    return shop;
}

export async function accepted(server, token, label)
{
    const answer = await info(server, token);
    assert.equal(answer.status, 200, `${label}: ${answer.text}`);
    const session = await Session.open(server);
    const reply = await session.connect(token);
    await session.close();
    assert.ok(reply.result, `${label}: ${JSON.stringify(reply)}`);
    return { info: answer.json, result: reply.result };
}

// Refused over REST and on the socket, with the one generic answer each.
export async function refused(server, token, label)
{
    await refusedOverRest(server, token, label);
    await refusedOnSocket(server, token, label);
}

const isSendable = (token) => /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(token) && token.length < 12000;

export async function refusedOverRest(server, token, label)
{
    if (!isSendable(token)) return refusedRaw(server, token, label);
    const answer = await info(server, token);
    assert.equal(answer.status, 401, `${label} over REST: ${answer.status} ${answer.text}`);
    assert.equal(answer.text, '{"error":"Unauthorized"}', label);
    assert.ok(answer.headers["www-authenticate"], label);
}

// A token that no field can hold: whatever the reader says, it is a refusal.
async function refusedRaw(server, token, label)
{
    const raw = new RawSocket(server.port);
    await raw.connected;
    await raw.send(Buffer.from(`GET /api/fabric/subscriber/info HTTP/1.1\r\nHost: ${server.host}\r\nConnection: close\r\n`
        + `Authorization: Bearer ${token}\r\n\r\n`, "utf8"));
    await raw.until((s) => s.isClosed || responses(s.read).list.length, label);
    const [answer] = responses(raw.read).list;
    raw.close();
    if (answer) assert.ok([400, 401, 413, 431].includes(answer.status), `${label} over REST: ${answer.status}`);
}

export async function refusedOnSocket(server, token, label)
{
    const session = await Session.open(server);
    const reply = await session.connect(token);
    const codes = token === "" ? [-32002, -32602] : [-32002];
    assert.ok(codes.includes(reply.error?.code), `${label} on the socket: ${JSON.stringify(reply).slice(0, 200)}`);
    assert.ok(await session.endsWithoutAnswering("subscriber.online"), `${label}: a parked socket is deaf`);
}
