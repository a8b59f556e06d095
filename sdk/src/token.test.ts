import { describe, expect, it } from "vitest";
import { readToken } from "./token.js";

const part = (value: unknown) => btoa(JSON.stringify(value)).replace(/=/g, "");
const token = (head: unknown, body?: unknown) => `${part(head)}.${body === undefined ? "" : part(body)}.x`;

it.each(["", "x", "not.a.token", "....", `${btoa("[1]")}.a.b`, `${btoa("null")}.a.b`, "é.é.é"])("is no token: %j", (text) => expect(readToken(text)).toBeUndefined());

describe("where it is from", () => {
    it.each([
        [{}, {}, undefined],
        [{}, { iss: "ftp://a.example" }, undefined],
        [{}, { iss: 5 }, undefined],
        [{}, { iss: "https://" }, undefined],
        [{ ch: "nodots" }, {}, undefined],
        [{ ch: "" }, {}, undefined],
        [{ ch: "puc.a.example" }, undefined, "https://puc.a.example"],
        [{ ch: "puc.a.example:8443" }, { iss: 1 }, "https://puc.a.example:8443"],
        [{ ch: "puc.a.example" }, { iss: "http://127.0.0.1:8787" }, "http://127.0.0.1:8787"],
    ])("%j %j: %s", (head, body, url) => expect(readToken(token(head, body))?.serverUrl).toBe(url));
});

it("when it ends, in milliseconds, if it says", () => {
    expect(readToken(token({}, { exp: 1795208360 }))?.endsMs).toBe(1795208360_000);
    expect(readToken(token({}, { exp: "1795208360" }))?.endsMs).toBeUndefined();
    expect(readToken(token({ alg: "dir" }))?.endsMs).toBeUndefined();
});
