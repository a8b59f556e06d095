#include "dialect/signalwire/signalwire.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

struct decoded {
    struct ask ask;
    struct refused refused;
    struct arena arena;
    struct json document;
    enum err error;
};

static void decode_text(struct decoded *out, ask_decode_fn *decode, const char *body, const char *query)
{
    struct dialect_request request = {.query = bytes_of_text(query), .arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 4096);
    if (body) CHECK_INT(json_read(&out->document, bytes_of_text(body)), ERR_OK);
    request.body = out->document;
    out->error = decode(&out->ask, &out->refused, &request);
}

static void decoded_release(struct decoded *decoded)
{
    json_free(decoded->document);
    arena_release(&decoded->arena);
}

#define PROFILE(name) ((enum ask_field)(FIELD_PROFILE + PROFILE_##name))

static void refuses_mints(void)
{
    static const struct {
        const char *body;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {"{}", REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE},
        {"{\"reference\":null}", REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE},
        {"{\"Reference\":\"a\"}", REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE},
        {"{\"reference\":7}", REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE},
        {"{\"reference\":true}", REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE},
        {"{\"reference\":[\"a\"]}", REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE},
        {"{\"reference\":{\"a\":1}}", REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE},
        {"{\"reference\":\"a\\u0000b\"}", REFUSAL_PARAMETER_INVALID, FIELD_REFERENCE},
        {"{\"reference\":\"a\",\"expire_at\":\"1767225600\"}", REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT},
        {"{\"reference\":\"a\",\"expire_at\":1767225600.0}", REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT},
        {"{\"reference\":\"a\",\"expire_at\":1.7e9}", REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT},
        {"{\"reference\":\"a\",\"expire_at\":true}", REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT},
        {"{\"reference\":\"a\",\"expire_at\":[1]}", REFUSAL_PARAMETER_INVALID, FIELD_EXPIRE_AT},
        {"{\"reference\":\"a\",\"application_id\":\"\"}", REFUSAL_PARAMETER_INVALID, FIELD_APPLICATION},
        {"{\"reference\":\"a\",\"application_id\":\"x\"}", REFUSAL_PARAMETER_INVALID, FIELD_APPLICATION},
        {"{\"reference\":\"a\",\"application_id\":5}", REFUSAL_PARAMETER_INVALID, FIELD_APPLICATION},
        {"{\"reference\":\"a\",\"password\":1}", REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD},
        {"{\"reference\":\"a\",\"password\":\"a\\u0000\"}", REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD},
        {"{\"reference\":\"a\",\"fingerprint\":1}", REFUSAL_PARAMETER_INVALID, FIELD_FINGERPRINT},
        {"{\"reference\":\"a\",\"fingerprint\":{}}", REFUSAL_PARAMETER_INVALID, FIELD_FINGERPRINT},
        {"{\"reference\":\"a\",\"scope\":\"\"}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":\"sat:refresh sat:refresh\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":\"SAT:refresh\"}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":\"sat:refresh\\u0000\"}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":1}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":{\"sat:refresh\":true}}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":[\"sat:refresh\",\"admin\"]}", REFUSAL_PARAMETER_INVALID,
         FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":[\"admin\",\"sat:refresh\"]}", REFUSAL_PARAMETER_INVALID,
         FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":[1]}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"scope\":[[\"sat:refresh\"]]}", REFUSAL_PARAMETER_INVALID, FIELD_SCOPE},
        {"{\"reference\":\"a\",\"first_name\":1}", REFUSAL_PARAMETER_INVALID, PROFILE(FIRST_NAME)},
        {"{\"reference\":\"a\",\"company_name\":[]}", REFUSAL_PARAMETER_INVALID, PROFILE(COMPANY_NAME)},
        {"{\"reference\":\"a\",\"country\":\"a\\u0000\"}", REFUSAL_PARAMETER_INVALID, PROFILE(COUNTRY)},
        {"{\"reference\":\"a\",\"region\":\"eu\"}", REFUSAL_PARAMETER_INVALID, PROFILE(REGION)},
        {"{\"reference\":\"a\",\"region\":\"\"}", REFUSAL_PARAMETER_INVALID, PROFILE(REGION)},
        {"{\"reference\":\"a\",\"expire_at\":\"x\",\"scope\":\"x\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_EXPIRE_AT}, /* the first is told */
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].body);
        decode_text(&decoded, signalwire_decode_mint, rows[i].body, NULL);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].field);
        CHECK(decoded.refused.because != NULL);
        CHECK_INT(decoded.ask.kind, ASK_MINT_SUBSCRIBER); /* so that the credentials are still looked at */
        decoded_release(&decoded);
    }
}

