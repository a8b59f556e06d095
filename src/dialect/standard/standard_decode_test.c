#include "dialect/standard/standard.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define EXCHANGE    "grant_type=urn:ietf:params:oauth:grant-type:token-exchange"
#define LAUNCH      "&subject_token_type=urn:coatcheck:token-type:launch"
#define BOOTSTRAP   "&subject_token_type=urn:coatcheck:token-type:bootstrap"

struct decoded {
    struct ask ask;
    struct refused refused;
    struct arena arena;
    enum err error;
};

static void decode_request(struct decoded *out, ask_decode_fn *decode, struct dialect_request request)
{
    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 65536);
    request.arena = &out->arena;
    out->error = decode(&out->ask, &out->refused, &request);
}

static void decode_form(struct decoded *out, ask_decode_fn *decode, const char *form)
{
    decode_request(out, decode, (struct dialect_request){.form = bytes_of_text(form)});
}

static void refuses(void)
{
    static const struct {
        ask_decode_fn *decode;
        const char *form;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {standard_decode_token, "", REFUSAL_PARAMETER_MISSING, FIELD_GRANT_TYPE},
        {standard_decode_token, "grant_type=", REFUSAL_PARAMETER_MISSING, FIELD_GRANT_TYPE},
        {standard_decode_token, "grant_type=password", REFUSAL_PARAMETER_INVALID, FIELD_GRANT_TYPE},
        {standard_decode_token, "grant_type=Refresh_token", REFUSAL_PARAMETER_INVALID, FIELD_GRANT_TYPE},
        {standard_decode_token, "grant_type=refresh_token", REFUSAL_PARAMETER_MISSING, FIELD_REFRESH_TOKEN},
        {standard_decode_token, "grant_type=refresh_token&refresh_token=x&scope=a", REFUSAL_PARAMETER_INVALID,
         FIELD_SCOPE},
        {standard_decode_token, "grant_type=refresh_token&refresh_token=x&audience=a",
         REFUSAL_PARAMETER_INVALID, FIELD_TARGET},
        {standard_decode_token, "grant_type=refresh_token&refresh_token=x&resource=a",
         REFUSAL_PARAMETER_INVALID, FIELD_TARGET},
        {standard_decode_token, "grant_type=refresh_token&refresh_token=x&client_secret=a",
         REFUSAL_PARAMETER_INVALID, FIELD_NONE},
        {standard_decode_token, "grant_type=refresh_token&refresh_token=x&client_assertion=a",
         REFUSAL_PARAMETER_MISSING, FIELD_ASSERTION},
        {standard_decode_introspect, "token=x&client_assertion_type=a", REFUSAL_PARAMETER_MISSING,
         FIELD_ASSERTION},
        {standard_decode_revoke, "token=x&client_assertion=&client_assertion_type=a",
         REFUSAL_PARAMETER_MISSING, FIELD_ASSERTION},
        {standard_decode_revoke, "token=x&client_secret=a&client_assertion=a&client_assertion_type=a",
         REFUSAL_PARAMETER_INVALID, FIELD_NONE},
        {standard_decode_token, EXCHANGE, REFUSAL_PARAMETER_MISSING, FIELD_TICKET},
        {standard_decode_token, EXCHANGE "&subject_token=x", REFUSAL_PARAMETER_MISSING, FIELD_TICKET_TYPE},
        {standard_decode_token, EXCHANGE "&subject_token=x&subject_token_type=x", REFUSAL_PARAMETER_INVALID,
         FIELD_TICKET_TYPE},
        {standard_decode_token, EXCHANGE BOOTSTRAP "&subject_token=x&requested_token_type=x",
         REFUSAL_PARAMETER_INVALID, FIELD_WANTED_TYPE},
        {standard_decode_token, EXCHANGE BOOTSTRAP "&subject_token=x&actor_token=x",
         REFUSAL_PARAMETER_INVALID, FIELD_NONE},
        {standard_decode_introspect, "", REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {standard_decode_introspect, "token=", REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {standard_decode_introspect, "token=x&client_secret=x", REFUSAL_PARAMETER_INVALID, FIELD_NONE},
        {standard_decode_revoke, "token_type_hint=access_token", REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("row %zu: %s", i, rows[i].form);
        decode_form(&decoded, rows[i].decode, rows[i].form);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].field);
        CHECK(decoded.refused.because != NULL);
        arena_release(&decoded.arena);
    }
}

static void cannot_read_what_is_no_form(void)
{
    static ask_decode_fn *const decoders[] = {standard_decode_token, standard_decode_introspect,
                                              standard_decode_revoke};
    static const char *const forms[] = {"a", "token=a&token=b", "token=%", "grant_type=a&", "token=a b"};
    size_t i, k;

    for (i = 0; i < COUNT(decoders); i++)
        for (k = 0; k < COUNT(forms); k++) {
            struct decoded decoded;
            CHECK_NOTE("decoder %zu: %s", i, forms[k]);
            decode_form(&decoded, decoders[i], forms[k]);
            CHECK_INT(decoded.error, ERR_MALFORMED);
            CHECK(decoded.ask.kind != ASK_NONE);
            arena_release(&decoded.arena);
        }
}

static void takes_one_proof_or_none(void)
{
    static ask_decode_fn *const decoders[] = {standard_decode_token, standard_decode_revoke};
    size_t i;

    for (i = 0; i < COUNT(decoders); i++) {
        struct decoded decoded;
        decode_request(
            &decoded, decoders[i],
            (struct dialect_request){.form = BYTES("grant_type=refresh_token&refresh_token=x&token=x"),
                                     .proof = BYTES("a.b.c"),
                                     .has_more_proofs = true});
        CHECK_INT(decoded.refused.refusal, REFUSAL_PROOF_INVALID);
        CHECK_INT(decoded.refused.field, FIELD_PROOF);
        arena_release(&decoded.arena);
    }
}

static void refuses_a_since_that_is_none(void)
{
    static const char *const queries[] = {"since=-1",  "since=x", "since=1.5", "since=9223372036854775808",
                                          "since=%zz", "since=+1"};
    size_t i;

    for (i = 0; i < COUNT(queries); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", queries[i]);
        decode_request(&decoded, standard_decode_revocations,
                       (struct dialect_request){.query = bytes_of_text(queries[i])});
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.field, FIELD_SINCE);
        arena_release(&decoded.arena);
    }
}

