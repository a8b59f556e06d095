// dev.js — the start page of `coatcheck dev`: shows the test project's credentials and walks through secret, token, session.
// It talks to its own origin alone and keeps everything in memory. The live picture is picture.js.
import { chosenStep, prepareAgeing, showAgeing } from "./ageing.js";
import { $, commandLine, copy, copyButton, element, enable, isEnabled, quoted, say, spell } from "./dom.js";
import { watch } from "./picture.js";

// The dialect that this page speaks; its names occur nowhere else.
const DIALECT = {
    mintPath: "/api/fabric/subscribers/tokens",
    connect: "signalwire.connect",
    ping: "signalwire.ping",
    event: "signalwire.event",
    register: "subscriber.online",
    unregister: "subscriber.offline",
    connectParams: (token) => ({
        version: { major: 4, minor: 0, revision: 0 }, event_acks: true, authentication: { jwt_token: token },
        agent: "coatcheck-dev-page", contexts: [], eventing: [], topics: [],
    }),
    subscriberOf: (result) => result.authorization.fabric_subscriber,
};

const REPLY_WAIT_MS = 10_000;
const CONNECT_REFUSED = {
    [-32002]: "The token is not good any more: expired, revoked, or signed by another server. Mint a new one.",
    [-32003]: "The session could not be resumed. Open a new one.",
};
const CLOSED = {
    1000: "Disconnected. Open a session again whenever you like.",
    1001: "The server went away. Start coatcheck dev again, then open a session.",
    1006: "The connection was lost, or could not be made. Is coatcheck dev still running?",
    1012: "The server is restarting. Wait a moment, then open a session.",
    1013: "The server is overloaded. Wait a moment, then open a session.",
    4401: "The token's life is over, so the server closed the session. Mint a new token, then open a session.",
    4403: "The token was revoked, so the server closed the session. Mint a new token.",
    4408: "The server heard no token in time. Open a session again.",
    4409: "This session lives on in another tab.",
    4429: "Too many connections from this address. Wait a moment, then open a session.",
};
const CLAIMS = {
    alg: "signature algorithm", typ: "kind of token", kid: "key that signed it", ch: "host the client connects to",
    iss: "issuer", aud: "audience", sub: "the user", iat: "issued", exp: "expires", jti: "this token's id", prj: "project",
    kind: "whom it speaks for", scope: "extra rights", gt: "grant stamp, for revocation", fam: "family, revoked as one",
    par: "key that minted it", cnf: "bound to this key", adr: "addresses", res: "resource", age: "test clock",
};

const project = {};       // the credentials, once they came
const shown = new Set();  // names of the secrets to be shown
let clock = null;         // the server's time at a moment of ours
let minted = null;        // { token, claims }
let session = null;       // the live Session
let hadSession = false;   // whether one has been live and is over
let isExpired = false;
let asked = null;         // the mint that the request box shows
let age_ms = 0;           // how much older the test project was made

// --- time: the countdown follows the server's clock, whatever this machine's says

function readClock(response)
{
    const date_ms = Date.parse(response.headers.get("Date"));
    if (!Number.isNaN(date_ms)) clock = { date_ms, at_ms: performance.now() };
}

const timeOf = (ms) => new Date(ms).toLocaleTimeString([], { hour12: false });
function serverNow_ms() { return clock ? clock.date_ms + performance.now() - clock.at_ms : Date.now(); }

// What the project has aged since a token's mint has gone off its life.
const left_s = ({ exp, age = 0 }) => Math.max(0, Math.ceil(exp - (serverNow_ms() + Math.max(0, age_ms - age)) / 1000));

function tick()
{
    showSessionState();
    showAgeing({ token: minted && left_s(minted.claims), session: session?.ends ? left_s(session.ends) : hadSession ? 0 : null, project: age_ms / 1000 });
    if (!minted) return;
    const { iat, exp } = minted.claims, left = left_s(minted.claims);
    $("life-left").textContent = left ? `${spell(left)} left` : "expired";
    $("life-bar").style.transform = `scaleX(${Math.min(1, left / (exp - iat))})`;
    if (left || isExpired) return;
    isExpired = true;
    say("mint-status", "This token has expired. Mint a new one.");
}

// --- credentials and shell lines

function mask(value) { return `${value.match(/^(?:[a-z0-9]+_(?:test_|live_)?|PT)/)?.[0] ?? ""}${"•".repeat(16)}`; }