static void cannot_read_what_is_no_object(void)
{
    static const char *const bodies[] = {"[]", "null", "1", "\"reference\"", "[{\"reference\":\"a\"}]", NULL};
    size_t i;

    for (i = 0; i < COUNT(bodies); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", bodies[i] ? bodies[i] : "absent");
        decode_text(&decoded, signalwire_decode_mint, bodies[i], NULL);
        CHECK_INT(decoded.error, ERR_MALFORMED);
        CHECK_INT(decoded.ask.kind, ASK_MINT_SUBSCRIBER);
        CHECK(bytes_is_absent(decoded.ask.mint.reference));
        decoded_release(&decoded);
        decode_text(&decoded, signalwire_decode_refresh, bodies[i], NULL);
        CHECK_INT(decoded.error, ERR_MALFORMED);
        CHECK_INT(decoded.ask.kind, ASK_REFRESH);
        decoded_release(&decoded);
    }
}

static void reads_refresh_tokens(void)
{
    static const struct {
        const char *body;
        enum refusal refusal;
        const char *token; /* NULL: absent */
    } rows[] = {
        {"{}", REFUSAL_PARAMETER_MISSING, NULL},
        {"{\"refresh_token\":null}", REFUSAL_PARAMETER_MISSING, NULL},
        {"{\"refresh_token\":\"\"}", REFUSAL_PARAMETER_MISSING, ""},
        {"{\"token\":\"a\"}", REFUSAL_PARAMETER_MISSING, NULL},
        {"{\"refresh_token\":7}", REFUSAL_PARAMETER_INVALID, NULL},
        {"{\"refresh_token\":[\"a\"]}", REFUSAL_PARAMETER_INVALID, NULL},
        {"{\"refresh_token\":\"a\\u0000\"}", REFUSAL_PARAMETER_INVALID, NULL},
        {"{\"refresh_token\":\"rt_1.A\"}", REFUSAL_NONE, "rt_1.A"},
        {"{\"refresh_token\":\"rt_1.A\",\"token\":7,\"expire_at\":1}", REFUSAL_NONE, "rt_1.A"},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].body);
        decode_text(&decoded, signalwire_decode_refresh, rows[i].body, NULL);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.ask.kind, ASK_REFRESH);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].refusal ? FIELD_REFRESH_TOKEN : FIELD_NONE);
        CHECK_BYTES(decoded.ask.refresh.refresh_token, bytes_of_text(rows[i].token));
        CHECK(bytes_is_absent(decoded.ask.refresh.refresh_token) == (rows[i].token == NULL));
        CHECK(bytes_is_absent(decoded.ask.refresh.proof));
        decoded_release(&decoded);
    }
}

