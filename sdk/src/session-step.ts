/* session-step.ts — the session as a pure function: what was, and what happens, give what is, and what is to be done. No clock,
 * no dice, no socket; the driver has those. Nothing here waits: a moment that matters is in the state, nextMs() says which
 * comes first, and a tick that comes late (a tab that slept) does what is due by then.
 *
 * A turn is a copy of the state that one event is worked into, with what is to be done; the state that came in stays as it is. */
import { delayMs, RECONNECT, RETRY } from "./backoff.js";
import { CLOSE_REFRESH, CLOSE_STOP, RPC_INVALID_PARAMS, RPC_UNAUTHENTICATED, RPC_VALIDATION_FAILED } from "./codes.js";
import type { ErrorCode } from "./errors.js";
import { momentOf, offsetAfter } from "./server-clock.js";
import type { Effect, Errand, ErrandKind, SessionEvent, SessionState, Slots, WarningReason } from "./session-state.js";

const OPEN_MS = 10_000; // for a socket to open, and for the answer to connect
const LEAD_MS = 30_000; // a fresh credential is fetched so long before the end, or at half of a shorter life
const SILENCE_MS = 30_000; // the server pings each 10 s by default: after three that did not come somebody asks
const PROBE_MS = 5_000; // how long the answer to that may take
const LASTING_MS = 5_000; // a session that lasted so long makes up for earlier losses
const REFRESH_GAP_MS = 1_000; // between two credentials at least, however short they live
const TRIES = 5;

type Of<Is extends SessionEvent["is"]> = Extract<SessionEvent, { is: Is }>;
type Turn = { -readonly [Member in keyof SessionState]: SessionState[Member] } & { readonly todo: Effect[]; readonly atMs: number; readonly dice: number | undefined };

/** The session after an event, and what is to be done, in this order. */
export function step(state: SessionState, event: SessionEvent): [SessionState, Effect[]]
{
    const turn: Turn = { ...state, todo: [], atMs: event.atMs, dice: event.dice };
    work(turn, event);
    const { todo, atMs, dice, ...now } = turn;
    return [now, todo];
}

/** The moment at which a tick is due; undefined if none is. */
export function nextMs(s: SessionState): number | undefined
{
    const next = Math.min(...[s.errand?.dueMs, s.dueMs, refreshMoment(s), isQuiet(s) ? s.heardMs + SILENCE_MS : undefined].map((moment) => moment ?? Infinity));
    return next < Infinity ? next : undefined;
}

function work(t: Turn, event: SessionEvent): void
{
    if ("socket" in event && !(hasSocket(t) && event.socket === t.socket)) return; // an older socket's
    if ("id" in event && event.id !== t.errand?.id) return; // an older errand's
    switch (event.is) {
    case "connect": return connect(t);
    case "disconnect": return drop(t, "idle");
    case "wake": if (isQuiet(t)) probe(t); return tick(t);
    case "tick": return tick(t);
    case "network": return network(t, event.isThere);
    case "fetched": return fetched(t, event);
    case "failed": return failed(t, event);
    case "opened": return opened(t);
    case "closed": return closed(t, event);
    case "welcome": return welcome(t, event);
    case "refused": return refused(t, event.code);
    case "state": t.resume = t.resume && event.state ? { ...t.resume, state: event.state } : undefined; return;
    case "heard": return heard(t, event.serverMs);
    case "renewed": t.errand = undefined; t.isFresh = false; return plan(t, event);
    case "register": want(t, event); if (t.phase === "live") t.todo.push({ do: "register", isOnline: event.isOnline }); return;
    case "registered": want(t, event); t.isOnline = event.isOnline;
    }
}

// ---- credentials ----

function fetch(t: Turn, kind: ErrandKind, tries = 0): void
{
    const id = ++t.errands;
    t.errand = { kind, id, tries };
    t.todo.push({ do: "fetch", kind, id });
}

/** How a fresh credential could be had now. */
function freshKind(t: Turn): ErrandKind | undefined
{
    const again = t.setup.canAuthenticate ? "authenticate" : undefined;
    if (!t.token) return again;
    if (t.mechanism === "refresh") return "refresh";
    return t.mechanism === "bound" ? (hasEnded(t) ? again : "rebind") : undefined;
}

function hasEnded(t: Turn): boolean
{
    return (momentOf(t.offset, t.endsMs) ?? Infinity) <= t.atMs;
}

function fetched(t: Turn, { token, endsMs, hasExpiry }: Of<"fetched">): void
{
    const isFirst = t.errand?.kind === "authenticate";
    t.token = token;
    t.endsMs = endsMs;
    t.isFresh = true;
    t.needsFresh = false;
    if (isFirst) t.mechanism = undefined;
    if (isFirst || t.errand?.kind === "refresh") t.hasExpiry = hasExpiry;
    if (t.phase === "live") return renew(t);
    t.errand = undefined;
    if (t.phase === "fetching") open(t);
}

function renew(t: Turn): void
{
    t.errand = { kind: "refresh", tries: 0, ...t.errand, id: t.errand?.id ?? ++t.errands, isRenewing: true };
    t.refreshAtMs = undefined;
    t.todo.push({ do: "renew", id: t.errand.id });
}

