import { afterEach, describe, expect, it, vi } from "vitest";
import { CoatcheckError } from "../errors.js";
import { fakePlatform, settled } from "../testing/fake-platform.js";
import { fakeServer, type Reply, type Seen } from "../testing/fake-server.js";
import { createJourney } from "./journey.js";
import { createParticipant, participantOn, type BootstrapTokenResult, type ParticipantOptions } from "./participant.js";

afterEach(() => { vi.unstubAllGlobals(); });

const SERVER_MS = Date.parse("2031-05-05T10:00:00Z"); // far from the clock of whoever runs this
const instant = (ms: number) => new Date(ms).toISOString();

// A server whose time is that of the platform, so many ms in its favour.
function scene(options: ParticipantOptions = {}, { answer }: { answer?: (seen: Seen) => Reply | undefined } = {})
{
    const platform = fakePlatform(), bornMs = platform.nowMs();
    const serverMs = () => SERVER_MS + platform.nowMs() - bornMs;
    let sessions = 0, boots = 0;
    const good = new Set<string>();
    const seen = fakeServer((request) => {
        const own = answer?.(request);
        if (own) return own;
        const headers = { date: new Date(serverMs()).toUTCString() };
        if (request.path.endsWith("/sdk/sessions") || request.path.endsWith("/sessions")) {
            const sessionToken = `session-${++sessions}`;
            good.add(sessionToken);
            const userId = request.path.endsWith("/sdk/sessions") ? "user" : `visitor-${sessions}`;
            return { status: 201, headers, json: { sessionToken, userId, expiresAt: instant(serverMs() + 900_000) } };
        }
        if (!good.has(request.bearer ?? "")) return { status: 401, headers: { ...headers, "coatcheck-error-code": "unauthorized" }, json: {} };
        return { headers, json: { id: "study-1", title: "A study", questions: [] } };
    });
    const provider = vi.fn(async (): Promise<BootstrapTokenResult> => ({ bootstrapToken: `boot-${++boots}`, expiresAt: instant(serverMs() + 300_000) }));
    const participant = participantOn(platform, { baseUrl: "https://auth.example", bootstrapTokenProvider: provider, ...options });
    const paths = () => seen.map(({ method, path }) => `${method} ${path.replace("https://auth.example", "")}`);
    return { platform, seen, paths, good, provider, participant, serverMs };
}

describe("options", () => {
    it.each<[object, RegExp]>([
        [{ sessionToken: "x" }, /tokens are no options/],
        [{ bootstrapToken: "x" }, /tokens are no options/],
        [{ bootstrapTokenProvider: "x" }, /must be a function/],
        [{ publishableKey: "sk_test_1" }, /secret keys stay on your backend/],
        [{ publishableKey: 7 }, /must begin with pk_/],
        ...["//evil.example", "ftp://x", "https://", "https://user@x", "/a?b", "/a#b", "auth", "\\\\x", "/\\x", 7].map((baseUrl): [object, RegExp] => [{ baseUrl }, /baseUrl must be/]),
    ])("%o is refused", (options, message) => {
        expect(() => createParticipant(options as ParticipantOptions)).toThrow(message);
        expect(() => createParticipant(options as ParticipantOptions)).toThrow(CoatcheckError);
    });

    it.each([[undefined, ""], ["", ""], ["/", ""], ["/dlg", "/dlg"], ["/dlg/", "/dlg"], ["https://a.example", "https://a.example"], ["https://a.example/x/", "https://a.example/x"]])(
        "baseUrl %s is %s", async (baseUrl, at) => {
            const { participant, seen } = scene({ baseUrl });
            await participant.authenticate();
            expect(seen[0]?.path).toBe(`${at}/sdk/sessions`);
        });
});

