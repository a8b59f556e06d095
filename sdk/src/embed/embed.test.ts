/* embed.test.ts — both sides of a frame, with windows that a test holds in its hands. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { frameIn, type FrameOptions } from "../frame/frame.js";
import { framePolicy } from "../frame/policy.js";
import { fakePlatform, settled } from "../testing/fake-platform.js";
import { fakeServer, type Reply, type Seen } from "../testing/fake-server.js";
import { FakeElement, FakeWindow, type Posted } from "../testing/fake-windows.js";
import { isOrigin, receive, type Heard } from "./envelope.js";
import { embedIn, type EmbedOptions, type HostPage } from "./host.js";

afterEach(() => { vi.unstubAllGlobals(); });

const HOST = "https://clinic.example", APP = "https://app.example", SERVER = "https://auth.example", API = "https://api.example";

interface Scene {
    readonly hosting?: Partial<EmbedOptions>;
    readonly framing?: Partial<FrameOptions>;
    readonly hostOrigin?: string;
    readonly answer?: (seen: Seen) => Reply | undefined;
}

function scene({ hosting = {}, framing = {}, hostOrigin = HOST, answer }: Scene = {})
{
    const log: Posted[] = [], platform = fakePlatform();
    const host = new FakeWindow(hostOrigin, log), app = new FakeWindow(APP, log), stranger = new FakeWindow("https://evil.example", log);
    const container = new FakeElement("div");
    let secrets = 0, exchanges = 0;
    const good = new Set<string>();
    const seen = fakeServer((request) => {
        const own = answer?.(request);
        if (own) return own;
        if (request.path.startsWith(SERVER)) {
            const accessToken = `access-${++exchanges}`;
            good.add(accessToken);
            return { json: { accessToken, expiresIn: 3600, userId: "tortus|1" } };
        }
        return good.has(request.bearer ?? "") ? { json: { ok: true } } : { status: 401, headers: { "coatcheck-error-code": "unauthorized" } };
    });
    const fetchClientSecrets = vi.fn(async () => ({ launchToken: `launch.${++secrets}` }));
    const frames: FakeElement[] = [];
    const page = {
        origin: hostOrigin, listen: host.listen,
        document: {
            querySelector: (selector: string) => (selector === "#app" ? container : null),
            createElement(tag: string)
            {
                const element = new FakeElement(tag);
                if (tag === "iframe") { element.contentWindow = app.seenBy(host); frames.push(element); }
                return element;
            },
        },
    } as unknown as HostPage;
    const options = { publishableKey: "pk_test_1", container: "#app", environment: "sandbox", frameUrl: `${APP}/frame`, fetchClientSecrets, ...hosting } as EmbedOptions;
    const load = () => embedIn(page, platform, options);
    const open = () => frameIn({ parent: host.seenBy(app), listen: app.listen }, platform, { hosts: [HOST], serverUrl: SERVER, apis: [API], ...framing });
    return { log, platform, host, app, stranger, container, good, seen, fetchClientSecrets, frames, page, options, load, open };
}

// Both at work: the frame loads a moment after it was put into the page, and its script still later.
async function both(s: ReturnType<typeof scene>)
{
    const loading = s.load();
    loading.catch(() => {});
    s.frames[0]?.onload();
    const opening = s.open();
    opening.catch(() => {});
    await settled();
    return { loading, opening };
}

describe("options", () => {
    it.each([
        [{ publishableKey: "" }, "option_missing", /needs publishableKey/],
        [{ environment: undefined, container: undefined }, "option_missing", /needs container and environment/],
        [{ publishableKey: "sec_1" }, "option_invalid", /pk_/],
        [{ environment: "staging" }, "option_invalid", /production or sandbox/],
        [{ fetchClientSecrets: {} }, "option_invalid", /must be a function/],
        [{ frameUrl: "/frame" }, "option_invalid", /https address/],
        [{ frameUrl: "http://app.example/" }, "option_invalid", /https address/],
        [{ frameUrl: "javascript:alert(1)" }, "option_invalid", /https address/],
        [{ frameUrl: "data:text/html,x" }, "option_invalid", /https address/],
        [{ frameUrl: `${HOST}/frame` }, "option_invalid", /another origin/],
        [{ container: "#nothing" }, "option_invalid", /not in this page/],
    ])("%o is refused", async (hosting, code, message) => {
        const s = scene({ hosting: hosting as Partial<EmbedOptions> });
        await expect(s.load()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
        expect([s.frames.length, s.host.listeners]).toEqual([0, 0]);
    });

    it("a container without a size is refused", async () => {
        const s = scene();
        s.container.clientHeight = 0;
        await expect(s.load()).rejects.toMatchObject({ code: "option_invalid", message: expect.stringMatching(/no size/) });
    });

    it.each([["*"], ["null"], ["https://*.example"], ["https://a.example/"], ["http://a.example"], ["https://a.example:443"], ["HTTPS://a.example"], [""], ["a.example"], [7]])(
        "%s is no host that may frame anything", async (host) => {
            expect(() => framePolicy([host as string])).toThrow(/exact origins/);
            await expect(scene({ framing: { hosts: [host as string] } }).open()).rejects.toMatchObject({ code: "option_invalid" });
        });

    it.each([["https://a.example"], ["https://a.example:8443"], ["http://localhost:3000"], ["http://127.0.0.1:9"], ["http://[::1]:9"], ["http://app.localhost"]])(
        "%s is one", (host) => { expect(isOrigin(host)).toBe(true); });

    it("the policy names each host, and nobody if there are none", () => {
        expect(framePolicy(["https://a.example", "https://b.example"])).toBe("frame-ancestors https://a.example https://b.example");
        expect(framePolicy([])).toBe("frame-ancestors 'none'");
        expect(() => framePolicy("https://a.example" as unknown as string[])).toThrow(/list/);
    });

    it("a page that nobody frames is told so", async () => {
        await expect(frameIn({ parent: null, listen: () => () => {} }, fakePlatform(), { hosts: [HOST], serverUrl: SERVER })).rejects.toMatchObject({ code: "not_connected" });
    });
});

describe("messages that nobody hears", () => {
    const from = {}, good = { coatcheck: 1, line: "1", is: "want-token", id: 1 };
    it.each<[string, Heard]>([
        ["another window", { data: good, origin: APP, source: {} }],
        ["no window", { data: good, origin: APP, source: null }],
        ["another origin", { data: good, origin: "https://app.example.evil.example", source: from }],
        ["another scheme", { data: good, origin: "http://app.example", source: from }],
        ["an opaque origin", { data: good, origin: "null", source: from }],
        ["another version", { data: { ...good, coatcheck: 2 }, origin: APP, source: from }],
        ["no line", { data: { ...good, line: undefined }, origin: APP, source: from }],
        ...[undefined, null, "want-token", 1, [], {}].map((data): [string, Heard] => [JSON.stringify(data), { data, origin: APP, source: from }]),
    ])("%s", (_, event) => {
        expect(receive(event, from, [APP])).toBeUndefined();
        expect(receive({ data: good, origin: APP, source: from }, from, [APP])).toBeDefined();
    });

    it("a window that is gone is nobody", () => { expect(receive({ data: good, origin: APP, source: null }, null, [APP])).toBeUndefined(); });

    it("a forged wish for a token gets none, a forged token opens nothing", async () => {
        const s = scene(), { loading, opening } = await both(s);
        await Promise.all([loading, opening]);
        const line = s.log[0]?.data["line"], { length } = s.log;
        const wish = { coatcheck: 1, line, is: "want-token", id: 9 };
        s.host.deliver({ data: wish, origin: "https://evil.example", source: s.app.seenBy(s.host) });
        s.host.deliver({ data: wish, origin: APP, source: s.stranger.seenBy(s.host) });
        s.host.deliver({ data: { ...wish, line: "0.1" }, origin: APP, source: s.app.seenBy(s.host) });
        s.app.deliver({ data: { coatcheck: 1, line, is: "token", id: 1, launchToken: "forged.1" }, origin: "https://evil.example", source: s.host.seenBy(s.app) });
        s.app.deliver({ data: { coatcheck: 1, line, is: "hello", publishableKey: "pk_evil", environment: "x" }, origin: "https://evil.example", source: s.host.seenBy(s.app) });
        await settled();
        expect([s.fetchClientSecrets.mock.calls.length, s.log.length, s.seen.length]).toEqual([1, length, 1]);
    });

    it("a host that is not listed hears nothing at all, and is told so when its time is up", async () => {
        const s = scene({ hostOrigin: "https://evil.example", hosting: { readyTimeoutMs: 1_000 } });
        vi.useFakeTimers();
        try {
            const loading = s.load(), wait = expect(loading).rejects.toMatchObject({ code: "timeout" });
            s.frames[0]?.onload();
            s.open().catch(() => {});
            await s.platform.pass(60_000);
            await vi.advanceTimersByTimeAsync(1_000);
            await wait;
        } finally {
            vi.useRealTimers();
        }
        expect(s.log.filter(({ from: who }) => who === APP)).toEqual([]);
        expect(s.log.every(({ targetOrigin }) => targetOrigin === APP)).toBe(true);
        expect(s.fetchClientSecrets).not.toHaveBeenCalled();
    });
});

it("a launch token goes from the backend to the frame in one message to its exact origin, and a session comes of it", async () => {
    const s = scene({ framing: { start: (frame) => { frame.tell("shown", { at: "home" }); } } });
    const { loading, opening } = await both(s);
    const [client, frame] = await Promise.all([loading, opening]);
    expect([client.userId, frame.userId, frame.host, frame.environment]).toEqual(["tortus|1", "tortus|1", HOST, "sandbox"]);
    expect(s.log.map(({ data, targetOrigin }) => [data["is"], targetOrigin])).toEqual(
        [["hello", APP], ["want-token", HOST], ["token", APP], ["event", HOST], ["ready", HOST]]);
    expect(s.seen.map(({ path, body }) => [path, body])).toEqual([[`${SERVER}/v1/oauth/launch/exchange`, { launchToken: "launch.1", publishableKey: "pk_test_1" }]]);
    const [iframe] = s.frames;
    expect(iframe?.attributes).toEqual({ sandbox: "allow-scripts allow-same-origin allow-forms", referrerpolicy: "no-referrer", allow: "microphone", title: "Embedded app" });
    expect(iframe?.src).toBe(`${APP}/frame`);
    for (const held of [client, frame]) expect(JSON.stringify(held)).not.toMatch(/access-|launch\./);
    expect(s.platform.timers, "nobody is greeted any more").toBe(0);
});

it("is greeted again until it answers", async () => {
    const s = scene(), loading = s.load();
    s.frames[0]?.onload();
    await s.platform.pass(3_000);
    expect(s.log.filter(({ data }) => data["is"] === "hello").length).toBeGreaterThan(3);
    const frame = await Promise.all([loading, s.open(), s.platform.pass(5_000)]);
    expect(frame[1].userId).toBe("tortus|1");
});

describe("what fetchClientSecrets may come with", () => {
    it.each<[() => unknown, string]>([
        [async () => ({}), "credential_invalid"], [async () => "launch.1", "credential_invalid"], [async () => undefined, "credential_invalid"],
        [async () => ({ launchToken: "" }), "credential_invalid"], [async () => ({ launch_token: "launch.1" }), "credential_invalid"],
        [() => { throw new Error("502"); }, "provider_failed"], [async () => Promise.reject(new Error("502")), "provider_failed"],
    ])("%s is an error with a screen", async (fetchClientSecrets, code) => {
        const s = scene({ hosting: { fetchClientSecrets: fetchClientSecrets as EmbedOptions["fetchClientSecrets"] } }), { loading, opening } = await both(s);
        await expect(loading).rejects.toMatchObject({ code });
        await expect(opening).rejects.toMatchObject({ code: "frame_failed", cause: code });
        expect(s.container.children.map(({ tag, attributes }) => [tag, attributes["role"], attributes["data-coatcheck-error"]])).toEqual([["div", "alert", code]]);
        expect([s.host.listeners, s.app.listeners, s.platform.timers, s.seen.length]).toEqual([0, 0, 0, 0]);
    });

    it("the screen of before is gone when it is tried again", async () => {
        let isDown = true;
        const s = scene({ hosting: { fetchClientSecrets: async () => { if (isDown) throw new Error("502"); return { launchToken: "launch.1" }; } } });
        const first = await both(s);
        await expect(first.loading).rejects.toMatchObject({ code: "provider_failed" });
        isDown = false;
        const loading = s.load();
        s.frames[1]?.onload();
        const opening = s.open();
        await s.platform.pass(200);
        await Promise.all([loading, opening]);
        expect(s.container.children.map(({ tag }) => tag)).toEqual(["iframe"]);
    });
});

it.each([
    [{ status: 401, headers: { "coatcheck-error-code": "invalid_ticket" } }, "credential_refused", /expired, used before, of another project, or the publishable key is wrong/],
    [{ status: 200, json: { accessToken: "a" } }, "malformed_answer", /lacks accessToken/],
    [{ status: 200, text: "<html>" }, "malformed_answer", /^POST https/],
])("an exchange answered %o is a frame that could not start", async (reply, cause, message) => {
    const s = scene({ answer: ({ path }) => (path.startsWith(SERVER) ? reply : undefined) }), { loading, opening } = await both(s);
    await expect(opening).rejects.toMatchObject({ code: cause, message: expect.stringMatching(message) });
    await expect(loading).rejects.toMatchObject({ code: "frame_failed", cause });
});

it("the access token goes to the app's own origins alone; refused there, a new one is launched, once", async () => {
    const s = scene(), { loading, opening } = await both(s);
    const [, frame] = await Promise.all([loading, opening]);
    for (const url of ["https://evil.example/", `${SERVER}/`, "http://api.example/", "https://api.example.evil.example/"])
        await expect(frame.ask({ url })).rejects.toMatchObject({ code: "option_invalid" });
    expect(await frame.ask({ url: `${API}/notes`, method: "POST", body: { text: "x" } })).toEqual({ ok: true });
    s.good.clear();
    expect(await frame.ask({ url: `${API}/notes` })).toEqual({ ok: true });
    expect(s.seen.map(({ path, bearer }) => [path.replace(/.*\//, ""), bearer])).toEqual([["exchange", undefined], ["notes", "access-1"], ["notes", "access-1"], ["exchange", undefined], ["notes", "access-2"]]);
    expect(s.fetchClientSecrets).toHaveBeenCalledTimes(2);
    s.platform.suspend(3_600_000);
    await frame.ask({ url: `${API}/notes` });
    expect(s.fetchClientSecrets, "and when the hour is over").toHaveBeenCalledTimes(3);
});

it("each asks the other by name; what is not offered, and what fails, is said", async () => {
    const s = scene({ framing: { offers: { display: (screen, { userId }) => ({ screen, userId }), broken: () => { throw new Error("no patient"); } } } });
    const { loading, opening } = await both(s), [client, frame] = await Promise.all([loading, opening]);
    expect(await client.ask("display", "home")).toEqual({ screen: "home", userId: "tortus|1" });
    await expect(client.ask("broken")).rejects.toMatchObject({ code: "frame_failed", message: "no patient" });
    for (const method of ["nothing", "constructor", "__proto__", "toString"]) await expect(client.ask(method)).rejects.toMatchObject({ code: "frame_failed", cause: "unsupported" });
    const heard: unknown[] = [], off = client.on("note", (detail) => heard.push(detail));
    frame.tell("note", 1);
    await settled();
    off();
    frame.tell("note", 2);
    await settled();
    expect(heard).toEqual([1]);
});

it("a fresh token that cannot be had later is told, and does not take the frame away", async () => {
    let calls = 0;
    const s = scene({ hosting: { fetchClientSecrets: async () => { if (calls++) throw new Error("502"); return { launchToken: "launch.1" }; } } });
    const { loading, opening } = await both(s), [client, frame] = await Promise.all([loading, opening]);
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    s.good.clear();
    await expect(frame.ask({ url: `${API}/notes` })).rejects.toMatchObject({ code: "frame_failed", cause: "provider_failed" });
    expect(errors).toMatchObject([{ code: "provider_failed" }]);
    expect(s.container.children).toHaveLength(1);
});

it("a frame that was loaded again begins anew, and its old messages are nobody's", async () => {
    const s = scene(), { loading, opening } = await both(s);
    await Promise.all([loading, opening]);
    const old = s.log[0]?.data["line"];
    s.frames[0]?.onload();
    await settled();
    s.host.deliver({ data: { coatcheck: 1, line: old, is: "want-token", id: 5 }, origin: APP, source: s.app.seenBy(s.host) });
    await settled();
    expect(s.fetchClientSecrets).toHaveBeenCalledTimes(1);
});

it("once greeted a frame hears that origin and that line alone, also of its list", async () => {
    const asked: unknown[] = [];
    const s = scene({ framing: { hosts: [HOST, "https://other.example"], offers: { display: (screen) => { asked.push(screen); } } } });
    const { loading, opening } = await both(s);
    await Promise.all([loading, opening]);
    const line = s.log[0]?.data["line"], source = s.host.seenBy(s.app), ask = { coatcheck: 1, line, is: "ask", id: 9, method: "display" };
    s.app.deliver({ data: { ...ask, params: "of another origin" }, origin: "https://other.example", source });
    s.app.deliver({ data: { ...ask, line: "0.9", params: "of another line" }, origin: HOST, source });
    s.app.deliver({ data: { ...ask, params: "its own" }, origin: HOST, source });
    await settled();
    expect(asked).toEqual(["its own"]);
});

it("a token that comes when the frame was loaded again is for nobody", async () => {
    let give = (_: { launchToken: string }) => {};
    const s = scene({ hosting: { fetchClientSecrets: () => new Promise((resolve) => { give = resolve; }) } });
    await both(s);
    s.frames[0]?.onload();
    give({ launchToken: "launch.late" });
    await settled();
    expect(s.log.filter(({ data }) => data["is"] === "token")).toEqual([]);
});

it("destroy() takes the frame away, ends what waits, and hears nothing more", async () => {
    const s = scene({ framing: { offers: { slow: () => new Promise(() => {}) } } }), { loading } = await both(s);
    const client = await loading, waiting = expect(client.ask("slow")).rejects.toMatchObject({ code: "destroyed" });
    await settled();
    client.destroy();
    await waiting;
    await expect(client.ask("slow")).rejects.toMatchObject({ code: "destroyed" });
    expect([s.container.children.length, s.host.listeners, s.platform.timers]).toEqual([0, 0, 0]);
    client.destroy();
});

it("an aborted load leaves nothing, not even a screen", async () => {
    const stop = new AbortController(), s = scene({ hosting: { signal: stop.signal } }), loading = s.load();
    stop.abort();
    await expect(loading).rejects.toMatchObject({ code: "aborted" });
    expect([s.container.children.length, s.host.listeners, s.platform.timers]).toEqual([0, 0, 0]);
});

it("its signal takes the app away after the start as well", async () => {
    const stop = new AbortController(), s = scene({ hosting: { signal: stop.signal } }), { loading } = await both(s), client = await loading;
    stop.abort();
    await expect(client.ask("any")).rejects.toMatchObject({ code: "destroyed" });
    expect([s.container.children.length, s.host.listeners, s.platform.timers]).toEqual([0, 0, 0]);
});

describe("what goes wrong after the start", () => {
    async function opened(more: Scene = {})
    {
        const s = scene(more), { loading, opening } = await both(s), [client, frame] = await Promise.all([loading, opening]);
        return { s, client, frame };
    }

    it("what was asked of an app that is loaded anew is refused: nobody is left to answer it", async () => {
        const { s, client } = await opened({ framing: { offers: { wait: () => new Promise(() => {}) } } });
        const asked = expect(client.ask("wait")).rejects.toMatchObject({ code: "frame_failed" });
        await settled();
        s.frames[0]?.onload();
        await asked;
        client.destroy();
    });

    it("what no message can carry is an error with a code", async () => {
        const { client } = await opened();
        await expect(client.ask("display", () => {})).rejects.toMatchObject({ code: "option_invalid" });
    });

    it("one who hears and throws keeps nobody else from hearing", async () => {
        const { client, frame } = await opened(), heard: unknown[] = [], thrown: unknown[] = [];
        vi.stubGlobal("queueMicrotask", (run: () => void) => { void Promise.resolve().then(run).catch((error: unknown) => thrown.push(error)); });
        client.on("saved", () => { throw new Error("mine"); });
        client.on("saved", (detail) => heard.push(detail));
        frame.tell("saved", 1);
        await settled();
        expect([heard, thrown.length]).toEqual([[1], 1]);
    });

    it("a frame that asks again and again has one call in flight", async () => {
        let calls = 0;
        const s = scene({ hosting: { fetchClientSecrets: () => { calls++; return new Promise(() => {}); } } }), { loading } = await both(s);
        const line = s.log[0]?.data["line"];
        for (let id = 2; id < 50; id++) s.host.deliver({ data: { coatcheck: 1, line, is: "want-token", id }, origin: APP, source: s.app.seenBy(s.host) });
        await settled();
        expect(calls).toBe(1);
        loading.catch(() => {});
    });

    it("an address that is none is refused with a code, and no token", async () => {
        const { s, frame } = await opened();
        for (const url of ["/notes", "", "https://"]) await expect(frame.ask({ url })).rejects.toMatchObject({ code: "option_invalid" });
        expect(s.seen.length).toBe(1);
    });
});
