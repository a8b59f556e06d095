/* call.test.ts — one call, with a browser's media that a test holds in its hands. */
import { expect, it } from "vitest";
import { Call, type Line, type WebRTCApi } from "./call.js";
import { CoatcheckError } from "./errors.js";
import { settled } from "./testing/fake-platform.js";

class FakePeer {
    iceGatheringState = "new";
    localDescription = { sdp: "offer" };
    onicegatheringstatechange: (() => void) | null = null;
    connectionState = "new";
    onconnectionstatechange: (() => void) | null = null;
    async createOffer() { return {}; }
    async createAnswer() { return {}; }
    async setLocalDescription() { return undefined; }
    async setRemoteDescription() { return undefined; }
    readonly tones = { canInsertDTMF: true, toneBuffer: "", insertDTMF(tones: string) { this.toneBuffer = tones; } };
    addTrack() { return undefined; }
    getSenders() { return [{ dtmf: null }, { dtmf: this.tones }]; }
    close() { return undefined; }
    gathered() { this.iceGatheringState = "complete"; this.onicegatheringstatechange?.(); }
    became(state: string) { this.connectionState = state; this.onconnectionstatechange?.(); }
}

function scene(answer: (method: string) => Promise<void> = async () => {}, inbound?: { id: string; sdp: string })
{
    const sent: string[] = [], params: unknown[] = [], peers: FakePeer[] = [];
    const rtc = { RTCPeerConnection: function () { const peer = new FakePeer(); peers.push(peer); return peer; },
        mediaDevices: { getUserMedia: async () => ({ getTracks: () => [{ stop() {} }] }) } } as unknown as WebRTCApi;
    const line: Line = { rtc, iceServers: () => [], over() {}, async send(_, method, about, signal)
    {
        signal?.throwIfAborted();
        sent.push(method);
        params.push(about);
        await answer(method);
    } };
    return { sent, params, peers, call: new Call(line, { from: "", fromName: "", to: "/public/x", toName: "" }, inbound) };
}

it("hung up before its offer was ready, it rings nowhere", async () => {
    const { call, sent, peers } = scene();
    const dialled = expect(call.dial({})).rejects.toMatchObject({ code: "call_failed" });
    await settled();
    await call.hangup();
    peers[0]?.gathered();
    await dialled;
    expect([sent, call.status]).toEqual([[], "destroyed"]);
});

it("called off while the server is asked, it does not ring on", async () => {
    const { call, sent, peers } = scene((method) => (method === "verto.invite" ? Promise.reject(new CoatcheckError("aborted", "x")) : Promise.resolve()));
    const dialled = expect(call.dial({})).rejects.toMatchObject({ code: "call_failed" });
    await settled();
    peers[0]?.gathered();
    await dialled;
    expect([sent, call.status]).toEqual([["verto.invite", "verto.bye"], "destroyed"]);
});