static void reads_every_member(void)
{
    struct decoded decoded;
    const struct ask_mint *mint = &decoded.ask.mint;
    char id[UUID_TEXT_LEN];

    decode_text(&decoded, signalwire_decode_mint,
                "{\"reference\":\"ada@example.com\",\"expire_at\":1767232800,"
                "\"application_id\":\"6B7AD3C1-8a0e-4a1b-9c6d-0f1e2d3c4b5a\",\"password\":\"pw\","
                "\"fingerprint\":\"NzbL\",\"scope\":\"sat:refresh\",\"first_name\":\"A\",\"last_name\":\"L\","
                "\"display_name\":\"D\",\"job_title\":\"J\",\"time_zone\":\"T\",\"country\":\"C\","
                "\"region\":\"us-central\",\"company_name\":\"\",\"unknown\":{\"reference\":\"x\"}}",
                NULL);
    CHECK_INT(decoded.error, ERR_OK);
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_BYTES(mint->reference, BYTES("ada@example.com"));
    CHECK(mint->has_expiry && mint->expire_at_s == 1767232800);
    uuid_write(id, &mint->application);
    CHECK(mint->has_application);
    CHECK_BYTES(bytes_of(id, sizeof id), BYTES("6b7ad3c1-8a0e-4a1b-9c6d-0f1e2d3c4b5a"));
    CHECK_BYTES(mint->password, BYTES("pw"));
    CHECK_BYTES(mint->fingerprint, BYTES("NzbL")); /* its form is the engine's matter */
    CHECK(mint->may_self_refresh);
    CHECK_BYTES(mint->profile.value[PROFILE_FIRST_NAME], BYTES("A"));
    CHECK_BYTES(mint->profile.value[PROFILE_LAST_NAME], BYTES("L"));
    CHECK_BYTES(mint->profile.value[PROFILE_DISPLAY_NAME], BYTES("D"));
    CHECK_BYTES(mint->profile.value[PROFILE_JOB_TITLE], BYTES("J"));
    CHECK_BYTES(mint->profile.value[PROFILE_TIME_ZONE], BYTES("T"));
    CHECK_BYTES(mint->profile.value[PROFILE_COUNTRY], BYTES("C"));
    CHECK_BYTES(mint->profile.value[PROFILE_REGION], BYTES("us-central"));
    CHECK(!bytes_is_absent(mint->profile.value[PROFILE_COMPANY_NAME]));
    CHECK_INT(mint->profile.value[PROFILE_COMPANY_NAME].len, 0);
    decoded_release(&decoded);
}

static void takes_null_for_not_given(void)
{
    struct decoded decoded;
    size_t i;

    decode_text(&decoded, signalwire_decode_mint,
                "{\"reference\":\"a\",\"expire_at\":null,\"application_id\":null,\"password\":null,"
                "\"fingerprint\":null,\"scope\":null,\"first_name\":null,\"region\":null}",
                NULL);
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK(!decoded.ask.mint.has_expiry && !decoded.ask.mint.has_application);
    CHECK(!decoded.ask.mint.may_self_refresh);
    CHECK(bytes_is_absent(decoded.ask.mint.password) && bytes_is_absent(decoded.ask.mint.fingerprint));
    for (i = 0; i < PROFILE_COUNT; i++)
        CHECK(bytes_is_absent(decoded.ask.mint.profile.value[i]));
    decoded_release(&decoded);
}

static void takes_scope_as_text_and_as_list(void)
{
    static const struct {
        const char *body;
        bool self;
    } rows[] = {{"{\"reference\":\"a\",\"scope\":[\"sat:refresh\"]}", true},
                {"{\"reference\":\"a\",\"scope\":[\"sat:refresh\",\"sat:refresh\"]}", true},
                {"{\"reference\":\"a\",\"scope\":[]}", false},
                {"{\"reference\":\"a\"}", false}};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].body);
        decode_text(&decoded, signalwire_decode_mint, rows[i].body, NULL);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK(decoded.ask.mint.may_self_refresh == rows[i].self);
        decoded_release(&decoded);
    }
}

