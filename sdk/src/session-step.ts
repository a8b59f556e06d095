/* session-step.ts — the session as a pure function: what was, and what happens, give what is, and what is to be done. No clock,
 * no dice, no socket; the driver has those. Nothing here waits: a moment that matters is in the state, nextMs() says which
 * comes first, and a tick that comes late (a tab that slept) does what is due by then. */
import { delayMs, RECONNECT, RETRY } from "./backoff.js";
import { CLOSE_ACTIONS, RPC_CODES } from "./codes.js";
import type { ErrorCode } from "./errors.js";
import { momentOf, offsetAfter } from "./server-clock.js";
import type { Effect, ErrandKind, SessionEvent, SessionState, WarningReason } from "./session-state.js";

const OPEN_MS = 10_000; // for a socket to open, and for the answer to connect
const LEAD_MS = 30_000; // a fresh credential is fetched so long before the end, or at half of a shorter life
const SILENCE_MS = 30_000; // the server pings each 10 s by default: after three that did not come somebody asks
const PROBE_MS = 5_000; // how long the answer to that may take
const LASTING_MS = 5_000; // a session that lasted so long makes up for earlier losses
const REFRESH_GAP_MS = 1_000; // between two credentials at least, however short they live
const TRIES = 5;

type Of<Is extends SessionEvent["is"]> = Extract<SessionEvent, { is: Is }>;

/** The session after an event, and what is to be done, in this order. */
export function step(state: SessionState, event: SessionEvent): [SessionState, Effect[]]
{
    const todo: Effect[] = [];
    return [after(state, event, todo), todo];
}

/** The moment at which a tick is due; undefined if none is. */
export function nextMs(s: SessionState): number | undefined
{
    const moments = [s.errand?.dueMs, s.dueMs, refreshMoment(s), s.phase === "live" && !s.isProbing ? s.heardMs + SILENCE_MS : undefined]
        .filter((moment): moment is number => moment !== undefined);
    return moments.length ? Math.min(...moments) : undefined;
}

function after(s: SessionState, event: SessionEvent, todo: Effect[]): SessionState
{
    switch (event.is) {
    case "connect": return connect(s, event, todo);
    case "disconnect": return { ...drop(s, todo), phase: "idle", resume: undefined };
    case "tick": return tick(s, event, todo);
    case "wake": return tick(s.phase === "live" && !s.isProbing ? probe(s, event.atMs, todo) : s, event, todo);
    case "network": return network(s, event, todo);
    case "fetched": return s.errand?.id === event.id ? fetched(s, event, s.errand.kind, todo) : s;
    case "failed": return s.errand?.id === event.id ? failed(s, event, s.errand.kind, todo) : s;
    case "opened": return s.phase === "opening" && event.socket === s.socket ? opened(s, event, todo) : s;
    case "closed": return hasSocket(s) && event.socket === s.socket ? closed(s, event, todo) : s;
    case "welcome": return s.phase === "connecting" && event.socket === s.socket ? welcome(s, event, todo) : s;
    case "refused": return (s.phase === "connecting" || s.phase === "opening") && event.socket === s.socket ? refused(s, event, todo) : s;
    case "state": return s.resume ? { ...s, resume: event.state ? { ...s.resume, state: event.state } : undefined } : s;
    case "heard": return heard(s, event);
    case "renewed": return s.errand?.id === event.id ? planned({ ...s, errand: undefined, isFresh: false }, event.atMs) : s;
    case "register": return register(s, event, todo);
    case "registered": return { ...s, isOnline: event.isOnline };
    }
}

// ---- credentials ----

function errand(s: SessionState, kind: ErrandKind, todo: Effect[], tries = 0): SessionState
{
    const id = s.errands + 1;
    todo.push({ do: "fetch", kind, id });
    return { ...s, errands: id, errand: { kind, id, tries } };
}

/** How a fresh credential could be had now. */
function freshKind(s: SessionState, atMs: number): ErrandKind | undefined
{
    const again = s.setup.canAuthenticate ? "authenticate" : undefined;
    if (s.token === undefined) return again;
    if (s.mechanism === "refresh") return "refresh";
    return s.mechanism === "bound" ? (hasEnded(s, atMs) ? again : "rebind") : undefined;
}

