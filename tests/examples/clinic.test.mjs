// clinic.test.mjs — examples/clinic in Chromium: a practice's records with a note-taker in a frame, on an origin of its own. All of it
// for both backends, the one in Node and the one in C. What they refuse comes first, then what the pages must never do, then the
// whole way.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { startBrowser } from "../harness/browser.mjs";
import { advance } from "../harness/clock.mjs";
import { mintToken } from "../harness/http.mjs";
import { assertAxeClean, assertCalm, assertNotInPages, askRaw, Caller, startDoor, startProduct, startRefused, tabTo, visitProduct } from "../harness/products.mjs";
import { buildSdk } from "../harness/sdk_pages.mjs";
import { BINARY, REPOSITORY, startServer } from "../harness/server.mjs";
import { LIMIT_S, run, test } from "../harness/suite.mjs";
import { bootstrap, exchange, good, session } from "../harness/tickets.mjs";

const BACKENDS = {
    Node: [process.execPath, path.join(REPOSITORY, "examples/clinic/backend.mjs")],
    C: [process.env.COATCHECK_CLINIC ?? path.join(path.dirname(BINARY), "examples/clinic_backend")],
};
const TOKENS = ["launchToken", "accessToken"];
let server, door, browser, env;

async function start()
{
    buildSdk();
    server = await startServer();
    door = await startDoor(server.url);
    browser = await startBrowser([]);
    const { client_id, client_secret, publishable_key } = server.contract;
    env = { COATCHECK_URL: door.url, CLIENT_ID: client_id, CLIENT_SECRET: client_secret, PUBLISHABLE_KEY: publishable_key };
}

async function stop()
{
    await browser?.stop();
    await door?.stop();
    await server?.stop();
}

