/* rpc.ts — calls and replies on one socket: JSON-RPC 2.0, ids are texts. It knows neither the socket nor the calls' meaning: text
 * goes out by `send`, comes in by `take`, and what is no reply is handed back. */
import { codeOf, CoatcheckError } from "./errors.js";
import { membersOf, parsed, textOf, within, type Answer } from "./http.js";

export interface Request {
    readonly id: string;
    readonly method: string;
    readonly params: Answer;
}

export interface Asking {
    readonly signal?: AbortSignal | undefined;
    /** Default 5 000. */
    readonly timeoutMs?: number;
}

export interface Rpc {
    /** @throws RpcRefusal, CoatcheckError `timeout`, `aborted`, `not_connected` */
    request(method: string, params: Answer, asking?: Asking): Promise<Answer>;
    reply(id: string, result: Answer): void;
    /**
     * One message that came: a request of the server's is handed back, a reply goes to who waits for it.
     * @throws CoatcheckError `malformed_answer`
     */
    take(text: unknown): Request | undefined;
    /** Nothing comes any more. */
    end(): void;
}

/** A reply that says no. */
export class RpcRefusal extends CoatcheckError {
    /** As in RPC_CODES. */
    readonly rpcCode: number;

    constructor(method: string, { code, message, data }: Answer)
    {
        const { error_code: slug, error_id } = membersOf(data) as { error_code?: unknown; error_id?: unknown }, errorId = textOf(error_id);
        super(codeOf(slug, "unauthorized"), `${method} was refused: ${textOf(message)}; coatcheck why ${errorId} tells why`, { errorId });
        this.rpcCode = Number(code);
    }
}

export function rpc(send: (text: string) => void): Rpc
{
    let last = 0, isOver = false;
    const gone = () => new CoatcheckError("not_connected", "the connection was lost");
    const waiting = new Map<string, (reply: Answer) => void>();
    const post = (message: Answer) => { if (!isOver) send(JSON.stringify({ jsonrpc: "2.0", ...message })); };
    return {
        request(method, params, { signal, timeoutMs = 5_000 } = {})
        {
            if (isOver) return Promise.reject(gone());
            const id = String(++last);
            return within(timeoutMs, signal, method, () => new Promise<Answer>((resolve, reject) => {
                waiting.set(id, ({ error, result }) => {
                    if (error === undefined) resolve(membersOf(result));
                    else reject(error instanceof Error ? error : new RpcRefusal(method, membersOf(error)));
                });
                post({ id, method, params });
            })).finally(() => waiting.delete(id));
        },
        reply: (id, result) => post({ id, result }),
        take(text)
        {
            const message = membersOf(parsed(textOf(text)));
            const { id, method, params } = message;
            if (typeof id !== "string") throw new CoatcheckError("malformed_answer", "a message on the socket is not JSON-RPC");
            if (typeof method === "string") return { id, method, params: membersOf(params) };
            waiting.get(id)?.(message);
            return undefined;
        },
        end()
        {
            isOver = true;
            for (const answer of waiting.values()) answer({ error: gone() });
        },
    };
}