function hasEnded(s: SessionState, atMs: number): boolean
{
    const moment = s.endsMs === undefined ? undefined : momentOf(s.offset, s.endsMs);
    return moment !== undefined && moment <= atMs;
}

function fetched(s: SessionState, event: Of<"fetched">, kind: ErrandKind, todo: Effect[]): SessionState
{
    const now: SessionState = { ...s, token: event.token, endsMs: event.endsMs, isFresh: true, needsFresh: false, errand: undefined,
        ...(kind === "authenticate" && { mechanism: undefined }),
        ...((kind === "authenticate" || kind === "refresh") && { hasExpiry: event.hasExpiry }) };
    if (s.phase === "live") return renew({ ...now, errand: s.errand }, todo);
    return s.phase === "fetching" ? open(now, event.atMs, todo) : now;
}

function renew(s: SessionState, todo: Effect[]): SessionState
{
    const errand = s.errand ?? { kind: "refresh" as const, id: s.errands + 1, tries: 0 };
    todo.push({ do: "renew", socket: s.socket, id: errand.id });
    return { ...s, errands: errand.id, errand: { ...errand, isRenewing: true }, refreshAtMs: undefined };
}

function failed(s: SessionState, event: Of<"failed">, kind: ErrandKind, todo: Effect[]): SessionState
{
    const tries = (s.errand?.tries ?? 0) + (s.isOffline ? 0 : 1);
    const isFirst = kind === "authenticate" && !s.wasLive; // a page that cannot sign in wants to know at once
    if (s.isOffline || (!event.isFinal && !isFirst && tries < TRIES)) {
        const dueMs = event.atMs + delayMs(RETRY, s.isOffline ? 5 : tries - 1, event.dice);
        return { ...s, errand: { kind, id: s.errand?.id ?? 0, tries, dueMs } };
    }
    const now: SessionState = { ...s, errand: undefined, refreshAtMs: undefined };
    if (kind === "authenticate") return end(now, event.code, todo);
    if (kind === "bind") return unbound(now, event, todo);
    if (s.phase !== "fetching") return fail(now, "refresh_failed", todo);
    return kind === "rebind" && s.setup.canAuthenticate ? errand(now, "authenticate", todo) : end(now, "credential_expired", todo);
}

/** No bound credential can be had: the page's own refresh() takes over, if there is one. */
function unbound(s: SessionState, event: Of<"failed">, todo: Effect[]): SessionState
{
    if (s.setup.canRefresh && s.hasExpiry)
        s = fallBack(s, event.atMs, event.code === "timeout" ? "activation-timeout" : "endpoint-failed", todo);
    else
        s = fail({ ...s, mechanism: "none" }, "binding_failed", todo);
    return s.phase === "fetching" ? begin(s, event.atMs, todo) : s;
}

function fallBack(s: SessionState, atMs: number, reason: WarningReason, todo: Effect[]): SessionState
{
    todo.push({ do: "warn", reason });
    return planned({ ...s, mechanism: "refresh" }, atMs);
}

/** Exactly one mechanism keeps a session: its key before the page's refresh(). */
function chosen(s: SessionState, event: Of<"welcome">, todo: Effect[]): SessionState
{
    const isScoped = event.scope.includes("sat:refresh");
    if (isScoped && s.setup.canBind) return errand({ ...s, mechanism: "bound" }, "bind", todo);
    if (s.setup.canRefresh && s.hasExpiry) return fallBack(s, event.atMs, isScoped ? "no-dpop-support" : "no-scope", todo);
    if (s.hasExpiry && !s.setup.canRefresh) todo.push({ do: "warn", reason: "no-refresh-handler" });
    return { ...s, mechanism: "none" };
}

/** Says when the next credential is fetched, once it is known what time it is at the server. */
function planned(s: SessionState, atMs: number): SessionState
{
    const end = s.endsMs === undefined ? undefined : momentOf(s.offset, s.endsMs);
    if (end === undefined || s.endsMs === undefined || s.offset === undefined || !s.mechanism || s.mechanism === "none") return s;
    if (s.mechanism === "refresh" && !s.hasExpiry) return s;
    const wanted = end - Math.min(LEAD_MS, (end - atMs) / 2);
    return { ...s, refreshAtMs: Math.round(Math.max(wanted, atMs + REFRESH_GAP_MS) + s.offset) };
}

