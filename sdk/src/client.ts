/* client.ts — what a page holds: one session that begins with a provider and lives as long as its credentials do. Everything that
 * happens is told by observables; what is asked for resolves when the server has done it. Names are those of the vendor's SDK. */
import type { Call, MediaOptions, WebRTCApi } from "./call.js";
import { EmbedTokenCredentialProvider, serverUrl, StaticCredentialProvider, type CredentialProvider, type SATClaims } from "./credentials.js";
import { CoatcheckError, DPoPInitError } from "./errors.js";
import { within } from "./http.js";
import { Topic, type Observable, type Subscription } from "./observable.js";
import type { Phone } from "./phone.js";
import { browserPlatform } from "./platform.js";
import { sessionDriver, type SessionDriver, type SessionListener } from "./session-driver.js";
import type { SessionState } from "./session-state.js";
import { keptSession, type KeptSession } from "./kept-session.js";
import type { SDKWarning } from "./warnings.js";

export interface ClientOptions {
    /** The server's origin, such as `https://calls.example.com`. Default: what the token says. */
    readonly url?: string;
    /** Do nothing until `connect()`: no credential is asked for, no socket opened. */
    readonly skipConnection?: boolean;
    /** Do not go online until `register()`. */
    readonly skipRegister?: boolean;
    /** Keep credential and session in localStorage, so that they outlive the tab; default: sessionStorage. */
    readonly persistSession?: boolean;
    readonly storageImplementation?: Pick<Storage, "getItem" | "setItem" | "removeItem">;
    readonly webSocketConstructor?: typeof WebSocket;
    readonly webRTCApiProvider?: WebRTCApi;
}

/** Who the session speaks for. Members that the server does not know are null. */
export interface User {
    readonly id: string;
    readonly email: string | null;
    readonly first_name: string | null;
    readonly last_name: string | null;
    readonly display_name: string | null;
    readonly fabric_addresses: readonly Address[];
    readonly sat_claims?: SATClaims;
    readonly [member: string]: unknown;
}

export interface Address {
    readonly id: string;
    readonly name: string;
    readonly display_name: string;
    readonly type: string;
    /** Dialable names by medium: audio, video, messaging. */
    readonly channels: Readonly<Record<string, string>>;
    readonly [member: string]: unknown;
}

/** Whom the session may reach. */
export interface Directory {
    list(options?: { readonly signal?: AbortSignal }): Promise<readonly Address[]>;
}

/** Every wait can be called off. */
interface Asking {
    readonly signal?: AbortSignal | undefined;
}

/** A session's calls, and whether there is one. */
export interface SessionView {
    readonly authenticated: boolean;
    readonly authenticated$: Observable<boolean>;
    readonly calls: readonly Call[];
    readonly calls$: Observable<readonly Call[]>;
    readonly incomingCalls: readonly Call[];
    readonly incomingCalls$: Observable<readonly Call[]>;
}

// What is handed out can be listened to, what is behind it can speak.
const say = <T>(topic: Observable<T>, value: T) => (topic as Topic<T>).set(value);
const valueOf = <T>(topic: Observable<T>) => (topic as Topic<T>).value;

const GONE = "this client was destroyed; make a new one";

export class CoatcheckClient {
    readonly session: SessionView;
    /** Connected and authenticated. */
    readonly ready$: Observable<boolean> = new Topic(false);
    readonly isConnected$: Observable<boolean> = new Topic(false);
    readonly isRegistered$: Observable<boolean> = new Topic(false);
    /** Newcomers hear the last one. */
    readonly errors$: Observable<CoatcheckError> = new Topic<CoatcheckError>();
    readonly warnings$: Observable<SDKWarning> = new Topic<SDKWarning>(undefined, false);
    readonly user$: Observable<User> = new Topic<User>();
    readonly directory$: Observable<Directory> = new Topic<Directory>();
    readonly destroyed$: Observable<boolean> = new Topic(false);
    readonly #states: Observable<SessionState> = new Topic<SessionState>();
    readonly #kept: KeptSession;
    readonly #calls = new Topic<readonly Call[]>([]);
    readonly #incoming = new Topic<readonly Call[]>([]);
    readonly #rtc: WebRTCApi | undefined;
    #phone: Promise<Phone> | undefined;
    #iceServers: unknown;
    readonly #keys: Promise<typeof import("./dpop.js")> | undefined;
    readonly #boot: Promise<SessionDriver>;
    #ending: CoatcheckError | undefined;

