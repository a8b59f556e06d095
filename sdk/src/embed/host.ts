/* host.ts — the page that embeds an app: a sandboxed frame in a container, and the launch token handed to it in a message when it asks.
 * The token is nowhere else: not in the frame's address, not kept here. */
import { delayMs } from "../backoff.js";
import { asError, CoatcheckError } from "../errors.js";
import { isObject, within } from "../http.js";
import { guard } from "../observable.js";
import { browserPlatform, type Platform } from "../platform.js";
import { isOrigin, receive, send, type FrameMessage, type Heard, type HostMessage } from "./envelope.js";

export interface EmbedOptions {
    /** `pk_…`: which project. No secret. */
    readonly publishableKey: string;
    /** Element that gets the frame, or a selector of it. It must have a size. */
    readonly container: string | HTMLElement;
    /** Told to the app as it is; it has to be said, there is no default. */
    readonly environment: "production" | "sandbox";
    /** Asks the page's own backend for a launch token: a new one at each call. */
    readonly fetchClientSecrets: (context: { readonly signal: AbortSignal }) => Promise<{ readonly launchToken: string }>;
    /** Address of the app's page. Its origin must be another one than this page's. */
    readonly frameUrl: string;
    /** What the frame may use, as the attribute `allow` has it. Default `microphone`. */
    readonly allow?: string;
    /** Name of the frame for those who hear the page instead of seeing it. Default `Embedded app`. */
    readonly title?: string;
    /** How long the app may take to be ready. Default 120 000. */
    readonly readyTimeoutMs?: number;
    /** Aborted: the frame is taken away, at any time; while it loads, the promise rejects. */
    readonly signal?: AbortSignal;
}

export interface EmbedClient {
    /** Whom the app speaks for. */
    readonly userId: string;
    /** Asks the app for something that it offers. */
    ask(method: string, params?: unknown, asking?: { readonly signal?: AbortSignal }): Promise<unknown>;
    /** Hears what the app tells, and `error`, with a CoatcheckError, when it could not get a fresh token. Gives a function that ends it. */
    on(event: string, hear: (detail: unknown) => void): () => void;
    /** Takes the frame away. */
    destroy(): void;
}

/** @internal the page, as far as it is needed: tests bring their own */
export interface HostPage {
    readonly document: Pick<Document, "querySelector" | "createElement">;
    readonly origin: string;
    listen(hear: (event: Heard) => void): () => void;
}

const READY_MS = 120_000, SECRETS_MS = 30_000;
const HELLO = { firstMs: 100, mostMs: 5_000 } as const;
const SANDBOX = "allow-scripts allow-same-origin allow-forms";
const SCREEN = "data-coatcheck-error";

/**
 * Shows an app in a frame, and resolves when it is ready. If that fails the container shows why, with a code.
 * @throws CoatcheckError `option_missing`, `option_invalid`, `provider_failed`, `provider_timeout`, `credential_invalid`, `frame_failed`, `timeout`, `aborted`
 */
export function loadEmbed(options: EmbedOptions): Promise<EmbedClient>
{
    return embedIn(browserPage(), browserPlatform(), options);
}

/** @internal */
export function browserPage(): HostPage
{
    return {
        document, origin: location.origin,
        listen(hear)
        {
            const stop = new AbortController();
            addEventListener("message", hear, { signal: stop.signal });
            return () => stop.abort();
        },
    };
}

/** @internal screenCode: what the error screen calls an error */
export async function embedIn(page: HostPage, platform: Platform, options: EmbedOptions, screenCode = ({ code }: CoatcheckError): string => code): Promise<EmbedClient>
{
    const container = checked(page, options), { signal, readyTimeoutMs = READY_MS } = options;
    container.querySelector(`[${SCREEN}]`)?.remove();
    const embed = embedOf(page, platform, container, options);
    try {
        const client = await within(readyTimeoutMs, signal, "loading the embedded app", () => embed.ready);
        signal?.addEventListener("abort", client.destroy, { once: true });
        return client;
    } catch (thrown) {
        const error = asError(thrown, "frame_failed", String(thrown));
        embed.destroy(error);
        if (error.code !== "aborted") showError(page, container, screenCode(error), error.message);
        throw error;
    }
}

