/* standard_encode.c — outcomes in the words of the RFCs: metadata, tokens, introspection, errors. */
#include "dialect/standard/standard.h"

#include "wire/http_reply.h"
#include "wire/json_write.h"

#define PROBLEM_TYPE    "application/problem+json"
#define METADATA_LIFE_S 3600

static void put_text(struct json_writer *w, const char *key, struct bytes text)
{
    if (bytes_is_absent(text)) return;
    json_key(w, key);
    json_put_string(w, text);
}

static void put_number(struct json_writer *w, const char *key, int64_t number)
{
    json_key(w, key);
    json_put_number(w, number);
}

static void put_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    if (uuid_is_zero(id)) return;
    json_key(w, key);
    json_put_uuid(w, id);
}

/* ---- metadata ---- */

static void put_url(struct json_writer *w, const char *key, struct bytes issuer, const char *path)
{
    struct buf url;

    buf_init(&url, 2048);
    buf_append(&url, issuer);
    buf_append_text(&url, path);
    put_text(w, key, buf_bytes(&url));
    if (buf_error(&url)) w->out->error = buf_error(&url);
    buf_release(&url);
}

static void put_list(struct json_writer *w, const char *key, const char *const *texts, size_t count)
{
    size_t i;

    json_key(w, key);
    json_array_begin(w);
    for (i = 0; i < count; i++)
        json_put_literal(w, texts[i]);
    json_array_end(w);
}

#define PUT_LIST(w, key, list) put_list(w, key, list, sizeof(list) / sizeof(list)[0])

/* RFC 8414 §3.2: a list without elements is left out, so there is no response_types_supported, which §2 calls
 * required: there is no authorization endpoint that could respond. */
