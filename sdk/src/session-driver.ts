/* session-driver.ts — does what the step wants done: the only place with a session's sockets, timers and requests. It owns the state,
 * feeds it events one at a time, and tells its listener. What the page asks of the session (register, a call's messages) goes out
 * on the present socket. */
import { slotOf } from "./backoff.js";
import { RPC_UNAUTHENTICATED } from "./codes.js";
import { readCredential, type CredentialProvider } from "./credentials.js";
import type { Prover } from "./dpop.js";
import { asError, CoatcheckError, DeviceTokenError, InvalidCredentialsError, TokenRefreshError, type ErrorCode } from "./errors.js";
import { ask, membersOf, textOf, within, type Answer } from "./http.js";
import type { Platform } from "./platform.js";
import { rpc, RpcRefusal, type Asking } from "./rpc.js";
import { newSession, type Effect, type ErrandKind, type Kept, type Resume, type SessionEvent, type SessionState, type Slots, type WarningReason } from "./session-state.js";
import { nextMs, step } from "./session-step.js";
import { readToken } from "./token.js";

const INFO = "/api/fabric/subscriber/info";
const PROVIDER_MS = 30_000;
const BUSY_MS = 5_000;
const BUSY = /^(try_again|internal|restarting|rate_limited|too_many_sessions)$/;

export interface SessionListener {
    /** After each event. */
    changed(now: SessionState, before: SessionState): void;
    /** endsMs: when the session's credential ends. */
    warned(reason: WarningReason, endsMs: number | undefined): void;
    failed(error: CoatcheckError): void;
    /** Who the session speaks for, before its socket is opened. */
    identified(info: Answer): void;
    /** What connect was answered. */
    welcomed(result: Answer): void;
    /** An event of the server's about calls. */
    told(params: Answer): void;
}

export interface SessionParts {
    readonly platform: Platform;
    readonly provider: CredentialProvider | undefined;
    /** The server's origin; undefined: as the token says. */
    readonly url: string | undefined;
    readonly prover: Prover | undefined;
    readonly wantsOnline: boolean;
    readonly kept: Kept;
    readonly webSocket: typeof WebSocket | undefined;
    readonly listener: SessionListener;
}

/** An event without its moment. */
type News = SessionEvent extends infer One ? (One extends SessionEvent ? Omit<One, "atMs" | "dice"> : never) : never;

export interface SessionDriver {
    state(): SessionState;
    /** Origin of the server; empty before anybody has said it. */
    url(): string;
    tell(news: News): void;
    /** Asks on the present socket. @throws CoatcheckError `not_connected`, RpcRefusal */
    request(method: string, params: Answer, asking?: Asking): Promise<Answer>;
    /** Registers, or takes that back. @throws InvalidCredentialsError */
    setOnline(isOnline: boolean, signal?: AbortSignal, isQuiet?: boolean): Promise<void>;
    end(): void;
}

