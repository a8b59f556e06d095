// picture.js — the live picture of the start page: what has passed the server, whoever asked, and the products beside it.
// Asks /dev/flow each second while the page can be seen; what it tells holds no credential.
import { $, copyButton, element } from "./dom.js";

const POLL_MS = 1000;
const NAMES_MAX = 500;
const STATIONS = ["secret", "ticket", "token", "session"];
const FORMATS = {
    signalwire: "by the call widget's format", dialogue: "by the interview's format", tortus: "by the embedded app's format",
    standard: "by plain OAuth",
};
const WHAT = {
    mint: "a token minted", mint_guest: "a guest's token minted", mint_invite: "an invite minted", mint_embed: "a button's token exchanged",
    refresh: "a token refreshed", bind: "a token bound to a browser's key", launch: "a launch token handed out",
    bootstrap: "a bootstrap token handed out", redeem: "a ticket redeemed for a token", visit: "a visitor's token minted",
    who: "asked who it is", addresses: "asked whom it can reach", study: "a study read", interview: "an interview's step",
    user: "a user looked after", users: "users listed", resource: "a resource looked after", resources: "resources listed",
    make_key: "a key made", revoke: "something revoked", introspect: "a token looked into", revocations: "revocations read",
    describe: "asked what there is", connect: "a session opened", resume: "a session resumed", register: "reachable for calls",
    unregister: "not reachable any more", dial: "a call dialled", reauthenticate: "a session goes on by a new token",
    left: "a socket closed", expired: "a session ended with its token", revoked: "a session revoked", socket: "a call on a socket",
};

const ENDS = ["left", "expired", "revoked", "unregister"]; // told of, and no light for them

const names = new Map(); // of users, by id: later happenings may tell the id alone
let seen = new Set();    // numbers of happenings
let node = null;         // which server told them: after a restart they begin anew
let told = null;         // the latest answer
let told_ms = 0;         // and when it came, by performance.now()
let whyId = "";          // of the last refusal
let refusalTold = 0;     // and its number
let whyLine = null;      // what explains it

const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function ago(at_ms)
{
    const seconds = Math.max(0, Math.round((told.now_ms + performance.now() - told_ms - at_ms) / 1000));
    const [n, unit] = seconds < 60 ? [seconds, "s"] : seconds < 3600 ? [Math.floor(seconds / 60), "min"] : [Math.floor(seconds / 3600), "h"];
    return `${n}\u00a0${unit}\u00a0ago`; // on one line
}

function remember({ user, who })
{
    if (!user || !who) return;
    names.delete(user);
    names.set(user, who);
    if (names.size > NAMES_MAX) names.delete(names.keys().next().value);
}

const whose = ({ user, who }) => who ?? names.get(user) ?? (user ? `user ${user.slice(0, 8)}` : "");
const byFormat = (happening) => FORMATS[happening.format] ?? "";
const sentence = (parts) => parts.filter(Boolean).join(", ");

function inWords(happening)
{
    const who = whose(happening), what = WHAT[happening.what] ?? happening.what;
    return `${who ? `${who}: ` : ""}${sentence([what, byFormat(happening), ago(happening.at_ms)])}`;
}

const shortly = (happening) => happening.slug
    ? sentence([`refused: ${happening.slug}`, ago(happening.at_ms)])
    : sentence([whose(happening) || (WHAT[happening.what] ?? happening.what), byFormat(happening), ago(happening.at_ms)]);

function shake(station)
{
    if (isCalm()) return;
    station.animate([0, -5, 5, -3, 3, 0].map((x) => ({ transform: `translateX(${x}px)` })), { duration: 400 });
}

function flash(station, order)
{
    if (isCalm()) return;
    station.querySelector("svg").animate([{ transform: "scale(1)" }, { transform: "scale(1.3)" }, { transform: "scale(1)" }],
        { duration: 500, delay: 150 * order });
}