function refreshMoment(s: SessionState): number | undefined
{
    return s.phase === "live" && !s.errand && s.refreshAtMs !== undefined ? momentOf(s.offset, s.refreshAtMs) : undefined;
}

// ---- sockets ----

function hasSocket(s: SessionState): boolean { return s.phase === "opening" || s.phase === "connecting" || s.phase === "live"; }

function connect(s: SessionState, event: SessionEvent, todo: Effect[]): SessionState
{
    if (s.phase !== "idle" && s.phase !== "ended") return s;
    const forgotten = s.setup.canAuthenticate ? { token: undefined, mechanism: undefined } : {};
    return begin({ ...s, ...forgotten, needsFresh: false, losses: 0, wasLive: false }, event.atMs, todo);
}

/** Goes on to a socket, by way of a fresh credential where one is needed. */
function begin(s: SessionState, atMs: number, todo: Effect[]): SessionState
{
    const now: SessionState = { ...s, dueMs: undefined };
    const canRenew = s.mechanism === "refresh" || s.mechanism === "bound";
    if (s.token !== undefined && !s.needsFresh && !(canRenew && hasEnded(s, atMs))) return open(now, atMs, todo);
    if (s.errand) return { ...now, phase: "fetching" };
    const kind = freshKind(s, atMs);
    return kind ? errand({ ...now, phase: "fetching" }, kind, todo)
        : end(now, s.token === undefined ? "credential_invalid" : "credential_expired", todo);
}

function open(s: SessionState, atMs: number, todo: Effect[]): SessionState
{
    const socket = s.socket + 1;
    todo.push({ do: "open", socket });
    return { ...s, phase: "opening", socket, dueMs: atMs + OPEN_MS };
}

function opened(s: SessionState, event: Of<"opened">, todo: Effect[]): SessionState
{
    todo.push({ do: "connect", socket: s.socket, resume: s.resume?.state ? s.resume : undefined });
    return { ...s, phase: "connecting", sentToken: s.token, dueMs: event.atMs + OPEN_MS };
}

function welcome(s: SessionState, event: Of<"welcome">, todo: Effect[]): SessionState
{
    const isSame = s.resume?.protocol === event.protocol;
    const isLatest = s.sentToken === s.token; // another may have been fetched since connect was sent
    let now: SessionState = { ...s, phase: "live", dueMs: undefined, sinceMs: event.atMs, heardMs: event.atMs, wasLive: true, isProbing: false,
        resume: { protocol: event.protocol, state: isSame ? (s.resume?.state ?? "") : "" }, isOnline: isSame && s.isOnline,
        ...(isLatest && { isFresh: false, endsMs: event.endsMs ?? s.endsMs, refreshAtMs: undefined }) };
    if (!isLatest) now = renew(now, todo);
    now = now.mechanism ? planned(now, event.atMs) : chosen(now, event, todo);
    if (now.wantsOnline && !now.isOnline) todo.push({ do: "register", socket: s.socket, isOnline: true });
    return now;
}

function refused(s: SessionState, event: Of<"refused">, todo: Effect[]): SessionState
{
    const isResumable = event.code !== RPC_CODES.unauthenticated && event.code !== RPC_CODES.validation_failed;
    const now: SessionState = isResumable ? s : { ...s, resume: undefined, isOnline: false };
    if (event.code === RPC_CODES.invalid_params) return end(now, "session_closed", todo);
    if (event.code !== RPC_CODES.unauthenticated) return lost(now, event, todo);
    if (s.isFresh || !freshKind(s, event.atMs)) return end(now, "credential_refused", todo);
    return lost({ ...now, needsFresh: true }, event, todo);
}

