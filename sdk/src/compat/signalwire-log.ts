/* signalwire-log.ts — the vendor's log settings, which all clients of a page share: what goes wrong is an error, a session that
 * opens or ends is a matter of debugging, and a warning is information, so that it stays silent unless somebody asks. Messages on
 * the socket are never logged, because tokens are in them. */

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";
type Said = Exclude<LogLevel, "silent">;

/** What a page can give to be told instead of the console. */
export type SDKLogger = Readonly<Record<Said, (...of: unknown[]) => void>>;

const LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "silent"];
let given: SDKLogger | null = null;
let least: LogLevel = "warn";

/** Null brings the console back. */
export function setLogger(logger: SDKLogger | null): void { given = logger; }

/** For the console; a logger of the page's own is told everything. Default: `warn`. */
export function setLogLevel(level: LogLevel): void { least = level; }

/** Without effect: what passes over the socket is not logged. */
export function setDebugOptions(_options: { readonly logWsTraffic?: boolean } | null): void {}

export function getLogger(): SDKLogger
{
    const to = (level: Said) => (...of: unknown[]) => {
        if (given) given[level](...of);
        else if (LEVELS.indexOf(level) >= LEVELS.indexOf(least)) console[level](...of);
    };
    return { trace: to("trace"), debug: to("debug"), info: to("info"), warn: to("warn"), error: to("error") };
}
