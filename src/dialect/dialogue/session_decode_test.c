#include "dialect/dialogue/dialogue.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define STUDY       "6b7ad3c1-8a0e-4a1b-9c6d-0f1e2d3c4b5a"

struct decoded {
    struct ask ask;
    struct refused refused;
    struct json document;
    enum err error;
};

static void decode_text(struct decoded *out, ask_decode_fn *decode, const char *body)
{
    struct dialect_request request = {.body = {NULL}};

    memset(out, 0, sizeof *out);
    if (body) CHECK_INT(json_read(&out->document, bytes_of_text(body)), ERR_OK);
    request.body = out->document;
    out->error = decode(&out->ask, &out->refused, &request);
}

static void refuses_wrong_members(void)
{
    static const struct {
        ask_decode_fn *decode;
        const char *body;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {dialogue_decode_bootstrap, "{\"externalUserId\":7}", REFUSAL_PARAMETER_INVALID, FIELD_EXTERNAL_ID},
        {dialogue_decode_bootstrap, "{\"externalUserId\":\"\\u0000\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_EXTERNAL_ID},
        {dialogue_decode_redeem, "{}", REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {dialogue_decode_redeem, "{\"bootstrapToken\":\"\"}", REFUSAL_PARAMETER_MISSING, FIELD_TOKEN},
        {dialogue_decode_redeem, "{\"bootstrapToken\":[\"bt\"]}", REFUSAL_PARAMETER_INVALID, FIELD_TOKEN},
        {dialogue_decode_redeem, "{\"bootstrapToken\":\"bt\",\"publishableKey\":1}",
         REFUSAL_PARAMETER_INVALID, FIELD_PUBLISHABLE_KEY},
        {dialogue_decode_visit, "{\"studyId\":\"1\"}", REFUSAL_PARAMETER_INVALID, FIELD_STUDY},
        {dialogue_decode_visit, "{\"studyId\":\"\"}", REFUSAL_PARAMETER_INVALID, FIELD_STUDY},
        {dialogue_decode_visit, "{\"studyId\":1}", REFUSAL_PARAMETER_INVALID, FIELD_STUDY},
        {dialogue_decode_visit, "{\"publishableKey\":{}}", REFUSAL_PARAMETER_INVALID, FIELD_PUBLISHABLE_KEY},
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
        json_free(decoded.document);
    }
}

static void refuses_bodies_that_are_no_object(void)
{
    static ask_decode_fn *const decoders[] = {dialogue_decode_bootstrap, dialogue_decode_redeem,
                                              dialogue_decode_visit};
    static const char *const bodies[] = {"[]", "\"bt\"", "null", "7"};
    struct decoded decoded;
    size_t i, d;

    for (i = 0; i < COUNT(bodies); i++)
        for (d = 0; d < COUNT(decoders); d++) {
            CHECK_NOTE("%s, decoder %zu", bodies[i], d);
            decode_text(&decoded, decoders[d], bodies[i]);
            CHECK_INT(decoded.error, ERR_MALFORMED);
            CHECK(decoded.ask.kind != ASK_NONE);
            json_free(decoded.document);
        }
}

static void reads_what_is_asked(void)
{
    static const char *const empty[] = {NULL, "{}", "{\"externalUserId\":null,\"studyId\":null,\"x\":1}"};
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(empty); i++) {
        CHECK_NOTE("empty row %zu", i);
        decode_text(&decoded, dialogue_decode_bootstrap, empty[i]);
        CHECK(!decoded.error && !decoded.refused.refusal);
        CHECK_INT(decoded.ask.kind, ASK_BOOTSTRAP);
        CHECK(bytes_is_absent(decoded.ask.bootstrap.external_id));
        json_free(decoded.document);
        decode_text(&decoded, dialogue_decode_visit, empty[i]);
        CHECK(!decoded.error && !decoded.refused.refusal);
        CHECK_INT(decoded.ask.kind, ASK_VISIT);
        CHECK(!decoded.ask.visit.has_study && bytes_is_absent(decoded.ask.visit.publishable_key));
        json_free(decoded.document);
    }
    decode_text(&decoded, dialogue_decode_bootstrap, "{\"externalUserId\":\"\"}"); /* the engine's matter */
    CHECK(!bytes_is_absent(decoded.ask.bootstrap.external_id));
    json_free(decoded.document);
    decode_text(&decoded, dialogue_decode_redeem, "{\"bootstrapToken\":\"bt_a.b\"}");
    CHECK_INT(decoded.ask.redeem.kind, TICKET_BOOTSTRAP);
    CHECK(!decoded.ask.redeem.needs_publishable_key && bytes_is_absent(decoded.ask.redeem.publishable_key));
    CHECK_BYTES(decoded.ask.redeem.ticket, BYTES("bt_a.b"));
    json_free(decoded.document);
    decode_text(&decoded, dialogue_decode_visit, "{\"studyId\":\"" STUDY "\",\"publishableKey\":\"pk_1\"}");
    CHECK(decoded.ask.visit.has_study);
    CHECK_INT(decoded.ask.visit.study.byte[0], 0x6b);
    CHECK_BYTES(decoded.ask.visit.publishable_key, BYTES("pk_1"));
    json_free(decoded.document);
    decode_text(&decoded, dialogue_decode_me, NULL);
    CHECK_INT(decoded.ask.kind, ASK_PARTICIPANT);
}

int main(void)
{
    CHECK_RUN(refuses_wrong_members);
    CHECK_RUN(refuses_bodies_that_are_no_object);
    CHECK_RUN(reads_what_is_asked);
    return CHECK_END();
}
