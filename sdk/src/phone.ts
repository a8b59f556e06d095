/* phone.ts — the calls of one session: sends what they say, hands them what they are told, and knows which there are. */
import { Call, type Line, type MediaOptions, type WebRTCApi } from "./call.js";
import { CoatcheckError } from "./errors.js";
import type { Answer } from "./http.js";
import { Topic } from "./observable.js";
import { uuid } from "./platform.js";
import { membersOf } from "./rpc.js";

export class Phone implements Line {
    readonly rtc: WebRTCApi | undefined;
    readonly calls = new Topic<readonly Call[]>({ value: [] });
    readonly incoming = new Topic<readonly Call[]>({ value: [] });
    readonly #request: (method: string, params: Answer, options: { signal: AbortSignal | undefined }) => Promise<Answer>;
    #node = "";
    iceServers: RTCIceServer[] = [];

    constructor(rtc: WebRTCApi | undefined, request: (method: string, params: Answer, options: { signal: AbortSignal | undefined }) => Promise<Answer>)
    {
        this.rtc = rtc;
        this.#request = request;
    }

    /** What connect was answered. */
    welcomed(result: Answer): void
    {
        const { ice_servers: servers } = result;
        this.iceServers = Array.isArray(servers) ? (servers as RTCIceServer[]) : [];
    }

    async dial(to: string, media: MediaOptions): Promise<Call>
    {
        const call = new Call(this, { from: "", fromName: "", to, toName: "" });
        this.#add(call);
        await call.dial(media);
        return call;
    }

    async send(callId: string, method: string, params: Answer, signal?: AbortSignal): Promise<Answer>
    {
        const result = await this.#request("webrtc.verto",
            { callID: callId, node_id: this.#node, message: { jsonrpc: "2.0", id: uuid(), method, params } }, { signal });
        const { error, result: inner } = membersOf(result["result"]);
        if (error !== undefined) throw new CoatcheckError("call_failed", `${method} was refused: ${String(membersOf(error)["message"])}`);
        return membersOf(inner);
    }

    /** An event about a call. */
    told(event: Answer): void
    {
        if (event["event_type"] !== "webrtc.message") return;
        const { method, params } = membersOf(event["params"]);
        const about = membersOf(params);
        const text = (name: string) => { const value = about[name]; return typeof value === "string" ? value : ""; };
        const call = this.calls.value?.find(({ id }) => id === text("callID"));
        this.#node = typeof event["node_id"] === "string" ? event["node_id"] : "";
        if (method === "verto.invite" && !call && text("callID") && text("sdp"))
            this.#add(new Call(this, { from: text("caller_id_number"), fromName: text("caller_id_name"), to: text("callee_id_number"), toName: text("callee_id_name") },
                { id: text("callID"), sdp: text("sdp") }));
        if (method === "verto.answer") void call?.answered(text("sdp"));
        if (method === "verto.bye") call?.ended(text("cause"));
    }

    /** The session is over, and its calls with it. */
    endAll(cause: string): void
    {
        for (const call of this.calls.value ?? []) call.ended(cause);
    }

    over(call: Call): void { this.#set((this.calls.value ?? []).filter((other) => other !== call)); }

    #add(call: Call): void
    {
        this.#set([...(this.calls.value ?? []), call]);
        call.status$.subscribe(() => this.#set(this.calls.value ?? []));
    }

    #set(calls: readonly Call[]): void
    {
        this.calls.set(calls);
        const ringing = calls.filter(({ direction, status }) => direction === "inbound" && status === "ringing");
        if (ringing.length !== this.incoming.value?.length || ringing.some((call, i) => call !== this.incoming.value?.[i])) this.incoming.next(ringing);
    }
}
