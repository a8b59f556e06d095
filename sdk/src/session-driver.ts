/* session-driver.ts — does what the step wants done: the only place with sockets, timers and storage of a session. It owns the state,
 * feeds it events one at a time, and tells its listeners. What it is asked for by the page (register, a call's messages) goes out on
 * the present socket. */
import { slotOf } from "./backoff.js";
import { RPC_CODES } from "./codes.js";
import { readCredential, type CredentialProvider } from "./credentials.js";
import type { Prover } from "./dpop.js";
import { asError, CoatcheckError, DeviceTokenError, InvalidCredentialsError, TokenRefreshError, type ErrorCode } from "./errors.js";
import { ask, within, type Answer } from "./http.js";
import type { Platform } from "./platform.js";
import { membersOf, Rpc, RpcRefusal } from "./rpc.js";
import { newSession, type Effect, type ErrandKind, type Resume, type SessionEvent, type SessionState, type WarningReason } from "./session-state.js";
import { nextMs, step } from "./session-step.js";
import { readToken } from "./token.js";

const INFO_PATH = "/api/fabric/subscriber/info";
const BIND_PATH = "/api/fabric/subscriber/devices/token";
const REBIND_PATH = "/api/fabric/subscriber/devices/refresh";
const BOUND_LIFE_S = 900;
const PROVIDER_MS = 30_000;
const BUSY_MS = 5_000;
const BUSY: readonly ErrorCode[] = ["try_again", "internal", "restarting", "rate_limited", "too_many_sessions"];

export interface SessionListener {
    /** After each event. */
    changed(now: SessionState, before: SessionState): void;
    warned(reason: WarningReason): void;
    failed(error: CoatcheckError): void;
    /** Who the session speaks for, before its socket is opened. */
    identified(info: Answer): void;
    /** What connect was answered. */
    welcomed(result: Answer): void;
    /** An event of the server's about calls. */
    message(params: Answer): void;
}

export interface SessionParts {
    readonly platform: Platform;
    readonly provider: CredentialProvider | undefined;
    /** The server's origin; undefined: as the token says. */
    readonly url: string | undefined;
    readonly prover: Prover | undefined;
    readonly wantsOnline: boolean;
    readonly kept: { readonly token?: string | undefined; readonly resume?: Resume | undefined };
    readonly webSocket: typeof WebSocket | undefined;
    readonly listener: SessionListener;
}

/** An event without its moment. */
type News = SessionEvent extends infer One ? (One extends SessionEvent ? Omit<One, "atMs" | "dice"> : never) : never;

export class SessionDriver {
    readonly #parts: SessionParts;
    readonly #unwatch: () => void;
    #state: SessionState;
    #events: SessionEvent[] = [];
    #isStepping = false;
    #callOff: (() => void) | undefined;
    #errand = new AbortController();
    #cause: unknown;
    #socket: WebSocket | undefined;
    #rpc = new Rpc(() => {});
    #identified = "";
    #url: string | undefined;

    constructor(parts: SessionParts)
    {
        this.#parts = parts;
        this.#url = parts.url;
        this.#state = newSession({ canAuthenticate: !!parts.provider, canRefresh: !!parts.provider?.refresh, canBind: !!parts.prover }, parts.wantsOnline, parts.kept);
        this.#unwatch = parts.platform.watch((news) => this.tell(news === "wake" ? { is: "wake" } : { is: "network", isThere: news === "online" }));
    }

