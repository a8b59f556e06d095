/* signalwire-log.ts — the vendor's log settings, which all clients of a page share: what goes wrong is an error, a session that
 * opens or ends is a matter of debugging, and a warning is information, so that it stays silent unless somebody asks. Of messages
 * on the socket only names, ids and codes are logged, and only if asked for: the rest of them has tokens in it. */
import { membersOf, parsed, textOf } from "../http.js";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";
type Said = Exclude<LogLevel, "silent">;

/** What a page can give to be told instead of the console. */
export type SDKLogger = Readonly<Record<Said, (...of: unknown[]) => void>>;

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "silent"];
let given: SDKLogger | null = null;
let least: LogLevel = "warn";
let isTold = false;

/** Null brings the console back. */
export function setLogger(logger: SDKLogger | null): void { given = logger; }

/** For the console; a logger of the page's own is told everything. Default: `warn`. */
export function setLogLevel(level: LogLevel): void { least = level; }

export interface DebugOptions {
    /** A line at level `debug` for each message on the socket: its direction, id, names and codes. */
    readonly logWsTraffic?: boolean;
}

/** For all clients of the page. Default, and null: nothing. */
export function setDebugOptions(options: DebugOptions | null): void { isTold = options?.logWsTraffic === true; }

/** A class of sockets that tell what passes, while that is asked for. Socket: undefined is the page's own. */
export function toldSocket(Socket: typeof WebSocket | undefined): typeof WebSocket
{
    return function (url: string) {
        const socket = new (Socket ?? WebSocket)(url), send = socket.send.bind(socket);
        socket.send = (text) => {
            send(text); // first: a logger of the page's may throw
            tell("SEND", text);
        };
        socket.addEventListener?.("message", ({ data }) => tell("RECV", data)); // a class of the page's may do without
        return socket;
    } as unknown as typeof WebSocket;
}

/** Members one by one: what else is in a message is for nobody's log. */
function tell(direction: "SEND" | "RECV", text: unknown): void
{
    if (!isTold) return;
    const { id, method, params, error } = membersOf(parsed(textOf(text))), about = membersOf(params), refusal = membersOf(error), { data } = refusal;
    getLogger().debug([direction, id, method, about["event_type"], membersOf(about["message"])["method"], membersOf(about["params"])["method"],
        refusal["code"], membersOf(data)["error_code"], membersOf(data)["error_id"]].filter((one) => one !== undefined).map(String).join(" "));
}

export function getLogger(): SDKLogger
{
    const to = (level: Said) => (...of: unknown[]) => {
        if (given) given[level](...of);
        else if (LEVELS.indexOf(level) >= LEVELS.indexOf(least)) console[level](...of);
    };
    return { trace: to("trace"), debug: to("debug"), info: to("info"), warn: to("warn"), error: to("error") };
}
