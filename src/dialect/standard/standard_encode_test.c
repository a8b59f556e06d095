#include "dialect/standard/standard.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static void check_body(outcome_encode_fn *encode, const struct outcome *outcome, int status, const char *type,
                       const char *body)
{
    struct buf text;
    struct dialect_reply reply = {.status = 0, .body = &text};

    buf_init(&text, 65536);
    encode(&reply, outcome);
    CHECK_INT(reply.status, status);
    CHECK(type ? reply.type && strcmp(reply.type, type) == 0 : !reply.type);
    CHECK_INT(buf_error(&text), ERR_OK);
    CHECK_BYTES(buf_bytes(&text), bytes_of_text(body));
    buf_release(&text);
}

static void refuses_in_the_words_of_the_rfcs(void)
{
    static const struct {
        struct refused refused;
        int status;
        const char *body;
    } rows[] = {
        {{REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_KEY_SECRET_WRONG, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_SECRET_FROM_BROWSER, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_PUBLISHABLE_KEY, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_ASSERTION_INVALID, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_ASSERTION_REPLAYED, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_KEY_RETIRED, FIELD_NONE, NULL}, 401, "{\"error\":\"invalid_client\"}"},
        {{REFUSAL_PROOF_MISSING, FIELD_PROOF, "is missing"},
         401,
         "{\"error\":\"invalid_client\",\"error_description\":\"the DPoP proof is missing\"}"},
        {{REFUSAL_KEY_PERMISSION, FIELD_NONE, "needs calling"},
         400,
         "{\"error\":\"unauthorized_client\",\"error_description\":\"needs calling\"}"},
        {{REFUSAL_PROOF_REPLAYED, FIELD_NONE, NULL}, 400, "{\"error\":\"invalid_dpop_proof\"}"},
        {{REFUSAL_PROOF_NONCE, FIELD_NONE, NULL}, 400, "{\"error\":\"use_dpop_nonce\"}"},
        {{REFUSAL_REFRESH_EXPIRED, FIELD_REFRESH_TOKEN, "has expired"},
         400,
         "{\"error\":\"invalid_grant\",\"error_description\":\"refresh_token has expired\"}"},
        {{REFUSAL_TOKEN_CUT_OFF, FIELD_REFRESH_TOKEN, NULL}, 400, "{\"error\":\"invalid_grant\"}"},
        {{REFUSAL_USER_GONE, FIELD_REFRESH_TOKEN, NULL}, 400, "{\"error\":\"invalid_grant\"}"},
        {{REFUSAL_TICKET_USED, FIELD_NONE, NULL}, 400, "{\"error\":\"invalid_request\"}"},
        {{REFUSAL_TOKEN_CUT_OFF, FIELD_NONE, NULL}, 400, "{\"error\":\"invalid_request\"}"},
        {{REFUSAL_PARAMETER_MISSING, FIELD_GRANT_TYPE, "is missing"},
         400,
         "{\"error\":\"invalid_request\",\"error_description\":\"grant_type is missing\"}"},
        {{REFUSAL_PARAMETER_INVALID, FIELD_GRANT_TYPE, NULL}, 400, "{\"error\":\"unsupported_grant_type\"}"},
        {{REFUSAL_PARAMETER_INVALID, FIELD_SCOPE, NULL}, 400, "{\"error\":\"invalid_scope\"}"},
        {{REFUSAL_PARAMETER_INVALID, FIELD_TARGET, NULL}, 400, "{\"error\":\"invalid_target\"}"},
        {{REFUSAL_PARAMETER_INVALID, FIELD_TOKEN_TYPE, NULL}, 400, "{\"error\":\"unsupported_token_type\"}"},
        {{REFUSAL_PARAMETER_INVALID, FIELD_SINCE, NULL}, 400, "{\"error\":\"invalid_request\"}"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = {.kind = OUTCOME_REFUSED, .refused = rows[i].refused};
        CHECK_NOTE("row %zu", i);
        check_body(standard_encode_token, &outcome, rows[i].status, NULL, rows[i].body);
        check_body(standard_encode_introspected, &outcome, rows[i].status, NULL, rows[i].body);
        check_body(standard_encode_revoked, &outcome, rows[i].status, NULL, rows[i].body);
    }
}

static void has_problems_where_oauth_has_no_word(void)
{
    static const struct {
        struct outcome outcome;
        int status;
        const char *title;
    } rows[] = {
        {{.kind = OUTCOME_REFUSED, .refused.refusal = REFUSAL_NOT_FOUND}, 404, "Not Found"},
        {{.kind = OUTCOME_REFUSED, .refused.refusal = REFUSAL_METHOD_NOT_ALLOWED}, 405, "Method Not Allowed"},
        {{.kind = OUTCOME_REFUSED, .refused.refusal = REFUSAL_ORIGIN_NOT_LISTED}, 403, "Forbidden"},
        {{.kind = OUTCOME_REFUSED, .refused.refusal = REFUSAL_RATE_LIMITED}, 429, "Too Many Requests"},
        {{.kind = OUTCOME_FAILED, .error = ERR_UNSUPPORTED}, 415, "Unsupported Media Type"},
        {{.kind = OUTCOME_FAILED, .error = ERR_TOO_LARGE}, 413, "Content Too Large"},
        {{.kind = OUTCOME_FAILED, .error = ERR_TIMEOUT}, 408, "Request Timeout"},
        {{.kind = OUTCOME_FAILED, .error = ERR_STORE_BUSY}, 503, "Service Unavailable"},
        {{.kind = OUTCOME_FAILED, .error = ERR_CRYPTO}, 500, "Internal Server Error"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        char body[160];
        CHECK_NOTE("row %zu", i);
        (void)snprintf(body, sizeof body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d}",
                       rows[i].title, rows[i].status);
        check_body(standard_encode_refused, &rows[i].outcome, rows[i].status, "application/problem+json",
                   body);
    }
    check_body(standard_encode_token, &(struct outcome){.kind = OUTCOME_FAILED, .error = ERR_MALFORMED}, 400,
               NULL,
               "{\"error\":\"invalid_request\",\"error_description\":\"the request is not a form as RFC 6749 "
               "appendix B has it\"}");
}

static void tells_tokens(void)
{
    struct outcome outcome = {.kind = OUTCOME_MINTED, .now_s = 1000};

    outcome.minted.token = BYTES("a.b.c");
    outcome.minted.exp_s = 1900;
    outcome.minted.absolute_end_s = 9000;
    check_body(
        standard_encode_token, &outcome, 200, NULL,
        "{\"access_token\":\"a.b.c\",\"token_type\":\"Bearer\",\"expires_in\":900,"
        "\"issued_token_type\":\"urn:ietf:params:oauth:token-type:access_token\",\"session_max_at\":9000}");
    outcome.minted.is_bound = true;
    outcome.minted.refresh_token = BYTES("rt_a.b");
    outcome.minted.refresh_exp_s = 2200;
    check_body(
        standard_encode_token, &outcome, 200, NULL,
        "{\"access_token\":\"a.b.c\",\"token_type\":\"DPoP\",\"expires_in\":900,\"refresh_token\":\"rt_a.b\","
        "\"refresh_expires_at\":2200,\"session_max_at\":9000}");
}

static void tells_nothing_of_what_is_not_active(void)
{
    struct outcome outcome = {.kind = OUTCOME_INTROSPECTED,
                              .issuer = BYTES("https://a.test"),
                              .holder = {.kind = TOKEN_SUBSCRIBER, .user = {{1}}, .jti = BYTES("j")}};

    check_body(standard_encode_introspected, &outcome, 200, NULL, "{\"active\":false}");
}

static void tells_of_the_active(void)
{
    struct outcome outcome = {.kind = OUTCOME_INTROSPECTED,
                              .issuer = BYTES("https://a.test"),
                              .holder = {.kind = TOKEN_GUEST,
                                         .jti = BYTES("j"),
                                         .jkt = BYTES("k"),
                                         .parent_key = BYTES("PT01"),
                                         .may_self_refresh = true,
                                         .iat_s = 1,
                                         .exp_s = 2,
                                         .gt_ms = 1000}};

    outcome.introspected.is_active = true;
    check_body(standard_encode_introspected, &outcome, 200, NULL,
               "{\"active\":true,\"scope\":\"sat:refresh\",\"client_id\":\"PT01\",\"aud\":\"https://a.test\","
               "\"iss\":\"https://a.test\",\"exp\":2,\"iat\":1,\"jti\":\"j\",\"token_type\":\"DPoP\","
               "\"cnf\":{\"jkt\":\"k\"},\"kind\":\"guest\",\"token_use\":\"access\",\"gt\":1000}");
}

static void tells_the_rest(void)
{
    struct outcome outcome = {.kind = OUTCOME_REVOKED};
    struct buf text;
    struct dialect_reply reply = {.body = &text};

    outcome.revoked.sessions_closed = 3;
    check_body(standard_encode_revoked, &outcome, 200, NULL, "{\"sessions_closed\":3}");
    outcome = (struct outcome){.kind = OUTCOME_REVOCATIONS, .revocations = BYTES("a.b.c")};
    check_body(standard_encode_revocations, &outcome, 200, "application/jwt", "a.b.c");
    buf_init(&text, 65536);
    standard_encode_metadata(&reply,
                             &(struct outcome){.kind = OUTCOME_DESCRIBED, .issuer = BYTES("https://a.test")});
    CHECK_INT(reply.status, 200);
    CHECK_INT(reply.public_s, 3600);
    CHECK(bytes_start_with(buf_bytes(&text), BYTES("{\"issuer\":\"https://a.test\",\"token_endpoint\":"
                                                   "\"https://a.test/oauth/token\"")));
    buf_release(&text);
}

int main(void)
{
    CHECK_RUN(refuses_in_the_words_of_the_rfcs);
    CHECK_RUN(has_problems_where_oauth_has_no_word);
    CHECK_RUN(tells_tokens);
    CHECK_RUN(tells_nothing_of_what_is_not_active);
    CHECK_RUN(tells_of_the_active);
    CHECK_RUN(tells_the_rest);
    return CHECK_END();
}
