/* call.ts — one call: its media between two browsers, its offer, answer and farewell through the server. The server tells of it in
 * three messages (it rings, it was answered, it is over); everything else is the RTCPeerConnection's. */
import { asError, CallCreateError, CoatcheckError, type ErrorDetails } from "./errors.js";
import { within, type Answer } from "./http.js";
import { Topic, type Observable } from "./observable.js";
import { uuid } from "./uuid.js";

export type CallStatus = "new" | "trying" | "ringing" | "connecting" | "connected" | "disconnecting" | "disconnected" | "destroyed";

export interface MediaOptions {
    /** Default true. */
    readonly audio?: boolean | MediaTrackConstraints;
    /** Default false. */
    readonly video?: boolean | MediaTrackConstraints;
    readonly signal?: AbortSignal;
}

/** What a call needs of the browser; default: what the page has. */
export interface WebRTCApi {
    readonly RTCPeerConnection: typeof RTCPeerConnection;
    readonly mediaDevices: Pick<MediaDevices, "getUserMedia">;
}

/** What a call needs of its session. */
export interface Line {
    readonly rtc: WebRTCApi | undefined;
    iceServers(): RTCIceServer[];
    send(callId: string, method: string, params: Answer, signal?: AbortSignal): Promise<void>;
    over(call: Call): void;
}

export interface CallParties {
    readonly from: string;
    readonly fromName: string;
    readonly to: string;
    readonly toName: string;
}

