#include "dialect/signalwire/signalwire.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define URL         "\"url\":\"https://signalwire.com/docs/apis/error-codes\""

static struct buf body;

static void check_body(outcome_encode_fn *encode, const struct outcome *outcome, int status,
                       const char *wanted)
{
    struct dialect_reply reply = {.body = &body};

    buf_reset(&body);
    encode(&reply, outcome);
    CHECK_INT(buf_error(&body), ERR_OK);
    CHECK_INT(reply.status, status);
    CHECK_BYTES(buf_bytes(&body), bytes_of_text(wanted));
}

static outcome_encode_fn *const encoders[] = {signalwire_encode_guest, signalwire_encode_invite,
                                              signalwire_encode_embed, signalwire_encode_bound,
                                              signalwire_encode_address};

static void says_no_in_the_vendors_words(void)
{
    static const struct {
        enum refusal refusal;
        int status;
        const char *text;
    } rows[] = {
        {REFUSAL_PROOF_REPLAYED, 401, "{\"error\":\"Unauthorized\"}"},
        {REFUSAL_TOKEN_KIND, 401, "{\"error\":\"Unauthorized\"}"},
        {REFUSAL_TOKEN_SCOPE, 401, "{\"error\":\"Unauthorized\"}"},
        {REFUSAL_TOKEN_UNBOUND, 401, "{\"error\":\"Unauthorized\"}"},
        {REFUSAL_BOUND_ELSEWHERE, 401, "{\"error\":\"Unauthorized\"}"},
        {REFUSAL_RESOURCE_DISABLED, 403, "{\"error\":\"Forbidden\"}"},
        {REFUSAL_NOT_FOUND, 404, "{\"error\":\"Not Found\"}"},
    };
    size_t i, e;

    for (i = 0; i < COUNT(rows); i++)
        for (e = 0; e < COUNT(encoders); e++) {
            struct outcome outcome = {.kind = OUTCOME_REFUSED, .refused = {.refusal = rows[i].refusal}};
            CHECK_NOTE("%s, encoder %zu", refusal_name(rows[i].refusal), e);
            check_body(encoders[e], &outcome, rows[i].status, rows[i].text);
        }
}

static void says_which_code_goes_with_which_member(void)
{
    static const struct {
        outcome_encode_fn *encode;
        struct refused refused;
        const char *code, *attribute;
    } rows[] = {
        {signalwire_encode_guest,
         {REFUSAL_ADDRESSES_TOO_MANY, FIELD_ADDRESSES, "x"},
         "allowed_address_limit_exceeded",
         "allowed_addresses"},
        {signalwire_encode_guest,
         {REFUSAL_ADDRESS_FOREIGN, FIELD_ADDRESSES, "x"},
         "must_belong_to_project",
         "allowed_addresses"},
        {signalwire_encode_guest,
         {REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT, "x"},
         "invalid_parameter",
         "expire_at"},
        {signalwire_encode_invite,
         {REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT, "x"},
         "invalid_parameter",
         "expires_at"},
        {signalwire_encode_invite,
         {REFUSAL_PARAMETER_INVALID, FIELD_ADDRESS, "x"},
         "invalid_parameter",
         "address_id"},
        {signalwire_encode_embed,
         {REFUSAL_PARAMETER_MISSING, FIELD_TOKEN, "x"},
         "missing_required_parameter",
         "token"},
        {signalwire_encode_embed,
         {REFUSAL_TOKEN_PREFIX, FIELD_TOKEN, "x"},
         "token_has_invalid_prefix",
         "token"},
        {signalwire_encode_bound,
         {REFUSAL_PARAMETER_INVALID, FIELD_LIFE, "x"},
         "invalid_parameter",
         "expire_in"},
    };
    char wanted[512];
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct outcome outcome = {.kind = OUTCOME_REFUSED, .refused = rows[i].refused};
        (void)snprintf(wanted, sizeof wanted,
                       "{\"errors\":[{\"type\":\"validation_error\",\"code\":\"%s\",\"message\":\"%s x\","
                       "\"attribute\":\"%s\"," URL "}]}",
                       rows[i].code, rows[i].attribute, rows[i].attribute);
        check_body(rows[i].encode, &outcome, 422, wanted);
    }
}

static void hands_out_tokens(void)
{
    struct outcome outcome = {.kind = OUTCOME_MINTED};

    outcome.minted.token = BYTES("a.b.c");
    outcome.minted.refresh_token = BYTES("r.s");
    outcome.minted.iat_s = 100;
    outcome.minted.exp_s = 1000;
    check_body(signalwire_encode_guest, &outcome, 201, "{\"token\":\"a.b.c\",\"refresh_token\":\"r.s\"}");
    outcome.minted.refresh_token = BYTES_NONE;
    check_body(signalwire_encode_invite, &outcome, 201, "{\"token\":\"a.b.c\"}");
    check_body(signalwire_encode_embed, &outcome, 201, "{\"token\":\"a.b.c\"}");
    check_body(signalwire_encode_bound, &outcome, 201,
               "{\"token\":\"a.b.c\",\"expires_at\":1000,\"expires_in\":900}");
}

static void shows_one_address_bare(void)
{
    static const struct address desk = {.name = {(const uint8_t *)"/public/desk", 12}, .type = ADDRESS_CALL};
    struct outcome outcome = {.kind = OUTCOME_ADDRESSES};

    outcome.addresses.list = &desk;
    outcome.addresses.count = 1;
    buf_reset(&body);
    signalwire_encode_address(&(struct dialect_reply){.body = &body}, &outcome);
    CHECK(bytes_start_with(buf_bytes(&body),
                           BYTES("{\"id\":\"00000000-0000-0000-0000-000000000000\",\"name\":")));
}

int main(void)
{
    buf_init(&body, 65536);
    CHECK_RUN(says_no_in_the_vendors_words);
    CHECK_RUN(says_which_code_goes_with_which_member);
    CHECK_RUN(hands_out_tokens);
    CHECK_RUN(shows_one_address_bare);
    buf_release(&body);
    return CHECK_END();
}
