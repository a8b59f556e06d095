/* phone.ts — the calls of one session: sends what they say, hands them what they are told, and knows which there are. It is loaded
 * with the first call: a page that only signs in needs none of it. */
import { Call, type Line, type MediaOptions, type WebRTCApi } from "./call.js";
import type { Address } from "./client.js";
import { CoatcheckError } from "./errors.js";
import { ask, membersOf, textOf, type Answer } from "./http.js";
import type { Topic } from "./observable.js";
import { uuid } from "./uuid.js";
import type { Asking } from "./rpc.js";

export interface Phone {
    /** Calls once `ready` has resolved. */
    dial(destination: string | Address, media: MediaOptions, ready: () => Promise<void>): Promise<Call>;
    /** An event about a call. */
    told(event: Answer): void;
    /** The session is over, and its calls with it. */
    endAll(cause: string): void;
}

export interface PhoneParts {
    readonly rtc: WebRTCApi | undefined;
    readonly calls: Topic<readonly Call[]>;
    readonly incoming: Topic<readonly Call[]>;
    /** What the server said of them. */
    iceServers(): unknown;
    request(method: string, params: Answer, asking: Asking): Promise<Answer>;
}

/** Whom a token may reach. */
export async function addresses(url: string, token: string | undefined, signal: AbortSignal | undefined): Promise<readonly Address[]>
{
    const { data } = await ask({ url: `${url}/api/fabric/addresses`, token, signal });
    if (!Array.isArray(data)) throw new CoatcheckError("malformed_answer", "no list of addresses");
    return data as readonly Address[];
}

export function phone({ rtc, calls: all, incoming, iceServers, request }: PhoneParts): Phone
{
    let node = "";
    const calls = () => all.value ?? [];
    const line: Line = {
        rtc,
        iceServers()
        {
            const servers = iceServers();
            return Array.isArray(servers) ? servers : [];
        },
        async send(callID, method, params, signal)
        {
            const { result } = await request("webrtc.verto", { callID, node_id: node, message: { jsonrpc: "2.0", id: uuid(), method, params } }, { signal });
            const { error } = membersOf(result);
            if (error) throw new CoatcheckError("call_failed", `${method} was refused: ${textOf(membersOf(error)["message"])}`);
        },
        over: (call) => set(calls().filter((other) => other !== call)),
    };

    function set(now: readonly Call[]): void
    {
        const ringing = now.filter(({ direction, status }) => direction === "inbound" && status === "ringing");
        all.set(now);
        if (ringing.map(({ id }) => id).join() !== incoming.value?.map(({ id }) => id).join()) incoming.next(ringing);
    }

    function add(call: Call): Call
    {
        set([...calls(), call]);
        call.status$.subscribe(() => set(calls()));
        return call;
    }

    return {
        async dial(destination, media, ready)
        {
            const medium = media.video ? "video" : "audio";
            const to = typeof destination === "string" ? destination : destination?.channels?.[medium];
            if (!to) throw new CoatcheckError("option_invalid", `dial() needs a text such as "/public/front-desk", or an address with the channel ${medium}`);
            await ready();
            const call = add(new Call(line, { from: "", fromName: "", to, toName: "" }));
            await call.dial(media);
            return call;
        },
        told({ params: event, node_id })
        {
            const { method, params } = membersOf(event) as { method?: unknown; params?: unknown };
            const about = membersOf(params);
            const text = (name: string) => textOf(about[name]);
            const id = text("callID"), sdp = text("sdp");
            const call = calls().find((one) => one.id === id);
            node = textOf(node_id);
            if (method === "verto.invite" && !call && id && sdp)
                add(new Call(line, { from: text("caller_id_number"), fromName: text("caller_id_name"), to: text("callee_id_number"), toName: text("callee_id_name") }, { id, sdp }));
            if (method === "verto.answer") void call?.answered(sdp);
            if (method === "verto.bye") call?.ended(text("cause"));
        },
        endAll: (cause) => calls().forEach((call) => call.ended(cause)),
    };
}
