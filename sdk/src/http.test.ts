/* http.test.ts — what an endpoint may answer instead of what it promises: each is one error with a stable code. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ask, within } from "./http.js";

const answers = (make: () => Response | Promise<Response>) => vi.stubGlobal("fetch", vi.fn(async () => make()));
const json = (body: unknown, init?: ResponseInit) => new Response(JSON.stringify(body), init);
const asked = () => ask({ url: "https://a.example/x" });

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); vi.unstubAllGlobals(); });

describe("refuses", () => {
    const rows: readonly [string, () => Response | Promise<Response>, string][] = [
        ["401 with a code of the server's", () => json({ error: "Unauthorized" }, { status: 401, headers: { "coatcheck-error-code": "invalid_proof", "coatcheck-error-id": "id" } }), "invalid_proof"],
        ["401 without one", () => json({}, { status: 401 }), "http_refused"],
        ["a code that is none", () => json({}, { status: 403, headers: { "coatcheck-error-code": "<b>no</b>" } }), "http_refused"],
        ["500 as HTML", () => new Response("<h1>oops", { status: 500 }), "http_failed"],
        ["429", () => json({}, { status: 429, headers: { "coatcheck-error-code": "rate_limited" } }), "rate_limited"],
        ["HTML", () => new Response("<!doctype html>"), "malformed_answer"],
        ["truncated JSON", () => new Response('{"token":"ey'), "malformed_answer"],
        ["204", () => new Response(null, { status: 204 }), "malformed_answer"],
        ["a list", () => json([]), "malformed_answer"],
        ["null", () => json(null), "malformed_answer"],
        ["a redirect, a wrong CORS, no network: a browser tells them alike", () => Promise.reject(new TypeError("Failed to fetch")), "network"],
    ];
    it.each(rows)("%s", async (_, make, code) => {
        answers(make);
        await expect(asked()).rejects.toMatchObject({ name: "CoatcheckError", code, message: expect.stringContaining("GET https://a.example/x") as string });
    });

    it("names the id that an operator asks with", async () => {
        answers(() => json({}, { status: 401, headers: { "coatcheck-error-id": "AbC" } }));
        await expect(asked()).rejects.toMatchObject({ status: 401, errorId: "AbC", message: expect.stringContaining("coatcheck why AbC") as string });
    });

    it("gives up what hangs", async () => {
        answers(() => new Promise<Response>(() => {}));
        const told = expect(asked()).rejects.toMatchObject({ code: "timeout" });
        await vi.advanceTimersByTimeAsync(30_000);
        await told;
    });

    it("stops when the caller does, before and during", async () => {
        answers(() => new Promise<Response>(() => {}));
        const stop = new AbortController();
        const told = expect(ask({ url: "https://a.example", signal: stop.signal })).rejects.toMatchObject({ code: "aborted" });
        stop.abort("enough");
        await told;
        await expect(ask({ url: "https://a.example", signal: stop.signal })).rejects.toMatchObject({ code: "aborted", cause: "enough" });
    });
});

it("an answer that cannot be read is not repeated in the error: it may hold a token", async () => {
    answers(() => new Response('{"token":eySecret'));
    const error = await asked().catch((thrown: unknown) => thrown as Error);
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain("eySec");
});

it("a wait that is longer than timers can count is not over at once", async () => {
    for (const timeoutMs of [Infinity, 2 ** 31, 1e15]) {
        let outcome = "waiting";
        within(timeoutMs, undefined, "it", () => new Promise(() => {})).catch(({ code }: { code: string }) => { outcome = code; });
        await vi.advanceTimersByTimeAsync(86_400_000);
        expect(outcome).toBe("waiting");
    }
});

it("asks without cookies, caches or redirects, and tells the server's time", async () => {
    answers(() => json({ a: 1 }, { headers: { date: "Sat, 21 Nov 2026 21:23:31 GMT" } }));
    const onTime = vi.fn();
    expect(await ask({ url: "https://a.example/x", method: "POST", token: "t", body: { b: 2 }, onTime })).toEqual({ a: 1 });
    expect(fetch).toHaveBeenCalledWith("https://a.example/x", expect.objectContaining({ method: "POST", body: '{"b":2}', credentials: "omit", cache: "no-store",
        redirect: "error", referrerPolicy: "no-referrer", headers: { authorization: "Bearer t", "content-type": "application/json" } }));
    expect(onTime).toHaveBeenCalledWith(Date.UTC(2026, 10, 21, 21, 23, 31));
});

it("leaves no timer behind", async () => {
    await within(1000, undefined, "this", async () => 1);
    await expect(within(1000, undefined, "this", () => { throw new Error("at once"); })).rejects.toThrow("at once");
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
});
