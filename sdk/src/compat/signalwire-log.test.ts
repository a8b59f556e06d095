import { afterEach, expect, test, vi } from "vitest";
import { CoatcheckError, InvalidCredentialsError } from "../errors.js";
import { CollectionFetchError, getLogger, MediaTrackError, MessageParseError, RecoveryError, setLogger, setLogLevel, SignalWire, UnexpectedError, VertoPongError } from "./signalwire.js";

afterEach(() => {
    vi.restoreAllMocks();
    setLogger(null);
    setLogLevel("warn");
});

function heard()
{
    const lines: string[] = [];
    for (const level of ["trace", "debug", "info", "warn", "error"] as const)
        vi.spyOn(console, level).mockImplementation((...of: unknown[]) => { lines.push([level, ...of].join(" ")); });
    return lines;
}

test("the console hears warnings and errors, or what the level says", () => {
    const lines = heard(), log = getLogger();
    const sayAll = () => { for (const level of ["trace", "debug", "info", "warn", "error"] as const) log[level]("x"); };
    sayAll();
    expect(lines.splice(0)).toEqual(["warn x", "error x"]);
    setLogLevel("silent");
    sayAll();
    expect(lines.splice(0)).toEqual([]);
    setLogLevel("trace");
    sayAll();
    expect(lines).toHaveLength(5);
});

test("a logger of the page's own hears everything, the console nothing; null brings the console back", () => {
    const lines = heard(), own: string[] = [];
    const tell = (level: string) => (...of: unknown[]) => { own.push([level, ...of].join(" ")); };
    setLogger({ trace: tell("trace"), debug: tell("debug"), info: tell("info"), warn: tell("warn"), error: tell("error") });
    getLogger().debug("x");
    expect([own, lines]).toEqual([["debug x"], []]);
    setLogger(null);
    getLogger().error("y");
    expect([own.length, lines]).toEqual([1, ["error y"]]);
});

test("a client's error is told by name, code and message, and nothing of a token", async () => {
    const lines = heard();
    const client = new SignalWire({ authenticate: async () => ({ token: "a.secret.token" }) }, { logLevel: "error", url: "http://127.0.0.1:9" });
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(0), 60_000);
    expect(lines[0]).toMatch(/^error InvalidCredentialsError credential_invalid /);
    expect(lines.join()).not.toContain("secret");
    await client.destroy();
});

test("each error is of one class of the vendor's", () => {
    const classes = { InvalidCredentialsError, MessageParseError, MediaTrackError, VertoPongError, RecoveryError, CollectionFetchError, UnexpectedError };
    const of = (error: unknown) => Object.entries(classes).filter(([, Kind]) => error instanceof Kind).map(([name]) => name);
    expect(of(new CoatcheckError("malformed_answer", "x"))).toEqual(["MessageParseError"]);
    expect(of(new CoatcheckError("media_failed", "x"))).toEqual(["MediaTrackError"]);
    expect(of(new InvalidCredentialsError("credential_refused", "x"))).toEqual(["InvalidCredentialsError"]);
    expect(of(new CoatcheckError("network", "x"))).toEqual(["UnexpectedError"]);
    expect(of(new Error("x"))).toEqual([]);
});
