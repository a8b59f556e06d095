import { afterEach, describe, expect, it, vi } from "vitest";
import { EmbedTokenCredentialProvider, readCredential, serverUrl, StaticCredentialProvider } from "./credentials.js";

afterEach(() => vi.unstubAllGlobals());

describe("refuses what is no credential, and says what to change", () => {
    const rows: readonly [string, unknown, RegExp][] = [
        ["nothing", undefined, /token is no text/],
        ["null", null, /token is no text/],
        ["a token alone", "eyJ", /token is no text/],
        ["a list", ["eyJ"], /token is no text/],
        ["no token", { expiry_at: 1.8e12 }, /token is no text/],
        ["an empty token", { token: "" }, /token is no text/],
        ["a token that is a number", { token: 5 }, /token is no text/],
        ["an expiry that is a date", { token: "t", expiry_at: "2026-11-21T00:00:00Z" }, /Date\.parse\(\)/],
        ["an expiry that is none", { token: "t", expiry_at: NaN }, /expiry_at is no number/],
        ["an expiry that is null", { token: "t", expiry_at: null }, /expiry_at is no number/],
        ["an expiry in seconds", { token: "t", expiry_at: 1795208360 }, /multiply it by 1000/],
    ];
    it.each(rows)("%s", (_, value, message) => {
        expect(() => readCredential(value, "the provider's authenticate()")).toThrow(expect.objectContaining({ code: "credential_invalid", message: expect.stringMatching(message) as string }) as Error);
    });
});

it("hands a static credential back as it is, and refuses another at once", async () => {
    const credential = { token: "t" };
    expect(await new StaticCredentialProvider(credential).authenticate()).toBe(credential);
    expect(() => new StaticCredentialProvider({ token: "" })).toThrow(/StaticCredentialProvider/);
});

describe("an embed token", () => {
    it.each([["", "c2c_1"], ["a.example", ""]])("needs host and token: %j %j", (host, token) => {
        expect(() => new EmbedTokenCredentialProvider(host, token)).toThrow(expect.objectContaining({ code: "option_missing" }) as Error);
    });
    it.each(["a.example/path", "ftp://a.example", "a b", "https://u:p@a.example"])("needs a host that is one: %s", (host) => {
        expect(() => new EmbedTokenCredentialProvider(host, "c2c_1")).toThrow(expect.objectContaining({ code: "option_invalid" }) as Error);
    });
    it("is exchanged, each time anew, for a token that says itself when it ends", async () => {
        vi.stubGlobal("fetch", vi.fn(async () => new Response(JSON.stringify({ token: `${btoa("{}")}.${btoa('{"exp":1795208360}')}.x` }), { status: 201 })));
        const provider = new EmbedTokenCredentialProvider("a.example:8443", "c2c_1");
        expect((await provider.authenticate()).expiry_at).toBe(1795208360_000);
        await provider.refresh();
        expect(fetch).toHaveBeenCalledTimes(2);
        expect(fetch).toHaveBeenLastCalledWith("https://a.example:8443/api/fabric/embeds/tokens", expect.objectContaining({ body: '{"token":"c2c_1"}' }));
    });
    it("refuses an answer without a token", async () => {
        vi.stubGlobal("fetch", vi.fn(async () => new Response("{}", { status: 201 })));
        await expect(new EmbedTokenCredentialProvider("a.example", "c2c_1").authenticate()).rejects.toMatchObject({ code: "credential_invalid" });
    });
});

it("takes hosts and origins", () => {
    expect(serverUrl("a.example", "url")).toBe("https://a.example");
    expect(serverUrl("localhost:8787", "url")).toBe("https://localhost:8787");
    expect(serverUrl("http://127.0.0.1:8787/", "url")).toBe("http://127.0.0.1:8787");
});
