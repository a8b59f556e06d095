import { afterEach, expect, test, vi } from "vitest";
import { CoatcheckError, InvalidCredentialsError } from "../errors.js";
import { FakeSocket, TOKEN } from "../testing/fake-socket.js";
import { CollectionFetchError, getLogger, MediaTrackError, MessageParseError, RecoveryError, setDebugOptions, setLogger, setLogLevel, SignalWire, UnexpectedError, VertoPongError } from "./signalwire.js";

afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
    setLogger(null);
    setLogLevel("warn");
    setDebugOptions(null);
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

class HeardSocket extends FakeSocket {
    readonly #hearers: ((message: { data: string }) => void)[] = [];
    addEventListener(_: "message", hear: (message: { data: string }) => void) { this.#hearers.push(hear); }
    override tell(message: unknown)
    {
        for (const hear of this.#hearers) hear({ data: JSON.stringify(message) });
        super.tell(message);
    }
}

test("debug: { logWsTraffic: true } tells each message by name, id and code, and nothing else of it", async () => {
    const lines = heard();
    vi.stubGlobal("fetch", vi.fn(async () => new Response("{}")));
    FakeSocket.all = [];
    const loud = new SignalWire({ authenticate: async () => ({ token: TOKEN }) },
        { debug: { logWsTraffic: true }, logLevel: "debug", webSocketConstructor: HeardSocket as unknown as typeof WebSocket });
    await vi.waitFor(() => expect(FakeSocket.all).toHaveLength(1));
    const [socket] = FakeSocket.all as [FakeSocket];
    socket.onopen?.();
    await vi.waitFor(() => expect(socket.sent).toHaveLength(1));
    socket.tell({ id: socket.sent[0]?.id, result: { protocol: "p-secret", authorization: {} } });
    socket.tell({ id: "e1", method: "signalwire.event", params: { event_type: "signalwire.authorization.state", params: { authorization_state: "s-secret" } } });
    socket.tell({ id: "e2", method: "signalwire.event", params: { event_type: "webrtc.message", params: { method: "verto.bye", params: { callID: "c" } } } });
    await vi.waitFor(() => expect(socket.sent.at(-1)?.id).toBe("e2"));
    socket.tell({ id: "2", error: { code: -32002, message: "m-secret", data: { error_code: "unauthorized", error_id: "e9" } } });
    const told = lines.filter((line) => /SEND|RECV/.test(line)).map((line) => line.replace("debug ", ""));
    expect(told.filter((line) => !/SEND \d/.test(line))).toEqual(["RECV 1", "RECV e1 signalwire.event signalwire.authorization.state", "SEND e1",
        "RECV e2 signalwire.event webrtc.message verto.bye", "SEND e2", "RECV 2 -32002 unauthorized e9"]);
    expect(told[0]).toBe("SEND 1 signalwire.connect");
    expect(told.join()).not.toMatch(new RegExp(`secret|${TOKEN}`));
    setDebugOptions(null);
    const before = lines.length;
    socket.tell({ id: "e3", method: "signalwire.ping", params: {} });
    expect(lines.slice(before).filter((line) => /SEND|RECV/.test(line))).toEqual([]);
    await loud.destroy();
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
