import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { rpc } from "./rpc.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

function line()
{
    const sent: { id: string; method?: string; result?: unknown }[] = [];
    return { sent, ...rpc((text) => sent.push(JSON.parse(text) as (typeof sent)[number])) };
}

it.each(["", "no json", "[]", "null", '{"id":5,"method":"x"}', '{"method":"x"}', new ArrayBuffer(2)])("refuses %j", (text) => {
    expect(() => line().take(text)).toThrow(expect.objectContaining({ code: "malformed_answer" }) as Error);
});

it("a refusal carries code, slug and the id for the operator", async () => {
    const { request, take, sent } = line();
    const told = expect(request("a.b", {})).rejects.toMatchObject({ code: "rate_limited", rpcCode: -32002, errorId: "X1", message: expect.stringMatching(/a\.b.*coatcheck why X1/) as string });
    take(JSON.stringify({ id: sent[0]?.id, error: { code: -32002, message: "no", data: { error_code: "rate_limited", error_id: "X1" } } }));
    await told;
});

it("gives up after five seconds, when the socket ends, when the caller does", async () => {
    const { request, end } = line(), stop = new AbortController();
    const all = [[request("a", {}), "timeout"], [request("b", {}, { timeoutMs: 60_000 }), "not_connected"], [request("c", {}, { signal: stop.signal }), "aborted"]] as const;
    const told = Promise.all(all.map(([promise, code]) => expect(promise).rejects.toMatchObject({ code })));
    stop.abort();
    await vi.advanceTimersByTimeAsync(5_000);
    end();
    await told;
});

it("hands over what the server asks, and replies to who waits", async () => {
    const { request, reply, take, sent } = line();
    const result = request("a", { b: 1 });
    take(JSON.stringify({ id: "unknown", result: {} }));
    take(JSON.stringify({ id: sent[0]?.id, result: { ok: true } }));
    expect(await result).toEqual({ ok: true });
    expect(take('{"id":"7","method":"m","params":{"x":1}}')).toEqual({ id: "7", method: "m", params: { x: 1 } });
    expect(take('{"id":"8","method":"m","params":[1]}')).toEqual({ id: "8", method: "m", params: {} });
    reply("7", { y: 2 });
    expect(sent[1]).toEqual({ jsonrpc: "2.0", id: "7", result: { y: 2 } });
});

it("what is asked after the end is refused at once, and is not sent", async () => {
    const sent: string[] = [], line = rpc((text) => sent.push(text));
    line.end();
    await expect(line.request("a", {})).rejects.toMatchObject({ code: "not_connected" });
    line.reply("1", {});
    expect([sent, vi.getTimerCount()]).toEqual([[], 0]);
});
