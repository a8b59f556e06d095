/* interview_decode.c — studies and interviews, asked for by a participant. */
#include "dialect/member.h"
#include "dialect/dialogue/dialogue.h"

/* An id in a path that has not the form of one is of nothing that is there. */
static void decode_path_id(struct uuid *out, enum ask_field field, struct refused *refused,
                           const struct dialect_request *request)
{
    struct bytes text = request->params.count ? request->params.value[0] : BYTES_NONE;

    if (uuid_read(out, text)) member_refuse(refused, REFUSAL_NOT_FOUND, field, "has not the form of an id");
}

static void decode_step(struct ask *ask, enum interview_step step, struct refused *refused,
                        const struct dialect_request *request)
{
    ask->kind = ASK_INTERVIEW;
    ask->interview = (struct ask_interview){.step = step};
    decode_path_id(&ask->interview.id, FIELD_INTERVIEW, refused, request);
}

enum err dialogue_decode_study(struct ask *ask, struct refused *refused,
                               const struct dialect_request *request)
{
    ask->kind = ASK_STUDY;
    ask->interview = (struct ask_interview){0};
    decode_path_id(&ask->interview.study, FIELD_STUDY, refused, request);
    return ERR_OK;
}

enum err dialogue_decode_begin(struct ask *ask, struct refused *refused,
                               const struct dialect_request *request)
{
    struct bytes study;

    ask->kind = ASK_INTERVIEW;
    ask->interview = (struct ask_interview){.step = INTERVIEW_BEGIN};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    study = member_text(request->body, "studyId", FIELD_STUDY, refused);
    if (bytes_is_absent(study))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_STUDY, "can't be blank");
    else if (uuid_read(&ask->interview.study, study))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_STUDY, "must be a UUID");
    return ERR_OK;
}

enum err dialogue_decode_read(struct ask *ask, struct refused *refused, const struct dialect_request *request)
{
    decode_step(ask, INTERVIEW_READ, refused, request);
    return ERR_OK;
}

enum err dialogue_decode_consent(struct ask *ask, struct refused *refused,
                                 const struct dialect_request *request)
{
    decode_step(ask, INTERVIEW_CONSENT, refused, request);
    return ERR_OK;
}

enum err dialogue_decode_complete(struct ask *ask, struct refused *refused,
                                  const struct dialect_request *request)
{
    decode_step(ask, INTERVIEW_COMPLETE, refused, request);
    return ERR_OK;
}

/* By its id or text, or by its place: 0 is the first. */
static void decode_question(struct ask_interview *interview, struct json body, struct refused *refused)
{
    struct json value = json_member(body, "questionId");

    if (!member_is_given(value)) value = json_member(body, "question");
    if (json_int64(&interview->number, value)) return;
    interview->question = json_text(value);
    if (!member_is_given(value) || (json_type_of(value) == JSON_IS_STRING && !interview->question.len))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_QUESTION, "can't be blank");
    else if (!json_text_is_clean(value))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_QUESTION, "must be a string or a number");
}

/* A text is kept as it is, a choice, a scale or a list as JSON. */
static enum err decode_answer(struct bytes *out, const struct dialect_request *request,
                              struct refused *refused)
{
    struct json value = json_member(request->body, "answer");
    struct json_writer w;
    struct buf text;
    enum err e;

    *out = json_text(value);
    if (!member_is_given(value))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_ANSWER, "can't be blank");
    if (!member_is_given(value) || json_text_is_clean(value)) return ERR_OK;
    if (!bytes_is_absent(*out)) {
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_ANSWER, "holds a NUL");
        return ERR_OK;
    }
    buf_init(&text, 1 << 19); /* every byte of the largest body escaped to six */
    w = json_writer_on(&text);
    json_put_value(&w, value);
    e = buf_error(&text);
    if (!e) {
        *out = arena_copy(request->arena, buf_bytes(&text));
        if (bytes_is_absent(*out)) e = ERR_NO_MEMORY;
    }
    buf_release(&text);
    return e;
}

enum err dialogue_decode_answer(struct ask *ask, struct refused *refused,
                                const struct dialect_request *request)
{
    decode_step(ask, INTERVIEW_ANSWER, refused, request);
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    decode_question(&ask->interview, request->body, refused);
    return decode_answer(&ask->interview.answer, request, refused);
}