function checked({ document, origin }: HostPage, options: EmbedOptions): HTMLElement
{
    const { publishableKey, container, environment, fetchClientSecrets, frameUrl } = options ?? {};
    const missing = Object.entries({ publishableKey, container, environment, fetchClientSecrets, frameUrl }).filter(([, value]) => !value).map(([name]) => name);
    if (missing.length) throw new CoatcheckError("option_missing", `loadEmbed() needs ${missing.join(" and ")}`);
    const element = typeof container === "string" ? document.querySelector<HTMLElement>(container) : container;
    const from = originOf(frameUrl);
    const wrong = !/^pk_/.test(publishableKey) ? "publishableKey must begin with pk_; secrets stay on your backend"
        : environment !== "production" && environment !== "sandbox" ? "environment must be production or sandbox"
        : typeof fetchClientSecrets !== "function" ? "fetchClientSecrets must be a function that asks your backend"
        : !isOrigin(from) ? "frameUrl must be an https address (http only on this machine)"
        : from === origin ? "frameUrl must be of another origin than this page, or the sandbox would keep nothing apart"
        : !element ? `container ${String(container)} is not in this page`
        : !element.clientWidth || !element.clientHeight ? "container has no size: give it a width and a height, and show it" : undefined;
    if (wrong || !element) throw new CoatcheckError("option_invalid", wrong ?? "container");
    return element;
}

function originOf(url: string): string | undefined
{
    try {
        return new URL(url).origin;
    } catch {
        return undefined;
    }
}

function frameOf({ document }: HostPage, { frameUrl, allow = "microphone", title = "Embedded app" }: EmbedOptions): HTMLIFrameElement
{
    const frame = document.createElement("iframe");
    for (const [name, value] of Object.entries({ sandbox: SANDBOX, referrerpolicy: "no-referrer", allow, title })) frame.setAttribute(name, value);
    Object.assign(frame.style, { width: "100%", height: "100%", border: "0", display: "block" });
    frame.src = frameUrl;
    return frame;
}

// Text, no markup: what went wrong may come from the other side.
function showError({ document }: HostPage, container: HTMLElement, code: string, message: string): void
{
    const screen = document.createElement("div"), name = document.createElement("strong"), text = document.createElement("p");
    screen.setAttribute(SCREEN, code);
    screen.setAttribute("role", "alert");
    name.textContent = code;
    text.textContent = message;
    screen.append(name, text);
    container.append(screen);
}

interface Embed {
    readonly ready: Promise<EmbedClient>;
    destroy(why: CoatcheckError): void;
}

