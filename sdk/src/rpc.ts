/* rpc.ts — calls and replies on one socket: JSON-RPC 2.0, ids are texts. It knows neither the socket nor the calls' meaning: text
 * goes out by `send`, comes in by `take`, and what is no reply is handed back. */
import { CoatcheckError, isServerCode } from "./errors.js";
import { within, type Answer } from "./http.js";
import { uuid } from "./platform.js";

export interface Request {
    readonly id: string;
    readonly method: string;
    readonly params: Answer;
}

/** A reply that says no. */
export class RpcRefusal extends CoatcheckError {
    /** As in RPC_CODES. */
    readonly rpcCode: number;

    constructor(method: string, error: Answer)
    {
        const { code, message, data } = error;
        const { error_code: slug, error_id: errorId } = membersOf(data) as { error_code?: unknown; error_id?: unknown };
        super(isServerCode(slug) ? slug : "unauthorized",
            `${method} was refused: ${String(message)} (${String(code)}); the server's operator learns why with: coatcheck why ${String(errorId)}`,
            { errorId: typeof errorId === "string" ? errorId : undefined });
        this.rpcCode = Number(code);
    }
}

const REPLY_MS = 5_000;

export class Rpc {
    readonly #send: (text: string) => void;
    readonly #waiting = new Map<string, { method: string; resolve(result: Answer): void; reject(error: CoatcheckError): void }>();

    constructor(send: (text: string) => void) { this.#send = send; }

    /** @throws RpcRefusal, CoatcheckError `timeout`, `aborted`, `not_connected` */
    request(method: string, params: Answer, { signal, timeoutMs = REPLY_MS }: { readonly signal?: AbortSignal | undefined; readonly timeoutMs?: number } = {}): Promise<Answer>
    {
        const id = uuid();
        return within(timeoutMs, signal, method, () => new Promise<Answer>((resolve, reject) => {
            this.#waiting.set(id, { method, resolve, reject });
            this.#send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
        })).finally(() => this.#waiting.delete(id));
    }

    reply(id: string, result: Answer): void { this.#send(JSON.stringify({ jsonrpc: "2.0", id, result })); }

    /**
     * One message that came: a request of the server's is handed back, a reply goes to who waits for it.
     * @throws CoatcheckError `malformed_answer`
     */
    take(text: unknown): Request | undefined
    {
        const message = membersOf(parse(text));
        const { id, method, params, error } = message;
        if (typeof id !== "string") throw new CoatcheckError("malformed_answer", "a message on the socket is not JSON-RPC");
        if (typeof method === "string") return { id, method, params: membersOf(params) };
        const asked = this.#waiting.get(id);
        if (error === undefined) asked?.resolve(membersOf(message["result"]));
        else asked?.reject(new RpcRefusal(asked.method, membersOf(error)));
        return undefined;
    }

    /** Nothing comes any more. */
    end(): void
    {
        for (const { method, reject } of this.#waiting.values()) reject(new CoatcheckError("not_connected", `${method}: the connection was lost before the answer`));
    }
}

function parse(text: unknown): unknown
{
    try {
        return JSON.parse(String(text));
    } catch (cause) {
        throw new CoatcheckError("malformed_answer", "a message on the socket is not JSON", { cause });
    }
}

/** An object's members; none of anything else. */
export function membersOf(value: unknown): Answer
{
    return typeof value === "object" && value !== null ? (value as Answer) : {};
}