void standard_encode_metadata(struct dialect_reply *reply, const struct outcome *outcome)
{
    static const char *const grants[] = {"refresh_token", GRANT_EXCHANGE};
    static const char *const by_key[] = {"client_secret_basic", "private_key_jwt"};
    static const char *const by_key_or_none[] = {"client_secret_basic", "private_key_jwt", "none"};
    static const char *const algs[] = {"ES256", "EdDSA", "RS256"};                /* token/alg.def */
    static const char *const key_algs[] = {"ES256", "EdDSA", "Ed25519", "RS256"}; /* and RFC 9864 */
    struct json_writer w = json_writer_on(reply->body);
    struct bytes issuer = outcome->issuer;

    if (outcome->kind != OUTCOME_DESCRIBED) {
        standard_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    reply->public_s = METADATA_LIFE_S;
    json_object_begin(&w);
    put_text(&w, "issuer", issuer);
    put_url(&w, "token_endpoint", issuer, STANDARD_TOKEN);
    put_url(&w, "jwks_uri", issuer, "/.well-known/jwks.json");
    put_url(&w, "introspection_endpoint", issuer, STANDARD_INTROSPECT);
    put_url(&w, "revocation_endpoint", issuer, STANDARD_REVOKE);
    put_url(&w, "revocations_endpoint", issuer, STANDARD_REVOCATIONS);
    PUT_LIST(&w, "grant_types_supported", grants);
    PUT_LIST(&w, "token_endpoint_auth_methods_supported", by_key_or_none);
    PUT_LIST(&w, "token_endpoint_auth_signing_alg_values_supported", key_algs);
    PUT_LIST(&w, "introspection_endpoint_auth_methods_supported", by_key);
    PUT_LIST(&w, "introspection_endpoint_auth_signing_alg_values_supported", key_algs);
    PUT_LIST(&w, "revocation_endpoint_auth_methods_supported", by_key_or_none);
    PUT_LIST(&w, "revocation_endpoint_auth_signing_alg_values_supported", key_algs);
    PUT_LIST(&w, "dpop_signing_alg_values_supported", algs);
    json_object_end(&w);
}

/* ---- answers ---- */

/* RFC 6749 §5.1, RFC 9449 §5. The times of the refresh token are ours: a client that is told how long it has
 * need not guess whether that slides. */
void standard_encode_token(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        standard_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    put_text(&w, "access_token", outcome->minted.token);
    json_key(&w, "token_type");
    json_put_literal(&w, outcome->minted.is_bound ? "DPoP" : "Bearer");
    put_number(&w, "expires_in", outcome->minted.exp_s - outcome->now_s);
    if (!bytes_is_absent(outcome->minted.refresh_token)) {
        put_text(&w, "refresh_token", outcome->minted.refresh_token);
        put_number(&w, "refresh_expires_at", outcome->minted.refresh_exp_s);
    } else { /* RFC 8693 §2.2.1: of what a ticket was exchanged for */
        json_key(&w, "issued_token_type");
        json_put_literal(&w, TYPE_ACCESS);
    }
    put_number(&w, "session_max_at", outcome->minted.absolute_end_s);
    json_object_end(&w);
}

static const char *kind_text(enum token_kind kind)
{
    static const char *const texts[TOKEN_KINDS] = {
        [TOKEN_SUBSCRIBER] = "subscriber",   [TOKEN_GUEST] = "guest",
        [TOKEN_INVITE] = "invite",           [TOKEN_EMBED] = "embed",
        [TOKEN_PARTICIPANT] = "participant", [TOKEN_EMBEDDED] = "embedded"};

    return texts[kind] ? texts[kind] : "";
}

/* RFC 9449 §6.2, RFC 7662 §2.2: cnf tells the resource server to ask for a proof. */
static void put_binding(struct json_writer *w, const struct holder *holder, bool is_refresh)
{
    if (!is_refresh) {
        json_key(w, "token_type");
        json_put_literal(w, bytes_is_absent(holder->jkt) ? "Bearer" : "DPoP");
    }
    if (bytes_is_absent(holder->jkt)) return;
    json_key(w, "cnf");
    json_object_begin(w);
    put_text(w, "jkt", holder->jkt);
    json_object_end(w);
}

static void put_holder(struct json_writer *w, const struct outcome *outcome)
{
    const struct holder *holder = &outcome->holder;

    if (holder->may_self_refresh) put_text(w, "scope", BYTES("sat:refresh"));
    put_text(w, "client_id", holder->parent_key);
    put_uuid(w, "sub", &holder->user);
    put_text(w, "aud", outcome->issuer);
    put_text(w, "iss", outcome->issuer);
    put_number(w, "exp", holder->exp_s);
    put_number(w, "iat", holder->iat_s);
    put_text(w, "jti", holder->jti);
    put_binding(w, holder, outcome->introspected.is_refresh);
    json_key(w, "kind");
    json_put_literal(w, kind_text(holder->kind));
    json_key(w, "token_use");
    json_put_literal(w, outcome->introspected.is_refresh ? "refresh" : "access");
    put_uuid(w, "prj", &holder->project);
    put_uuid(w, "fam", &holder->family);
    put_number(w, "gt", holder->gt_ms);
}

void standard_encode_introspected(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_INTROSPECTED) {
        standard_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "active");
    json_put_bool(&w, outcome->introspected.is_active);
    if (outcome->introspected.is_active) put_holder(&w, outcome);
    json_object_end(&w);
}

/* RFC 7009 §2.2 asks for the status alone; how many sessions it closed is our addition. */
void standard_encode_revoked(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_REVOKED) {
        standard_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    put_number(&w, "sessions_closed", (int64_t)outcome->revoked.sessions_closed);
    json_object_end(&w);
}