static void takes_assertions_for_a_credential(void)
{
    static const char form[] = "grant_type=refresh_token&refresh_token=x&token=x&client_assertion=a.b.c&"
                               "client_assertion_type=t&client_id=cli_1";
    static ask_decode_fn *const decoders[] = {standard_decode_token, standard_decode_introspect,
                                              standard_decode_revoke};

    for (size_t i = 0; i < COUNT(decoders); i++) {
        struct dialect_request request = {.form = bytes_of_text(form)};
        struct refused refused = {0};
        struct arena arena;
        struct ask ask;
        arena_init(&arena, 65536);
        request.arena = &arena;
        memset(&ask, 0, sizeof ask);
        CHECK_INT(decoders[i](&ask, &refused, &request), ERR_OK);
        CHECK_INT(refused.refusal, REFUSAL_NONE);
        CHECK_INT(ask.credential.kind, CREDENTIAL_ASSERTION);
        CHECK_BYTES(ask.credential.token, BYTES("a.b.c"));
        CHECK_BYTES(ask.credential.assertion_type, BYTES("t"));
        CHECK_BYTES(ask.credential.user, BYTES("cli_1"));
        memset(&ask, 0, sizeof ask);
        ask.credential.kind = CREDENTIAL_BAD; /* whatever stood in the Authorization field */
        CHECK_INT(decoders[i](&ask, &refused, &request), ERR_OK);
        CHECK_INT(ask.credential.kind, CREDENTIAL_TWO);
        arena_release(&arena);
    }
}

/* Whoever signs is known already; what a page shows instead would only stand in for another name. */
static void a_signed_exchange_needs_no_publishable_key(void)
{
    struct decoded decoded;

    decode_form(&decoded, standard_decode_token,
                EXCHANGE LAUNCH "&subject_token=x&client_assertion=a&client_assertion_type=t&client_id=pk_1");
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK(!decoded.ask.redeem.needs_publishable_key && bytes_is_absent(decoded.ask.redeem.publishable_key));
    CHECK_BYTES(decoded.ask.credential.user, BYTES("pk_1"));
    arena_release(&decoded.arena);
}

