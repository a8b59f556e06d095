/* frame.ts — the framed app's side: who embeds it, a session for the launch token that it gets from there, and what the two ask of each
 * other. The access token stays in a closure; the app asks its own API through `ask`, which sends the token to the origins that
 * were named for it and to nobody else. */
import { asError, CoatcheckError } from "../errors.js";
import { freshToken, type Grant } from "../fresh-token.js";
import { ask, tried, type Answer, type Ask } from "../http.js";
import { browserPlatform, type Platform } from "../platform.js";
import { receive, send, type FrameMessage, type Heard, type HostMessage, type Post } from "../embed/envelope.js";
import { hostList } from "./policy.js";

export interface FrameOptions {
    /** Exact origins of the pages that may embed this one: the list that {@link framePolicy} gets on your backend. */
    readonly hosts: readonly string[];
    /** The Coatcheck server's origin. */
    readonly serverUrl: string;
    /** Origins that may get the access token: those of your own API. */
    readonly apis?: readonly string[];
    /** What the embedding page may ask for, by name. */
    readonly offers?: Readonly<Record<string, (params: unknown, frame: Frame) => unknown>>;
    /** Shows the app. When it has resolved, the embedding page learns that the app is ready. */
    readonly start?: (frame: Frame) => unknown;
    /** Aborted before there is a session: the promise rejects. Later the embedding page ends the app, by taking its frame away. */
    readonly signal?: AbortSignal;
}

export interface Frame {
    /** Whom the session is of. */
    readonly userId: string;
    /** Origin of the page that embeds this one. */
    readonly host: string;
    readonly environment: string;
    /** Asks one of `apis`, with the access token; with a new session if the old one is over. */
    ask(request: Pick<Ask, "url" | "method" | "body" | "signal" | "timeoutMs">): Promise<Answer>;
    /** Tells the embedding page something. */
    tell(event: string, detail?: unknown): void;
}

/** @internal */
export interface FramePage {
    /** The window that holds this one; null if none does. */
    readonly parent: Post | null;
    listen(hear: (event: Heard) => void): () => void;
}

/**
 * To be called by the framed page when it loads. Resolves when the app was started.
 * @throws CoatcheckError `option_invalid`, `not_connected`, `credential_refused`, `frame_failed`, `aborted`, what `start` threw
 */
export function openFrame(options: FrameOptions): Promise<Frame>
{
    return frameIn({
        parent: parent === window ? null : parent,
        listen(hear)
        {
            const stop = new AbortController();
            addEventListener("message", hear, { signal: stop.signal });
            return () => stop.abort();
        },
    }, browserPlatform(), options);
}

interface Greeting {
    readonly host: string;
    readonly line: string;
    readonly publishableKey: string;
    readonly environment: string;
}

const EXCHANGE = "/v1/oauth/launch/exchange";

/** @internal */
export async function frameIn(page: FramePage, platform: Platform, options: FrameOptions): Promise<Frame>
{
    const hosts = hostList(options.hosts), apis = options.apis ?? [], { signal, offers = {}, start } = options;
    const { parent } = page;
    if (!parent) throw new CoatcheckError("not_connected", "this page is made to be embedded by another; open that one");
    const wanted = new Map<number, { resolve(token: string): void; reject(error: CoatcheckError): void }>();
    let greeting: Greeting | undefined, wants = 0;
    let greeted!: (one: Greeting) => void;
    const first = new Promise<Greeting>((resolve) => { greeted = resolve; });
    const say = (message: FrameMessage) => { if (greeting) send(parent, greeting.host, greeting.line, message); };

    // The first listed page that says hello is the one; from then on no other origin is heard.
    function hear(event: Heard): void
    {
        const message = receive<HostMessage>(event, parent, greeting ? [greeting.host] : hosts);
        if (!message || (greeting && message.line !== greeting.line)) return;
        switch (message.is) {
        case "hello":
            if (!greeting) greeted(greeting = { host: event.origin, line: message.line, publishableKey: message.publishableKey, environment: message.environment });
            return;
        case "token": wanted.get(message.id)?.resolve(message.launchToken); break;
        case "refused": wanted.get(message.id)?.reject(new CoatcheckError("frame_failed", message.message, { cause: message.code })); break;
        case "ask": return void answer(message.id, message.method, message.params);
        }
        wanted.delete(message.id);
    }

    async function answer(id: number, method: string, params: unknown): Promise<void>
    {
        try {
            const offer = Object.hasOwn(offers, method) ? offers[method] : undefined;
            if (!offer) throw new CoatcheckError("unsupported", `this app offers no ${method}`);
            say({ is: "answer", id, result: await offer(params, await ready) });
        } catch (error) {
            say(refusal(id, error));
        }
    }

    async function exchange(stop: AbortSignal): Promise<Grant>
    {
        const { publishableKey } = await first, id = ++wants;
        const launchToken = await new Promise<string>((resolve, reject) => {
            wanted.set(id, { resolve, reject });
            say({ is: "want-token", id });
        });
        const beganMs = platform.nowMs();
        const { accessToken, expiresIn, userId } = await ask({ url: options.serverUrl + EXCHANGE, method: "POST", body: { launchToken, publishableKey }, signal: stop })
            .catch((error: unknown) => { throw refused(asError(error, "network", String(error))); });
        if (typeof accessToken !== "string" || typeof userId !== "string" || typeof expiresIn !== "number")
            throw new CoatcheckError("malformed_answer", "the exchange lacks accessToken, expiresIn or userId; is serverUrl right?");
        return { token: accessToken, userId, beganMs, endsMs: beganMs + expiresIn * 1000 };
    }

    const tokens = freshToken({ platform, open: exchange, isKeptFresh: false });

    async function askApi(request: Parameters<Frame["ask"]>[0]): Promise<Answer>
    {
        const origin = tried(() => new URL(request.url).origin);
        if (!origin || !apis.includes(origin)) throw new CoatcheckError("option_invalid", `${origin ?? request.url} is not among apis: it must not get the access token`);
        const { token } = await tokens.get(request.signal);
        try {
            return await ask({ ...request, token });
        } catch (error) {
            if (!(error instanceof CoatcheckError) || error.status !== 401) throw error;
            tokens.drop(token);
            return ask({ ...request, token: (await tokens.get(request.signal)).token });
        }
    }

    const unlisten = page.listen(hear);
    const ready = (async (): Promise<Frame> => {
        const { userId } = await tokens.get(signal), { host, environment } = await first;
        return { userId, host, environment, ask: askApi, tell: (name, detail) => say({ is: "event", name, detail }) };
    })();
    try {
        const frame = await ready;
        await start?.(frame);
        say({ is: "ready", userId: frame.userId });
        return frame;
    } catch (error) {
        say(refusal(0, error));
        unlisten();
        tokens.end();
        throw error;
    }
}

function refusal(id: number, thrown: unknown): FrameMessage
{
    const { code, message } = asError(thrown, "frame_failed", thrown instanceof Error ? thrown.message : String(thrown));
    return { is: "refused", id, code, message };
}

function refused(error: CoatcheckError): CoatcheckError
{
    if (error.status !== 401) return error;
    return new CoatcheckError("credential_refused", `the launch token was refused: expired, used before, of another project, or the publishable key is wrong; ${error.message}`,
        { cause: error, status: error.status, errorId: error.errorId });
}
