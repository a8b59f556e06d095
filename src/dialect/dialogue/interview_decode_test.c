#include "dialect/dialogue/dialogue.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define ID          "6b7ad3c1-8a0e-4a1b-9c6d-0f1e2d3c4b5a"

struct decoded {
    struct ask ask;
    struct refused refused;
    struct arena arena;
    struct json document;
    enum err error;
};

static void decode_text(struct decoded *out, ask_decode_fn *decode, const char *id, const char *body)
{
    struct dialect_request request = {.arena = &out->arena};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 4096);
    if (id) request.params = (struct route_params){.value = {bytes_of_text(id)}, .count = 1};
    if (body) CHECK_INT(json_read(&out->document, bytes_of_text(body)), ERR_OK);
    request.body = out->document;
    out->error = decode(&out->ask, &out->refused, &request);
}

static void decoded_release(struct decoded *decoded)
{
    json_free(decoded->document);
    arena_release(&decoded->arena);
}

static void refuses_wrong_members(void)
{
    static const struct {
        ask_decode_fn *decode;
        const char *id, *body;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {dialogue_decode_study, "x", NULL, REFUSAL_NOT_FOUND, FIELD_STUDY},
        {dialogue_decode_study, NULL, NULL, REFUSAL_NOT_FOUND, FIELD_STUDY},
        {dialogue_decode_read, "6b7ad3c1", NULL, REFUSAL_NOT_FOUND, FIELD_INTERVIEW},
        {dialogue_decode_consent, ID "0", NULL, REFUSAL_NOT_FOUND, FIELD_INTERVIEW},
        {dialogue_decode_complete, "%2e", NULL, REFUSAL_NOT_FOUND, FIELD_INTERVIEW},
        {dialogue_decode_begin, NULL, "{}", REFUSAL_PARAMETER_MISSING, FIELD_STUDY},
        {dialogue_decode_begin, NULL, "{\"studyId\":null}", REFUSAL_PARAMETER_MISSING, FIELD_STUDY},
        {dialogue_decode_begin, NULL, "{\"studyId\":\"\"}", REFUSAL_PARAMETER_INVALID, FIELD_STUDY},
        {dialogue_decode_begin, NULL, "{\"studyId\":5}", REFUSAL_PARAMETER_INVALID, FIELD_STUDY},
        {dialogue_decode_answer, "x", "{\"question\":\"q\",\"answer\":\"a\"}", REFUSAL_NOT_FOUND,
         FIELD_INTERVIEW},
        {dialogue_decode_answer, ID, "{}", REFUSAL_PARAMETER_MISSING, FIELD_QUESTION},
        {dialogue_decode_answer, ID, "{\"question\":\"\",\"answer\":\"a\"}", REFUSAL_PARAMETER_MISSING,
         FIELD_QUESTION},
        {dialogue_decode_answer, ID, "{\"question\":{},\"answer\":\"a\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_QUESTION},
        {dialogue_decode_answer, ID, "{\"question\":1.5,\"answer\":\"a\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_QUESTION},
        {dialogue_decode_answer, ID, "{\"question\":\"a\\u0000\",\"answer\":\"a\"}",
         REFUSAL_PARAMETER_INVALID, FIELD_QUESTION},
        {dialogue_decode_answer, ID, "{\"question\":\"q\"}", REFUSAL_PARAMETER_MISSING, FIELD_ANSWER},
        {dialogue_decode_answer, ID, "{\"question\":\"q\",\"answer\":null}", REFUSAL_PARAMETER_MISSING,
         FIELD_ANSWER},
        {dialogue_decode_answer, ID, "{\"question\":\"q\",\"answer\":\"a\\u0000\"}",
         REFUSAL_PARAMETER_INVALID, FIELD_ANSWER},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("row %zu: %s", i, rows[i].body ? rows[i].body : rows[i].id ? rows[i].id : "no id");
        decode_text(&decoded, rows[i].decode, rows[i].id, rows[i].body);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].field);
        CHECK(decoded.refused.because != NULL);
        decoded_release(&decoded);
    }
}

