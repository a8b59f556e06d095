// softphone.js — the desk: sign in, and calls ring here. The session is kept in one of two ways, by the key of this browser or
// by our backend; which one, whoever signs in decides. Nothing here ever sees a refresh token.
import { CoatcheckClient } from "/coatcheck/index.js";
import { ask, post } from "./ask.js";
import { callCard } from "./call_card.js";
import { keypad } from "./keypad.js";
import { troubleOf } from "./words.js";

const OWN_COMPUTER = "call:own-computer", UNDISTURBED = "call:undisturbed";
const find = (id) => document.getElementById(id);
const card = callCard(find("call"), {
    idle: ["No call", "Calls ring here while you are available."],
    closed() { find("available").focus(); },
    freed: next,
    keypad,
});
let client, me, isUndisturbed; // as the server was told

// ---- who is here ----

const remembers = (name) => sessionStorage.getItem(name) === "yes";
const remember = (name, is) => sessionStorage.setItem(name, is ? "yes" : "no");

// What the package keeps of a session is kept under its user's name: whoever signs in next in this tab has a session of their own.
const storeOf = (user) => ({
    getItem: (name) => sessionStorage.getItem(`${user}:${name}`),
    setItem: (name, value) => sessionStorage.setItem(`${user}:${name}`, value),
    removeItem: (name) => sessionStorage.removeItem(`${user}:${name}`),
});

function provider(isOwnComputer)
{
    const asked = async (where, body) => {
        try {
            return await post(where, body);
        } catch (error) {
            if (error.status === 401 && card.isFree) showSignIn("You were signed out. Please sign in again."); // a call is not cut off for it
            throw error;
        }
    };
    return {
        authenticate: ({ fingerprint } = {}) => asked("/token", isOwnComputer ? { fingerprint } : {}),
        refresh: () => asked("/refresh", {}),
    };
}

function showSignIn(said = "")
{
    document.body.dataset.view = "sign-in";
    find("sign-in-said").textContent = said;
    void client?.destroy();
    client = undefined;
    find("user").focus();
}

async function start()
{
    try {
        me = await ask("GET", "/me");
    } catch {
        return showSignIn("Our server does not answer. Load this page again in a minute.");
    }
    find("user").replaceChildren(...Object.entries(me.team).map(([user, name]) => new Option(name, user)));
    if (me.user) open();
    else showSignIn();
}

find("sign-in").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
        await post("/sign-in", { user: find("user").value });
    } catch {
        return void (find("sign-in-said").textContent = "That did not work. Please try again in a minute.");
    }
    remember(OWN_COMPUTER, find("own-computer").checked);
    await start();
    find("available").focus();
});

find("sign-out").addEventListener("click", async () => {
    await client?.disconnect(); // hangs up
    await post("/sign-out").catch(() => {});
    showSignIn("You are signed out.");
});

// ---- the session ----

function open()
{
    const isOwn = remembers(OWN_COMPUTER), { user, name, server, team } = me;
    document.body.dataset.view = "desk";
    find("me").textContent = name;
    find("renewed").textContent = isOwn ? "by this browser's key" : "by our server";
    find("colleagues").replaceChildren(...Object.entries(team).filter(([other]) => other !== user).map(colleague));
    isUndisturbed = remembers(UNDISTURBED);
    client = new CoatcheckClient(provider(isOwn), { url: server, skipRegister: isUndisturbed, storageImplementation: storeOf(user) });
    if (isUndisturbed) void tellUndisturbed();
    client.ready$.subscribe(showState);
    client.isRegistered$.subscribe(showState);
    client.errors$.subscribe((error) => {
        if (error.code.startsWith("credential_")) showSignIn(troubleOf(error)); // nothing renews it but a sign-in
        else find("trouble").textContent = troubleOf(error);
    });
    client.warnings$.subscribe(({ code }) => { if (code === "credential_refresh_fallback") find("renewed").textContent = "by our server"; });
    client.session.incomingCalls$.subscribe(next);
}

