import { expect, it } from "vitest";
import { Prover } from "./dpop.js";

const open = (part: string | undefined) => JSON.parse(atob((part ?? "").replace(/-/g, "+").replace(/_/g, "/"))) as Record<string, unknown>;
const bytes = (part: string | undefined) => Uint8Array.from(atob((part ?? "").replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));

it("is signed by a key that nobody can read, says what it is for, and is another each time", async () => {
    const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    const prover = await Prover.of(pair);
    expect(prover.fingerprint).toMatch(/^[\w-]{43}$/);
    const one = await prover.proof({ htm: "POST", htu: "/x", token: "abc" }, 1795208360.9);
    const [head, body, signature] = one.split(".");
    expect(Object.keys(open(head)["jwk"] as object)).toEqual(["crv", "kty", "x", "y"]);
    expect(open(body)).toEqual({ jti: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/) as string,
        htm: "POST", htu: "/x", iat: 1795208360, ath: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" });
    expect(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, pair.publicKey, bytes(signature), new TextEncoder().encode(`${head ?? ""}.${body ?? ""}`))).toBe(true);
    const other = await prover.proof({ rpc: "request", mth: "a.b" }, 1);
    expect(open(other.split(".")[1])).toMatchObject({ rpc: "request", mth: "a.b", iat: 1 });
    expect(open(other.split(".")[1])["jti"]).not.toBe(open(body)["jti"]);
    await expect(crypto.subtle.exportKey("jwk", pair.privateKey)).rejects.toThrow();
});
