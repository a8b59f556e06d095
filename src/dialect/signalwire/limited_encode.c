/* limited_encode.c — the answers to the calls of limited_decode.c. Each makes something new: 201. */
#include "dialect/signalwire/rest_inside.h"
#include "dialect/signalwire/signalwire.h"

#include "wire/json_write.h"

static void write_token(struct json_writer *w, const struct outcome *outcome)
{
    json_key(w, "token");
    json_put_string(w, outcome->minted.token);
}

void signalwire_encode_guest(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 201;
    json_object_begin(&w);
    write_token(&w, outcome);
    json_key(&w, "refresh_token");
    json_put_string(&w, outcome->minted.refresh_token);
    json_object_end(&w);
}

/* This call alone spells its expiry with an s. */
void signalwire_encode_invite(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        signalwire_encode_refused_as(reply, outcome, "expires_at");
        return;
    }
    reply->status = 201;
    json_object_begin(&w);
    write_token(&w, outcome);
    json_object_end(&w);
}

void signalwire_encode_embed(struct dialect_reply *reply, const struct outcome *outcome)
{
    signalwire_encode_invite(reply, outcome); /* the same: a token and nothing else */
}

void signalwire_encode_bound(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 201;
    json_object_begin(&w);
    write_token(&w, outcome);
    json_key(&w, "expires_at");
    json_put_number(&w, outcome->minted.exp_s);
    json_key(&w, "expires_in");
    json_put_number(&w, outcome->minted.exp_s - outcome->minted.iat_s);
    json_object_end(&w);
}
