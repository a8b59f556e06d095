// backend.mjs — a museum's web site with an interview in a corner of it: what its backend has to do.
//
// It alone has the secret key. A member who is signed in gets a bootstrap token, for the member whom the cookie names and for
// nobody else; a visitor who is not takes part without a name, and needs nothing from here. So that members can go on where they
// left off, it remembers which interview was theirs: a name, not a right, since the server shows an interview to its participant alone.
//
//     COATCHECK_URL=http://127.0.0.1:8787 SECRET_KEY=sk_… PUBLISHABLE_KEY=pk_… STUDY=… [PORT=3000] node backend.mjs
import http from "node:http";
import { fileURLToPath } from "node:url";
import { policy, readJson, sendFile, sendJson, sentHome } from "../shared/pages.mjs";
import { isOurPage, signIn, whoIsSignedIn } from "../shared/sign_in.mjs";

const { COATCHECK_URL, SECRET_KEY, PUBLISHABLE_KEY, STUDY, PORT = "0" } = process.env;
const SITE = fileURLToPath(new URL("site", import.meta.url));
const COOKIE = "tidehouse";
const MEMBERS = { mara: "Mara Voss", jonas: "Jonas Reed", priya: "Priya Nair" };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const interviews = new Map(); // member -> interview id; yours is a database

class Refused extends Error {
    constructor(status, code) { super(code); Object.assign(this, { status, code }); }
}

const ROUTES = {
    "GET /api/setup": async (_, member) => ({
        serverUrl: new URL(COATCHECK_URL).origin, publishableKey: PUBLISHABLE_KEY, studyId: STUDY,
        members: MEMBERS, member: member && { id: member, name: MEMBERS[member] },
    }),

    "POST /api/sign-in": async ({ member }, _, response) => {
        if (typeof member !== "string" || !Object.hasOwn(MEMBERS, member)) throw new Refused(400, "unknown_member");
        response.setHeader("Set-Cookie", signIn(COOKIE, member));
        return {};
    },

    "POST /api/sign-out": async (_, __, response) => {
        response.setHeader("Set-Cookie", signIn(COOKIE, null));
        return {};
    },

    // Whoever can name the member here is that member there, so nothing of the request does: only the cookie.
    "POST /api/bootstrap": async (_, member) => {
        const { bootstrapToken, expiresAt } = await askCoatcheck("/sdk/bootstrap-tokens", { externalUserId: signedIn(member) });
        return { bootstrapToken, expiresAt };
    },

    "GET /api/interview": async (_, member) => ({ interviewId: interviews.get(signedIn(member)) ?? null }),

    "POST /api/interview": async ({ interviewId }, member) => {
        if (typeof interviewId !== "string" || !UUID.test(interviewId)) throw new Refused(400, "wrong_interview");
        interviews.set(signedIn(member), interviewId);
        return {};
    },
};

function signedIn(member)
{
    if (!member) throw new Refused(401, "sign_in");
    return member;
}

async function askCoatcheck(path, body)
{
    const headers = { authorization: `Bearer ${SECRET_KEY}`, "content-type": "application/json" };
    const answer = await fetch(new URL(path, COATCHECK_URL),
        { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(10_000) });
    if (answer.ok) return answer.json().catch(() => { throw new Error("Coatcheck's answer is no JSON"); });
    console.error(`${path} refused: coatcheck why ${answer.headers.get("coatcheck-error-id")}`);
    throw new Refused(502, "no_token_now");
}

async function answerTo(request, response)
{
    if (sentHome(request, response, origin())) return;
    const [pathname] = request.url.split("?");
    const route = ROUTES[`${request.method} ${pathname}`];
    if (!route) {
        if (request.method !== "GET" || pathname.startsWith("/api/")) throw new Refused(404, "not_found");
        return sendFile(response, SITE, pathname, { "Content-Security-Policy": policy(COATCHECK_URL) });
    }
    if (request.method !== "GET" && !isOurPage(request)) throw new Refused(403, "another_site");
    const member = whoIsSignedIn(COOKIE, request);
    const body = request.method === "GET" ? {} : await readJson(request);
    sendJson(response, 200, await route(body, Object.hasOwn(MEMBERS, member ?? "") ? member : null, response));
}

const missing = ["COATCHECK_URL", "SECRET_KEY", "PUBLISHABLE_KEY", "STUDY"].filter((name) => !process.env[name]);
if (missing.length) {
    console.error(`this backend needs ${missing.join(", ")} in its environment`);
    process.exit(2);
}
const server = http.createServer((request, response) => {
    answerTo(request, response).catch((error) => {
        const [status, code] = error instanceof Refused ? [error.status, error.code]
            : error instanceof SyntaxError || error instanceof RangeError ? [400, "wrong_body"] : [502, "unreachable"];
        if (status === 502 && !(error instanceof Refused)) console.error(`${request.method} ${request.url}: ${error.message}`);
        if (response.headersSent) response.destroy();
        else sendJson(response, status, { error: code });
    });
});
const origin = () => `http://127.0.0.1:${server.address().port}`;
server.listen(Number(PORT), "127.0.0.1", () => console.log(`interview ${origin()}/`));
