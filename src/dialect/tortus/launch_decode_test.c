#include "dialect/tortus/tortus.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define HEX32       "0123456789abcdef0123456789abcdef"

struct decoded {
    struct ask ask;
    struct refused refused;
    struct arena arena;
    struct json document;
    enum err error;
};

static void decode_text(struct decoded *out, ask_decode_fn *decode, const char *body)
{
    struct dialect_request request = {.arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 8192);
    if (body) CHECK_INT(json_read(&out->document, bytes_of_text(body)), ERR_OK);
    request.body = out->document;
    out->error = decode(&out->ask, &out->refused, &request);
}

static void decoded_release(struct decoded *decoded)
{
    json_free(decoded->document);
    arena_release(&decoded->arena);
}

static void refuses_wrong_types(void)
{
    static const struct {
        ask_decode_fn *decode;
        const char *body;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {tortus_decode_launch, "{\"userId\":7}", REFUSAL_PARAMETER_INVALID, FIELD_USER_ID},
        {tortus_decode_launch, "{\"userId\":\"a\\u0000\"}", REFUSAL_PARAMETER_INVALID, FIELD_USER_ID},
        {tortus_decode_launch, "{\"externalUserId\":{}}", REFUSAL_PARAMETER_INVALID, FIELD_EXTERNAL_ID},
        {tortus_decode_launch, "{\"externalUserId\":\"\\u0000\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_EXTERNAL_ID},
        {tortus_decode_launch, "{\"userPayload\":\"{}\"}", REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD},
        {tortus_decode_launch, "{\"userPayload\":[]}", REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD},
        {tortus_decode_launch, "{\"userPayload\":1,\"userId\":2}", REFUSAL_PARAMETER_INVALID, FIELD_USER_ID},
        {tortus_decode_exchange, "{}", REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {tortus_decode_exchange, "{\"launchToken\":\"\",\"publishableKey\":\"pk\"}",
         REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {tortus_decode_exchange, "{\"launchToken\":null,\"publishableKey\":\"pk\"}",
         REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {tortus_decode_exchange, "{\"launch_token\":\"lt\",\"publishableKey\":\"pk\"}",
         REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {tortus_decode_exchange, "{\"launchToken\":1,\"publishableKey\":\"pk\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_TOKEN},
        {tortus_decode_exchange, "{\"launchToken\":\"lt\"}", REFUSAL_PARAMETER_MISSING,
         FIELD_PUBLISHABLE_KEY},
        {tortus_decode_exchange, "{\"launchToken\":\"lt\",\"publishableKey\":[]}", REFUSAL_PARAMETER_INVALID,
         FIELD_PUBLISHABLE_KEY},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].body);
        decode_text(&decoded, rows[i].decode, rows[i].body);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].field);
        CHECK(decoded.refused.because != NULL);
        decoded_release(&decoded);
    }
}

static void refuses_bodies_that_are_no_object(void)
{
    static const char *const bodies[] = {"[]", "\"lt\"", "null", "7", "true"};
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(bodies); i++) {
        CHECK_NOTE("%s", bodies[i]);
        decode_text(&decoded, tortus_decode_launch, bodies[i]);
        CHECK_INT(decoded.error, ERR_MALFORMED);
        decoded_release(&decoded);
        decode_text(&decoded, tortus_decode_exchange, bodies[i]);
        CHECK_INT(decoded.error, ERR_MALFORMED);
        CHECK_INT(decoded.ask.kind, ASK_REDEEM);
        decoded_release(&decoded);
    }
    decode_text(&decoded, tortus_decode_exchange, NULL);
    CHECK_INT(decoded.error, ERR_MALFORMED);
    decoded_release(&decoded);
}

/* An id in any spelling but ours is one that we never gave: no refusal, a new user. */
static void takes_only_ids_as_they_were_given(void)
{
    static const struct {
        const char *text;
        bool is_ours;
    } rows[] = {
        {"", false},
        {"tortus|", false},
        {HEX32, false},
        {"tortus|" HEX32 "0", false},
        {"tortus|0123456789abcdef0123456789abcde", false},
        {"tortus|0123456789ABCDEF0123456789abcdef", false},
        {"Tortus|" HEX32, false},
        {"tortus/" HEX32, false},
        {"tortus|0123456789abcdef0123456789abcdeg", false},
        {" tortus|" HEX32, false},
        {"tortus|" HEX32, true},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        char body[128];
        struct decoded decoded;
        (void)snprintf(body, sizeof body, "{\"userId\":\"%s\"}", rows[i].text);
        CHECK_NOTE("%s", body);
        decode_text(&decoded, tortus_decode_launch, body);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK_INT(decoded.ask.launch.has_user, rows[i].is_ours);
        CHECK_INT(decoded.ask.launch.user.byte[1], rows[i].is_ours ? 0x23 : decoded.ask.launch.user.byte[1]);
        decoded_release(&decoded);
    }
}

/* A payload of just the limit is taken, one byte more is not: measured without white space. */
static void measures_payloads_as_they_are_kept(void)
{
    static char body[2 * PAYLOAD_MAX];
    size_t extra;

    for (extra = 0; extra < 2; extra++) {
        struct decoded decoded;
        size_t at = (size_t)snprintf(body, sizeof body, "{\"userPayload\": { \"n\" :  \"");
        memset(body + at, 'x', PAYLOAD_MAX - 8 + extra);
        at += PAYLOAD_MAX - 8 + extra;
        (void)snprintf(body + at, sizeof body - at, "\" }  }");
        decode_text(&decoded, tortus_decode_launch, body);
        CHECK_NOTE("%zu over", extra);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, extra ? REFUSAL_PARAMETER_INVALID : REFUSAL_NONE);
        CHECK_INT(decoded.ask.launch.payload.len, extra ? 0 : PAYLOAD_MAX);
        decoded_release(&decoded);
    }
}