    /**
     * Starts at once: authenticate, open the socket, register; each can be put off by an option. What goes wrong later is told
     * on `errors$`.
     * @throws CoatcheckError `option_missing`, `option_invalid`
     */
    constructor(provider?: CredentialProvider, options: ClientOptions = {})
    {
        if (provider !== undefined && typeof provider?.authenticate !== "function")
            throw new CoatcheckError("option_invalid", "the provider needs a function authenticate()");
        const url = options.url === undefined ? undefined : serverUrl(options.url, "url");
        this.#kept = keptSession(options.storageImplementation, options.persistSession ?? false);
        this.#rtc = options.webRTCApiProvider;
        this.session = viewOf(this.ready$, this.#calls, this.#incoming);
        const isUnbound = provider instanceof StaticCredentialProvider || provider instanceof EmbedTokenCredentialProvider;
        this.#keys = isUnbound ? undefined : import("./dpop.js");
        this.#boot = this.#start(provider, options, url);
        if (!options.skipConnection) void this.#boot.then((driver) => { if (!this.isDestroyed) driver.tell({ is: "connect" }); });
    }

    get ready(): boolean { return !!valueOf(this.ready$); }
    get isConnected(): boolean { return !!valueOf(this.isConnected$); }
    get isRegistered(): boolean { return !!valueOf(this.isRegistered$); }
    get user(): User | undefined { return valueOf(this.user$); }
    get directory(): Directory | undefined { return valueOf(this.directory$); }
    get isDestroyed(): boolean { return !!valueOf(this.destroyed$); }

    /**
     * Opens a session, if there is none, and resolves when it is there.
     * @throws CoatcheckError why there will be none: see errors$
     */
    async connect({ signal }: Asking = {}): Promise<void>
    {
        const driver = await this.#living();
        driver.tell({ is: "connect" });
        await this.#live(signal);
    }

    /**
     * Goes online, so that calls ring here; without effect for credentials that cannot be called.
     * @param options doNotDisturb: online, but nothing rings. Each register() says it anew, and sessions to come are told the last one's
     * @throws InvalidCredentialsError
     */
    async register({ signal, doNotDisturb = false }: Asking & { readonly doNotDisturb?: boolean } = {}): Promise<void>
    {
        await this.#online(true, signal, doNotDisturb);
    }

    /** Goes offline: nobody rings here; the session and its calls go on. */
    async unregister({ signal }: Asking = {}): Promise<void>
    {
        await this.#online(false, signal);
    }

    /** Ends the session and its calls. `connect()` begins a new one. */
    async disconnect(): Promise<void>
    {
        const driver = await this.#living();
        await Promise.allSettled(this.session.calls.map((call) => call.hangup()));
        driver.tell({ is: "disconnect" });
    }

    /**
     * Calls somebody, once the session is there.
     * @param destination `/public/x`, `/private/x`, or an address with channels
     * @throws CallCreateError
     */
    async dial(destination: string | Address, options: MediaOptions = {}): Promise<Call>
    {
        await this.#living();
        return (await this.#withPhone()).dial(destination, options, () => this.#live(options.signal));
    }

    /** Releases everything and forgets what was kept: a page that is loaded again begins anew. Call it once. */
    async destroy(): Promise<void>
    {
        if (this.isDestroyed) return;
        say(this.destroyed$, true);
        const driver = await this.#boot;
        this.#endCalls("NORMAL_CLEARING");
        driver.end();
        this.#kept.wipe();
        for (const topic of [this.#states, ...Object.values(this)]) if (topic instanceof Topic) topic.complete();
        await this.#keys?.then(({ wipeKey }) => wipeKey()).catch(() => {}); // what could not be loaded made no key
    }

    async #start(provider: CredentialProvider | undefined, options: ClientOptions, url: string | undefined): Promise<SessionDriver>
    {
        const prover = await this.#keys?.then(({ openProver }) => openProver()).catch((cause: unknown) => {
            say(this.errors$, new DPoPInitError("key_failed", "this browser made no key", { cause }));
            return undefined;
        });
        return sessionDriver({ platform: browserPlatform(), provider, url, prover, wantsOnline: !options.skipRegister, kept: this.#kept.load(),
            webSocket: options.webSocketConstructor, listener: this.#listener() });
    }

    #listener(): SessionListener
    {
        return {
            changed: (now, before) => this.#changed(now, before),
            // Advice, as its code: that either may get lost is no fault of the session.
            warned: (reason, endsMs) => void import("./warnings.js").then(({ warningOf }) => say(this.warnings$, warningOf(reason, endsMs)), () => {}),
            failed: (error) => { this.#ending = error; say(this.errors$, error); },
            identified: (info) => say(this.user$, info as User),
            welcomed: ({ ice_servers: servers }) => { this.#iceServers = servers; },
            told: (event) => void this.#withPhone().then((phone) => phone.told(event), (error: CoatcheckError) => say(this.errors$, error)),
        };
    }

    #changed(now: SessionState, before: SessionState): void
    {
        const isLive = now.phase === "live";
        const wasSession = before.resume?.protocol;
        if (wasSession && wasSession !== now.resume?.protocol) this.#endCalls("DESTINATION_OUT_OF_ORDER");
        if (now.phase === "idle") this.#ending = undefined;
        this.#kept.save(now);
        if (isLive && !this.directory) say(this.directory$, { list: (options) => this.#addresses(options) });
        say(this.isConnected$, isLive || now.phase === "connecting");
        say(this.ready$, isLive);
        say(this.isRegistered$, isLive && now.isOnline);
        say(this.#states, now);
    }

    #withPhone(): Promise<Phone>
    {
        return (this.#phone ??= import("./phone.js").then(({ phone }) => phone({ rtc: this.#rtc, calls: this.#calls, incoming: this.#incoming,
            iceServers: () => this.#iceServers, request: async (method, params, asking) => (await this.#living()).request(method, params, asking) })).catch((cause: unknown) => {
            this.#phone = undefined; // the next call loads it again
            throw new CoatcheckError("network", "the code for calls could not be loaded", { cause });
        }));
    }

    #endCalls(cause: string): void
    {
        void this.#phone?.then((phone) => phone.endAll(cause), () => {});
    }

    async #addresses({ signal }: Asking = {}): Promise<readonly Address[]>
    {
        const driver = await this.#living();
        return (await import("./phone.js")).addresses(driver.url(), driver.state().token, signal);
    }

    async #living(): Promise<SessionDriver>
    {
        if (this.isDestroyed) throw new CoatcheckError("destroyed", GONE);
        return this.#boot;
    }

    /** Resolves with a session, rejects when there will be none. */
    #live(signal?: AbortSignal): Promise<void>
    {
        let watching: Subscription | undefined;
        return within(Infinity, signal, "the wait for a session", () => new Promise<void>((resolve, reject) => {
            const next = ({ phase }: SessionState) => {
                if (phase === "live") resolve();
                if (phase === "idle" || phase === "ended") reject(this.#ending ?? new CoatcheckError("not_connected", "no session; call connect()"));
            };
            watching = this.#states.subscribe({ next, complete: () => reject(new CoatcheckError("destroyed", GONE)) });
        })).finally(() => watching?.unsubscribe());
    }

    async #online(isOnline: boolean, signal?: AbortSignal, isQuiet?: boolean): Promise<void>
    {
        const driver = await this.#living();
        if (driver.state().phase !== "live") driver.tell({ is: "register", isOnline, isQuiet }); // the session begins so
        await this.#live(signal);
        await driver.setOnline(isOnline, signal, isQuiet);
    }
}

function viewOf(ready: Observable<boolean>, calls: Topic<readonly Call[]>, incoming: Topic<readonly Call[]>): SessionView
{
    return {
        get authenticated() { return !!valueOf(ready); },
        authenticated$: ready,
        get calls() { return calls.value ?? []; },
        calls$: calls,
        get incomingCalls() { return incoming.value ?? []; },
        incomingCalls$: incoming,
    };
}