function testsOf(language, command)
{
    let product, frameOrigin;
    const named = (name, body) => test(`${language}: ${name}`, async () => {
        await door.open(); // whatever the one before left
        await body();
    }, { guard_s: 240 });

    // The note-taker's API, for whoever is no browser: at the address, since names of this machine may lead elsewhere.
    const api = () => new Caller(frameOrigin.replace("localhost", "127.0.0.1"));
    const bearer = (token) => ({ authorization: `Bearer ${token}` });

    async function clinician(name)
    {
        const caller = new Caller(product.origin);
        assert.equal((await caller.ask("POST", "/api/sign-in", { clinician: name })).status, 200);
        return caller;
    }

    async function sessionOf(caller)
    {
        const { status, json } = await caller.ask("POST", "/api/launch", {});
        assert.equal(status, 200);
        return good(exchange(server, json.launchToken));
    }

    async function visit(name, options = {})
    {
        const one = await visitProduct(browser, "about:blank", options);
        await one.page.context().clearCookies();
        await one.page.goto(`${product.origin}/`);
        await one.until(() => !document.getElementById("sign-in").hidden);
        if (!name) return one;
        await one.page.getByLabel("Clinician").selectOption(name);
        await Promise.all([one.page.waitForEvent("load"), press(one, "Sign in")]);
        return one;
    }

    const press = (one, name) => one.page.getByRole("button", { name, exact: true }).click();
    const opened = (one) => one.until(() => document.getElementById("notes-state").textContent.startsWith("What you file"));
    const frameOf = (one) => one.page.frames().find((frame) => frame.url().startsWith(frameOrigin));
    const inFrame = (one, condition, argument) => frameOf(one).waitForFunction(condition, argument, { timeout: LIMIT_S * 1000 });
    const shown = (one, id) => inFrame(one, (wanted) => !document.getElementById(wanted).hidden, id);
    const stateSays = (one, text) => one.until((wanted) => document.getElementById("notes-state").textContent.includes(wanted), text);
    const pressIn = (one, name) => frameOf(one).getByRole("button", { name }).click();

    async function welcomed(one, signature)
    {
        await shown(one, "welcome");
        await frameOf(one).fill("#signature", signature);
        await frameOf(one).check("#promise");
        await pressIn(one, "Begin");
        await shown(one, "note");
    }

    async function file(one, text)
    {
        await shown(one, "note");
        await frameOf(one).fill("#text", text);
        await pressIn(one, "File the note");
    }

    // The welcome is sent once in a user's life: whoever comes second has it behind them.
    async function atDesk(name, options)
    {
        const caller = await clinician(name), { accessToken } = await sessionOf(caller);
        await api().ask("POST", "/api/welcome", { signature: name }, bearer(accessToken));
        const one = await visit(name, options);
        await opened(one);
        return one;
    }

    const filed = (one) => one.run(() => [...document.querySelectorAll("#filed li:has(.when)")].map((entry) => entry.lastChild.textContent));

    // ---- refusals ----

    named("does not start without its settings, says which are missing, and starts with them", async () => {
        for (const missing of Object.keys(env)) {
            const { code, said } = await startRefused(command, { ...env, [missing]: "" });
            assert.equal(code, 2);
            assert.match(said, new RegExp(`needs ${missing} in its environment`));
            assert.ok(!said.includes(env.CLIENT_SECRET));
        }
        product = await startProduct("clinic", command, env);
        frameOrigin = new URL((await new Caller(product.origin).ask("GET", "/api/setup")).json.frameUrl).origin;
        assert.match(frameOrigin, /^http:\/\/localhost:\d+$/);
    });

    named("who is not signed in sees no patient and gets no token, whatever the request says", async () => {
        const stranger = new Caller(product.origin), forged = Buffer.from("osei").toString("base64url");
        for (const cookie of [undefined, "linden=osei", `linden=${forged}.9999999999.`, `linden=${forged}.9999999999.AAAA`, "linden=", "other=osei", `linden=${"0".repeat(32)}`]) {
            const headers = { ...(cookie && { cookie }), "x-demo-user": "osei", authorization: "Bearer osei" };
            for (const [method, pathname] of [["GET", "/api/patients"], ["POST", "/api/launch"], ["POST", "/api/launch?clinician=osei"]]) {
                const answer = await stranger.ask(method, pathname, method === "POST" ? { clinician: "osei", userId: "osei", externalUserId: "osei" } : undefined, headers);
                assert.deepEqual([answer.status, answer.json], [401, { error: "sign_in" }], pathname);
            }
            assert.equal((await stranger.ask("GET", "/api/setup", undefined, headers)).json.clinician, null);
        }
        for (const name of ["nobody", "__proto__", "", null, 7, ["osei"]]) assert.equal((await stranger.ask("POST", "/api/sign-in", { clinician: name })).status, 400);
        assert.equal((await stranger.ask("GET", "/api/launch")).status, 404, "nor by GET");
        assert.equal((await stranger.ask("GET", "/patients.json")).status, 404);
    });

    named("a cookie that was changed, or of somebody signed out, is nobody's", async () => {
        const osei = await clinician("osei");
        for (const cookie of [osei.cookie.slice(0, -2), `${osei.cookie}A`, osei.cookie.replace(/=.{4}/, "=AAAA")])
            assert.equal((await osei.ask("POST", "/api/launch", {}, { cookie })).status, 401);
        const { set } = await osei.ask("POST", "/api/sign-out", {});
        assert.equal(set, "linden=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
        assert.equal((await osei.ask("POST", "/api/launch", {})).status, 401);
    });

    named("one clinician cannot get another's token; each call gives a new one, of the same user", async () => {
        const osei = await clinician("osei"), fischer = await clinician("fischer");
        const { userId } = await sessionOf(osei);
        assert.equal((await sessionOf(osei)).userId, userId, "resumed");
        const users = new Set(), tokens = new Set();
        for (const body of [{}, { userId }, { externalUserId: "osei" }, { clinician: "osei" }, { userId, user_id: userId, userPayload: { email: "osei@linden.example" } }]) {
            const { json } = await fischer.ask("POST", "/api/launch?clinician=osei", body, { "x-demo-user": "osei" });
            assert.deepEqual(Object.keys(json), ["launchToken"]);
            tokens.add(json.launchToken);
            users.add((await good(exchange(server, json.launchToken))).userId);
        }
        assert.deepEqual([tokens.size, users.size, users.has(userId)], [5, 1, false]);
    });

    named("another site's page gets nothing with a clinician's cookie", async () => {
        const osei = await clinician("osei");
        for (const pathname of ["/api/launch", "/api/sign-in", "/api/sign-out"])
            for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { origin: "http://127.0.0.1:1" }, { origin: `${product.origin}.evil.example` }, { origin: frameOrigin }]) {
                const answer = await osei.ask("POST", pathname, {}, headers);
                assert.deepEqual([answer.status, answer.set, answer.headers.get("access-control-allow-origin")], [403, null, null], `${pathname} ${headers.origin}`);
            }
        assert.match((await new Caller(product.origin).ask("POST", "/api/sign-in", { clinician: "osei" })).set, /^linden=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=28800$/);
        const { accessToken } = await sessionOf(osei);
        assert.equal((await api().ask("POST", "/api/notes", { patient: "x", text: "x" }, { ...bearer(accessToken), origin: product.origin })).status, 403, "nor at the note-taker");
    });

    named("what is no JSON object, too much, or no path of theirs is refused, and both go on", async () => {
        const osei = await clinician("osei"), { accessToken } = await sessionOf(osei);
        for (const body of ["[]", "null", "1", "{", `{"a":"${"x".repeat(17_000)}"}`]) {
            assert.equal((await osei.ask("POST", "/api/sign-in", body)).status, 400, body.slice(0, 9));
            assert.equal((await api().ask("POST", "/api/notes", body, bearer(accessToken))).status, 400, body.slice(0, 9));
        }
        for (const caller of [osei, api()]) {
            for (const pathname of ["/backend.mjs", "/../backend.mjs", "/%2e%2e/backend.mjs", "/..%2fbackend.mjs", "/api/nothing", "/coatcheck/../package.json", "/coatcheck/%2e%2e/README.md",
                "/index.html%00", "//etc/passwd", "/coatcheck", "/site", `/${"x".repeat(600)}.js`]) assert.equal((await caller.ask("GET", pathname)).status, 404, pathname);
            for (const target of ["/../backend.mjs", "/../app/index.html", "/%2e%2e/app/index.html", "/coatcheck/../package.json"]) assert.deepEqual(await askRaw(caller.origin, target), [404, undefined], target);
            for (const method of ["PUT", "DELETE", "OPTIONS"]) assert.equal((await caller.ask(method, "/")).status, 404);
        }
    });

    named("what does not begin with a slash is no path, and names no file beside the folder", async () => {
        const beside = path.join(REPOSITORY, "examples/clinic", `site-${process.pid}.html`);
        fs.writeFileSync(beside, "beside");
        try {
            for (const target of [`-${process.pid}.html`, "?", "*", "index.html"]) {
                const [status] = await askRaw(product.origin, target);
                assert.ok([400, 404].includes(status), `${target} is answered with ${status}`);
            }
        } finally {
            fs.rmSync(beside);
        }
    });

    named("the note-taker hears of users by their access token alone", async () => {
        const osei = await clinician("osei"), { launchToken } = (await osei.ask("POST", "/api/launch", {})).json;
        const { sessionToken } = await good(session(server, (await good(bootstrap(server, {}))).bootstrapToken), 201);
        const { token } = await mintToken(server, { reference: "ada@example.com" }), { publishable_key, client_secret } = server.contract;
        const { accessToken } = await sessionOf(osei), [head, claims, signature] = accessToken.split(".");
        const headers = [{}, ...["", "x", launchToken, sessionToken, token, publishable_key, client_secret, `${head}.${claims}.`, `${head}.${claims}.${signature.slice(0, -4)}AAAA`, `${accessToken}&a=b`, `a b`, "x".repeat(9000)].map(bearer),
            { authorization: accessToken }, { authorization: `Basic ${accessToken}` }, { cookie: osei.cookie }, { cookie: `token=${accessToken}` }];
        for (const one of headers)
            for (const [method, pathname, body] of [["GET", "/api/desk"], ["POST", "/api/welcome", { signature: "x" }], ["POST", "/api/notes", { patient: "x", text: "x" }]]) {
                const { status, json } = await api().ask(method, pathname, body, one);
                assert.deepEqual([status, json], [401, { error: "launch_again" }], JSON.stringify(one).slice(0, 60));
            }
        assert.equal((await api().ask("GET", `/api/desk?access_token=${accessToken}`)).status, 401);
        assert.equal((await api().ask("GET", "/api/desk", undefined, bearer(accessToken))).status, 200);
        await advance(server, "61m");
        assert.equal((await api().ask("GET", "/api/desk", undefined, bearer(accessToken))).status, 401, "and only while it lives");
    });

    named("who is pending files nothing, wrong notes are refused, and nobody reads another's", async () => {
        const fresh = await good(exchange(server, (await good(launchOf())).launch_token)), other = await good(exchange(server, (await good(launchOf())).launch_token));
        const as = (who, method, pathname, body) => api().ask(method, pathname, body, bearer(who.accessToken));
        assert.deepEqual((await as(fresh, "GET", "/api/desk")).json, { signature: null, notes: [] });
        assert.deepEqual((await as(fresh, "POST", "/api/notes", { patient: "LS-1042", text: "x" })).json, { error: "welcome_first" });
        for (const signature of ["", "  ", "x".repeat(81), 7, null, undefined]) assert.equal((await as(fresh, "POST", "/api/welcome", { signature })).status, 400);
        assert.equal((await as(fresh, "POST", "/api/welcome", { signature: "ß".repeat(80) })).status, 200);
        for (const note of [{}, { patient: "LS-1042" }, { patient: "", text: "x" }, { patient: "x".repeat(41), text: "x" }, { patient: "LS-1042", text: " \n" }, { patient: "LS-1042", text: "x".repeat(8001) }, { patient: 7, text: "x" }])
            assert.deepEqual((await as(fresh, "POST", "/api/notes", note)).json, { error: "wrong_note" });
        const { status, json } = await as(fresh, "POST", "/api/notes", { patient: "LS-1042", text: "<b>&amp; “quoted”" });
        assert.deepEqual([status, json.text, Math.abs(json.at_s - Date.now() / 1000) < 3600], [200, "<b>&amp; “quoted”", true]);
        assert.deepEqual((await as(fresh, "GET", "/api/desk")).json.notes, [json]);
        assert.deepEqual((await as(other, "GET", "/api/desk")).json, { signature: null, notes: [] });
    });

    const launchOf = () => fetch(`${server.url}/v1/oauth/launch`, { method: "POST", body: "{}", headers: { "content-type": "application/json", authorization: `Basic ${Buffer.from(`${env.CLIENT_ID}:${env.CLIENT_SECRET}`).toString("base64")}` } })
        .then(async (answer) => ({ status: answer.status, text: "", json: await answer.json() }));

    named("every file comes with its policy: the record frames the note-taker alone, the note-taker is framed by the record alone", async () => {
        const directives = (headers) => Object.fromEntries(headers.get("content-security-policy").split("; ").map((one) => [one.split(" ")[0], one.split(" ").slice(1).join(" ")]));
        for (const [caller, files] of [[new Caller(product.origin), ["/", "/clinic.js", "/clinic.css", "/mark.svg", "/coatcheck/embed.js"]], [api(), ["/", "/sidenote.js", "/sidenote.css", "/mark.svg", "/coatcheck/frame.js"]]])
            for (const pathname of files) {
                const { status, headers, text } = await caller.ask("GET", pathname), policy = directives(headers);
                assert.equal(status, 200, pathname);
                assert.deepEqual([policy["default-src"], policy["script-src"], policy["style-src"], policy["base-uri"]], ["'none'", "'self'", "'self'", "'none'"]);
                if (caller.origin === product.origin) assert.deepEqual([policy["connect-src"], policy["frame-src"], policy["frame-ancestors"]], ["'self'", frameOrigin, "'none'"]);
                else assert.deepEqual([policy["connect-src"].split(" ").slice(0, 2), policy["frame-src"], policy["frame-ancestors"]], [["'self'", door.url], undefined, product.origin]);
                assert.deepEqual([headers.get("x-content-type-options"), headers.get("referrer-policy"), headers.get("cache-control")], ["nosniff", "no-referrer", "no-cache"]);
                assert.doesNotMatch(text, /\sstyle=|\son[a-z]+="|<style|<script(?! type="module" src=)|(?:src|href)="(?:https?:)?\/\/|\beval\(|new Function|innerHTML|insertAdjacent|document\.write/, pathname);
            }
        const osei = await clinician("osei");
        assert.equal((await osei.ask("POST", "/api/launch", {})).headers.get("cache-control"), "no-store");
    });

    named("the page says that the practice is made up", async () => {
        assert.match((await new Caller(product.origin).ask("GET", "/")).text, /<header[^]*made up, with its patients: it is an example of Coatcheck[^]*<\/header>/);
    });

    named("known by another name the record sends home, where its note-taker expects it", async () => {
        for (const host of [`localhost:${new URL(product.origin).port}`, "evil.example"]) {
            assert.deepEqual(await askRaw(product.origin, "/", host), [308, `${product.origin}/`]);
        }
    });

    // ---- what works ----

    named("a new clinician: pending, welcomed, a note filed in the record; another record; a reload, in which no token is left", async () => {
        const one = await visit("fischer");
        await opened(one);
        assert.deepEqual(one.asked(door.url), ["POST /v1/oauth/launch/exchange"]);
        await pressIn(one, "Begin");
        assert.equal(await frameOf(one).textContent("#welcome-wrong"), "How shall your notes be signed?");
        await frameOf(one).fill("#signature", "L. Fischer");
        await pressIn(one, "Begin");
        assert.match(await frameOf(one).textContent("#welcome-wrong"), /tell your patients/);
        await welcomed(one, "L. Fischer");
        assert.equal(await frameOf(one).textContent("#patient"), "Rosa Lindqvist");
        await pressIn(one, "File the note");
        assert.match(await frameOf(one).textContent("#note-wrong"), /nothing to file/);
        await file(one, "132 over 80 <b>sitting</b>");
        await stateSays(one, "Filed in the record of Rosa Lindqvist.");
        assert.deepEqual(await filed(one), ["132 over 80 <b>sitting</b>"], "as text");

        await frameOf(one).fill("#text", "unfinished");
        await one.page.getByRole("button", { name: /^Tom Adeyemi/ }).click();
        await inFrame(one, () => document.getElementById("patient").textContent === "Tom Adeyemi");
        assert.deepEqual([await filed(one), await frameOf(one).inputValue("#text")], [[], ""], "nothing of one record is in another");
        await one.page.getByRole("button", { name: /^Rosa Lindqvist/ }).click();
        await inFrame(one, () => document.getElementById("text").value === "unfinished");
        await one.until(() => document.querySelectorAll("#filed .when").length === 1);

        const before = await one.given(TOKENS);
        await one.page.reload();
        await opened(one);
        await assertNotInPages(one.page, before);
        await shown(one, "note");
        await one.until(() => document.querySelectorAll("#filed .when").length === 1);
        const users = await one.given(["userId"], door.url), tokens = await one.given(TOKENS);
        assert.deepEqual([users.length, new Set(users).size, tokens.length, new Set(tokens).size], [2, 1, 4, 4], "other tokens, the same user");
        assert.deepEqual(one.problems, []);
        await assertCalm(one.page, "new clinician");
        await one.end();
    });

    named("tokens are in memory and in messages and nowhere else; secrets, cookies and records do not leave their origin", async () => {
        const one = await atDesk("osei");
        await file(one, "a note");
        await stateSays(one, "Filed in");
        const tokens = await one.given(TOKENS), [launchToken] = await one.given(["launchToken"]), [accessToken] = await one.given(["accessToken"]);
        assert.equal(tokens.length, 2);
        await assertNotInPages(one.page, tokens);
        const { client_id, client_secret, secret_key, api_token } = server.contract, basic = Buffer.from(`${client_id}:${client_secret}`).toString("base64");
        for (const { url, headers, body } of one.requests.filter(({ url: to }) => to !== "about:blank")) {
            const { origin, pathname } = new URL(url), passed = JSON.stringify([url, headers, body]);
            assert.ok([product.origin, frameOrigin, door.url].includes(origin), `nobody else is asked: ${url}`);
            for (const secret of [client_id, client_secret, secret_key, api_token, basic]) assert.ok(!passed.includes(secret), url);
            assert.equal(passed.includes(launchToken), origin === door.url && body !== "" , `the launch token, in ${url}`);
            assert.ok(!url.includes(accessToken) && !body.includes(accessToken));
            assert.equal(passed.includes(accessToken), origin === frameOrigin && /^\/api\/(desk|notes)$/.test(pathname), `the access token, in ${url}`);
            if (origin !== product.origin) assert.ok(!headers.cookie && !/LS-2207|Adeyemi|Ramipril/.test(passed), `${url}: no cookie, no record`);
            if (pathname === "/" && origin === frameOrigin) assert.equal(headers.referer, undefined);
        }
        for (const { url, text } of one.answers) for (const secret of [client_secret, secret_key, api_token, basic]) assert.ok(!text.includes(secret), url);
        const iframe = await one.run(() => Object.fromEntries([...document.querySelector("iframe").attributes].filter(({ name }) => name !== "style").map(({ name, value }) => [name, value])));
        assert.deepEqual(iframe, { sandbox: "allow-scripts allow-same-origin allow-forms", referrerpolicy: "no-referrer", allow: "", title: "Sidenote, your notes", src: `${frameOrigin}/` });
        const cookies = await one.page.context().cookies();
        assert.deepEqual(cookies.map(({ name, domain, httpOnly, sameSite }) => [name, domain, httpOnly, sameSite]), [["linden", "127.0.0.1", true, "Lax"]]);
        assert.ok(![client_secret, ...tokens].some((secret) => product.said.join("\n").includes(secret)));
        await one.end();
    });

    named("a session that is over is launched again, and what was written goes through; who is signed out is told so", async () => {
        const one = await atDesk("osei"), before = (await filed(one)).length;
        await advance(server, "61m");
        await file(one, "an hour later");
        await one.until((count) => document.querySelectorAll("#filed .when").length === count, before + 1);
        assert.equal(new Set(await one.given(["userId"], door.url)).size, 1);
        await one.page.context().clearCookies();
        await advance(server, "61m");
        await file(one, "signed out");
        await stateSays(one, "You are signed out");
        await inFrame(one, () => /still signed in/.test(document.getElementById("note-wrong").textContent));
        assert.equal(await frameOf(one).inputValue("#text"), "signed out", "nothing is lost");
        await one.end();
    });

    named("a server that is away for a while: the record is whole without it, nothing that was written is lost, tried again it goes on", async () => {
        const caller = await clinician("fischer"), { accessToken } = await sessionOf(caller);
        await api().ask("POST", "/api/welcome", { signature: "L. Fischer" }, bearer(accessToken));
        await door.shut();
        const one = await visit("fischer");
        await stateSays(one, "could not be opened");
        assert.match(await one.page.innerText(".record"), /Penicillin/);
        await press(one, "Open the note-taker again");
        await stateSays(one, "could not be opened");
        await door.open();
        await press(one, "Open the note-taker again");
        await opened(one);
        await door.shut();
        await file(one, "still here");
        await inFrame(one, () => /No answer just now/.test(document.getElementById("note-wrong").textContent));
        assert.equal(await frameOf(one).inputValue("#text"), "still here");
        await door.open();
        await pressIn(one, "File the note");
        await stateSays(one, "Filed in");
        assert.ok((await filed(one)).includes("still here"));
        await one.end();
    });

    named("by keyboard alone, from the sign-in to a filed note in another record", async () => {
        const one = await visit(), { page } = one, main = page.mainFrame();
        await tabTo(page, main, "a.skip");
        await tabTo(page, main, "#who");
        await page.keyboard.type("Dr Amara");
        await tabTo(page, main, "#sign-in button");
        await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
        await opened(one);
        await tabTo(page, main, "#patients li:nth-child(3) button");
        await page.keyboard.press("Enter");
        assert.equal(await one.run(() => document.activeElement.id), "name", "the record that was opened has the focus");
        await inFrame(one, () => document.getElementById("patient").textContent === "Ines Marquez");
        await tabTo(page, frameOf(one), "#text");
        await page.keyboard.type("Spacer used well.");
        await tabTo(page, frameOf(one), "#note button");
        await page.keyboard.press("Enter");
        await stateSays(one, "Filed in the record of Ines Marquez.");
        assert.equal(await frameOf(one).evaluate(() => document.activeElement.id), "text", "the focus is where one writes");
        await one.end();
    });

    for (const scheme of ["light", "dark"])
        named(`axe-core finds nothing in the record and in its frame, ${scheme}, and nothing moves or scrolls sideways from 320 to 1440 px`, async () => {
            const own = await startProduct("clinic", command, env), was = [product, frameOrigin]; // where everybody is new
            [product, frameOrigin] = [own, new URL((await new Caller(own.origin).ask("GET", "/api/setup")).json.frameUrl).origin];
            try {
                for (const [width, name] of [[1280, "osei"], [390, "fischer"]]) {
                    const one = await visit(undefined, { scheme, width }), clean = (what) => assertAxeClean(one.page, `${what}, ${scheme}, ${width}`);
                    await clean("sign-in");
                    await one.end();
                    const two = await visit(name, { scheme, width });
                    const cleanTwo = (what) => assertAxeClean(two.page, `${what}, ${scheme}, ${width}`);
                    await opened(two);
                    await pressIn(two, "Begin");
                    await cleanTwo("welcome");
                    await welcomed(two, name);
                    await file(two, "a note");
                    await stateSays(two, "Filed in");
                    await cleanTwo("desk");
                    await pressIn(two, "File the note");
                    await cleanTwo("wrong");
                    await assertCalm(two.page, `${scheme} ${width}`);
                    await door.shut();
                    await two.page.reload();
                    await stateSays(two, "could not be opened");
                    await cleanTwo("closed");
                    await assertCalm(two.page, `closed, ${scheme} ${width}`);
                    await door.open();
                    await two.end();
                }
                for (const width of [320, 768, 1080, 1440]) {
                    const one = await visit("osei", { scheme, width, reducedMotion: "reduce" });
                    await opened(one);
                    await assertCalm(one.page, `${scheme} ${width}`);
                    await one.end();
                }
            } finally {
                [product, frameOrigin] = was;
                await own.stop();
            }
        });

    named("ends when it is told to, and has said no secret", async () => {
        const { code, signal } = await product.stop();
        assert.deepEqual([code, signal], language === "C" ? [0, null] : [null, "SIGTERM"]);
        assert.ok(!product.said.join("\n").includes(env.CLIENT_SECRET));
    });
}

for (const [language, command] of Object.entries(BACKENDS)) testsOf(language, command);
await run({ before: start, after: stop });