export function sessionDriver({ platform, provider, url = "", prover, wantsOnline, kept, webSocket, listener }: SessionParts): SessionDriver
{
    let state = newSession({ canAuthenticate: !!provider, canRefresh: !!provider?.refresh, canBind: !!prover }, wantsOnline, kept);
    const events: SessionEvent[] = [];
    let isStepping = false;
    let callOff = () => {};
    let errand = new AbortController();
    let opening = new AbortController();
    let cause: unknown; // of the failure that the step is about to tell
    let socket: WebSocket | undefined;
    let line = rpc(() => {});
    let server = url;
    let project = "";
    let knownToken = "";

    function tell(news: News): void
    {
        events.push({ ...news, atMs: platform.nowMs(), dice: platform.dice() } as SessionEvent);
        if (isStepping) return;
        isStepping = true;
        for (let event; (event = events.shift()); ) {
            const before = state;
            const [now, todo] = step(before, event);
            state = now;
            todo.forEach(run);
            listener.changed(now, before);
        }
        isStepping = false;
        callOff();
        const moment = nextMs(state);
        callOff = moment === undefined ? () => {} : platform.after(moment - platform.nowMs(), () => tell({ is: "tick" }));
    }

    function run(effect: Effect): unknown
    {
        switch (effect.do) {
        case "fetch": return fetched(effect.kind, effect.id);
        case "abort": return errand.abort();
        case "open": return open(effect.socket);
        case "close": return close();
        case "connect": return connect(effect.socket, effect.resume);
        case "renew": return renew(effect.id);
        case "register": return setOnline(effect.isOnline).catch((error: unknown) => { // a session that is away registers when it is back
            if (state.phase === "live") listener.failed(asError(error, "network", ""));
        });
        case "probe": return line.request("webrtc.verto", {}).catch(() => {});
        case "warn": return listener.warned(effect.reason, state.endsMs);
        case "fail": return listener.failed(errorOf(effect.code, cause));
        }
    }

    // ---- credentials ----

    async function fetched(kind: ErrandKind, id: number): Promise<void>
    {
        const { signal } = (errand = new AbortController());
        try {
            const credential = await (kind === "bind" || kind === "rebind" ? prover?.bound(kind, { server, token: state.token ?? "", nowS: nowS(), signal, onTime })
                : provided(kind, signal));
            const { token = "", expiry_at: endsMs } = credential ?? {};
            const facts = readToken(token);
            if (!facts) throw new InvalidCredentialsError("credential_invalid", "the token is cut short, or none");
            server = url || facts.serverUrl || server;
            if (!server) throw new CoatcheckError("option_missing", "the token does not name its server; give the option url");
            tell({ is: "fetched", id, token, endsMs: facts.endsMs ?? endsMs, hasExpiry: endsMs !== undefined });
        } catch (error) {
            if (!signal.aborted) failed(id, error);
        }
    }

    function failed(id: number, error: unknown): void
    {
        const { code, status = 500 } = asError((cause = error), "provider_failed", "");
        tell({ is: "failed", id, code, isFinal: status < 500 && status !== 429 });
    }

    async function provided(kind: "authenticate" | "refresh", outer: AbortSignal)
    {
        const what = `the provider's ${kind}()`;
        const result = await within(PROVIDER_MS, outer, what, async (signal) => provider?.[kind]?.({ signal, ...(prover && { fingerprint: prover.fingerprint }) }))
            .catch((error: unknown) => {
                const { code, message } = asError(error, "provider_failed", `${what} failed: ${String(error)}`);
                throw new CoatcheckError(code === "timeout" ? "provider_timeout" : code, message, { cause: error });
            });
        return readCredential(result, what);
    }

    function renew(id: number): Promise<void>
    {
        return reauthenticate().then((result) => tell({ is: "renewed", id, ...slotsOf(result) }), (error: unknown) => failed(id, error));
    }

    async function reauthenticate(signal?: AbortSignal): Promise<Answer>
    {
        const method = "signalwire.reauthenticate", present = line;
        const proof = await proofOf(method);
        return present.request(method, { authentication: { project, jwt_token: state.token }, ...proof }, { signal });
    }

    function onTime(serverMs: number): void { tell({ is: "heard", serverMs }); }

    /** The server's clock goes before ours, which may be off by a day. */
    function nowS(): number { return (state.offset === undefined ? Date.now() : platform.nowMs() + state.offset) / 1000; }

    /** A proof for a call, as a member of its params; none without a key. */
    async function proofOf(mth: string): Promise<Answer>
    {
        return prover ? { dpop_token: await prover.proof({ rpc: "request", mth }, nowS()) } : {};
    }

    // ---- the socket ----

    /** Before the first socket: whether the token is good at all, whose it is, and what time it is there. */
    async function identify(signal: AbortSignal): Promise<void>
    {
        const { token = "", wasLive } = state;
        if (wasLive || knownToken === token) return;
        server ||= readToken(token)?.serverUrl ?? "";
        const info = await ask({ url: server + INFO, token, signal, onTime });
        knownToken = token;
        listener.identified(info);
    }

    async function open(id: number): Promise<void>
    {
        const { signal } = (opening = new AbortController());
        try {
            await identify(signal);
            if (!signal.aborted) listen(id, new (webSocket ?? WebSocket)(server.replace(/^http/, "ws")));
        } catch (error) { // a page's policy may forbid the socket as well: CSP, mixed content
            refused(id, error);
        }
    }

    function listen(id: number, ws: WebSocket): void
    {
        const own = (line = rpc((text) => ws.send(text)));
        let isOpen = false;
        socket = ws;
        ws.onopen = () => { isOpen = true; tell({ is: "opened", socket: id }); };
        ws.onmessage = ({ data }) => take(data);
        ws.onclose = ({ code, reason }) => {
            own.end();
            if (isOpen) tell({ is: "closed", socket: id, code, slotMs: slotOf(reason) });
            else refused(id);
        };
    }

    function close(): void
    {
        line.end();
        opening.abort();
        if (!socket) return;
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close(1000);
        socket = undefined;
    }

    function take(data: unknown): void
    {
        try {
            const { id = "", method, params = {} } = line.take(data) ?? {};
            const { timestamp, event_type: type, params: inner } = params as { timestamp?: unknown; event_type?: unknown; params?: unknown };
            tell({ is: "heard", ...(typeof timestamp === "number" && { serverMs: timestamp * 1000 }) });
            if (method === "signalwire.ping") line.reply(id, { timestamp });
            if (method !== "signalwire.event") return;
            line.reply(id, {});
            if (type === "signalwire.authorization.state") tell({ is: "state", state: textOf(membersOf(inner)["authorization_state"]) });
            else if (type === "webrtc.message") listener.told(params);
        } catch (error) {
            listener.failed(asError(error, "malformed_answer", "malformed message"));
        }
    }

    async function connect(id: number, resume: Resume | undefined): Promise<void>
    {
        const method = "signalwire.connect", present = line;
        try {
            const proof = await proofOf(method);
            const result = await present.request(method, {
                authentication: { jwt_token: state.token }, takes_slots: true, ...proof,
                ...(resume && { authorization_state: resume.state, protocol: resume.protocol }),
            }, { timeoutMs: PROVIDER_MS });
            const { scope, project_id, fabric_subscriber } = membersOf(result["authorization"]) as Record<string, unknown>;
            project = textOf(project_id);
            cause = undefined;
            listener.welcomed(result);
            tell({ is: "welcome", socket: id, protocol: textOf(result["protocol"]), scope: Array.isArray(scope) ? scope : [],
                endsMs: Number(membersOf(fabric_subscriber)["expires_at"]) * 1000 || undefined, ...slotsOf(result) });
        } catch (error) {
            refused(id, error);
        }
    }

    /** A socket that did not come to carry a session: refused for good, or for now. */
    function refused(id: number, thrown?: unknown): void
    {
        if (state.socket !== id || /^(idle|ended)$/.test(state.phase)) return; // called off, or told already
        const error = asError(thrown, "network", `no WebSocket to ${server}: it cannot be reached, or does not list this page's origin, or its policy forbids it`);
        const isRefusal = error instanceof RpcRefusal;
        const isBusy = BUSY.test(error.code);
        cause = error;
        if (!isBusy && (isRefusal || error.status === 401)) return tell({ is: "refused", socket: id, code: isRefusal ? error.rpcCode : RPC_UNAUTHENTICATED });
        listener.failed(error);
        tell({ is: "closed", socket: id, code: 1006, slotMs: isBusy ? BUSY_MS : undefined });
    }

    // ---- what the page asks for ----

    function request(method: string, params: Answer, asking?: Asking): Promise<Answer>
    {
        return state.phase === "live" ? line.request(method, params, asking)
            : Promise.reject(new CoatcheckError("not_connected", `no session for ${method}; wait for ready$`));
    }

    /** A refusal may be of an older credential: the present one is put in its place once more, then it is tried again. */
    async function setOnline(isOnline: boolean, signal?: AbortSignal, isQuiet = state.isQuiet): Promise<void>
    {
        const register = () => request(isOnline ? "subscriber.online" : "subscriber.offline", { do_not_disturb: isQuiet }, { signal });
        await register().catch((error: unknown) => {
            if (!(error instanceof RpcRefusal)) throw error;
            return reauthenticate(signal).then(register);
        }).catch((error: unknown) => {
            throw error instanceof RpcRefusal ? errorOf("credential_refused", error) : error;
        });
        tell({ is: "registered", isOnline, isQuiet });
    }

    const unwatch = platform.watch((news) => tell(news === "wake" ? { is: news } : { is: "network", isThere: news === "online" }));
    return {
        state: () => state,
        url: () => server,
        tell,
        request,
        setOnline,
        end()
        {
            unwatch();
            tell({ is: "disconnect" });
        },
    };
}

