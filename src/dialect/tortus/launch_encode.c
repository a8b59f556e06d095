/* launch_encode.c — their answers and refusals. */
#include "dialect/status_words.h"
#include "dialect/tortus/tortus.h"
#include "wire/json_write.h"

static void put_user(struct json_writer *w, const struct uuid *id)
{
    char text[TORTUS_USER_LEN];

    tortus_user_write(text, id);
    json_put_string(w, bytes_of(text, sizeof text));
}

static const char *field_name(enum ask_field field)
{
    switch ((int)field) { /* most fields are no member here */
    case FIELD_USER_ID:
        return "userId";
    case FIELD_EXTERNAL_ID:
        return "externalUserId";
    case FIELD_PAYLOAD:
        return "userPayload";
    case FIELD_TOKEN:
        return "launchToken";
    case FIELD_PUBLISHABLE_KEY:
        return "publishableKey";
    default:
        return "the request";
    }
}

/* The words of RFC 6749 §5.2 where it has one; at_401: what is wrong with whom, on this path. */
static const char *error_word(int status, const char *at_401)
{
    switch (status) {
    case 401:
        return at_401;
    case 403:
        return "access_denied";
    case 429:
        return "rate_limited";
    case 500:
        return "server_error";
    case 503:
        return "temporarily_unavailable";
    default:
        return "invalid_request";
    }
}

static void encode_refused(struct dialect_reply *reply, const struct outcome *outcome, const char *at_401)
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
    json_put_literal(&w, error_word(reply->status, at_401));
    json_key(&w, "error_description");
    status_words_put(&w, reply->status, refused, field_name(refused->field));
    json_object_end(&w);
}

void tortus_encode_refused(struct dialect_reply *reply, const struct outcome *outcome)
{
    encode_refused(reply, outcome, "invalid_client");
}

void tortus_encode_launch(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_TICKET) {
        tortus_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "launch_token");
    json_put_string(&w, outcome->ticket.text);
    json_key(&w, "user_id");
    put_user(&w, &outcome->ticket.user);
    json_key(&w, "expires_in");
    json_put_number(&w, outcome->ticket.exp_s - outcome->ticket.iat_s);
    json_object_end(&w);
}

void tortus_encode_exchange(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        encode_refused(reply, outcome, "invalid_grant");
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "accessToken");
    json_put_string(&w, outcome->minted.token);
    json_key(&w, "expiresIn");
    json_put_number(&w, outcome->minted.exp_s - outcome->minted.iat_s);
    json_key(&w, "userId");
    put_user(&w, &outcome->minted.user);
    json_object_end(&w);
}
