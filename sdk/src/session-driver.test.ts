/* session-driver.test.ts — the driver between a fake socket, a fake clock and a page's provider: what goes out, what is told, and
 * what is left running. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CredentialProvider } from "./credentials.js";
import type { CoatcheckError } from "./errors.js";
import { sessionDriver, type SessionDriver } from "./session-driver.js";
import { FakeSocket, TOKEN } from "./testing/fake-socket.js";

const part = (value: unknown) => btoa(JSON.stringify(value));

const socket = () => FakeSocket.all.at(-1) as FakeSocket;
const settle = () => vi.advanceTimersByTimeAsync(0);

function begin(provider: CredentialProvider | undefined, url?: string)
{
    const errors: CoatcheckError[] = [], told: unknown[] = [], identified: unknown[] = [];
    const driver = sessionDriver({
        platform: { nowMs: () => Date.now(), dice: () => 1, after: (ms, run) => { const timer = setTimeout(run, Math.ceil(ms)); return () => clearTimeout(timer); }, watch: () => () => {} },
        provider, url, prover: undefined, wantsOnline: true, kept: {}, webSocket: FakeSocket as unknown as typeof WebSocket,
        listener: { changed: () => {}, warned: () => {}, failed: (error) => errors.push(error), identified: (info) => identified.push(info), welcomed: () => {}, told: (params) => told.push(params) },
    });
    driver.tell({ is: "connect" });
    return { driver, errors, told, identified };
}

async function live(slots?: unknown): Promise<{ driver: SessionDriver; errors: CoatcheckError[]; told: unknown[] }>
{
    const one = begin({ authenticate: async () => ({ token: TOKEN }) });
    await settle();
    socket().onopen?.();
    await settle();
    socket().tell({ id: socket().sent[0]?.id, result: { protocol: "p", ...(slots !== undefined && { slots }), authorization: { project_id: "j", scope: [], fabric_subscriber: { expires_at: 9_000_000_000 } } } });
    await settle();
    return one;
}

beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.all = [];
    vi.stubGlobal("fetch", vi.fn(async () => new Response("{}")));
});
afterEach(() => { vi.useRealTimers(); vi.unstubAllGlobals(); });

describe("a provider that does not keep its word is one error with a code, and no socket", () => {
    const rows: readonly [string, () => Promise<unknown>, string, string][] = [
        ["throws at once", () => { throw new Error("mine"); }, "provider_failed", "CoatcheckError"],
        ["rejects", () => Promise.reject(new Error("mine")), "provider_failed", "CoatcheckError"],
        ["resolves with nothing", async () => undefined, "credential_invalid", "InvalidCredentialsError"],
        ["resolves with another member", async () => ({ jwt: TOKEN }), "credential_invalid", "InvalidCredentialsError"],
        ["resolves with half a token", async () => ({ token: "ey" }), "credential_invalid", "InvalidCredentialsError"],
        ["resolves with seconds", async () => ({ token: TOKEN, expiry_at: 1795208360 }), "credential_invalid", "InvalidCredentialsError"],
        ["does not say its server", async () => ({ token: `${part({})}.${part({})}.x` }), "option_missing", "CoatcheckError"],
    ];
    it.each(rows)("%s", async (_, authenticate, code, name) => {
        const { errors } = begin({ authenticate } as CredentialProvider);
        await settle();
        expect(errors.map((error) => [error.code, error.name])).toEqual([[code, name]]);
        expect([FakeSocket.all.length, vi.getTimerCount()]).toEqual([0, 0]);
    });

    it("hangs", async () => {
        const { errors } = begin({ authenticate: () => new Promise(() => {}) });
        await vi.advanceTimersByTimeAsync(30_000);
        expect(errors.map(({ code }) => code)).toEqual(["provider_timeout"]);
    });

    it("is called off by disconnect(), and hears of it", async () => {
        let heard: AbortSignal | undefined;
        const { driver, errors } = begin({ authenticate: (context) => { heard = context?.signal; return new Promise(() => {}); } });
        await settle();
        driver.tell({ is: "disconnect" });
        await settle();
        expect([heard?.aborted, errors, driver.state().phase]).toEqual([true, [], "idle"]);
    });
});

it("signs in at the server that the token names, or that the option does", async () => {
    await live();
    expect([socket().url, vi.mocked(fetch).mock.calls[0]?.[0]]).toEqual(["ws://a.example", "http://a.example/api/fabric/subscriber/info"]);
    begin({ authenticate: async () => ({ token: TOKEN }) }, "https://b.example");
    await settle();
    expect(socket().url).toBe("wss://b.example");
});

it("a token that the server refuses is told without a socket", async () => {
    vi.mocked(fetch).mockResolvedValue(new Response("{}", { status: 401, headers: { "coatcheck-error-code": "unauthorized", "coatcheck-error-id": "X1" } }));
    const { errors } = begin({ authenticate: async () => ({ token: TOKEN }) });
    await settle();
    expect(errors.map(({ name, code, status, errorId }) => [name, code, status, errorId])).toEqual([["InvalidCredentialsError", "credential_refused", 401, "X1"]]);
    expect(FakeSocket.all).toEqual([]);
});

it("a server that is away is told each time, and tried again", async () => {
    vi.mocked(fetch).mockRejectedValueOnce(new TypeError("no"));
    const { errors } = begin({ authenticate: async () => ({ token: TOKEN }) });
    await settle();
    expect(errors.map(({ code }) => code)).toEqual(["network"]);
    await vi.advanceTimersByTimeAsync(101);
    expect(FakeSocket.all.length).toBe(1);
});

it("a busy server is no refusal of the credential", async () => {
    const { errors, driver } = begin({ authenticate: async () => ({ token: TOKEN }) });
    await settle();
    socket().onopen?.();
    await settle();
    socket().tell({ id: socket().sent[0]?.id, error: { code: -32002, message: "no", data: { error_code: "too_many_sessions" } } });
    await settle();
    expect([errors.map(({ code }) => code), driver.state().phase]).toEqual([["too_many_sessions"], "waiting"]);
    await vi.advanceTimersByTimeAsync(5_001);
    expect(FakeSocket.all.length).toBe(2);
});

it("answers pings and events, and what it does not understand is told and does no harm", async () => {
    const { errors, driver } = await live();
    const before = socket().sent.length;
    socket().onmessage?.({ data: "no json" });
    socket().tell({ id: "1", method: "signalwire.ping", params: { timestamp: 5 } });
    socket().tell({ id: "2", method: "signalwire.event", params: { event_type: "signalwire.authorization.state", params: { authorization_state: "s" } } });
    expect(socket().sent.slice(before)).toEqual([{ jsonrpc: "2.0", id: "1", result: { timestamp: 5 } }, { jsonrpc: "2.0", id: "2", result: {} }]);
    expect([errors.map(({ code }) => code), driver.state().resume]).toEqual([["malformed_answer"], { protocol: "p", state: "s" }]);
});

describe("slots", () => {
    it("are asked for in each connect", async () => {
        await live();
        expect(socket().sent[0]?.params?.["takes_slots"]).toBe(true);
    });

    it.each([
        [undefined, undefined, undefined], [null, undefined, undefined], [{}, undefined, undefined], ["19000", undefined, undefined],
        [{ refresh_in_ms: "5", return_within_ms: null }, undefined, undefined],
        [{ refresh_in_ms: -1, return_within_ms: -19_000 }, undefined, undefined],
        [{ refresh_in_ms: 5, return_within_ms: 19_000 }, 5, 19_000], [{ refresh_in_ms: 0 }, 0, undefined],
    ])("%j is taken for what it is", async (slots, inMs, withinMs) => {
        const { driver } = await live(slots), { slotAtMs, sinceMs, returnWithinMs } = driver.state();
        expect([slotAtMs, returnWithinMs]).toEqual([inMs === undefined ? undefined : sinceMs + inMs, withinMs]);
    });

    it("no number is so large that it is none", async () => {
        const { driver } = begin({ authenticate: async () => ({ token: TOKEN }) });
        await settle();
        socket().onopen?.();
        await settle();
        socket().onmessage?.({ data: `{"id":"${socket().sent[0]?.id ?? ""}","result":{"protocol":"p","slots":{"refresh_in_ms":1e999,"return_within_ms":1e999}}}` });
        await settle();
        expect([driver.state().phase, driver.state().slotAtMs, driver.state().returnWithinMs]).toEqual(["live", undefined, undefined]);
    });

    it("a close says in milliseconds when to come back", async () => {
        await live();
        socket().onclose?.({ code: 1012, reason: "restarting; come back in 61234 ms" });
        await vi.advanceTimersByTimeAsync(61_233);
        expect(FakeSocket.all.length).toBe(1);
        await vi.advanceTimersByTimeAsync(2);
        expect(FakeSocket.all.length).toBe(2);
    });
});

it("what the server tells of sessions is answered, and is nothing for calls", async () => {
    const { errors, told, driver } = await live(), before = driver.state();
    for (const event_type of ["session.expiring", "session.upgraded", "subscriber.presence", "constructor", "webrtc.message"])
        socket().tell({ id: event_type, method: "signalwire.event", params: { event_type, params: { expires_at: 1, from: { protocol: "x" }, to: { protocol: "y" } } } });
    expect([errors, told.length, driver.state()]).toEqual([[], 1, { ...before, heardMs: Date.now() }]);
    expect(socket().sent.slice(-5).map(({ id }) => id)).toEqual(["session.expiring", "session.upgraded", "subscriber.presence", "constructor", "webrtc.message"]);
});

describe("what is called off is over, and nobody hears of it", () => {
    async function connecting()
    {
        const one = begin({ authenticate: async () => ({ token: TOKEN }) });
        await settle();
        socket().onopen?.();
        await settle();
        return one;
    }

    it("disconnect() while connect waits for its answer is no error", async () => {
        const { driver, errors } = await connecting();
        driver.tell({ is: "disconnect" });
        await settle();
        expect([errors, vi.getTimerCount()]).toEqual([[], 0]);
    });

    it("disconnect() while it registers is no error", async () => {
        const { driver, errors } = await live();
        expect(socket().sent.at(-1)?.method).toBe("subscriber.online");
        driver.tell({ is: "disconnect" });
        await settle();
        expect([errors, vi.getTimerCount()]).toEqual([[], 0]);
    });

    it("a socket that is closed for good while connecting tells that, and nothing after it", async () => {
        const { errors } = await connecting();
        socket().onclose?.({ code: 4403, reason: "" });
        await settle();
        expect(errors.map(({ code }) => code)).toEqual(["credential_revoked"]);
    });

    it("disconnect() while the server is asked who this is: the request is aborted, its answer is nobody's", async () => {
        let answer: (response: Response) => void = () => {}, signal: AbortSignal | null | undefined;
        vi.mocked(fetch).mockImplementationOnce((_, init) => { signal = init?.signal; return new Promise((resolve) => { answer = resolve; }); });
        const { driver, errors, identified } = begin({ authenticate: async () => ({ token: TOKEN }) });
        await settle();
        driver.tell({ is: "disconnect" });
        await settle();
        expect([signal?.aborted, vi.getTimerCount()]).toEqual([true, 0]);
        vi.mocked(fetch).mockResolvedValueOnce(new Response('{"id":"new"}'));
        driver.tell({ is: "connect" });
        await settle();
        answer(new Response('{"id":"old"}'));
        await settle();
        expect([errors, identified]).toEqual([[], [{ id: "new" }]]);
    });
});

it("no token gets into an error: one that no header can carry is told without it", async () => {
    for (const token of [`${TOKEN}\nx`, `${TOKEN}\u2028`, ` ${TOKEN}`, `${TOKEN}é`]) {
        const { errors } = begin({ authenticate: async () => ({ token }) });
        await settle();
        expect(errors.map(({ code }) => code)).toEqual(["credential_invalid"]);
        expect(`${errors[0]?.message} ${String(errors[0]?.cause)}`).not.toContain(TOKEN.slice(0, 8));
    }
    expect(fetch).not.toHaveBeenCalled();
});

it("registers; a refusal puts the credential in its place once more, then is an InvalidCredentialsError", async () => {
    const { errors } = await live();
    for (const method of ["subscriber.online", "signalwire.reauthenticate", "subscriber.online"]) {
        const call = socket().sent.at(-1);
        expect(call?.method).toBe(method);
        socket().tell({ id: call?.id, ...(method === "signalwire.reauthenticate" ? { result: {} } : { error: { code: -32002, message: "no" } }) });
        await settle();
    }
    expect(errors.map(({ name, code }) => [name, code])).toEqual([["InvalidCredentialsError", "credential_refused"]]);
});

it("leaves nothing running behind when it ends", async () => {
    const { driver } = await live();
    const last = socket();
    driver.end();
    await settle();
    expect([last.closedWith, last.onmessage, vi.getTimerCount()]).toEqual([1000, null, 0]);
    await expect(driver.request("a", {})).rejects.toMatchObject({ code: "not_connected" });
});