function prepareCredential(row)
{
    const { name, secret } = row.dataset;
    const what = row.querySelector("dt").textContent;
    const buttons = element("span", { className: "keys" });
    if (secret !== undefined) {
        const reveal = element("button", { type: "button", textContent: "Show", ariaLabel: `Show ${what}` });
        reveal.addEventListener("click", () => {
            if (!shown.delete(name)) shown.add(name);
            reveal.textContent = shown.has(name) ? "Hide" : "Show";
            reveal.ariaLabel = `${reveal.textContent} ${what}`;
            renderProject();
        });
        buttons.append(reveal);
    }
    buttons.append(copyButton(what, () => project[name]));
    row.querySelector("dd").append(buttons);
}

const secrets = new Set([...document.querySelectorAll("[data-secret]")].map((row) => row.dataset.name));
const visible = (name) => secrets.has(name) && !shown.has(name) ? mask(project[name]) : project[name];
const filled = (template, value) => template.replace(/\{([a-z0-9_]+)\}/g, (_, name) => value(name));
const shellLines = [...document.querySelectorAll("#shell pre code")].map((code) => ({ code, template: code.textContent }));

function renderProject()
{
    for (const row of document.querySelectorAll("[data-name]")) {
        const { name, without } = row.dataset, hasValue = typeof project[name] === "string";
        row.querySelector("code").textContent = hasValue ? visible(name) : without ?? "none";
        row.classList.toggle("without", !hasValue);
    }
    for (const { code, template } of shellLines) code.textContent = filled(template, visible);
    if (asked) renderRequest(asked);
}

const ageLine = () => commandLine(project, "clock", "advance", chosenStep(), "--project", project.project_id);

function renderAgeLine()
{
    if (project.project_id) $("age-line").textContent = ageLine();
}

async function loadProject()
{
    try {
        const response = await fetch("/dev/project.json", { credentials: "omit", cache: "no-store" });
        if (!response.ok) throw new Error(`it answered ${response.status}`);
        readClock(response);
        Object.assign(project, await response.json());
        renderProject();
        renderRequest();
        renderAgeLine();
        document.body.classList.add("ready");
        $("banner").hidden = true;
    } catch (error) {
        warn(`The test project could not be read (${error.message}). Start coatcheck dev again and reload this page.`);
    }
}

function warn(text)
{
    $("banner").textContent = text;
    $("banner").hidden = false;
}

// --- step 1: the token

function whyNotMinted(status, body)
{
    const errors = Array.isArray(body?.errors) ? body.errors : [];
    if (errors.length) return `${errors.map((error) => error.message).join("; ")}. Correct it and mint again.`;
    if (status === 401) return "The server refused the API token. The project may have been made anew: reload this page.";
    if (status === 429) return "Too many requests. Wait a moment and mint again.";
    if (status >= 500) return `The server could not answer (${status}). Its log says why; try again.`;
    return `The server refused the request (${status}). Reload this page and try again.`;
}

const OPTIONAL = ["display_name", "first_name", "last_name", "job_title", "company_name"];

function askFor(fields)
{
    const ask = { reference: fields.get("reference").trim(), expire_at: Math.floor(serverNow_ms() / 1000) + Number(fields.get("life")) };
    for (const name of OPTIONAL)
        if (fields.get(name).trim()) ask[name] = fields.get(name).trim();
    return ask;
}

const requestLine = (ask, value) => `curl -s ${value("url")}${DIALECT.mintPath} \\\n  -u ${value("project_id")}:${value("api_token")} \\\n`
    + `  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(ask))}`;

function renderRequest(ask = askFor(new FormData($("mint"))))
{
    asked = ask;
    if (project.api_token) $("request").firstChild.textContent = requestLine(ask, visible);
}

const pretty = (body, text) => body === null ? text : JSON.stringify(body, null, 2);

async function requestToken(ask)
{
    const response = await fetch(DIALECT.mintPath, {
        method: "POST", credentials: "omit", body: JSON.stringify(ask),
        headers: { "Content-Type": "application/json", Authorization: `Basic ${btoa(`${project.project_id}:${project.api_token}`)}` },
    });
    readClock(response);
    const text = await response.text();
    let body = null;
    try { body = JSON.parse(text); } catch { /* shown as it is */ }
    const errorId = response.headers.get("Coatcheck-Error-Id");
    $("answer").firstChild.textContent = `${response.status} ${response.statusText}\n${errorId ? `Coatcheck-Error-Id: ${errorId}\n` : ""}\n${pretty(body, text)}`;
    if (response.ok && body?.token) return body.token;
    const isReference = body?.errors?.some?.((error) => error.attribute === "reference") ?? false;
    throw Object.assign(new Error(whyNotMinted(response.status, body)), { isOurs: true, isReference });
}