function failed(t: Turn, { code, isFinal }: Of<"failed">): void
{
    const { kind, tries: before, id } = t.errand as Errand; // nobody else's failure is heard
    const isFirst = kind === "authenticate" && !t.wasLive; // a page that cannot sign in wants to know at once
    const tries = before + (t.isOffline ? 0 : 1);
    if (t.isOffline || (!isFinal && !isFirst && tries < TRIES)) {
        t.errand = { kind, id, tries, dueMs: t.atMs + delayMs(RETRY, t.isOffline ? 5 : before, t.dice) };
        return;
    }
    t.errand = t.refreshAtMs = undefined;
    if (isFirst) return end(t, code);
    if (kind === "bind") return unbound(t, code);
    if (t.phase !== "fetching") fail(t, "refresh_failed");
    else if (kind === "rebind" && t.setup.canAuthenticate) fetch(t, "authenticate");
    else end(t, "credential_expired");
}

/** No bound credential can be had: the page's own refresh() takes over, if there is one. */
function unbound(t: Turn, code: ErrorCode): void
{
    if (canRefresh(t)) fallBack(t, code === "timeout" ? "activation-timeout" : "endpoint-failed");
    else {
        t.mechanism = "none";
        fail(t, "binding_failed");
    }
    if (t.phase === "fetching") begin(t);
}

function canRefresh(t: Turn): boolean { return t.setup.canRefresh && !!t.hasExpiry; }

function fallBack(t: Turn, reason: WarningReason): void
{
    t.todo.push({ do: "warn", reason });
    t.mechanism = "refresh";
    plan(t);
}

/** Exactly one mechanism keeps a session: its key before the page's refresh(). */
function choose(t: Turn, scope: readonly string[]): void
{
    const isScoped = scope.includes("sat:refresh");
    t.mechanism = "none";
    if (isScoped && t.setup.canBind) {
        t.mechanism = "bound";
        fetch(t, "bind");
    } else if (canRefresh(t)) fallBack(t, isScoped ? "no-dpop-support" : "no-scope");
    else if (t.hasExpiry) t.todo.push({ do: "warn", reason: "no-refresh-handler" });
}

/** Says when the next credential is fetched: in the slot that the server gave, or ahead of the end, once it is known what time it is there. */
function plan(t: Turn, slots?: Slots): void
{
    if (slots) {
        t.slotAtMs = slots.refreshInMs === undefined ? undefined : t.atMs + slots.refreshInMs;
        t.returnWithinMs = slots.returnWithinMs;
    }
    const { offset = 0 } = t, end = momentOf(t.offset, t.endsMs);
    const wished = t.slotAtMs ?? (end && end - Math.min(LEAD_MS, (end - t.atMs) / 2));
    if (wished === undefined || !(t.mechanism === "bound" || (t.mechanism === "refresh" && t.hasExpiry))) return;
    t.refreshAtMs = Math.round(Math.max(wished, t.atMs + REFRESH_GAP_MS) + offset);
}

/** Not without a session, but while it is away as well: it may be told to stay away for longer than its credential lives. */
function refreshMoment(s: SessionState): number | undefined
{
    return /^(live|waiting)$/.test(s.phase) && !s.errand ? momentOf(s.offset ?? 0, s.refreshAtMs) : undefined;
}

// ---- sockets ----

function hasSocket(s: SessionState): boolean { return /^(opening|connecting|live)$/.test(s.phase); }

function connect(t: Turn): void
{
    if (t.phase !== "idle" && t.phase !== "ended") return;
    if (t.setup.canAuthenticate) t.token = t.mechanism = undefined;
    t.needsFresh = t.wasLive = false;
    t.losses = 0;
    begin(t);
}

/** Goes on to a socket, by way of a fresh credential where one is needed. */
function begin(t: Turn): void
{
    const kind = freshKind(t);
    t.dueMs = undefined;
    if (t.token && !t.needsFresh && !(kind && hasEnded(t))) return open(t);
    t.phase = "fetching";
    if (t.errand) return;
    if (kind) fetch(t, kind);
    else end(t, t.token ? "credential_expired" : "credential_invalid");
}

function open(t: Turn): void
{
    t.phase = "opening";
    t.dueMs = t.atMs + OPEN_MS;
    t.todo.push({ do: "open", socket: ++t.socket });
}

function opened(t: Turn): void
{
    t.phase = "connecting";
    t.sentToken = t.token;
    t.dueMs = t.atMs + OPEN_MS;
    t.todo.push({ do: "connect", socket: t.socket, resume: t.resume?.state ? t.resume : undefined });
}

