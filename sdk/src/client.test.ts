/* client.test.ts — what a page holds, between a fake socket and a provider of the test: what it is told, and when. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { CoatcheckClient, type ClientOptions } from "./client.js";
import { StaticCredentialProvider } from "./credentials.js";
import { FakeSocket, TOKEN } from "./testing/fake-socket.js";

const settle = () => vi.advanceTimersByTimeAsync(0);
const socket = () => FakeSocket.all.at(-1) as FakeSocket;
const answer = (result: unknown = {}) => socket().tell({ id: socket().sent.at(-1)?.id, result });

function client(options: ClientOptions = {})
{
    return new CoatcheckClient(new StaticCredentialProvider({ token: TOKEN }), { webSocketConstructor: FakeSocket as unknown as typeof WebSocket, ...options });
}

async function welcome(): Promise<void>
{
    await settle();
    socket().onopen?.();
    await settle();
    answer({ protocol: `p${FakeSocket.all.length}`, authorization: { project_id: "j", scope: [] } });
    await settle();
}

beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
    FakeSocket.all = [];
    vi.stubGlobal("fetch", vi.fn(async () => new Response("{}")));
});
afterEach(() => { vi.useRealTimers(); vi.unstubAllGlobals(); });

it("register() resolves when the server has done it, not when there is a session", async () => {
    const one = client({ skipRegister: true });
    let isDone = false;
    void one.register().then(() => { isDone = true; });
    await welcome();
    expect([isDone, socket().sent.at(-1)?.method]).toEqual([false, "subscriber.online"]);
    answer();
    await settle();
    if (!isDone) answer();
    await settle();
    expect([isDone, one.isRegistered]).toEqual([true, true]);
});

it("who went offline by hand stays so when the server comes back as another", async () => {
    const one = client();
    await welcome();
    answer();
    await settle();
    const gone = one.unregister();
    await settle();
    answer();
    await gone;
    socket().onclose?.({ code: 1012, reason: "" });
    await vi.advanceTimersByTimeAsync(200);
    await welcome();
    expect(socket().sent.map(({ method }) => method)).toEqual(["signalwire.connect"]);
    await one.destroy();
});

// What went out about being called, on all sockets.
const registrations = () => FakeSocket.all.flatMap(({ sent }) => sent).filter(({ method }) => method?.startsWith("subscriber.")).map(({ method, params }) => [method?.slice(11), params?.["do_not_disturb"]]);

it("not to be disturbed: so from the first registration on, over sessions that follow, until register() says otherwise", async () => {
    const one = client({ skipRegister: true });
    const quiet = one.register({ doNotDisturb: true });
    await welcome();
    answer();
    await settle();
    answer();
    await quiet;
    expect([registrations().every(([, isQuiet]) => isQuiet), one.isRegistered]).toEqual([true, true]);
    socket().onclose?.({ code: 1012, reason: "" }); // sessions end with their server
    await vi.advanceTimersByTimeAsync(200);
    await welcome();
    expect([FakeSocket.all.length, registrations().at(-1)]).toEqual([2, ["online", true]]);
    answer();
    await settle();
    const loud = one.register();
    await settle();
    answer();
    await loud;
    expect(registrations().at(-1)).toEqual(["online", false]);
    socket().onclose?.({ code: 1012, reason: "" });
    await vi.advanceTimersByTimeAsync(200);
    await welcome();
    expect(registrations().at(-1)).toEqual(["online", false]);
    await one.destroy();
});

it("a refused doNotDisturb says why, and a session that is not asked for it never sends it", async () => {
    const one = client();
    await welcome();
    expect(registrations()).toEqual([["online", undefined]]);
    answer();
    await settle();
    const refused = expect(one.register({ doNotDisturb: true })).rejects.toMatchObject({ code: "credential_refused", errorId: "e1" });
    for (let i = 0; i < 3; i++) {
        await settle();
        socket().tell({ id: socket().sent.at(-1)?.id, error: { code: -32002, message: "no", data: { error_id: "e1", error_code: "unauthorized" } } });
    }
    await refused;
    await one.destroy();
});

it("an error of before is not the reason why there is no session now", async () => {
    const one = client();
    vi.mocked(fetch).mockRejectedValueOnce(new TypeError("no"));
    await settle();
    await vi.advanceTimersByTimeAsync(200);
    await welcome();
    await one.disconnect();
    await expect(one.dial("/public/x")).rejects.toMatchObject({ code: "not_connected" });
});

it("destroy() at any moment leaves no timer and no socket behind", async () => {
    for (const moment of [() => {}, settle, welcome]) {
        const one = client();
        await moment();
        await one.destroy();
        await settle();
        expect([vi.getTimerCount(), FakeSocket.all.filter(({ closedWith }) => closedWith === undefined).length]).toEqual([0, 0]);
        await expect(one.connect()).rejects.toMatchObject({ code: "destroyed" });
    }
});

it("code for calls that could not be loaded is asked for again", async () => {
    let loads = 0;
    vi.doMock("./phone.js", () => { if (!loads++) throw new TypeError("Failed to fetch dynamically imported module"); return { phone: () => ({ dial: async () => "a call", endAll() {}, told() {} }) }; });
    const one = client();
    await welcome();
    const errors: string[] = [];
    one.errors$.subscribe(({ code }) => errors.push(code));
    socket().tell({ id: "9", method: "signalwire.event", params: { event_type: "webrtc.message", params: {} } });
    await vi.waitFor(() => expect(errors).toEqual(["network"]), 60_000);
    expect(await one.dial("/public/x")).toBe("a call");
    await one.destroy();
    vi.doUnmock("./phone.js");
});