static void refuses_bodies_that_are_no_object(void)
{
    static const char *const bodies[] = {NULL, "[]", "\"a\"", "7"};
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(bodies); i++) {
        CHECK_NOTE("body row %zu", i);
        decode_text(&decoded, dialogue_decode_begin, NULL, bodies[i]);
        CHECK_INT(decoded.error, ERR_MALFORMED);
        CHECK_INT(decoded.ask.kind, ASK_INTERVIEW);
        decoded_release(&decoded);
        decode_text(&decoded, dialogue_decode_answer, ID, bodies[i]);
        CHECK_INT(decoded.error, ERR_MALFORMED);
        CHECK_INT(decoded.ask.kind, ASK_INTERVIEW);
        decoded_release(&decoded);
    }
}

static void reads_steps(void)
{
    static const struct {
        ask_decode_fn *decode;
        enum interview_step step;
    } rows[] = {{dialogue_decode_read, INTERVIEW_READ},
                {dialogue_decode_consent, INTERVIEW_CONSENT},
                {dialogue_decode_complete, INTERVIEW_COMPLETE}};
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("step row %zu", i);
        decode_text(&decoded, rows[i].decode, ID, NULL);
        CHECK_INT(decoded.ask.kind, ASK_INTERVIEW);
        CHECK_INT(decoded.ask.interview.step, rows[i].step);
        CHECK_INT(decoded.ask.interview.id.byte[0], 0x6b);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        decoded_release(&decoded);
    }
    decode_text(&decoded, dialogue_decode_study, ID, NULL);
    CHECK_INT(decoded.ask.kind, ASK_STUDY);
    CHECK_INT(decoded.ask.interview.study.byte[15], 0x5a);
    decoded_release(&decoded);
    decode_text(&decoded, dialogue_decode_begin, NULL, "{\"studyId\":\"" ID "\"}");
    CHECK_INT(decoded.ask.interview.step, INTERVIEW_BEGIN);
    CHECK_INT(decoded.ask.interview.study.byte[1], 0x7a);
    decoded_release(&decoded);
}

/* A question by id, text or place; an answer as text, or as JSON when it is none. */
static void reads_answers(void)
{
    static const struct {
        const char *body;
        struct bytes question;
        int64_t number;
        struct bytes answer;
    } rows[] = {
        {"{\"question\":\"q1\",\"answer\":\"yes\"}", BYTES("q1"), 0, BYTES("yes")},
        {"{\"questionId\":\"q1\",\"question\":\"Why?\",\"answer\":\"\"}", BYTES("q1"), 0, BYTES("")},
        {"{\"questionId\":null,\"question\":\"Why?\",\"answer\":\"a\"}", BYTES("Why?"), 0, BYTES("a")},
        {"{\"question\":2,\"answer\":4}", BYTES_NONE, 2, BYTES("4")},
        {"{\"question\":-1,\"answer\":true}", BYTES_NONE, -1, BYTES("true")},
        {"{\"question\":\"q\",\"answer\":[ \"a\" , { } ]}", BYTES("q"), 0, BYTES("[\"a\",{}]")},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct decoded decoded;
        CHECK_NOTE("%s", rows[i].body);
        decode_text(&decoded, dialogue_decode_answer, ID, rows[i].body);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        CHECK_BYTES(decoded.ask.interview.question, rows[i].question);
        CHECK_INT(bytes_is_absent(decoded.ask.interview.question), bytes_is_absent(rows[i].question));
        CHECK_INT(decoded.ask.interview.number, rows[i].number);
        CHECK_BYTES(decoded.ask.interview.answer, rows[i].answer);
        decoded_release(&decoded);
    }
}

int main(void)
{
    CHECK_RUN(refuses_wrong_members);
    CHECK_RUN(refuses_bodies_that_are_no_object);
    CHECK_RUN(reads_steps);
    CHECK_RUN(reads_answers);
    return CHECK_END();
}