function embedOf(page: HostPage, platform: Platform, container: HTMLElement, options: EmbedOptions): Embed
{
    const { publishableKey, environment, frameUrl, fetchClientSecrets } = options;
    const origin = new URL(frameUrl).origin, frame = frameOf(page, options), stop = new AbortController();
    const hearers = new Map<string, Set<(detail: unknown) => void>>();
    const asked = new Map<number, { resolve(result: unknown): void; reject(error: CoatcheckError): void }>();
    let line = "", lines = 0, asks = 0, isReady = false;
    let unplan = () => {};
    let giving = Promise.resolve(); // one call of the page's function at a time, however often a frame asks
    let resolve!: (client: EmbedClient) => void, reject!: (error: unknown) => void;
    const ready = new Promise<EmbedClient>((good, bad) => { [resolve, reject] = [good, bad]; });

    const say = (message: HostMessage) => send(frame.contentWindow, origin, line, message);
    const tell = (event: string, detail: unknown) => { for (const hear of [...hearers.get(event) ?? []]) guard(() => hear(detail)); };

    // A page that has loaded may not listen yet: it is greeted until it answers.
    function greet(tries = 0): void
    {
        say({ is: "hello", publishableKey, environment });
        unplan = platform.after(delayMs(HELLO, tries), () => greet(tries + 1));
    }

    function failed(error: CoatcheckError): void
    {
        if (isReady) tell("error", error);
        else reject(error);
    }

    async function giveToken(id: number, to: string): Promise<void>
    {
        if (to !== line || stop.signal.aborted) return;
        try {
            const value = await within<unknown>(SECRETS_MS, stop.signal, "fetchClientSecrets()", async (signal) => fetchClientSecrets({ signal })).catch(ofProvider);
            const { launchToken } = (isObject(value) ? value : {}) as { launchToken?: unknown };
            if (typeof launchToken !== "string" || !launchToken)
                throw new CoatcheckError("credential_invalid", "fetchClientSecrets must resolve with { launchToken }: the launch_token that your backend was given");
            if (to === line) say({ is: "token", id, launchToken });
        } catch (thrown) {
            const error = asError(thrown, "provider_failed", String(thrown));
            if (to === line) say({ is: "refused", id, code: error.code, message: error.message });
            failed(error);
        }
    }

    function hear(event: Heard): void
    {
        const message = receive<FrameMessage>(event, frame.contentWindow, [origin]);
        if (!message || message.line !== line) return;
        unplan();
        switch (message.is) {
        case "want-token": giving = giving.then(() => giveToken(message.id, message.line)); return;
        case "event": return tell(message.name, message.detail);
        case "ready":
            if (isReady) return;
            isReady = true;
            return resolve({ userId: message.userId, ask, on, destroy: () => destroy(new CoatcheckError("destroyed", "this embed was destroyed; load a new one")) });
        case "answer": asked.get(message.id)?.resolve(message.result); break;
        case "refused": {
            const error = new CoatcheckError("frame_failed", message.message, { cause: message.code });
            if (message.id) asked.get(message.id)?.reject(error);
            else failed(error);
        }
        }
        if (message.id) asked.delete(message.id);
    }

    const ask: EmbedClient["ask"] = (method, params, { signal } = {}) => within(Infinity, signal, `${method} in the embedded app`, () => new Promise((good, bad) => {
        if (stop.signal.aborted) throw stop.signal.reason;
        const id = ++asks;
        try {
            say({ is: "ask", id, method, params });
        } catch (cause) {
            throw new CoatcheckError("option_invalid", `what ${method} is asked with cannot be sent: ${String(cause)}`, { cause });
        }
        asked.set(id, { resolve: good, reject: bad });
    }));

    const on: EmbedClient["on"] = (event, one) => {
        const all = hearers.get(event) ?? new Set();
        hearers.set(event, all.add(one));
        return () => { all.delete(one); };
    };

    function refuseAll(why: CoatcheckError): void
    {
        for (const { reject: refuse } of asked.values()) refuse(why);
        asked.clear();
    }

    function destroy(why: CoatcheckError): void
    {
        stop.abort(why);
        unplan();
        unlisten();
        frame.remove();
        refuseAll(why);
        hearers.clear();
    }

    const unlisten = page.listen(hear);
    frame.addEventListener("load", () => {
        unplan();
        refuseAll(new CoatcheckError("frame_failed", "the embedded app was loaded anew, and does not know what was asked before"));
        line = `${platform.dice()}.${++lines}`; // tells conversations apart; what keeps strangers out is the origin and the window
        greet();
    });
    container.append(frame);
    return { ready, destroy };
}

function ofProvider(cause: unknown): never
{
    const why = cause instanceof Error ? cause.message : String(cause);
    if (!(cause instanceof CoatcheckError)) throw new CoatcheckError("provider_failed", `fetchClientSecrets() failed: ${why}`, { cause });
    throw cause.code === "timeout" ? new CoatcheckError("provider_timeout", `${why}; let it give up earlier`, { cause }) : cause;
}