static void reads_what_is_asked(void)
{
    static const char *const empty[] = {NULL, "{}",
                                        "{\"userId\":null,\"externalUserId\":null,\"userPayload\":null}",
                                        "{\"externalUserId\":\"\",\"other\":[1]}"};
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(empty); i++) {
        CHECK_NOTE("empty row %zu", i);
        decode_text(&decoded, tortus_decode_launch, empty[i]);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.ask.kind, ASK_LAUNCH);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK(!decoded.ask.launch.has_user && bytes_is_absent(decoded.ask.launch.payload));
        CHECK(bytes_is_absent(decoded.ask.launch.external_id));
        decoded_release(&decoded);
    }
    decode_text(
        &decoded, tortus_decode_launch,
        "{ \"externalUserId\" : \"crm-1\", \"userPayload\" : { \"email\" : \"a@b\", \"n\" : [ 1 , { } ] } }");
    CHECK_BYTES(decoded.ask.launch.external_id, BYTES("crm-1"));
    CHECK_BYTES(decoded.ask.launch.payload, BYTES("{\"email\":\"a@b\",\"n\":[1,{}]}"));
    decoded_release(&decoded);
    decode_text(&decoded, tortus_decode_exchange, "{\"launchToken\":\"lt_a.b\",\"publishableKey\":\"pk_1\"}");
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_INT(decoded.ask.redeem.kind, TICKET_LAUNCH);
    CHECK(decoded.ask.redeem.needs_publishable_key);
    CHECK_BYTES(decoded.ask.redeem.ticket, BYTES("lt_a.b"));
    CHECK_BYTES(decoded.ask.redeem.publishable_key, BYTES("pk_1"));
    decoded_release(&decoded);
}

int main(void)
{
    CHECK_RUN(refuses_wrong_types);
    CHECK_RUN(refuses_bodies_that_are_no_object);
    CHECK_RUN(takes_only_ids_as_they_were_given);
    CHECK_RUN(measures_payloads_as_they_are_kept);
    CHECK_RUN(reads_what_is_asked);
    return CHECK_END();
}