const GATHER_MS = 3_000; // candidates that take longer are done without
const DIGITS = /^[\dA-D*#,]{1,64}$/i; // RFC 4733 section 3.2; a comma is a pause of two seconds (WebRTC section 7)

/** A call. `answer()` and `reject()` are for one that rings here, `hangup()` for any. */
export class Call {
    readonly id: string;
    readonly direction: "inbound" | "outbound";
    readonly from: string;
    readonly fromName: string;
    readonly to: string;
    readonly toName: string;
    readonly #line: Line;
    readonly #offer: string | undefined;
    readonly #status: Topic<CallStatus>;
    readonly #local = new Topic<MediaStream>();
    readonly #remote = new Topic<MediaStream>();
    #peer: RTCPeerConnection | undefined;
    #cause: string | undefined;

    /** @internal */
    constructor(line: Line, parties: CallParties, inbound?: { readonly id: string; readonly sdp: string })
    {
        this.#line = line;
        this.id = inbound?.id ?? uuid();
        this.direction = inbound ? "inbound" : "outbound";
        this.from = parties.from;
        this.fromName = parties.fromName;
        this.to = parties.to;
        this.toName = parties.toName;
        this.#offer = inbound?.sdp;
        this.#status = new Topic<CallStatus>(inbound ? "ringing" : "new");
    }

    get status$(): Observable<CallStatus> { return this.#status; }
    get status(): CallStatus { return this.#status.value ?? "destroyed"; }
    /** Microphone and camera. To mute, disable its tracks. */
    get localStream$(): Observable<MediaStream> { return this.#local; }
    get localStream(): MediaStream | undefined { return this.#local.value; }
    get remoteStream$(): Observable<MediaStream> { return this.#remote; }
    get remoteStream(): MediaStream | undefined { return this.#remote.value; }
    /** Why it ended, such as `USER_BUSY`, or `MEDIA_TIMEOUT` when the browsers found no way to each other; undefined while it goes on. */
    get cause(): string | undefined { return this.#cause; }

    /** @internal Offers, and resolves when the server has taken the call. */
    async dial(media: MediaOptions): Promise<void>
    {
        await this.#make("outbound", media, async (peer) => {
            await peer.setLocalDescription(await peer.createOffer());
            const sdp = await this.#gathered(peer);
            this.#to("trying");
            await this.#line.send(this.id, "verto.invite", { dialogParams: { callID: this.id, destination_number: this.to,
                remote_caller_id_number: this.to, userVariables: {}, version: 1000 }, sdp }, media.signal);
        });
    }

    /** Takes a call that rings here. @throws CallCreateError */
    async answer(media: MediaOptions = {}): Promise<void>
    {
        if (this.status !== "ringing" || this.#offer === undefined) throw new CallCreateError(this.direction, `only a call that rings here can be answered; this one is ${this.status}`);
        const sdp = this.#offer;
        await this.#make("inbound", media, async (peer) => {
            await peer.setRemoteDescription({ type: "offer", sdp });
            await peer.setLocalDescription(await peer.createAnswer());
            const answer = await this.#gathered(peer);
            this.#to("connecting");
            await this.#line.send(this.id, "verto.answer", { dialogParams: { callID: this.id, destination_number: this.to }, sdp: answer }, media.signal);
        });
    }

    /** Sends a call away that rings here; its caller hears that the line is busy. */
    reject(signal?: AbortSignal): Promise<void> { return this.#leave({ cause: "USER_BUSY", causeCode: "17" }, signal); }

    /** Ends the call, in whatever state it is; does nothing if it is over. */
    hangup(signal?: AbortSignal): Promise<void> { return this.#leave({}, signal); }

    /**
     * Sends tones (DTMF), after those still on their way: the server is asked, then they go to the other side as part of the sound.
     * @param digits 0 to 9, A to D, * and #; a comma is a pause of two seconds; 64 at most
     * @throws CoatcheckError `option_invalid`, `not_connected`, `media_failed`, or why the server refused
     */
    async sendDigits(digits: string, signal?: AbortSignal): Promise<void>
    {
        if (typeof digits !== "string" || !DIGITS.test(digits))
            throw new CoatcheckError("option_invalid", 'sendDigits() needs a text of 1 to 64 characters out of 0 to 9, A to D, *, # and, for a pause, a comma; such as "12#"');
        this.#tones();
        await this.#line.send(this.id, "verto.info", { sessid: this.id, dialogParams: { callID: this.id }, dtmf: digits }, signal);
        const tones = this.#tones();
        tones.insertDTMF(tones.toneBuffer + digits);
    }

    /** @internal It was answered. */
    async answered(sdp: string): Promise<void>
    {
        this.#to("connecting");
        await this.#peer?.setRemoteDescription({ type: "answer", sdp }).catch(() => this.#mediaFailed());
    }

    /** @internal It is over; nobody needs to be told. */
    ended(cause: string): void
    {
        if (this.status === "destroyed") return;
        this.#cause = cause;
        this.#to("disconnected");
        this.#peer?.close();
        for (const track of this.#local.value?.getTracks() ?? []) track.stop();
        this.#to("destroyed");
        for (const topic of [this.#status, this.#local, this.#remote]) topic.complete();
        this.#line.over(this);
    }

    #to(status: CallStatus): void
    {
        if (this.status !== "destroyed") this.#status.set(status);
    }

    /** What plays tones into the sound that goes out. */
    #tones(): RTCDTMFSender
    {
        if (this.status !== "connected") throw new CoatcheckError("not_connected", `digits can be sent while a call is connected; this one is ${this.status}`);
        const tones = this.#peer?.getSenders().find(({ dtmf }) => dtmf?.canInsertDTMF)?.dtmf;
        if (!tones) throw new CoatcheckError("media_failed", "this call sends no sound that tones could be part of; dial or answer with audio: true");
        return tones;
    }

    /** Nobody hung up: both sides are told so. */
    async #mediaFailed(): Promise<void>
    {
        await this.#leave({ cause: "MEDIA_TIMEOUT", causeCode: "604" }, undefined).catch(() => {}); // over on this side, whoever has heard of it
    }

    async #leave(why: Answer, signal: AbortSignal | undefined): Promise<void>
    {
        if (this.status === "destroyed" || this.status === "disconnecting") return;
        const wasTold = this.status !== "new";
        this.#to("disconnecting");
        try {
            if (wasTold) await this.#line.send(this.id, "verto.bye", { dialogParams: { callID: this.id }, ...why }, signal);
        } finally {
            this.ended(String(why["cause"] ?? "NORMAL_CLEARING")); // over on this side, whoever has heard of it
        }
    }

    async #make(direction: "inbound" | "outbound", media: MediaOptions, run: (peer: RTCPeerConnection) => Promise<void>): Promise<void>
    {
        try {
            await run(await this.#connection(media));
        } catch (cause) {
            if (/^(trying|ringing|connecting)$/.test(this.status)) // the other side may wait: it is told, but not waited for
                this.#line.send(this.id, "verto.bye", { dialogParams: { callID: this.id }, cause: "CALL_REJECTED", causeCode: "21" }).catch(() => {});
            this.ended("CALL_REJECTED");
            const { status, errorId }: ErrorDetails = cause instanceof CoatcheckError ? cause : {};
            throw new CallCreateError(direction, `the call could not be ${direction === "outbound" ? "made" : "answered"}: ${cause instanceof Error ? cause.message : String(cause)}`,
                { cause, status, errorId });
        }
    }

    async #connection({ audio = true, video = false, signal }: MediaOptions): Promise<RTCPeerConnection>
    {
        const rtc = this.#line.rtc ?? (typeof RTCPeerConnection === "function" ? { RTCPeerConnection, mediaDevices: navigator.mediaDevices } : undefined);
        if (!rtc?.mediaDevices) throw new CoatcheckError("media_failed", "calls need WebRTC and a page with https");
        signal?.throwIfAborted();
        const stream = audio || video ? await rtc.mediaDevices.getUserMedia({ audio, video })
            .catch((cause: unknown) => { throw asError(cause, "media_failed", `no microphone or camera: ${String(cause)}`); }) : undefined;
        if (stream) this.#local.set(stream);
        const peer = (this.#peer = new rtc.RTCPeerConnection({ iceServers: this.#line.iceServers() }));
        if (this.status === "destroyed" || signal?.aborted) this.#abandon(peer, stream);
        for (const track of stream?.getTracks() ?? []) peer.addTrack(track, stream as MediaStream);
        peer.ontrack = ({ streams: [remote] }) => { if (remote) this.#remote.set(remote); };
        peer.onconnectionstatechange = () => {
            if (peer.connectionState === "connected") this.#to("connected");
            if (peer.connectionState === "failed") void this.#mediaFailed();
        };
        return peer;
    }

    /** The offer or answer of a call that is still wanted. */
    async #gathered(peer: RTCPeerConnection): Promise<string>
    {
        const sdp = await gathered(peer);
        if (this.status === "destroyed" || this.status === "disconnecting") throw new CoatcheckError("aborted", "the call was over before it had begun");
        return sdp;
    }

    #abandon(peer: RTCPeerConnection, stream: MediaStream | undefined): never
    {
        peer.close();
        for (const track of stream?.getTracks() ?? []) track.stop();
        throw new CoatcheckError("aborted", "the call was over before it had begun");
    }
}

/** The local description with its candidates: all of them, or those that came in time. */
async function gathered(peer: RTCPeerConnection): Promise<string>
{
    if (peer.iceGatheringState !== "complete")
        await within(GATHER_MS, undefined, "gathering", () => new Promise<void>((resolve) => {
            peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === "complete") resolve(); };
        })).catch(() => {});
    return peer.localDescription?.sdp ?? "";
}
