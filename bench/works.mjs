// works.mjs — what can be measured: for each kind of work the requests, each good once, and the sizes that bare gets.
//
// prepare(server, count, ask) makes what `count` requests need (tokens, tickets, proofs) outside the measured window;
// ask(requests, status) sends requests through the load and resolves with the bodies of the replies.
import { createHash, createPrivateKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";

const MINT = "/api/fabric/subscribers/tokens";
const REFRESH = "/api/fabric/subscribers/tokens/refresh";
const RENEW = "/api/fabric/subscriber/devices/refresh";
const BOOTSTRAP = "/sdk/bootstrap-tokens";
const SESSIONS = "/sdk/sessions";
const TOKEN = "/oauth/token";
const REFERENCES = 100; // people: they exist when the clock starts
const PROVERS = 200;    // keys of browsers: the server allows one key 600 proofs at once and 20 a second

const b64 = (text) => Buffer.from(text).toString("base64url");
const digest = (text) => createHash("sha256").update(text).digest("base64url");
const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));

export function post(server, path, headers, body, type = "application/json") {
  const fields = Object.entries({ Host: `127.0.0.1:${server.port}`, ...headers, "Content-Type": type, Accept: "application/json" });
  return `POST ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

export const postJson = (server, path, headers, body) => post(server, path, headers, JSON.stringify(body));

// ---- proofs ----

class Prover {
  constructor() {
    const format = "jwk", pair = generateKeyPairSync("ec", { namedCurve: "P-256", publicKeyEncoding: { format }, privateKeyEncoding: { format } });
    this.key = createPrivateKey({ key: pair.privateKey, format });
    const { crv, kty, x, y } = pair.publicKey;
    this.jwk = { crv, kty, x, y };
    this.fingerprint = digest(JSON.stringify(this.jwk)); // RFC 7638 §3
  }

  prove(claims) {
    const header = { typ: "dpop+jwt", alg: "ES256", jwk: this.jwk };
    const whole = { jti: randomUUID(), iat: Math.floor(Date.now() / 1000), htm: "POST", ...claims };
    const text = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(whole))}`;
    return `${text}.${sign("sha256", text, { key: this.key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  }
}

let made;
export const provers = () => (made ??= times(PROVERS, () => new Prover()));
const proofBytes = (proof) => proof.lastIndexOf(".");

// ---- tokens ----

const mintOne = (server, i, more) => postJson(server, MINT, { Authorization: server.authorization },
  { reference: `bench-${i % REFERENCES}@example.com`, ...more });

const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

/** `count` mints bound to the provers' keys in turn, each with its prover. */
async function mintBound(server, count, ask, more = {}) {
  const byFingerprint = new Map(provers().map((prover) => [prover.fingerprint, prover]));
  const all = provers();
  const bodies = await ask(times(count, (i) => mintOne(server, i, { fingerprint: all[i % all.length].fingerprint, ...more })), 200);
  return bodies.map((body) => ({ ...body, prover: byFingerprint.get(claimsOf(body.token).cnf.jkt) }));
}

let bound;

// ---- works ----

/** bytes of the record in a sealed credential: all but SIV's tag */
const sealedBytes = (text) => Buffer.from(text.split(".")[1], "base64url").length - 16;

const pairSizes = (reply) => ({ token: reply.token ?? reply.access_token, sealed: sealedBytes(reply.refresh_token) });

export const works = {
  mint: {
    goal: 0.8, status: 200, requests: 20000, connections: 16, says: "mints",
    async prepare(server) { return { requests: times(REFERENCES, (i) => mintOne(server, i)) }; },
    sizes: pairSizes,
  },
  refresh: {
    goal: 0.75, status: 201, requests: 10000, connections: 64, says: "refreshes by refresh token", isDurable: true,
    async prepare(server, count, ask) {
      const bodies = await ask(times(count, (i) => mintOne(server, i)), 200);
      return {
        requests: bodies.map(({ refresh_token }) => postJson(server, REFRESH, { Authorization: server.authorization }, { refresh_token })),
        sizes: { opened: sealedBytes(bodies[0].refresh_token) },
      };
    },
    sizes: pairSizes,
  },
  redeem: {
    goal: 0.75, status: 201, requests: 10000, connections: 64, says: "tickets of new users redeemed", isDurable: true,
    async prepare(server, count, ask) {
      const headers = { Authorization: `Bearer ${server.secret_key}` };
      const bodies = await ask(times(count, () => postJson(server, BOOTSTRAP, headers, { externalUserId: randomUUID() })), 200);
      return {
        requests: bodies.map(({ bootstrapToken }) => postJson(server, SESSIONS, {}, { bootstrapToken })),
        sizes: { opened: sealedBytes(bodies[0].bootstrapToken) },
      };
    },
    sizes: (reply) => ({ token: reply.sessionToken }),
  },
  bound: {
    goal: 0.8, status: 201, requests: 10000, connections: 64, says: "renewals of bound access tokens by a proof", isDurable: true,
    async prepare(server, count, ask) {
      bound ??= await mintBound(server, PROVERS, ask, { scope: "sat:refresh" });
      const proofs = times(count, (i) => {
        const { token, prover } = bound[i % bound.length];
        return { token, dpop_token: prover.prove({ htu: RENEW, ath: digest(token) }) };
      });
      return {
        requests: proofs.map(({ token, dpop_token }) => postJson(server, RENEW, { Authorization: `Bearer ${token}` }, { dpop_token })),
        sizes: { proof: proofBytes(proofs[0].dpop_token) },
      };
    },
    sizes: (reply) => ({ token: reply.token }),
  },
  proof: {
    goal: 0.8, status: 200, requests: 10000, connections: 64, says: "refreshes by bound refresh token and proof, without a key",
    isDurable: true,
    async prepare(server, count, ask) {
      const minted = await mintBound(server, count, ask);
      const proofs = minted.map(({ refresh_token, prover }) => ({ refresh_token, proof: prover.prove({ htu: server.url + TOKEN }) }));
      return {
        requests: proofs.map(({ refresh_token, proof }) => post(server, TOKEN, { DPoP: proof },
          `grant_type=refresh_token&refresh_token=${refresh_token}`, "application/x-www-form-urlencoded")),
        sizes: { opened: sealedBytes(minted[0].refresh_token), proof: proofBytes(proofs[0].proof) },
      };
    },
    sizes: pairSizes,
  },
};