function showState()
{
    if (!client) return;
    const state = !client.ready ? "connecting" : !client.isRegistered ? "away" : isUndisturbed ? "undisturbed" : "available";
    find("presence").dataset.state = state;
    find("presence").textContent = { available: "Available", undisturbed: "Do not disturb", away: "Not online yet", connecting: "Connecting…" }[state];
    find("available").setAttribute("aria-checked", String(!remembers(UNDISTURBED)));
    if (client.ready) find("trouble").textContent = "";
}

// Who is not to be disturbed is online all the same, and can call others.
async function tellUndisturbed()
{
    const one = client, doNotDisturb = remembers(UNDISTURBED);
    try {
        await one.register({ doNotDisturb });
        isUndisturbed = doNotDisturb;
        showState();
    } catch (error) {
        if (one === client) find("trouble").textContent = troubleOf(error);
    }
}

find("available").addEventListener("click", () => {
    remember(UNDISTURBED, !remembers(UNDISTURBED));
    find("available").setAttribute("aria-checked", String(!remembers(UNDISTURBED)));
    void tellUndisturbed();
});

// ---- calls ----

function callerOf({ from, fromName, to })
{
    const [, user] = from.match(/^\/private\/([^?]+)/) ?? [];
    if (Object.hasOwn(me.team, user ?? "")) return me.team[user];
    return to.startsWith("/public/") ? "A visitor of the shop" : fromName === "Guest" ? "Your guest" : fromName || "Somebody";
}

// The first call that rings has the card; the others wait in a line below it.
function next()
{
    const ringing = (client?.session.incomingCalls ?? []).filter((call) => !card.hasDeclined(call));
    if (card.isFree && ringing.length) card.rings(ringing[0], callerOf(ringing[0]));
    const waiting = ringing.filter((call) => call !== card.call);
    find("waiting").textContent = waiting.length ? `Also calling: ${waiting.map(callerOf).join(", ")}` : "";
    document.title = ringing.length ? `${callerOf(ringing[0])} is calling` : "Desk · Kestrel Cycles";
}

function colleague([user, name])
{
    const item = document.createElement("li"), button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = "Call";
    button.setAttribute("aria-label", `Call ${name}`);
    button.addEventListener("click", () => { if (card.isFree) void card.dials(name, (signal) => client.dial(`/private/${user}`, { signal })); });
    item.append(name, button);
    return item;
}

// A page that is left has hung up. (Its session stays for a while: a page that is loaded again comes back to it.)
addEventListener("pagehide", () => void card.call?.hangup().catch(() => {}));

// ---- invitations ----

// As one path of an SVG: no image to load, and sharp at any size.
async function showQr(text)
{
    if (!window.qrcode)
        await new Promise((resolve, reject) => {
            document.head.append(Object.assign(document.createElement("script"), { src: "/qrcode.js", onload: resolve, onerror: reject }));
        });
    const code = window.qrcode(0, "M");
    code.addData(text);
    code.make();
    const size = code.getModuleCount(), dark = [];
    for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (code.isDark(y, x)) dark.push(`M${x + 4} ${y + 4}h1v1h-1z`);
    find("qr").setAttribute("viewBox", `0 0 ${size + 8} ${size + 8}`);
    find("qr").querySelector("path").setAttribute("d", dark.join(""));
}

find("invite").addEventListener("click", async () => {
    const said = find("invite-said");
    said.textContent = "Making a link…";
    try {
        const { path, until } = await post("/invite");
        find("link").value = new URL(path, location.href).href;
        find("copy").disabled = false;
        said.textContent = `Good until ${new Date(until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}. Whoever has it can call you, and nobody else.`;
    } catch {
        said.textContent = "No link could be made. Please try again in a minute.";
        return;
    }
    await showQr(find("link").value).catch(() => { said.textContent += " (The code to scan is not installed; the link works.)"; });
});

find("copy").addEventListener("click", async () => {
    const copied = await navigator.clipboard.writeText(find("link").value).then(() => true, () => false);
    if (!copied) find("link").select();
    find("invite-said").textContent = copied ? "Copied." : "Press Ctrl+C to copy the link.";
});

void start();
