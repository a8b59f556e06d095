/* policy.ts — the field that keeps other pages from framing an app. It is for the backend that serves the framed page; the same list
 * goes into `openFrame`. */
import { CoatcheckError } from "../errors.js";
import { isOrigin } from "../embed/envelope.js";

/**
 * The list of origins, exact ones, of pages that may frame an app.
 * @throws CoatcheckError `option_invalid`
 */
export function hostList(hosts: readonly string[]): readonly string[]
{
    const wrong = Array.isArray(hosts) ? hosts.find((host) => !isOrigin(host)) : hosts;
    if (wrong !== undefined || !Array.isArray(hosts))
        throw new CoatcheckError("option_invalid", `hosts must be a list of exact origins, such as https://clinic.example.com; ${String(wrong)} is none`);
    return hosts;
}

/**
 * Value of the field `Content-Security-Policy` for the framed page: only these pages may show it, and nobody if there are none.
 * @param hosts exact origins, `coatcheck origin list` tells the project's
 * @throws CoatcheckError `option_invalid`
 */
export function framePolicy(hosts: readonly string[]): string
{
    return `frame-ancestors ${hostList(hosts).join(" ") || "'none'"}`;
}