    get state(): SessionState { return this.#state; }

    /** Origin of the server; undefined before anybody has said it. */
    get url(): string | undefined { return this.#url; }

    tell(news: News): void
    {
        const { platform } = this.#parts;
        this.#events.push({ ...news, atMs: platform.nowMs(), dice: platform.dice() } as SessionEvent);
        if (this.#isStepping) return;
        this.#isStepping = true;
        for (let event; (event = this.#events.shift()); ) this.#step(event);
        this.#isStepping = false;
        this.#callOff?.();
        const moment = nextMs(this.#state);
        this.#callOff = moment === undefined ? undefined : platform.after(moment - platform.nowMs(), () => this.tell({ is: "tick" }));
    }

    /** Asks on the present socket. @throws CoatcheckError `not_connected`, and those of Rpc */
    request(method: string, params: Answer, options?: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number }): Promise<Answer>
    {
        if (this.#state.phase !== "live") return Promise.reject(new CoatcheckError("not_connected", `${method} needs a session; wait until ready$ says true`));
        return this.#rpc.request(method, params, options);
    }

    /** Puts the session's own credential in its place once more: for a call that was refused and should not have been. */
    reauthenticate(signal?: AbortSignal): Promise<Answer> { return this.#reauthenticate(signal); }

    end(): void
    {
        this.tell({ is: "disconnect" });
        this.#unwatch();
        this.#callOff?.();
    }

    #step(event: SessionEvent): void
    {
        const before = this.#state;
        const [now, todo] = step(before, event);
        this.#state = now;
        for (const effect of todo) this.#run(effect);
        this.#parts.listener.changed(now, before);
    }

    #run(effect: Effect): void
    {
        switch (effect.do) {
        case "fetch": void this.#fetch(effect.kind, effect.id); return;
        case "abort": this.#errand.abort(); return;
        case "open": void this.#open(effect.socket); return;
        case "close": this.#close(); return;
        case "connect": void this.#connect(effect.socket, effect.resume); return;
        case "renew": void this.#renew(effect.id); return;
        case "register": void this.setOnline(effect.isOnline).catch((error: CoatcheckError) => this.#parts.listener.failed(error)); return;
        case "probe": this.#rpc.request("webrtc.verto", { message: { jsonrpc: "2.0", id: "0", method: "verto.info", params: { dialogParams: {} } } }).catch(() => {}); return;
        case "warn": this.#parts.listener.warned(effect.reason); return;
        case "fail": this.#fail(effect.code); return;
        }
    }

    #fail(code: ErrorCode): void
    {
        const cause = this.#cause;
        this.#cause = undefined;
        this.#parts.listener.failed(errorOf(code, cause));
    }

    // ---- credentials ----

    async #fetch(kind: ErrandKind, id: number): Promise<void>
    {
        const { signal } = (this.#errand = new AbortController());
        try {
            const { token, endsMs, hasExpiry } = await (kind === "authenticate" || kind === "refresh" ? this.#provide(kind, signal) : this.#bind(kind, signal));
            const facts = readToken(token);
            if (!facts) throw new InvalidCredentialsError("credential_invalid", "the token cannot be read: it is cut short, or no access token");
            this.#url = this.#parts.url ?? facts.serverUrl ?? this.#url;
            if (!this.#url) throw new CoatcheckError("option_missing", "the token does not name its server; say it with the option url");
            this.tell({ is: "fetched", id, token, endsMs: facts.endsMs ?? endsMs, hasExpiry });
        } catch (error) {
            if (signal.aborted) return;
            this.#errandFailed(id, error);
        }
    }

    #errandFailed(id: number, error: unknown): void
    {
        const { code, status } = asError(error, "provider_failed", "");
        this.#cause = error;
        this.tell({ is: "failed", id, code, isFinal: status !== undefined && status < 500 && status !== 429 });
    }

    async #provide(kind: "authenticate" | "refresh", outer: AbortSignal): Promise<{ token: string; endsMs: number | undefined; hasExpiry: boolean }>
    {
        const { provider, prover } = this.#parts;
        const what = `the provider's ${kind}()`;
        const result = await within(PROVIDER_MS, outer, what, async (signal) =>
            kind === "refresh" ? provider?.refresh?.({ signal }) : provider?.authenticate({ signal, ...(prover && { fingerprint: prover.fingerprint }) }),
        ).catch((error: unknown) => {
            if (error instanceof CoatcheckError && error.code === "timeout") throw new CoatcheckError("provider_timeout", `${what} did not settle within ${PROVIDER_MS / 1000} s; let it give up earlier, and reject`);
            throw asError(error, "provider_failed", `${what} failed: ${error instanceof Error ? error.message : String(error)}`);
        });
        const { token, expiry_at: endsMs } = readCredential(result, what);
        if (token === undefined) throw new CoatcheckError("credential_invalid", `${what} must resolve with a token`);
        return { token, endsMs, hasExpiry: endsMs !== undefined };
    }

    async #bind(kind: "bind" | "rebind", signal: AbortSignal): Promise<{ token: string; endsMs: undefined; hasExpiry: boolean }>
    {
        const token = this.#state.token ?? "";
        const path = kind === "bind" ? BIND_PATH : REBIND_PATH;
        const proof = await this.#prove({ htm: "POST", htu: path, ...(kind === "rebind" && { token }) });
        const answer = await ask({ url: `${this.#url ?? ""}${path}`, method: "POST", token, body: { ...proof, expire_in: BOUND_LIFE_S }, signal, onTime: this.#onTime });
        const { token: bound } = answer;
        if (typeof bound !== "string" || !bound) throw new CoatcheckError("malformed_answer", `${path} answered without a token`);
        return { token: bound, endsMs: undefined, hasExpiry: true };
    }

    async #renew(id: number): Promise<void>
    {
        try {
            await this.#reauthenticate();
            this.tell({ is: "renewed", id });
        } catch (error) {
            this.#errandFailed(id, error);
        }
    }

    async #reauthenticate(signal?: AbortSignal): Promise<Answer>
    {
        const method = "signalwire.reauthenticate";
        const rpc = this.#rpc;
        const proof = await this.#prove({ rpc: "request", mth: method });
        return rpc.request(method, { authentication: { project: this.#project, jwt_token: this.#state.token }, ...proof }, { signal });
    }

    #project = "";

    #onTime = (serverMs: number): void => this.tell({ is: "heard", serverMs });

    /** A proof as a member of a body; none without a key. The server's clock goes before ours, which may be off by a day. */
    async #prove(about: Parameters<Prover["proof"]>[0]): Promise<{ dpop_token?: string }>
    {
        const { offset } = this.#state;
        const nowMs = offset === undefined ? Date.now() : this.#parts.platform.nowMs() + offset;
        const proof = await this.#parts.prover?.proof(about, nowMs / 1000);
        return proof === undefined ? {} : { dpop_token: proof };
    }

    // ---- the socket ----

    async #open(socket: number): Promise<void>
    {
        try {
            await this.#identify();
        } catch (error) {
            const { status, code } = asError(error, "network", "");
            this.#cause = error;
            if (status === 401) this.tell({ is: "refused", socket, code: RPC_CODES.unauthenticated });
            else this.#lost(socket, asError(error, "network", ""), BUSY.includes(code) ? BUSY_MS : undefined);
            return;
        }
        if (this.#state.socket !== socket || this.#state.phase !== "opening") return;
        try {
            this.#listen(socket, new (this.#parts.webSocket ?? WebSocket)((this.#url ?? "").replace(/^http/, "ws")));
        } catch (cause) { // a page's policy may forbid it: CSP, mixed content
            this.#lost(socket, new CoatcheckError("network", `no WebSocket to ${String(this.#url)}: does the page's policy (CSP connect-src) allow it?`, { cause }));
        }
    }

    /** Before the first socket: whether the token is good at all, whose it is, and what time it is there. */
    async #identify(): Promise<void>
    {
        const { token = "" } = this.#state;
        if (this.#state.wasLive || this.#identified === token) return;
        this.#url ??= readToken(token)?.serverUrl;
        const info = await ask({ url: `${this.#url ?? ""}${INFO_PATH}`, token, onTime: this.#onTime });
        this.#identified = token;
        this.#parts.listener.identified(info);
    }

    #lost(socket: number, error: CoatcheckError, slotMs?: number): void
    {
        this.#parts.listener.failed(error);
        this.tell({ is: "closed", socket, code: 1006, slotMs });
    }

    #listen(socket: number, ws: WebSocket): void
    {
        let isOpen = false;
        this.#socket = ws;
        this.#rpc = new Rpc((text) => ws.send(text));
        const rpc = this.#rpc;
        ws.onopen = () => { isOpen = true; this.tell({ is: "opened", socket }); };
        ws.onmessage = ({ data }) => this.#take(rpc, data);
        ws.onclose = ({ code, reason }) => {
            rpc.end();
            if (isOpen) this.tell({ is: "closed", socket, code, slotMs: slotOf(reason) });
            else if (ws === this.#socket) this.#lost(socket, new CoatcheckError("network", `no WebSocket to ${String(this.#url)}: the server cannot be reached, or does not list this page's origin`));
        };
    }

    #close(): void
    {
        const ws = this.#socket;
        this.#socket = undefined;
        this.#rpc.end();
        if (!ws) return;
        ws.onopen = ws.onmessage = ws.onclose = null;
        ws.close(1000);
    }

    #take(rpc: Rpc, data: unknown): void
    {
        try {
            const request = rpc.take(data);
            const { timestamp } = request?.params ?? {};
            this.tell({ is: "heard", ...(typeof timestamp === "number" && { serverMs: timestamp * 1000 }) });
            if (request?.method === "signalwire.ping") rpc.reply(request.id, { timestamp });
            if (request?.method === "signalwire.event") {
                rpc.reply(request.id, {});
                this.#event(request.params);
            }
        } catch (error) {
            this.#parts.listener.failed(asError(error, "malformed_answer", "a message on the socket could not be understood"));
        }
    }

    #event(params: Answer): void
    {
        const { event_type: type, params: inner } = params;
        const { authorization_state: state } = membersOf(inner);
        if (type === "signalwire.authorization.state") this.tell({ is: "state", state: typeof state === "string" ? state : "" });
        else this.#parts.listener.message(params);
    }

    async #connect(socket: number, resume: Resume | undefined): Promise<void>
    {
        const method = "signalwire.connect";
        const rpc = this.#rpc;
        try {
            const result = await rpc.request(method, {
                version: { major: 4, minor: 0, revision: 0 }, event_acks: true, agent: "coatcheck",
                authentication: { jwt_token: this.#state.token },
                ...(await this.#prove({ rpc: "request", mth: method })),
                ...(resume && { authorization_state: resume.state, protocol: resume.protocol }),
            }, { timeoutMs: PROVIDER_MS });
            this.#welcome(socket, result);
        } catch (error) {
            if (!(error instanceof RpcRefusal)) return this.#lost(socket, asError(error, "network", "connect failed"));
            this.#cause = error;
            if (BUSY.includes(error.code)) this.#lost(socket, error, BUSY_MS);
            else this.tell({ is: "refused", socket, code: error.rpcCode });
        }
    }

    #welcome(socket: number, result: Answer): void
    {
        const { protocol } = result;
        const { scope, project_id: project, fabric_subscriber: subscriber } = membersOf(result["authorization"]);
        const { expires_at: endsS } = membersOf(subscriber);
        if (typeof protocol !== "string") throw new CoatcheckError("malformed_answer", "the answer to connect has no protocol");
        this.#project = String(project);
        this.#cause = undefined;
        this.#parts.listener.welcomed(result);
        this.tell({ is: "welcome", socket, protocol, scope: Array.isArray(scope) ? scope.map(String) : [],
            endsMs: typeof endsS === "number" ? endsS * 1000 : undefined });
    }

    // ---- presence ----

    /** Registers, or takes that back. A refusal may be of an older credential: it is put in its place once more, then tried again. */
    async setOnline(isOnline: boolean, signal?: AbortSignal): Promise<void>
    {
        const method = isOnline ? "subscriber.online" : "subscriber.offline";
        try {
            await this.request(method, {}, { signal }).catch(async (error: unknown) => {
                if (!(error instanceof RpcRefusal) || !isOnline) throw error;
                await this.#reauthenticate(signal);
                return this.request(method, {}, { signal });
            });
        } catch (cause) {
            if (cause instanceof RpcRefusal && isOnline) throw new InvalidCredentialsError("credential_refused", `registering was refused: ${cause.message}`, { cause });
            throw cause;
        }
        this.tell({ is: "registered", isOnline });
    }
}

const WORDS: Partial<Record<ErrorCode, string>> = {
    credential_refused: "the server does not take the credential: it is expired, malformed, revoked or of another server; get a fresh one",
    credential_expired: "the session has ended with its credential, and nothing could renew it: give the provider refresh(), and expiry_at",
    credential_revoked: "what the session rested on was revoked; sign in again",
    credential_invalid: "there is no credential: give the client a provider",
    refresh_failed: "no fresh credential could be had; the session goes on until the present one ends",
    binding_failed: "the credential could not be bound to this browser's key; the session ends with it",
    session_elsewhere: "the session goes on on another socket, as in a copied tab",
    session_closed: "the server closed the socket for good: the client broke its rules",
};

/** An error of a session, in the class that code for the vendor's SDK looks for. */
function errorOf(code: ErrorCode, cause: unknown): CoatcheckError
{
    const why = cause instanceof Error && cause.message ? `: ${cause.message}` : "";
    const details = { cause, ...(cause instanceof CoatcheckError && { status: cause.status, errorId: cause.errorId }) };
    const message = `${WORDS[code] ?? code}${why}`;
    if (code === "refresh_failed") return new TokenRefreshError(code, message, details);
    if (code === "binding_failed") return new DeviceTokenError(code, message, details);
    if (/^credential_/.test(code)) return cause instanceof InvalidCredentialsError ? cause : new InvalidCredentialsError(code, message, details);
    return cause instanceof CoatcheckError && cause.code === code ? cause : new CoatcheckError(code, message, details);
}
