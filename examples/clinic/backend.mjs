// backend.mjs — a clinic's record with a note-taker in a frame: two products, on two origins, in one program.
//
// The clinic's backend alone has the client's secret. A clinician who is signed in gets a launch token, a new one at each call, for the
// clinician whom the cookie names. The note-taker hears of clinicians by the access token that its page got for the launch token: it
// asks the server whose it is. backend.c is the same in C.
//
//     COATCHECK_URL=http://127.0.0.1:8787 CLIENT_ID=cli_… CLIENT_SECRET=sec_… PUBLISHABLE_KEY=pk_… [PORT=3000] [FRAME_PORT=3001] node backend.mjs
import fs from "node:fs";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { policy, readJson, sendFile, sendJson, sentHome } from "../shared/pages.mjs";
import { isOurPage, signIn, whoIsSignedIn } from "../shared/sign_in.mjs";

const { COATCHECK_URL, CLIENT_ID, CLIENT_SECRET, PUBLISHABLE_KEY, PORT = "0", FRAME_PORT = "0" } = process.env;
const COOKIE = "linden";
const CLINICIANS = { osei: "Dr Amara Osei", fischer: "Dr Lena Fischer" };
const folder = (name) => fileURLToPath(new URL(name, import.meta.url));
const patients = JSON.parse(fs.readFileSync(folder("patients.json")));
const userIds = new Map(); // clinician -> user_id of the first launch: it resumes the same user; yours is a database
const desks = new Map(); // user -> { signature, notes }; the note-taker's own database

class Refused extends Error {
    constructor(status, code) { super(code); Object.assign(this, { status, code }); }
}

const isText = (value, most) => typeof value === "string" && value.trim() !== "" && value.length <= most;
async function askCoatcheck(path, body)
{
    const authorization = `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64")}`;
    const [type, text] = body instanceof URLSearchParams ? ["x-www-form-urlencoded", String(body)] : ["json", JSON.stringify(body)];
    const answer = await fetch(new URL(path, COATCHECK_URL), { method: "POST", body: text, signal: AbortSignal.timeout(10_000),
        headers: { authorization, "content-type": `application/${type}` } });
    if (answer.ok) return answer.json().catch(() => { throw new Error("Coatcheck's answer is no JSON"); });
    console.error(`${path} refused: coatcheck why ${answer.headers.get("coatcheck-error-id")}`);
    throw new Refused(502, "no_token_now");
}

function clinicianOf(request)
{
    const clinician = whoIsSignedIn(COOKIE, request);
    if (!Object.hasOwn(CLINICIANS, clinician ?? "")) throw new Refused(401, "sign_in");
    return clinician;
}

const clinic = { folder: folder("site"), routes: {
    "GET /api/setup": (_, request) => ({ publishableKey: PUBLISHABLE_KEY, frameUrl: `${app.origin}/`, clinicians: CLINICIANS,
        clinician: CLINICIANS[whoIsSignedIn(COOKIE, request)] ?? null }),
    "GET /api/patients": (_, request) => clinicianOf(request) && { patients },
    "POST /api/sign-in": ({ clinician }, _, response) => {
        if (typeof clinician !== "string" || !Object.hasOwn(CLINICIANS, clinician)) throw new Refused(400, "unknown_clinician");
        response.setHeader("Set-Cookie", signIn(COOKIE, clinician));
        return {};
    },
    "POST /api/sign-out": (_, __, response) => { response.setHeader("Set-Cookie", signIn(COOKIE, null)); return {}; },
    "POST /api/launch": async (_, request) => {
        const clinician = clinicianOf(request);
        const told = await askCoatcheck("/v1/oauth/launch", { userId: userIds.get(clinician), externalUserId: clinician });
        userIds.set(clinician, told.user_id);
        return { launchToken: told.launch_token };
    },
} };

// The note-taker's user: pending until the welcome form was sent, and then the only reader of what they wrote.
async function deskOf(request)
{
    const token = request.headers.authorization?.match(/^Bearer ([\w.-]+)$/)?.[1];
    const told = token ? await askCoatcheck("/oauth/introspect", new URLSearchParams({ token })) : { active: false };
    if (!told.active || told.token_use !== "access" || told.kind !== "embedded") throw new Refused(401, "launch_again");
    if (!desks.has(told.sub)) desks.set(told.sub, { signature: null, notes: [] });
    return desks.get(told.sub);
}

const app = { folder: folder("app"), routes: {
    "GET /api/setup": () => ({ serverUrl: new URL(COATCHECK_URL).origin, hosts: [clinic.origin] }),
    "GET /api/desk": async (_, request) => deskOf(request),
    "POST /api/welcome": async ({ signature }, request) => {
        const desk = await deskOf(request);
        if (!isText(signature, 80)) throw new Refused(400, "wrong_signature");
        return Object.assign(desk, { signature });
    },
    "POST /api/notes": async ({ patient, text }, request) => {
        const desk = await deskOf(request);
        if (!desk.signature) throw new Refused(403, "welcome_first");
        if (!isText(patient, 40) || !isText(text, 8000)) throw new Refused(400, "wrong_note");
        return desk.notes[desk.notes.push({ patient, text, signature: desk.signature, at_s: Math.floor(Date.now() / 1000) }) - 1];
    },
} };

async function answerTo(site, request, response)
{
    const [pathname] = request.url.split("?"), route = site.routes[`${request.method} ${pathname}`];
    if (site === clinic && sentHome(request, response, clinic.origin)) return;
    if (!route && (request.method !== "GET" || pathname.startsWith("/api/"))) throw new Refused(404, "not_found");
    if (!route) return sendFile(response, site.folder, pathname, { "Content-Security-Policy": site.policy });
    if (request.method !== "GET" && !isOurPage(request)) throw new Refused(403, "another_site");
    sendJson(response, 200, await route(request.method === "GET" ? {} : await readJson(request), request, response));
}

function listen(site, host, port)
{
    const server = http.createServer((request, response) => answerTo(site, request, response).catch((error) => {
        const isBody = error instanceof SyntaxError || error instanceof RangeError;
        const { status, code } = error instanceof Refused ? error : isBody ? { status: 400, code: "wrong_body" } : { status: 502, code: "unreachable" };
        if (code === "unreachable") console.error(`${request.method} ${request.url}: ${error.message}`);
        if (response.headersSent) response.destroy();
        else sendJson(response, status, { error: code });
    }));
    return new Promise((resolve) => server.listen(Number(port), "127.0.0.1", () => resolve(site.origin = `http://${host}:${server.address().port}`)));
}

const missing = ["COATCHECK_URL", "CLIENT_ID", "CLIENT_SECRET", "PUBLISHABLE_KEY"].filter((name) => !process.env[name]);
if (missing.length) {
    console.error(`this backend needs ${missing.join(", ")} in its environment`);
    process.exit(2);
}
await listen(app, "localhost", FRAME_PORT); // another host, too: cookies know no ports
await listen(clinic, "127.0.0.1", PORT);
clinic.policy = policy(COATCHECK_URL, { "connect-src": "'self'", "frame-src": app.origin });
app.policy = policy(COATCHECK_URL, { "frame-ancestors": clinic.origin });
console.log(`clinic ${clinic.origin}/`);
