// sign_in.mjs — the sign-in that your product has already, in its smallest form: pick a name, get a signed cookie.
//
// Everything a backend hands out hangs on who is asking, and only this cookie says it: not a header, not a field of the
// body, not a query. The page can neither read the cookie nor make one.
import crypto from "node:crypto";

const KEY = crypto.randomBytes(32); // of this run: who was signed in is signed out when the program ends
const AGE_S = 8 * 3600;

const seal = (text) => crypto.createHmac("sha256", KEY).update(text).digest("base64url");

/** The Set-Cookie value that signs somebody in for eight hours, or, without a name, out. cookie: a name of the product's own. */
export function signIn(cookie, user)
{
    const until_s = Math.floor(Date.now() / 1000) + AGE_S;
    const text = user ? `${Buffer.from(user).toString("base64url")}.${until_s}` : "";
    return `${cookie}=${text && `${text}.${seal(text)}`}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${user ? AGE_S : 0}`;
}

/** The name of who is asking, or null. */
export function whoIsSignedIn(cookie, request)
{
    const found = (request.headers.cookie ?? "").split(/; */).find((pair) => pair.startsWith(`${cookie}=`));
    const [name, until_s, given] = (found ?? "").slice(cookie.length + 1).split(".");
    const [right, seen] = [seal(`${name}.${until_s}`), given ?? ""].map((text) => Buffer.from(text));
    const isRight = seen.length === right.length && crypto.timingSafeEqual(seen, right);
    return isRight && Number(until_s) * 1000 > Date.now() ? Buffer.from(name, "base64url").toString() : null;
}

/** False for a request that another site's page has sent with this user's cookie. */
export function isOurPage(request)
{
    const { origin, host } = request.headers;
    return origin === undefined ? request.headers["sec-fetch-site"] !== "cross-site" : origin === `http://${host}` || origin === `https://${host}`;
}