void standard_encode_revocations(struct dialect_reply *reply, const struct outcome *outcome)
{
    if (outcome->kind != OUTCOME_REVOCATIONS) {
        standard_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    reply->type = "application/jwt";
    buf_append(reply->body, outcome->revocations);
}

/* ---- refusals ---- */

static const char *name_of(enum ask_field field)
{
    static const char *const names[FIELD_PROFILE] = {
        [FIELD_GRANT_TYPE] = "grant_type",
        [FIELD_REFRESH_TOKEN] = "refresh_token",
        [FIELD_TOKEN] = "token",
        [FIELD_TOKEN_TYPE] = "this kind of token",
        [FIELD_SCOPE] = "scope",
        [FIELD_TARGET] = "resource or audience",
        [FIELD_TICKET] = "subject_token",
        [FIELD_TICKET_TYPE] = "subject_token_type",
        [FIELD_WANTED_TYPE] = "requested_token_type",
        [FIELD_PROOF] = "the DPoP proof",
        [FIELD_SINCE] = "since",
        [FIELD_ASSERTION] = "client_assertion",
    };

    return field < FIELD_PROFILE ? names[field] : NULL;
}

/* Of a parameter: RFC 6749 §5.2, RFC 8693 §2.2.2 (target), RFC 7009 §2.2.1 (token type). */
static const char *parameter_error(const struct refused *refused)
{
    if (refused->refusal == REFUSAL_PARAMETER_MISSING) return "invalid_request";
    if (refused->field == FIELD_GRANT_TYPE) return "unsupported_grant_type";
    if (refused->field == FIELD_SCOPE) return "invalid_scope";
    if (refused->field == FIELD_TARGET) return "invalid_target";
    if (refused->field == FIELD_TOKEN_TYPE) return "unsupported_token_type";
    return "invalid_request";
}

/* The word that the RFCs have for it; NULL: none. */
static const char *error_of(const struct refused *refused)
{
    switch ((int)refused->refusal) {
    case REFUSAL_CREDENTIAL_MISSING:
    case REFUSAL_CREDENTIAL_MALFORMED:
    case REFUSAL_KEY_UNKNOWN:
    case REFUSAL_KEY_SECRET_WRONG:
    case REFUSAL_KEY_RETIRED:
    case REFUSAL_ASSERTION_INVALID:
    case REFUSAL_ASSERTION_REPLAYED:
    case REFUSAL_SECRET_FROM_BROWSER:
    case REFUSAL_PUBLISHABLE_KEY:
    case REFUSAL_PROOF_MISSING: /* neither key nor proof: nobody asks */
        return "invalid_client";
    case REFUSAL_KEY_PERMISSION:
        return "unauthorized_client";
    case REFUSAL_PROOF_INVALID:
    case REFUSAL_PROOF_REPLAYED:
        return "invalid_dpop_proof";
    case REFUSAL_PROOF_NONCE:
        return "use_dpop_nonce";
    case REFUSAL_TICKET_INVALID: /* RFC 8693 §2.2.2 has this word for a subject token that is no good */
    case REFUSAL_TICKET_EXPIRED:
    case REFUSAL_TICKET_USED:
        return "invalid_request";
    case REFUSAL_PARAMETER_MISSING:
    case REFUSAL_PARAMETER_INVALID:
        return parameter_error(refused);
    default:
        break;
    }
    if (refused->field == FIELD_REFRESH_TOKEN) return "invalid_grant";
    /* a ticket whose family or user is gone */
    return refused->refusal == REFUSAL_TOKEN_CUT_OFF || refused->refusal == REFUSAL_USER_GONE
               ? "invalid_request"
               : NULL;
}

/* RFC 9457: where the RFCs of OAuth have no word of their own. about:blank: the status says it all. */
static void write_problem(struct dialect_reply *reply)
{
    struct json_writer w = json_writer_on(reply->body);

    reply->type = PROBLEM_TYPE;
    json_object_begin(&w);
    json_key(&w, "type");
    json_put_literal(&w, "about:blank");
    json_key(&w, "title");
    json_put_literal(&w, http_status_text(reply->status));
    put_number(&w, "status", reply->status);
    json_object_end(&w);
}

/* RFC 6749 §5.2; of the description's text quotes and backslashes are not allowed, and none
 * of ours has any. */
static void write_error(struct dialect_reply *reply, const char *error, const char *name, const char *because)
{
    struct json_writer w = json_writer_on(reply->body);
    struct buf text;

    buf_init(&text, 256);
    if (name && because) {
        buf_append_text(&text, name);
        buf_append_byte(&text, ' ');
    }
    if (because) buf_append_text(&text, because);
    json_object_begin(&w);
    json_key(&w, "error");
    json_put_literal(&w, error);
    if (text.len) put_text(&w, "error_description", buf_bytes(&text));
    json_object_end(&w);
    if (buf_error(&text)) reply->body->error = buf_error(&text);
    buf_release(&text);
}

void standard_encode_refused(struct dialect_reply *reply, const struct outcome *outcome)
{
    bool is_refusal = outcome->kind == OUTCOME_REFUSED;
    const struct refused *refused = &outcome->refused;
    const char *error = is_refusal ? error_of(refused) : NULL;

    reply->status = is_refusal ? refusal_http_status(refused->refusal) : err_http_status(outcome->error);
    if (error) {
        reply->status = bytes_equal(bytes_of_text(error), BYTES("invalid_client")) ? 401 : 400;
        write_error(reply, error, name_of(refused->field), refused->because);
    } else if (!is_refusal && outcome->error == ERR_MALFORMED)
        write_error(reply, "invalid_request", NULL,
                    "the request is not a form as RFC 6749 appendix B has it");
    else
        write_problem(reply);
}