function closed(s: SessionState, event: Of<"closed">, todo: Effect[]): SessionState
{
    const now: SessionState = event.code === 1012 ? { ...s, resume: undefined, isOnline: false } : s; // its sessions end with a server
    switch (CLOSE_ACTIONS[event.code] ?? "again") {
    case "again": return lost(now, event, todo);
    case "refresh": return freshKind(s, event.atMs) ? lost({ ...now, needsFresh: !s.isFresh }, event, todo) : end(now, "credential_expired", todo);
    case "stop": return end(now, event.code === 4403 ? "credential_revoked" : event.code === 4409 ? "session_elsewhere" : "session_closed", todo);
    }
}

/** Comes back later: when the server says, or after a while that grows with each loss. */
function lost(s: SessionState, event: { readonly atMs: number; readonly dice?: number | undefined; readonly slotMs?: number | undefined }, todo: Effect[]): SessionState
{
    const losses = s.phase === "live" && event.atMs - s.sinceMs >= LASTING_MS ? 0 : s.losses;
    const awayMs = event.slotMs ?? delayMs(RECONNECT, s.isOffline ? 9 : losses, event.dice);
    todo.push({ do: "close", socket: s.socket });
    const errand = s.errand?.isRenewing ? undefined : s.errand; // what it fetched goes out with the next connect
    return { ...s, phase: "waiting", dueMs: event.atMs + awayMs, losses: losses + 1, isProbing: false, errand };
}

function drop(s: SessionState, todo: Effect[]): SessionState
{
    if (s.errand) todo.push({ do: "abort" });
    if (hasSocket(s)) todo.push({ do: "close", socket: s.socket });
    return { ...s, errand: undefined, dueMs: undefined, refreshAtMs: undefined, isProbing: false, isOnline: false };
}

function end(s: SessionState, code: ErrorCode, todo: Effect[]): SessionState
{
    return fail({ ...drop(s, todo), phase: "ended", resume: undefined }, code, todo);
}

function fail(s: SessionState, code: ErrorCode, todo: Effect[]): SessionState
{
    todo.push({ do: "fail", code });
    return s;
}

// ---- time, and what comes and goes ----

function tick(s: SessionState, event: SessionEvent, todo: Effect[]): SessionState
{
    const { atMs } = event;
    const isDue = (moment: number | undefined) => moment !== undefined && moment <= atMs;
    if (s.errand && isDue(s.errand.dueMs)) s = errand(s, s.errand.kind, todo, s.errand.tries);
    if (isDue(s.dueMs)) return s.phase === "waiting" ? begin(s, atMs, todo) : lost({ ...s, dueMs: undefined }, event, todo);
    if (s.phase !== "live") return s;
    if (isDue(refreshMoment(s))) s = errand({ ...s, refreshAtMs: undefined }, s.mechanism === "bound" ? "rebind" : "refresh", todo);
    return !s.isProbing && isDue(s.heardMs + SILENCE_MS) ? probe(s, atMs, todo) : s;
}

function probe(s: SessionState, atMs: number, todo: Effect[]): SessionState
{
    todo.push({ do: "probe", socket: s.socket });
    return { ...s, isProbing: true, dueMs: atMs + PROBE_MS };
}

function heard(s: SessionState, event: Of<"heard">): SessionState
{
    const offset = event.serverMs === undefined ? s.offset : offsetAfter(s.offset, event.serverMs, event.atMs);
    const now: SessionState = { ...s, offset, heardMs: event.atMs, ...(s.isProbing && { isProbing: false, dueMs: undefined }) };
    return s.phase === "live" && !s.errand && s.refreshAtMs === undefined && s.offset === undefined ? planned(now, event.atMs) : now;
}

function network(s: SessionState, event: Of<"network">, todo: Effect[]): SessionState
{
    const now: SessionState = { ...s, isOffline: !event.isThere };
    if (!event.isThere) return now;
    if (now.errand?.dueMs !== undefined) return errand(now, now.errand.kind, todo, 0);
    if (now.phase === "waiting") return { ...now, losses: 0, dueMs: event.atMs + delayMs(RECONNECT, 0, event.dice) };
    return now.phase === "live" && !now.isProbing ? probe(now, event.atMs, todo) : now;
}

function register(s: SessionState, event: Of<"register">, todo: Effect[]): SessionState
{
    if (s.phase === "live") todo.push({ do: "register", socket: s.socket, isOnline: event.isOnline });
    return { ...s, wantsOnline: event.isOnline };
}