it("one that could not be answered is sent away: its caller does not wait for nothing", async () => {
    const { call, sent } = scene(undefined, { id: "c", sdp: "offer" });
    await expect(call.answer({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "call_failed" });
    expect([sent, call.status]).toEqual([["verto.bye"], "destroyed"]);
});

it("an answer that the browser does not take ends the call, also when nobody can be told", async () => {
    const { call, peers } = scene((method) => (method === "verto.bye" ? Promise.reject(new Error("gone")) : Promise.resolve()));
    const dialled = call.dial({});
    await settled();
    peers[0]?.gathered();
    await dialled;
    (peers[0] as FakePeer).setRemoteDescription = () => Promise.reject(new Error("no SDP"));
    await call.answered("nonsense");
    expect(call.status).toBe("destroyed");
});

it("a call whose media failed says so on this side, and lets the other side say so", async () => {
    const { call, peers, params } = scene();
    const dialled = call.dial({});
    await settled();
    peers[0]?.gathered();
    await dialled;
    await call.answered("answer");
    peers[0]?.became("failed");
    await settled();
    expect([call.cause, call.status]).toEqual(["MEDIA_TIMEOUT", "destroyed"]);
    expect(params.at(-1)).toMatchObject({ cause: "MEDIA_TIMEOUT", causeCode: "604" });
});

it("a refusal's id and status are on the error itself, its code on the cause", async () => {
    const refusal = new CoatcheckError("unknown_destination", "x", { status: 404, errorId: "e1" });
    const { call, peers } = scene((method) => (method === "verto.invite" ? Promise.reject(refusal) : Promise.resolve()));
    const dialled = expect(call.dial({})).rejects.toMatchObject({ code: "call_failed", errorId: "e1", status: 404, cause: { code: "unknown_destination" } });
    await settled();
    peers[0]?.gathered();
    await dialled;
});

async function talking(answer?: (method: string) => Promise<void>)
{
    const all = scene(answer), dialled = all.call.dial({});
    await settled();
    const peer = all.peers[0] as FakePeer;
    peer.gathered();
    await dialled;
    peer.became("connected");
    return { ...all, peer };
}

it.each(["", "x", "1 2", "12#!", "+49", "١", "1\n", "1".repeat(65), 5, undefined, null, ["1"]])("digits that are none are refused, and nothing is sent: %j", async (digits) => {
    const { call, sent, peer } = await talking();
    await expect(call.sendDigits(digits as string)).rejects.toMatchObject({ name: "CoatcheckError", code: "option_invalid", message: expect.stringContaining('0 to 9, A to D, *, #') as string });
    expect([sent, peer.tones.toneBuffer]).toEqual([["verto.invite"], ""]);
});

it("there are no digits before a call is connected, and none after it", async () => {
    const { call, peers, sent } = scene();
    const isEarly = () => expect(call.sendDigits("1")).rejects.toMatchObject({ code: "not_connected", message: expect.stringContaining(`this one is ${call.status}`) as string });
    await isEarly();
    const dialled = call.dial({});
    await settled();
    peers[0]?.gathered();
    await dialled;
    await isEarly();
    await call.answered("answer");
    await isEarly();
    await call.hangup();
    await isEarly();
    expect(sent).toEqual(["verto.invite", "verto.bye"]);
});

it("digits are told to the server, and are tones for the other side, each after those before it", async () => {
    const { call, params, peer } = await talking();
    await call.sendDigits("12*a,#D");
    expect(params.at(-1)).toEqual({ sessid: call.id, dialogParams: { callID: call.id }, dtmf: "12*a,#D" });
    await Promise.all([call.sendDigits("3"), call.sendDigits("1".repeat(64))]);
    expect(peer.tones.toneBuffer).toBe(`12*a,#D3${"1".repeat(64)}`);
});

it("digits that the server refuses are no tones, and the call goes on", async () => {
    const { call, peer } = await talking((method) => (method === "verto.info" ? Promise.reject(new CoatcheckError("rate_limited", "x", { errorId: "e1" })) : Promise.resolve()));
    await expect(call.sendDigits("1")).rejects.toMatchObject({ code: "rate_limited", errorId: "e1" });
    await expect(call.sendDigits("1", AbortSignal.abort())).rejects.toThrow();
    expect([peer.tones.toneBuffer, call.status]).toEqual(["", "connected"]);
});

it("a call that sends no sound, or is over before the answer came, has no tones", async () => {
    let answer = () => {};
    const { call, peer } = await talking((method) => (method === "verto.info" ? new Promise<void>((resolve) => { answer = resolve; }) : Promise.resolve()));
    const late = expect(call.sendDigits("1")).rejects.toMatchObject({ code: "not_connected" });
    call.ended("NORMAL_CLEARING");
    answer();
    await late;
    const silent = await talking();
    silent.peer.tones.canInsertDTMF = false;
    await expect(silent.call.sendDigits("1")).rejects.toMatchObject({ code: "media_failed", message: expect.stringContaining("audio: true") as string });
    expect([peer.tones.toneBuffer, silent.sent]).toEqual(["", ["verto.invite"]]);
});
