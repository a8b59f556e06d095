/* reply_encode.c — all answers of this dialect, and its refusals' bodies. */
#include "base/instant.h"
#include "dialect/dialogue/dialogue.h"
#include "dialect/status_words.h"
#include "wire/json_write.h"

static void put_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    json_key(w, key);
    json_put_uuid(w, id);
}

static void put_instant(struct json_writer *w, const char *key, int64_t ms)
{
    char text[INSTANT_TEXT_LEN];

    instant_write(text, ms);
    json_key(w, key);
    if (ms)
        json_put_string(w, bytes_of(text, sizeof text));
    else
        json_put_null(w);
}

void dialogue_encode_bootstrap(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_TICKET) {
        dialogue_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "bootstrapToken");
    json_put_string(&w, outcome->ticket.text);
    put_instant(&w, "expiresAt", outcome->ticket.exp_s * 1000);
    json_object_end(&w);
}

void dialogue_encode_session(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        dialogue_encode_refused(reply, outcome);
        return;
    }
    reply->status = 201;
    json_object_begin(&w);
    json_key(&w, "sessionToken");
    json_put_string(&w, outcome->minted.token);
    put_instant(&w, "expiresAt", outcome->minted.exp_s * 1000);
    put_uuid(&w, "userId", &outcome->minted.user);
    json_object_end(&w);
}

void dialogue_encode_me(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);
    const struct user *who = &outcome->who;

    if (outcome->kind != OUTCOME_WHO) {
        dialogue_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    put_uuid(&w, "userId", &who->id);
    json_key(&w, "anonymous");
    json_put_bool(&w, who->kind == USER_ANONYMOUS);
    json_key(&w, "externalUserId");
    json_put_string_or_null(&w, who->external_id);
    put_instant(&w, "expiresAt", outcome->holder.exp_s * 1000);
    json_object_end(&w);
}

void dialogue_encode_study(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_STUDY) {
        dialogue_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    put_uuid(&w, "id", &outcome->study->id);
    json_key(&w, "title");
    json_put_string(&w, outcome->study->title);
    json_key(&w, "questions");
    json_put_verbatim(&w, outcome->study->questions_json);
    json_object_end(&w);
}

static const char *state_text(enum interview_state state)
{
    static const char *const texts[] = {
        [INTERVIEW_OPEN] = "created", [INTERVIEW_AGREED] = "consented", [INTERVIEW_DONE] = "completed"};

    return texts[state];
}

static void encode_interview(struct dialect_reply *reply, const struct outcome *outcome, int status)
{
    struct json_writer w = json_writer_on(reply->body);
    const struct interview *interview = &outcome->interview;

    if (outcome->kind != OUTCOME_INTERVIEW) {
        dialogue_encode_refused(reply, outcome);
        return;
    }
    reply->status = status;
    json_object_begin(&w);
    put_uuid(&w, "id", &interview->id);
    put_uuid(&w, "studyId", &interview->study);
    put_uuid(&w, "userId", &interview->user);
    json_key(&w, "status");
    json_put_literal(&w, state_text(interview->state));
    json_key(&w, "answerCount");
    json_put_number(&w, interview->answer_count);
    put_instant(&w, "createdAt", interview->created_ms);
    put_instant(&w, "completedAt", interview->completed_ms);
    json_object_end(&w);
}

void dialogue_encode_interview(struct dialect_reply *reply, const struct outcome *outcome)
{
    encode_interview(reply, outcome, 200);
}

void dialogue_encode_begun(struct dialect_reply *reply, const struct outcome *outcome)
{
    encode_interview(reply, outcome, 201);
}

/* ---- refusals ---- */

static const char *field_name(enum ask_field field)
{
    switch ((int)field) { /* most fields are no member here */
    case FIELD_EXTERNAL_ID:
        return "externalUserId";
    case FIELD_TOKEN:
        return "bootstrapToken";
    case FIELD_PUBLISHABLE_KEY:
        return "publishableKey";
    case FIELD_STUDY:
        return "studyId";
    case FIELD_INTERVIEW:
        return "The interview";
    case FIELD_QUESTION:
        return "questionId";
    case FIELD_ANSWER:
        return "answer";
    default:
        return "The request";
    }
}

void dialogue_encode_refused(struct dialect_reply *reply, const struct outcome *outcome)
{
    static const struct refused nothing = {0};
    bool is_refusal = outcome->kind == OUTCOME_REFUSED;
    const struct refused *refused = is_refusal ? &outcome->refused : &nothing;
    struct json_writer w = json_writer_on(reply->body);

    reply->status =
        is_refusal ? refusal_http_status(outcome->refused.refusal) : err_http_status(outcome->error);
    if (reply->status == 422) reply->status = 400;
    json_object_begin(&w);
    json_key(&w, "error");
    json_object_begin(&w);
    json_key(&w, "code");
    json_put_literal(&w, is_refusal ? refusal_slug(outcome->refused.refusal) : err_slug(outcome->error));
    json_key(&w, "message");
    status_words_put(&w, reply->status, refused, field_name(refused->field));
    json_object_end(&w);
    json_object_end(&w);
}