function slotsOf({ slots }: Answer): Slots
{
    const { refresh_in_ms, return_within_ms } = membersOf(slots) as Record<string, unknown>;
    return { refreshInMs: durationOf(refresh_in_ms), returnWithinMs: durationOf(return_within_ms) };
}

function durationOf(value: unknown): number | undefined
{
    return Number.isFinite(value) && (value as number) >= 0 ? (value as number) : undefined;
}

const WORDS: Partial<Record<ErrorCode, string>> = {
    credential_refused: "the credential is expired, malformed, revoked or of another server",
    credential_expired: "it has ended; it needs refresh() and expiry_at",
    credential_revoked: "the credential was revoked; sign in again",
    credential_invalid: "there is no credential; give the client a provider",
    refresh_failed: "no fresh credential",
    binding_failed: "the credential was not bound",
    session_elsewhere: "the session goes on elsewhere",
    session_closed: "the server closed the socket",
};

/** An error of a session, in the class that code for the vendor's SDK looks for. */
function errorOf(code: ErrorCode, cause: unknown): CoatcheckError
{
    const told = cause instanceof CoatcheckError ? cause : undefined;
    if (told?.code === code) return told;
    const Kind = code === "refresh_failed" ? TokenRefreshError : code === "binding_failed" ? DeviceTokenError : /^cred/.test(code) ? InvalidCredentialsError : CoatcheckError;
    return new Kind(code, `${WORDS[code] ?? code}${told ? `: ${told.message}` : ""}`, { cause, status: told?.status, errorId: told?.errorId });
}
