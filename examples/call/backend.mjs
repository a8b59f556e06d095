// backend.mjs — what the server of "Call us" does: it alone has the API token, and every page gets what is its own.
//
// The shop's page is public and gets the token of its button, the one credential that may stand in a page. Who works there
// signs in and gets a token for themselves, and for nobody else. Who was invited gets a token that reaches the inviter alone.
import crypto from "node:crypto";
import { renameSync } from "node:fs";
import fs from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { policy, readJson, sendFile, sendJson, sentHome } from "../shared/pages.mjs";
import { isOurPage, signIn, whoIsSignedIn } from "../shared/sign_in.mjs";

const { COATCHECK_URL, PROJECT, API_TOKEN, EMBED_TOKEN, DESK = "/public/front-desk", PORT = "8791", DATA, STORE_KEY } = process.env;
const PAGES = fileURLToPath(new URL("site", import.meta.url)), QR = fileURLToPath(new URL("../node_modules/qrcode-generator/dist", import.meta.url));
const PAGE_HEADERS = { "Content-Security-Policy": policy(COATCHECK_URL), "Permissions-Policy": "microphone=(self), camera=(), geolocation=()" };
const COOKIE = "call_user", LIFE_MS = 7_200_000, INVITATIONS_MAX = 1000;
const TEAM = { "front-desk": "Front desk", "mira": "Mira Okafor", "jonas": "Jonas Weber" }; // your users table
const isName = (user) => typeof user === "string" && Object.hasOwn(TEAM, user);

// ---- refresh tokens: encrypted at rest, and in no page ----

const key = STORE_KEY ? Buffer.from(STORE_KEY, "base64") : crypto.randomBytes(32); // without one, what an earlier run kept is useless
if (DATA) await fs.mkdir(DATA, { recursive: true, mode: 0o700 });
const folder = DATA ?? (await fs.mkdtemp(path.join(os.tmpdir(), "call-")));
const fileOf = (user) => path.join(folder, `${crypto.createHash("sha256").update(user).digest("hex")}.refresh`);

const signedOut = new Map(); // the last sign-out of each; what was begun before it is not kept after it

async function keep(user, text, since)
{
    const iv = crypto.randomBytes(12), cipher = crypto.createCipheriv("aes-256-gcm", key, iv).setAAD(Buffer.from(user)); // one user's row is no other's
    const row = Buffer.concat([iv, cipher.update(text), cipher.final(), cipher.getAuthTag()]), draft = `${fileOf(user)}.${crypto.randomUUID()}`;
    await fs.writeFile(draft, row, { mode: 0o600 });
    if (signedOut.get(user) === since) renameSync(draft, fileOf(user)); // whole or not at all; at once, so that no sign-out comes between
    else await fs.rm(draft);
}

const kept = (user) => fs.readFile(fileOf(user)).then((row) => {
    const cipher = crypto.createDecipheriv("aes-256-gcm", key, row.subarray(0, 12)).setAAD(Buffer.from(user)).setAuthTag(row.subarray(-16));
    return cipher.update(row.subarray(12, -16), undefined, "utf8") + cipher.final("utf8");
}).catch(() => null); // none, or by another key

// ---- what Coatcheck is asked ----