static void reads_the_name_of_an_address(void)
{
    static const struct {
        const char *query, *name;
        enum refusal refusal;
    } rows[] = {
        {"name=%", NULL, REFUSAL_PARAMETER_INVALID},
        {"name=%zz", NULL, REFUSAL_PARAMETER_INVALID},
        {"name=%00", NULL, REFUSAL_PARAMETER_INVALID},
        {"name=%ff", NULL, REFUSAL_PARAMETER_INVALID},
        {"name=%2Fprivate%2Fbob", "/private/bob", REFUSAL_NONE},
        {"sort_by=name&name=%2Fa&sort_order=asc", "/a", REFUSAL_NONE},
        {"name=", "", REFUSAL_NONE},
        {"sort_by=name", NULL, REFUSAL_NONE},
        {"", NULL, REFUSAL_NONE},
        {NULL, NULL, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("query %s", rows[i].query ? rows[i].query : "absent");
        decode_text(&decoded, signalwire_decode_addresses, NULL, rows[i].query);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.ask.kind, ASK_ADDRESSES);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        if (rows[i].refusal) CHECK_INT(decoded.refused.field, FIELD_ADDRESS_NAME);
        CHECK_BYTES(decoded.ask.addresses.name, bytes_of_text(rows[i].name));
        CHECK(bytes_is_absent(decoded.ask.addresses.name) == (rows[i].name == NULL));
        decoded_release(&decoded);
    }
}

/* Want of memory is our fault, and never "your query is wrong". */
static void says_when_there_is_no_memory(void)
{
    struct arena tiny;
    struct refused refused = {0};
    struct ask ask = {0};
    struct dialect_request request = {.query = BYTES("name=%2Fprivate%2Fbob"), .arena = &tiny};

    arena_init(&tiny, 1);
    CHECK_INT(signalwire_decode_addresses(&ask, &refused, &request), ERR_NO_MEMORY);
    CHECK_INT(refused.refusal, REFUSAL_NONE);
    arena_release(&tiny);
}

static void asks_who_without_reading_anything(void)
{
    struct decoded decoded;

    decode_text(&decoded, signalwire_decode_who, NULL, "a=%");
    CHECK_INT(decoded.error, ERR_OK);
    CHECK_INT(decoded.ask.kind, ASK_WHO_AM_I);
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    decoded_release(&decoded);
}

#define TOKEN "\"authentication\":{\"jwt_token\":\"t.o.k\"}"

static void refuses_connects(void)
{
    static const struct {
        const char *params;
        enum refusal refusal;
    } rows[] = {
        {NULL, REFUSAL_CREDENTIAL_MISSING},
        {"{}", REFUSAL_CREDENTIAL_MISSING},
        {"[]", REFUSAL_CREDENTIAL_MISSING},
        {"{\"jwt_token\":\"t\"}", REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":null}", REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":\"t\"}", REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":[\"t\"]}", REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":{\"token\":\"t\"}}", REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":{\"jwt_token\":\"\"}}", REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":{\"jwt_token\":7}}", REFUSAL_CREDENTIAL_MISSING},
        {"{" TOKEN ",\"version\":4}", REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN ",\"version\":\"4\"}", REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN ",\"dpop_token\":{}}", REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN ",\"dpop_token\":1}", REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN ",\"authorization_state\":1}", REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN ",\"protocol\":[\"a\"]}", REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN ",\"upgrade\":{},\"authorization_state\":\"s\",\"protocol\":\"p\"}",
         REFUSAL_PARAMETER_INVALID},
        {"{\"version\":4}", REFUSAL_CREDENTIAL_MISSING}, /* the credential comes first */
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].params ? rows[i].params : "absent");
        decode_text(&decoded, signalwire_decode_connect, rows[i].params, NULL);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.ask.kind, ASK_CONNECT);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        decoded_release(&decoded);
    }
}

#define NAME     "0123456789abcdef0123456789abcdef"
#define PROTOCOL "signalwire_01234567-89ab-cdef-0123-456789abcdef_" NAME