describe("what a provider may come with", () => {
    const GOOD = "2031-05-05T10:05:00Z";
    it.each<[unknown]>([
        [undefined], [null], ["boot"], [[]], [{}], [{ bootstrapToken: "b" }], [{ expiresAt: GOOD }], [{ bootstrapToken: "", expiresAt: GOOD }], [{ bootstrapToken: 1, expiresAt: GOOD }],
        ...["", "soon", 1_900_000_000, null, "2031-05-05", "2031-05-05 10:05:00", "2031-05-05T10:05:00", "2031-13-05T10:05:00Z"].map((expiresAt): [unknown] => [{ bootstrapToken: "b", expiresAt }]),
    ])("%o is refused before anything is sent", async (value) => {
        const { participant, seen } = scene({ bootstrapTokenProvider: async () => value as BootstrapTokenResult });
        await expect(participant.authenticate()).rejects.toMatchObject({ code: "credential_invalid", message: expect.stringMatching(/must resolve with \{ bootstrapToken, expiresAt \}/) });
        expect(seen).toEqual([]);
        expect(participant.state).toMatchObject({ status: "error", userId: null, error: { code: "credential_invalid" } });
    });

    it.each(["2031-05-05T10:05:00Z", "2031-05-05T10:05:00.123456Z", "2031-05-05T12:05:00+02:00", "2031-05-05t10:05:00z"])("the time %s is taken", async (expiresAt) => {
        const { participant } = scene({ bootstrapTokenProvider: async () => ({ bootstrapToken: "b", expiresAt }) });
        expect(await participant.authenticate()).toEqual({ userId: "user" });
    });

    it("one that is over by the server's clock is refused at the next renewal, whatever this clock says", async () => {
        const { participant, platform } = scene({ bootstrapTokenProvider: async () => ({ bootstrapToken: "b", expiresAt: GOOD }) });
        await participant.authenticate();
        await platform.pass(869_000);
        await platform.pass(40_000);
        expect(participant.state).toMatchObject({ status: "error", error: { code: "credential_invalid", message: expect.stringMatching(/it has expired/) } });
    });

    it.each([[() => Promise.reject(new Error("401 of my backend"))], [() => { throw new Error("401 of my backend"); }], [() => Promise.reject("401 of my backend")]])(
        "a function that fails is an error, never an anonymous session", async (bootstrapTokenProvider) => {
            const { participant, seen } = scene({ bootstrapTokenProvider });
            await expect(participant.authenticate()).rejects.toMatchObject({ code: "provider_failed", message: expect.stringMatching(/401 of my backend/) });
            expect(seen).toEqual([]);
            expect(participant.state.status).toBe("error");
        });

    it("a function that never ends is given up", async () => {
        vi.useFakeTimers();
        try {
            const { participant } = scene({ bootstrapTokenProvider: () => new Promise(() => {}) });
            const wait = expect(participant.authenticate()).rejects.toMatchObject({ code: "provider_timeout" });
            await vi.advanceTimersByTimeAsync(30_000);
            await wait;
        } finally {
            vi.useRealTimers();
        }
    });

    it("one that comes to speak for somebody else is refused", async () => {
        const { participant, platform } = scene({}, { answer: ({ body }) => (body as { bootstrapToken?: string })?.bootstrapToken === "boot-2"
            ? { status: 201, json: { sessionToken: "s", userId: "another", expiresAt: instant(SERVER_MS + 9e8) } } : undefined });
        await participant.authenticate();
        await platform.pass(871_000);
        await settled();
        expect(participant.state).toMatchObject({ status: "ready", userId: "user" });
    });
});

describe("answers of the exchange", () => {
    it.each<[Reply | undefined, string]>([
        [undefined, "network"],
        [{ text: "" }, "malformed_answer"],
        [{ text: "<html>" }, "malformed_answer"],
        [{ text: '{"sessionToken":"x","expi' }, "malformed_answer"],
        [{ json: { userId: "u", expiresAt: "2031-05-05T10:05:00Z" } }, "malformed_answer"],
        [{ json: { sessionToken: "s", expiresAt: "2031-05-05T10:05:00Z" } }, "malformed_answer"],
        [{ json: { sessionToken: "s", userId: "u", expiresAt: "later" } }, "malformed_answer"],
        [{ status: 401, headers: { "coatcheck-error-code": "invalid_ticket", "coatcheck-error-id": "abcdefghijklmnop" } }, "credential_refused"],
        [{ status: 403, headers: { "coatcheck-error-code": "origin" } }, "origin"],
        [{ status: 500 }, "http_failed"],
    ])("%o is %s", async (reply, code) => {
        const platform = fakePlatform();
        fakeServer(() => reply);
        const participant = participantOn(platform, { bootstrapTokenProvider: async () => ({ bootstrapToken: "b", expiresAt: "2031-05-05T10:05:00Z" }) });
        await expect(participant.authenticate()).rejects.toMatchObject({ code });
        expect(participant.state).toMatchObject({ status: "error", error: { code } });
    });
});