async function ask(where, body, authorization = `Basic ${Buffer.from(`${PROJECT}:${API_TOKEN}`).toString("base64")}`)
{
    const answer = await fetch(COATCHECK_URL + where, { method: body ? "POST" : "GET", headers: { authorization, "content-type": "application/json" },
        ...(body && { body: JSON.stringify(body) }), signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) console.error(`refused: ${where}: coatcheck why ${answer.headers.get("coatcheck-error-id")}`);
    return answer.ok ? answer.json().catch(() => null) : null;
}

const mint = (user, more) => ask("/api/fabric/subscribers/tokens", { reference: `${user}@example.com`, display_name: TEAM[user], ...more });

// With a fingerprint the token is bound to that browser's key, which renews it at Coatcheck itself; without, we renew it in /refresh.
async function token(user, { fingerprint }, _, since = signedOut.get(user))
{
    const pair = await mint(user, fingerprint && { fingerprint, scope: "sat:refresh" });
    if (pair && !fingerprint) await keep(user, pair.refresh_token, since);
    return pair && { token: pair.token, expiry_at: Date.now() + LIFE_MS };
}

async function refresh(user, _, response, since = signedOut.get(user))
{
    const old = await kept(user), pair = old && (await ask("/api/fabric/subscribers/tokens/refresh", { refresh_token: old })); // good once:
    if (pair) await keep(user, pair.refresh_token, since); // the next one takes its place
    return pair ? { token: pair.token, expiry_at: Date.now() + LIFE_MS } : token(user, {}, response, since); // or anew: the user is signed in
}

// ---- invitations: a short code in the link, the token behind it ----

const invitations = new Map();

async function invite(user)
{
    const { token: own } = (await mint(user, { expire_at: Math.ceil(Date.now() / 1000) + 60 })) ?? {}; // an inviter's own token makes the invitation
    const [address] = (own && (await ask("/api/fabric/subscriber/info", null, `Bearer ${own}`)))?.fabric_addresses ?? [];
    const made = address && (await ask("/api/fabric/subscriber/invites", { address_id: address.id }, `Bearer ${own}`));
    if (!made) return null;
    const code = crypto.randomBytes(16).toString("base64url"), until = Date.now() + LIFE_MS;
    if (invitations.size >= INVITATIONS_MAX) invitations.delete(invitations.keys().next().value);
    invitations.set(code, { token: made.token, to: address.channels.audio, name: TEAM[user], server: COATCHECK_URL, until });
    return { path: `/guest.html#${code}`, until };
}

// ---- who may ask what: [does one have to be signed in?, what is answered] ----

const ROUTES = {
    "GET /button": [false, () => ({ server: COATCHECK_URL, to: DESK, embedToken: EMBED_TOKEN })],
    "GET /me": [false, (user) => ({ user, name: TEAM[user] ?? null, server: COATCHECK_URL, team: TEAM })],
    "POST /sign-in": [false, (_, { user }, response) => isName(user) && response.setHeader("Set-Cookie", signIn(COOKIE, user)) && { user }],
    "POST /sign-out": [true, (user, _, response) => signedOut.set(user, Symbol()) && fs.rm(fileOf(user), { force: true })
        .then(() => response.setHeader("Set-Cookie", signIn(COOKIE)) && {})],
    "POST /token": [true, token],
    "POST /refresh": [true, refresh],
    "POST /invite": [true, invite],
    "POST /join": [false, (_, { code }) => { const found = invitations.get(code); return found?.until > Date.now() ? found : null; }],
};

async function answer(request, response)
{
    if (sentHome(request, response, origin())) return;
    const [pathname] = request.url.split("?"), [needsUser, run] = ROUTES[`${request.method} ${pathname}`] ?? [];
    if (!run) return sendFile(response, pathname === "/qrcode.js" ? QR : PAGES, pathname, PAGE_HEADERS);
    const user = whoIsSignedIn(COOKIE, request);
    if (!isOurPage(request)) return sendJson(response, 403, { error: "other_site" });
    if (needsUser && !user) return sendJson(response, 401, { error: "sign_in" });
    const given = await run(user, request.method === "POST" ? await readJson(request) : {}, response);
    sendJson(response, given ? 200 : pathname === "/join" ? 404 : pathname === "/sign-in" ? 422 : 502, given || { error: "none" });
}

const server = http.createServer((request, response) => answer(request, response).catch((error) => {
    console.error(error.message);
    if (!response.headersSent) sendJson(response, error instanceof SyntaxError || error instanceof RangeError ? 400 : 502, { error: "none" });
}));
const origin = () => `http://127.0.0.1:${server.address().port}`;
server.listen(Number(PORT), "127.0.0.1", () => console.log(`call ${origin()}/`));
