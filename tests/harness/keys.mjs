// keys.mjs — key pairs as tests need them: to sign with, and as JWKs to show.
//
// Node writes the JWKs while it makes the pair. KeyObject.export is not asked for them: Node 20.20 waits in it for ever when
// memory is collected at the wrong moment (twice in 50 000 exports of new keys), and no guard of a test runs meanwhile.
import crypto from "node:crypto";

const KINDS = { ES256: ["ec", { namedCurve: "P-256" }], ES384: ["ec", { namedCurve: "P-384" }], ES256K: ["ec", { namedCurve: "secp256k1" }],
    EdDSA: ["ed25519", {}], RS256: ["rsa", { modulusLength: 2048 }], weak: ["rsa", { modulusLength: 1024 }],
    "e of 3": ["rsa", { modulusLength: 2048, publicExponent: 3 }] };
const JWK = { publicKeyEncoding: { format: "jwk" }, privateKeyEncoding: { format: "jwk" } };

// { privateKey, publicKey }: KeyObjects; { jwk, privateJwk }: plain objects. alg: of a signature, or
// "weak" (RSA of 1024 bits), or "e of 3".
export function keyPair(alg = "ES256")
{
    const [type, options] = KINDS[alg], { publicKey: jwk, privateKey: privateJwk } = crypto.generateKeyPairSync(type, { ...options, ...JWK });
    return { jwk, privateJwk, privateKey: crypto.createPrivateKey({ key: privateJwk, format: "jwk" }),
        publicKey: crypto.createPublicKey({ key: jwk, format: "jwk" }) };
}

export function thumbprint({ crv, e, kty, n, x, y }) // RFC 7638 §3: the required members, in this order
{
    return crypto.createHash("sha256").update(JSON.stringify({ crv, e, kty, n, x, y })).digest("base64url");
}