function renderStation(name)
{
    const station = $(`flow-${name}`), { passed, refused } = told.stations[name];
    const latest = told.happenings.findLast((happening) => happening.stations.includes(name));
    station.querySelector(".passed").textContent = passed;
    station.querySelector(".refusals").textContent = refused ? `${refused} refused` : "";
    station.querySelector(".last").textContent = latest ? shortly(latest) : "";
    station.classList.toggle("on", passed > 0);
    station.classList.toggle("bad", Boolean(latest?.slug));
}

function renderNews()
{
    const latest = told.happenings.at(-1), refusal = told.last_refusal;
    if (latest) $("flow-latest").textContent = latest.slug ? `${inWords(latest)}: refused` : inWords(latest);
    if (!refusal) return;
    whyId = refusal.error_id ?? "";
    renderWhy();
    $("flow-refused-age").textContent = `, ${ago(refusal.at_ms)}`; // apart: what is said aloud is said once
    if (refusal.number === refusalTold) return;
    refusalTold = refusal.number;
    const who = whose(refusal), where = refusal.status ? `${refusal.status} at ${refusal.route}` : refusal.route;
    $("flow-refused").textContent = `${who ? `${who}: ` : ""}${sentence([refusal.slug, where, byFormat(refusal)])}`;
    $("flow-refusal").classList.remove("without");
}

// Each time anew: the page may have learned since how its commands begin.
function renderWhy()
{
    const code = $("flow-refusal").querySelector("code"), line = whyLine(whyId);
    if (code.textContent !== line) code.textContent = line;
}

function moveFor(fresh)
{
    for (const happening of fresh)
        happening.stations.forEach((name, i) => happening.slug ? shake($(`flow-${name}`))
            : ENDS.includes(happening.what) || flash($(`flow-${name}`), i));
}

function productCard({ name, what, url })
{
    const link = element("a", { href: url, target: "_blank", rel: "noopener", textContent: name });
    link.append(element("span", { className: "hidden", textContent: " (opens a new tab)" }));
    return element("li", {}, element("h3", {}, link), element("p", { textContent: what }));
}

let shownProducts = "[]";

function renderProducts()
{
    const text = JSON.stringify(told.products);
    if (text === shownProducts) return;
    shownProducts = text;
    const list = $("product-list"), phone = told.products.find(({ id }) => id === "call");
    list.replaceChildren(...(told.products.length ? told.products.map(productCard) : [noProducts]));
    $("phone").replaceChildren(...(phone
        ? ["To ring and to answer, open ", element("a", { href: phone.url, target: "_blank", rel: "noopener", textContent: phone.name }), "."]
        : noPhone));
}

const noProducts = document.querySelector("#product-list .none");
const noPhone = [...$("phone").childNodes];

function take(flow)
{
    const isSame = flow.node === node;
    const fresh = flow.happenings.filter(({ number }) => !isSame || !seen.has(number));
    if (!isSame) refusalTold = 0;
    told = flow;
    told_ms = performance.now();
    seen = new Set(flow.happenings.map(({ number }) => number));
    [...flow.happenings, flow.last_refusal ?? {}].forEach(remember);
    render();
    if (isSame) moveFor(fresh);
    node = flow.node;
    renderProducts();
}

function render()
{
    if (!told) return;
    STATIONS.forEach(renderStation);
    renderNews();
}

async function ask()
{
    const response = await fetch("/dev/flow", { credentials: "omit", cache: "no-store" });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return response.json();
}

/** onTold(flow, isNewServer) after each answer; commandOf(errorId) is the command that explains a refusal; onLost() once the
 *  server is gone, until it answers again. */
export function watch(onTold, commandOf, onLost)
{
    whyLine = commandOf;
    let isThere = true;
    const poll = async () => {
        try {
            const before = node, flow = document.hidden ? null : await ask();
            if (flow) {
                take(flow);
                onTold(flow, (before !== null && before !== flow.node) || !isThere);
                isThere = true;
            }
        } catch {
            if (isThere) onLost();
            isThere = false;
        }
        setTimeout(poll, POLL_MS);
    };
    document.addEventListener("visibilitychange", () => { if (!document.hidden) render(); });
    $("flow-refusal").querySelector(".why").append(copyButton("the command", () => whyLine(whyId)));
    poll();
}
