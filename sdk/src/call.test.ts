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
    addTrack() { return undefined; }
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