static void reads_connects(void)
{
    static const struct {
        const char *params, *proof;
        bool resumes;
    } rows[] = {
        {"{" TOKEN "}", NULL, false},
        {"{" TOKEN ",\"dpop_token\":null,\"authorization_state\":null,\"protocol\":null,\"version\":null}",
         NULL, false},
        {"{" TOKEN ",\"authorization_state\":\"\",\"protocol\":\"\"}", NULL, false}, /* erased ones */
        {"{" TOKEN ",\"authorization_state\":\"s\"}", NULL, false},
        {"{" TOKEN ",\"authorization_state\":\"s\",\"protocol\":\"\"}", NULL, false},
        {"{" TOKEN ",\"authorization_state\":\"s\",\"protocol\":\"p\"}", NULL, true},
        {"{" TOKEN ",\"protocol\":\"p\"}", NULL, false},
        {"{" TOKEN ",\"protocol\":\"" PROTOCOL "\",\"authorization_state\":\"\"}", NULL, false},
        {"{" TOKEN ",\"dpop_token\":\"p.r.f\"}", "p.r.f", false},
        {"{\"version\":{\"major\":4,\"minor\":0,\"revision\":0},\"event_acks\":true," TOKEN
         ",\"agent\":\"a/4.0.0\",\"contexts\":[],\"eventing\":[],\"topics\":[],\"dpop_token\":\"p.r.f\"}",
         "p.r.f", false},
        {"{" TOKEN ",\"agent\":7,\"contexts\":\"x\"}", NULL, false}, /* not ours to judge */
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].params);
        decode_text(&decoded, signalwire_decode_connect, rows[i].params, NULL);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK_BYTES(decoded.ask.connect.token, BYTES("t.o.k"));
        CHECK_BYTES(decoded.ask.connect.proof, bytes_of_text(rows[i].proof));
        CHECK(decoded.ask.connect.wants_resume == rows[i].resumes);
        CHECK(bytes_is_absent(decoded.ask.connect.state) == !rows[i].resumes);
        CHECK(bytes_is_absent(decoded.ask.connect.session));
        decoded_release(&decoded);
    }
}

static void takes_slots_on_a_plain_yes_alone(void)
{
    static const char *const params[] = {
        "{" TOKEN ",\"takes_slots\":false}",    "{" TOKEN ",\"takes_slots\":null}",
        "{" TOKEN ",\"takes_slots\":\"true\"}", "{" TOKEN ",\"takes_slots\":1}",
        "{" TOKEN ",\"takes_slots\":[true]}",   "{" TOKEN "}",
        "{" TOKEN ",\"takes_slots\":true}"};
    size_t i;

    for (i = 0; i < COUNT(params); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", params[i]);
        decode_text(&decoded, signalwire_decode_connect, params[i], NULL);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK(decoded.ask.connect.takes_slots == (i == COUNT(params) - 1));
        decoded_release(&decoded);
    }
}

/* Whatever is no name of ours is presented all the same: it is refused, never taken for none. */
static void reads_what_a_resume_presents(void)
{
    static const struct {
        const char *state, *protocol, *session; /* session NULL: none that could be */
    } rows[] = {
        {"rs_1.A", PROTOCOL, NAME},
        {"rs_1.A", "signalwire_", NULL},
        {"rs_1.A", "signalwire_" NAME, NULL},
        {"rs_1.A", PROTOCOL "0", NULL},
        {"rs_1.A", "Signalwire_01234567-89ab-cdef-0123-456789abcdef_" NAME, NULL},
        {"rs_1.A", "signalwire_01234567-89ab-cdef-0123-456789abcdef-" NAME, NULL},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        char text[512];
        CHECK_NOTE("%s %s", rows[i].state, rows[i].protocol);
        (void)snprintf(text, sizeof text, "{" TOKEN ",\"authorization_state\":\"%s\",\"protocol\":\"%s\"}",
                       rows[i].state, rows[i].protocol);
        decode_text(&decoded, signalwire_decode_connect, text, NULL);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK(decoded.ask.connect.wants_resume);
        CHECK_BYTES(decoded.ask.connect.state, bytes_of_text(rows[i].state));
        CHECK(bytes_is_absent(decoded.ask.connect.session) == !rows[i].session);
        if (rows[i].session) CHECK_BYTES(decoded.ask.connect.session, bytes_of_text(rows[i].session));
        decoded_release(&decoded);
    }
}