it("nothing happens before the first call, and then once for all that come together", async () => {
    const { participant, platform, seen, provider } = scene();
    await platform.pass(1_000_000);
    expect([seen.length, provider.mock.calls.length, participant.state.status]).toEqual([0, 0, "idle"]);
    await Promise.all([participant.authenticate(), participant.study("study-1"), participant.study("study-1")]);
    expect([seen.length, provider.mock.calls.length]).toEqual([3, 1]);
});

it("calls carry the session token, never the bootstrap token, and neither stands in an address", async () => {
    const { participant, seen } = scene({ publishableKey: "pk_test_1" });
    await participant.study("study-1");
    expect(seen.map(({ bearer, body }) => [bearer, body])).toEqual([[undefined, { bootstrapToken: "boot-1", publishableKey: "pk_test_1" }], ["session-1", undefined]]);
    for (const { path, init } of seen) {
        expect(path).not.toMatch(/boot|session-\d/);
        expect(init).toMatchObject({ credentials: "omit", cache: "no-store", redirect: "error", referrerPolicy: "no-referrer" });
    }
});

it("a session is renewed half a minute before its end, by a new bootstrap token, by the server's clock", async () => {
    const { participant, platform, provider, paths } = scene();
    await participant.authenticate();
    await platform.pass(869_000);
    expect(provider).toHaveBeenCalledTimes(1);
    await platform.pass(2_000);
    expect(provider).toHaveBeenCalledTimes(2);
    expect(paths()).toEqual(["POST /sdk/sessions", "POST /sdk/sessions"]);
    expect(participant.state).toMatchObject({ status: "ready", userId: "user" });
});

it("a refused session is renewed once and the call repeated once", async () => {
    const { participant, good, paths, provider } = scene();
    await participant.study("study-1");
    good.clear();
    expect(await participant.study("study-1")).toMatchObject({ id: "study-1" });
    expect(paths()).toEqual(["POST /sdk/sessions", "GET /studies/study-1", "GET /studies/study-1", "POST /sdk/sessions", "GET /studies/study-1"]);
    expect(provider).toHaveBeenCalledTimes(2);
});

it("refused again it is an error", async () => {
    const { participant, paths } = scene({}, { answer: ({ method }) => (method === "GET" ? { status: 401, headers: { "coatcheck-error-code": "unauthorized" } } : undefined) });
    await expect(participant.study("study-1")).rejects.toMatchObject({ code: "unauthorized", status: 401 });
    expect(paths()).toHaveLength(4);
});

describe("anonymous", () => {
    it("needs a study or a key", async () => {
        const { participant, seen } = scene({ bootstrapTokenProvider: undefined });
        await expect(participant.authenticate()).rejects.toMatchObject({ code: "option_missing" });
        expect(seen).toEqual([]);
    });

    it("asks for a session of its study, and for another one only when that is over and something is asked", async () => {
        const { participant, platform, seen, paths } = scene({ bootstrapTokenProvider: undefined });
        await participant.study("study-1");
        expect(paths()).toEqual(["POST /sessions", "GET /studies/study-1"]);
        expect(seen[0]?.body).toEqual({ studyId: "study-1" });
        expect(participant.state).toMatchObject({ isAnonymous: true, userId: "visitor-1" });
        await platform.pass(2_000_000);
        expect(paths()).toHaveLength(2);
        await participant.study("study-1");
        expect(participant.state.userId).toBe("visitor-2");
    });
});

it("what a page can look into holds no token: state, members, what they print", async () => {
    const { participant } = scene();
    await participant.study("study-1");
    const texts = [JSON.stringify(participant), JSON.stringify(participant.state), JSON.stringify(participant.state$), ...Object.values(participant).map(String)];
    for (const text of texts) expect(text).not.toMatch(/session-\d|boot-\d/);
});

