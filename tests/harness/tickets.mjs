// tickets.mjs — one-time tickets over the wire, in both dialects that have them, and what participants do with a session.
import assert from "node:assert/strict";
import { basic } from "./server.mjs";
import { call } from "./http.mjs";

export const LAUNCH = "/v1/oauth/launch";
export const EXCHANGE = "/v1/oauth/launch/exchange";
export const BOOTSTRAP = "/sdk/bootstrap-tokens";
export const SESSIONS = "/sdk/sessions";
export const VISIT = "/sessions";

export const clientAuth = ({ contract }) => basic(contract.client_id, contract.client_secret);
export const secretAuth = ({ contract }) => `Bearer ${contract.secret_key}`;

export function launch(server, body, headers = {})
{
    return call(server, "POST", LAUNCH, { body, headers: { authorization: clientAuth(server), ...headers } });
}

export function exchange(server, launchToken, { publishableKey = server.contract.publishable_key, headers = {} } = {})
{
    return call(server, "POST", EXCHANGE, { body: { launchToken, publishableKey }, headers });
}

export function bootstrap(server, body, headers = {})
{
    return call(server, "POST", BOOTSTRAP, { body, headers: { authorization: secretAuth(server), ...headers } });
}

export function session(server, bootstrapToken, headers = {})
{
    return call(server, "POST", SESSIONS, { body: { bootstrapToken }, headers });
}

export function visit(server, body = { studyId: server.contract.study_id }, headers = {})
{
    return call(server, "POST", VISIT, { body, headers });
}

// The answer's body, if it has the status.
export async function good(answer, status = 200)
{
    const { status: got, text, json } = await answer;
    assert.equal(got, status, text);
    return json;
}

// A call with a session token.
export function as(server, token, method, path, body)
{
    return call(server, method, path, { body, headers: { authorization: `Bearer ${token}` } });
}

// Begins an interview in the server's study, and gives its path.
export async function begin(server, token, studyId = server.contract.study_id)
{
    const { id } = await good(as(server, token, "POST", "/interviews", { studyId }), 201);
    return `/interviews/${id}`;
}