static void reads_what_an_upgrade_presents(void)
{
    static const struct {
        const char *upgrade;
        bool has_state, has_session;
    } rows[] = {
        {"{}", false, false},
        {"[]", false, false},
        {"\"rs_1.A\"", false, false},
        {"{\"authorization_state\":7,\"protocol\":[]}", false, false},
        {"{\"authorization_state\":\"\",\"protocol\":\"x\"}", false, false},
        {"{\"authorization_state\":\"rs_1.A\"}", true, false},
        {"{\"protocol\":\"" PROTOCOL "\"}", false, true},
        {"{\"authorization_state\":\"rs_1.A\",\"protocol\":\"" PROTOCOL "\"}", true, true},
    };
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        char text[512];
        CHECK_NOTE("%s", rows[i].upgrade);
        (void)snprintf(text, sizeof text, "{" TOKEN ",\"upgrade\":%s}", rows[i].upgrade);
        decode_text(&decoded, signalwire_decode_connect, text, NULL);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK(decoded.ask.connect.wants_resume && decoded.ask.connect.wants_upgrade);
        CHECK(!bytes_is_absent(decoded.ask.connect.state) == rows[i].has_state);
        CHECK(!bytes_is_absent(decoded.ask.connect.session) == rows[i].has_session);
        decoded_release(&decoded);
    }
    decode_text(&decoded, signalwire_decode_connect, "{" TOKEN ",\"upgrade\":null}", NULL);
    CHECK(!decoded.ask.connect.wants_resume && !decoded.ask.connect.wants_upgrade);
    decoded_release(&decoded);
}

static void reads_renewals(void)
{
    static const struct {
        const char *params, *proof;
        enum refusal refusal;
    } rows[] = {
        {NULL, NULL, REFUSAL_CREDENTIAL_MISSING},
        {"{}", NULL, REFUSAL_CREDENTIAL_MISSING},
        {"[]", NULL, REFUSAL_CREDENTIAL_MISSING},
        {"{\"authentication\":{\"jwt_token\":\"\"}}", NULL, REFUSAL_CREDENTIAL_MISSING},
        {"{" TOKEN ",\"dpop_token\":7}", NULL, REFUSAL_PARAMETER_INVALID},
        {"{" TOKEN "}", NULL, REFUSAL_NONE},
        {"{" TOKEN ",\"dpop_token\":\"p.r.f\"}", "p.r.f", REFUSAL_NONE},
        {"{\"authentication\":{\"project\":7,\"jwt_token\":\"t.o.k\"}}", NULL, REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].params ? rows[i].params : "absent");
        decode_text(&decoded, signalwire_decode_reauthenticate, rows[i].params, NULL);
        CHECK_INT(decoded.ask.kind, ASK_REAUTHENTICATE);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        if (!rows[i].refusal) {
            CHECK_BYTES(decoded.ask.reauthenticate.token, BYTES("t.o.k"));
            CHECK_BYTES(decoded.ask.reauthenticate.proof, bytes_of_text(rows[i].proof));
        }
        decoded_release(&decoded);
    }
}

int main(void)
{
    CHECK_RUN(refuses_mints);
    CHECK_RUN(cannot_read_what_is_no_object);
    CHECK_RUN(reads_refresh_tokens);
    CHECK_RUN(reads_every_member);
    CHECK_RUN(takes_null_for_not_given);
    CHECK_RUN(takes_scope_as_text_and_as_list);
    CHECK_RUN(reads_the_name_of_an_address);
    CHECK_RUN(says_when_there_is_no_memory);
    CHECK_RUN(asks_who_without_reading_anything);
    CHECK_RUN(refuses_connects);
    CHECK_RUN(reads_connects);
    CHECK_RUN(takes_slots_on_a_plain_yes_alone);
    CHECK_RUN(reads_what_a_resume_presents);
    CHECK_RUN(reads_what_an_upgrade_presents);
    CHECK_RUN(reads_renewals);
    return CHECK_END();
}