it("destroy() forgets, stops, and refuses what comes after", async () => {
    const { participant, platform, provider } = scene();
    await participant.authenticate();
    let isComplete = false;
    participant.state$.subscribe({ complete: () => { isComplete = true; } });
    participant.destroy();
    expect([participant.state.status, participant.state.userId, isComplete, platform.timers, platform.watchers]).toEqual(["idle", null, true, 0, 0]);
    await expect(participant.study("x")).rejects.toMatchObject({ code: "destroyed" });
    expect(provider).toHaveBeenCalledTimes(1);
});

describe("a journey", () => {
    const interviews = ({ method, path }: Seen): Reply | undefined => (method !== "POST" || !path.includes("/interviews") ? undefined
        : { json: { id: "i1", status: path.endsWith("/complete") ? "completed" : path.endsWith("/consent") ? "consented" : "created" } });

    it("steps out of turn are refused", async () => {
        const journey = createJourney(scene().participant);
        await expect(journey.accept()).rejects.toMatchObject({ code: "interview_state" });
        await expect(journey.end()).rejects.toMatchObject({ code: "interview_state" });
        await expect(journey.answer("q1", "x")).rejects.toMatchObject({ code: "interview_state" });
        expect(() => journey.decline()).toThrow(/phase consent/);
        await journey.retry();
        expect(journey.state.phase).toBe("idle");
    });

    it("goes from the study to its end; a doubled step is one", async () => {
        const { participant, paths } = scene({}, { answer: interviews }), phases: string[] = [];
        const journey = createJourney(participant);
        journey.state$.subscribe(({ phase }) => { if (phases.at(-1) !== phase) phases.push(phase); });
        await Promise.all([journey.open("study-1"), journey.open("study-1")]);
        await journey.open("study-1");
        await Promise.all([journey.accept(), journey.accept()]);
        await journey.answer("q1", "well");
        await Promise.all([journey.end(), journey.end()]);
        expect(phases).toEqual(["idle", "bootstrapping", "study", "consent", "creatingInterview", "live", "ending", "completed"]);
        expect(paths()).toEqual(["POST /sdk/sessions", "GET /studies/study-1", "POST /interviews", "POST /interviews/i1/consent", "POST /interviews/i1/answers", "POST /interviews/i1/complete"]);
    });

    it("a step that failed is taken again where it stood; what cannot get better is not", async () => {
        let isDown = true;
        const { participant, paths } = scene({}, { answer: (seen) => (isDown && seen.path.endsWith("/consent") ? { status: 503, headers: { "coatcheck-error-code": "try_again" } } : interviews(seen)) });
        const journey = createJourney(participant);
        await journey.open("study-1");
        await journey.accept();
        expect(journey.state).toMatchObject({ phase: "errored", error: { code: "try_again" } });
        isDown = false;
        await journey.retry();
        expect(journey.state).toMatchObject({ phase: "live", error: undefined });
        expect(paths().filter((path) => path === "POST /interviews"), "one interview").toHaveLength(1);
        const hopeless = createJourney(scene({ bootstrapTokenProvider: undefined }, { answer: () => ({ status: 404, headers: { "coatcheck-error-code": "not_found" } }) }).participant);
        await hopeless.open("nothing");
        expect(hopeless.state.error?.code).toBe("not_found");
        await hopeless.retry();
        expect(hopeless.state.phase).toBe("errored");
    });

    it("a study without an id is none", async () => {
        const { participant, seen } = scene(), journey = createJourney(participant);
        await journey.open("");
        expect(journey.state).toMatchObject({ phase: "errored", error: { code: "option_missing" } });
        expect(seen).toEqual([]);
    });

    it("what comes late for an earlier study is dropped", async () => {
        const { participant } = scene();
        const journey = createJourney(participant);
        const first = journey.open("study-0");
        await journey.open("study-1");
        await first;
        expect(journey.state.phase).toBe("consent");
        await journey.open("study-1");
        journey.decline();
        expect(journey.state.phase).toBe("aborted");
    });
});