static void reads_a_refresh(void)
{
    struct decoded decoded;

    decode_request(
        &decoded, standard_decode_token,
        (struct dialect_request){.form = BYTES("refresh_token=rt%5Fa&grant_type=refresh_token&x=y"),
                                 .proof = BYTES("a.b.c")});
    CHECK_INT(decoded.error, ERR_OK);
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_INT(decoded.ask.kind, ASK_REFRESH);
    CHECK(bytes_equal(decoded.ask.refresh.refresh_token, BYTES("rt_a")));
    CHECK(bytes_equal(decoded.ask.refresh.proof, BYTES("a.b.c")));
    CHECK(decoded.ask.refresh.may_lack_key);
    arena_release(&decoded.arena);
}

static void reads_an_exchange(void)
{
    static const struct {
        const char *form, *key; /* NULL: absent */
        enum ticket_kind kind;
    } rows[] = {
        {EXCHANGE BOOTSTRAP "&subject_token=t", NULL, TICKET_BOOTSTRAP},
        {EXCHANGE BOOTSTRAP "&subject_token=t&client_id=visitor", NULL, TICKET_BOOTSTRAP},
        {EXCHANGE BOOTSTRAP "&subject_token=t&client_id=pk_test_1", "pk_test_1", TICKET_BOOTSTRAP},
        {EXCHANGE LAUNCH "&subject_token=t", NULL, TICKET_LAUNCH},
        {EXCHANGE LAUNCH "&subject_token=t&client_id=visitor", "visitor", TICKET_LAUNCH},
        {EXCHANGE LAUNCH
         "&subject_token=t&requested_token_type=urn:ietf:params:oauth:token-type:access_token",
         NULL, TICKET_LAUNCH},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("row %zu", i);
        decode_form(&decoded, standard_decode_token, rows[i].form);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK_INT(decoded.ask.kind, ASK_REDEEM);
        CHECK_INT(decoded.ask.redeem.kind, rows[i].kind);
        CHECK(bytes_equal(decoded.ask.redeem.ticket, BYTES("t")));
        CHECK(bytes_is_absent(decoded.ask.redeem.publishable_key) == !rows[i].key);
        if (rows[i].key) CHECK(bytes_equal(decoded.ask.redeem.publishable_key, bytes_of_text(rows[i].key)));
        CHECK(decoded.ask.redeem.needs_publishable_key == (rows[i].kind == TICKET_LAUNCH));
        arena_release(&decoded.arena);
    }
}

static void reads_the_others(void)
{
    struct decoded decoded;

    decode_form(&decoded, standard_decode_introspect, "token=a.b.c&token_type_hint=nonsense");
    CHECK_INT(decoded.ask.kind, ASK_INTROSPECT);
    CHECK(bytes_equal(decoded.ask.introspect.token, BYTES("a.b.c")));
    arena_release(&decoded.arena);
    decode_form(&decoded, standard_decode_revoke, "token=a.b.c");
    CHECK_INT(decoded.ask.kind, ASK_REVOKE);
    CHECK(!decoded.ask.revoke.of && bytes_equal(decoded.ask.revoke.token, BYTES("a.b.c")));
    arena_release(&decoded.arena);
    decode_request(&decoded, standard_decode_revocations,
                   (struct dialect_request){.query = BYTES("since=17")});
    CHECK_INT(decoded.ask.kind, ASK_REVOCATIONS);
    CHECK_INT(decoded.ask.revocations.since_ms, 17);
    arena_release(&decoded.arena);
    decode_request(&decoded, standard_decode_describe, (struct dialect_request){0});
    CHECK_INT(decoded.ask.kind, ASK_DESCRIBE);
    arena_release(&decoded.arena);
}

int main(void)
{
    CHECK_RUN(refuses);
    CHECK_RUN(cannot_read_what_is_no_form);
    CHECK_RUN(takes_one_proof_or_none);
    CHECK_RUN(refuses_a_since_that_is_none);
    CHECK_RUN(takes_assertions_for_a_credential);
    CHECK_RUN(a_signed_exchange_needs_no_publishable_key);
    CHECK_RUN(reads_a_refresh);
    CHECK_RUN(reads_an_exchange);
    CHECK_RUN(reads_the_others);
    return CHECK_END();
}