function welcome(t: Turn, { protocol, scope, endsMs, ...slots }: Of<"welcome">): void
{
    if (t.resume?.protocol !== protocol) {
        t.resume = { protocol, state: "" };
        t.isOnline = false;
    }
    t.phase = "live";
    t.wasLive = true;
    t.dueMs = t.refreshAtMs = undefined;
    t.sinceMs = t.heardMs = t.atMs;
    if (t.sentToken === t.token) {
        t.isFresh = false;
        t.endsMs = endsMs ?? t.endsMs;
    } else renew(t); // another was fetched since connect was sent
    plan(t, slots);
    if (!t.mechanism) choose(t, scope);
    if (t.wantsOnline && !t.isOnline) t.todo.push({ do: "register", isOnline: true });
}

function refused(t: Turn, code: number): void
{
    const isUnknown = code === RPC_UNAUTHENTICATED;
    if (isUnknown || code === RPC_VALIDATION_FAILED) {
        t.resume = undefined;
        t.isOnline = false;
    }
    if (code === RPC_INVALID_PARAMS) return end(t, "session_closed");
    if (isUnknown && (t.isFresh || !freshKind(t))) return end(t, "credential_refused");
    t.needsFresh ||= isUnknown;
    lost(t);
}

function closed(t: Turn, { code, slotMs }: Of<"closed">): void
{
    if (code === 1012) { // sessions end with their server
        t.resume = undefined;
        t.isOnline = false;
    }
    if (CLOSE_STOP.includes(code)) return end(t, code === 4403 ? "credential_revoked" : code === 4409 || code === 4410 ? "session_elsewhere" : "session_closed");
    if (CLOSE_REFRESH.includes(code)) {
        if (!freshKind(t)) return end(t, "credential_expired");
        t.needsFresh = !t.isFresh;
    }
    lost(t, slotMs ?? (code === 1006 ? drawn(t) : undefined)); // no close code of the server's: the connection broke
}

/** A session that broke off did so with a crowd of others: each draws its own time to come back, evenly from the server's window. */
function drawn(t: Turn): number | undefined
{
    return t.phase === "live" && !t.isOffline && t.returnWithinMs !== undefined ? t.returnWithinMs * (t.dice ?? 1) : undefined;
}

/** Comes back later: when the server says, or after a while that grows with each loss. */
function lost(t: Turn, slotMs?: number): void
{
    if (t.phase === "live" && t.atMs - t.sinceMs >= LASTING_MS) t.losses = 0;
    t.phase = "waiting";
    t.dueMs = t.atMs + (slotMs ?? delayMs(RECONNECT, t.isOffline ? 9 : t.losses, t.dice));
    t.losses++;
    t.isProbing = false;
    if (t.errand?.isRenewing) t.errand = undefined; // what it fetched goes out with the next connect
    t.todo.push({ do: "close" });
}

function drop(t: Turn, phase: "idle" | "ended"): void
{
    if (t.errand) t.todo.push({ do: "abort" });
    if (hasSocket(t)) t.todo.push({ do: "close" });
    t.phase = phase;
    t.errand = t.resume = t.dueMs = t.refreshAtMs = undefined;
    t.isProbing = t.isOnline = false;
}

function end(t: Turn, code: ErrorCode): void
{
    drop(t, "ended");
    fail(t, code);
}

function fail(t: Turn, code: ErrorCode): void { t.todo.push({ do: "fail", code }); }

// ---- time, and what comes and goes ----

/** What the client wants: of the session it has, and of later ones. */
function want(t: Turn, { isOnline, isQuiet }: Of<"register" | "registered">): void
{
    t.wantsOnline = isOnline;
    t.isQuiet = isQuiet;
}

function tick(t: Turn): void
{
    const isDue = (moment: number | undefined) => (moment ?? Infinity) <= t.atMs;
    if (t.errand && isDue(t.errand.dueMs)) fetch(t, t.errand.kind, t.errand.tries);
    if (isDue(t.dueMs)) return t.phase === "waiting" ? begin(t) : lost(t, drawn(t));
    if (isDue(refreshMoment(t))) {
        t.refreshAtMs = undefined;
        fetch(t, t.mechanism === "bound" ? "rebind" : "refresh");
    }
    if (isQuiet(t) && isDue(t.heardMs + SILENCE_MS)) probe(t);
}

/** Live, and nobody is asking whether the server is. */
function isQuiet(s: SessionState): boolean { return s.phase === "live" && !s.isProbing; }

function probe(t: Turn): void
{
    t.isProbing = true;
    t.dueMs = t.atMs + PROBE_MS;
    t.todo.push({ do: "probe" });
}

function heard(t: Turn, serverMs: number | undefined): void
{
    const isNew = t.offset === undefined;
    t.heardMs = t.atMs;
    if (t.isProbing) t.dueMs = undefined;
    t.isProbing = false;
    if (serverMs !== undefined) t.offset = offsetAfter(t.offset, serverMs, t.atMs);
    if (isNew && t.phase === "live" && !t.errand) plan(t);
}

function network(t: Turn, isThere: boolean): void
{
    t.isOffline = !isThere;
    if (!isThere) return;
    if (t.errand?.dueMs) fetch(t, t.errand.kind);
    if (t.phase === "waiting") {
        t.losses = 0;
        t.dueMs = t.atMs + delayMs(RECONNECT, 0, t.dice);
    }
    if (isQuiet(t)) probe(t);
}