function decode(part)
{
    const binary = atob(part.replace(/-/g, "+").replace(/_/g, "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
}

function renderClaims(list, claims)
{
    list.replaceChildren(...Object.entries(claims).map(([name, value]) => {
        const isTime = name === "iat" || name === "exp";
        const meaning = isTime ? `${CLAIMS[name]} ${timeOf(value * 1000)}` : CLAIMS[name] ?? "";
        const text = typeof value === "string" ? value : JSON.stringify(value);
        return element("div", {}, element("dt", { textContent: name }),
            element("dd", {}, element("code", { textContent: text }), element("small", { textContent: meaning })));
    }));
}

function showToken(token)
{
    const parts = token.split("."), names = ["part-header", "part-claims", "part-signature"];
    minted = { token, claims: decode(parts[1]) };
    isExpired = false;
    $("token").replaceChildren(...parts.flatMap((part, i) =>
        [i ? "." : "", element("span", { className: names[i], textContent: part })]));
    renderClaims($("header"), decode(parts[0]));
    renderClaims($("claims"), minted.claims);
    enable($("copy-token"), true);
    enable($("open"), !session);
    tick();
}

async function mint(event)
{
    event.preventDefault();
    if (!project.api_token) return say("mint-status", "The credentials are not there yet. Reload this page.", "bad");
    $("reference").removeAttribute("aria-invalid");
    try {
        const ask = askFor(new FormData($("mint")));
        renderRequest(ask);
        showToken(await requestToken(ask));
        say("mint-status", "Minted. Take it to step 2.", "good");
    } catch (error) {
        say("mint-status", error.isOurs ? error.message : "The server does not answer. Start coatcheck dev again and reload this page.", "bad");
        if (!error.isReference) return;
        $("reference").setAttribute("aria-invalid", "true");
        $("reference").focus();
    }
}

// --- steps 2 and 3: the session

class Session {
    constructor(token)
    {
        this.waiting = new Map();
        this.socket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/`);
        this.socket.addEventListener("message", (event) => this.take(event.data));
        this.closed = new Promise((resolve) => this.socket.addEventListener("close", (event) => {
            for (const { reject } of this.waiting.values()) reject(new Error(CLOSED[event.code] ?? "The connection was closed."));
            resolve(event);
        }));
        this.opened = new Promise((resolve, reject) => {
            this.socket.addEventListener("open", () => this.request(DIALECT.connect, DIALECT.connectParams(token)).then(resolve, reject));
            this.closed.then((event) => reject(new Error(CLOSED[event.code] ?? `The connection was closed (${event.code}).`)));
        });
    }

    send(message, label)
    {
        this.socket.send(JSON.stringify(message));
        log("out", label, message);
    }

    request(method, params)
    {
        const id = crypto.randomUUID();
        return new Promise((resolve, reject) => {
            const alarm = setTimeout(() => {
                this.waiting.delete(id);
                reject(new Error("The server did not reply in time. Disconnect and open a session again."));
            }, REPLY_WAIT_MS);
            this.waiting.set(id, { method, resolve, reject, alarm });
            this.send({ jsonrpc: "2.0", id, method, params }, method);
        });
    }

    take(text)
    {
        const message = JSON.parse(text);
        if (message.method) this.answer(message);
        else this.settle(message);
    }

    answer(message)
    {
        const { id, method, params } = message;
        log("in", method === DIALECT.event ? params?.event_type : method, message);
        if (method === DIALECT.ping) this.send({ jsonrpc: "2.0", id, result: { timestamp: Date.now() / 1000 } }, "pong");
        if (method === DIALECT.event) this.send({ jsonrpc: "2.0", id, result: {} }, "acknowledged");
    }

    settle(message)
    {
        const asked = this.waiting.get(message.id);
        log("in", `${message.error ? "error" : "result"} ${asked?.method ?? ""}`, message);
        if (!asked) return;
        clearTimeout(asked.alarm);
        this.waiting.delete(message.id);
        if (!message.error) return asked.resolve(message.result);
        const { code, message: text } = message.error;
        asked.reject(new Error(CONNECT_REFUSED[code] ?? `The server refused: ${text} (${code}). Disconnect and open a session again.`));
    }
}

// Tokens are shortened: a log is what people paste into reports.
const LONG_SECRETS = ["jwt_token", "authorization_state", "credential"];
const shorten = (key, value) => LONG_SECRETS.includes(key) && value.length > 16 ? `${value.slice(0, 12)}…` : value;

// Pings come for ever; their two lines are counted rather than repeated.
function log(direction, label, message)
{
    const list = $("log");
    const isPing = label === DIALECT.ping || label === "pong";
    const kept = isPing && [...list.children].slice(-2).find((line) => line.dataset.label === label);
    if (kept) {
        kept.dataset.count = Number(kept.dataset.count ?? 1) + 1;
        return void (kept.querySelector(".times").textContent = `×${kept.dataset.count}`);
    }
    const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    const line = element("details", { className: direction }, element("summary", {},
        element("time", { textContent: timeOf(Date.now()) }),
        element("span", { className: "hidden", textContent: { out: "sent ", in: "received " }[direction] ?? "" }),
        element("span", { className: "label", textContent: label }), element("span", { className: "times" })),
        element("pre", { textContent: JSON.stringify(message, shorten, 2) }));
    line.dataset.label = label;
    list.append(line);
    if (isAtEnd) list.scrollTop = list.scrollHeight;
}

function showSession(isLive, isRegistered)
{
    enable($("open"), !session && Boolean(minted));
    enable($("register"), isLive && !isRegistered);
    enable($("unregister"), isLive && isRegistered);
    enable($("disconnect"), Boolean(session));
    session && (session.isLive = isLive, session.isRegistered = isRegistered);
    tick();
}

function showSessionState()
{
    const left = session?.ends ? `, ${spell(left_s(session.ends))} left` : "";
    $("session-state").textContent = !session ? "closed" : !session.isLive ? "opening" : `${session.isRegistered ? "registered" : "live"}${left}`;
}

async function open()
{
    if (!minted) return say("open-status", "Mint a token first: step 1.");
    if (session) return say("open-status", "A session is open already. Disconnect it first.");
    const opening = session = new Session(minted.token), { age } = minted.claims;
    say("open-status", "Opening…");
    say("use-status", "");
    showSession(false, false);
    opening.closed.then((event) => ended(opening, event));
    try {
        const subscriber = DIALECT.subscriberOf(await opening.opened);
        opening.ends = { exp: subscriber.expires_at, age };
        say("open-status", "Live. It ends with the token, or when you disconnect.", "good");
        showSession(true, false);
    } catch (error) {
        opening.why = error.message;
        opening.socket.close(1000); // the server parks a refused socket; we have no use for it
    }
}

function ended(which, event)
{
    log("note", `closed ${event.code}`, { code: event.code, reason: event.reason });
    if (which !== session) return;
    hadSession ||= Boolean(session.ends);
    session = null;
    const isWanted = event.code === 1000 && !which.why;
    say("open-status", which.why ?? CLOSED[event.code] ?? `The server closed the session (${event.code}). Open it again.`, isWanted ? "" : "bad");
    say("use-status", "");
    showSession(false, false);
}

async function change(button, method, isRegistered, text)
{
    if (!session) return say("use-status", "Open a session first: step 2.");
    if (!isEnabled(button)) return say("use-status", isRegistered ? "It is registered already." : "It is not registered.");
    try {
        await session.request(method, {});
        say("use-status", text, "good");
        showSession(true, isRegistered);
    } catch (error) {
        say("use-status", error.message, "bad");
    }
}

// --- step 4: time

async function age(by_s)
{
    const response = await fetch("/dev/clock", {
        method: "POST", credentials: "omit", body: JSON.stringify({ by_s }), headers: { "Content-Type": "application/json" },
    });
    const body = await response.json().catch(() => null);
    if (!response.ok) throw Object.assign(new Error(`The server did not do it: ${body?.error ?? response.status}.`), { isOurs: true });
    age_ms = body.age_ms;
    tick();
    return age_ms / 1000;
}

// Told each second. A server that came back may have another project, and has forgotten our socket.
function told(flow, isBack)
{
    age_ms = flow.age_ms;
    if (isBack || !project.api_token) loadProject();
    else $("banner").hidden = true;
}

$("mint").addEventListener("submit", mint);
$("copy-token").addEventListener("click", (event) => { if (minted) copy(event.currentTarget, minted.token); });
$("open").addEventListener("click", open);
$("register").addEventListener("click", (event) => change(event.currentTarget, DIALECT.register, true, "Registered at the user's addresses."));
$("unregister").addEventListener("click", (event) => change(event.currentTarget, DIALECT.unregister, false, "Unregistered. The session stays open."));
$("disconnect").addEventListener("click", () => session ? session.socket.close(1000) : say("use-status", "There is no session to disconnect."));
$("clear").addEventListener("click", () => $("log").replaceChildren());
document.querySelectorAll("[data-name]").forEach(prepareCredential);
document.querySelectorAll("#shell figure").forEach((figure, i) =>
    figure.append(copyButton("this line", () => filled(shellLines[i].template, (name) => project[name]))));
document.querySelector("#request-title").parentElement.append(copyButton("the request", () => requestLine(asked, (name) => project[name])));
$("mint").addEventListener("input", () => renderRequest());
$("age-line").parentElement.append(copyButton("the command", ageLine));
prepareAgeing(age, () => {
    tick();
    renderAgeLine();
});
setInterval(tick, 1000);
loadProject();
watch(told, (errorId) => commandLine(project, "why", errorId), () => warn("The server does not answer. Start coatcheck dev again: this page then goes on by itself."));
