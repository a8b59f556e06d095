/* phone.c — a session's legs: what its client says of them, and what it is told. */
#include "server/phone_inside.h"

#include <stdlib.h>
#include <string.h>

#include "engine/upgrade.h"
#include "server/socket.h"

/* ---- legs ---- */

struct leg *leg_new(struct call *call, struct lane *home, const struct session *session)
{
    struct leg *leg = calloc(1, sizeof *leg);

    if (!leg) return NULL;
    leg->end = calloc(1, sizeof *leg->end);
    leg->closing = calloc(1, sizeof *leg->closing);
    if (leg->end) leg->end->farewell = calloc(1, sizeof *leg->end->farewell);
    if (!leg->end || !leg->closing || !leg->end->farewell) {
        leg_free(leg);
        return NULL;
    }
    leg->home = home;
    leg->key = dice_u64(&session->lane->node->host->dice);
    leg->closing->mail.open = call_opens;
    leg->closing->end = leg->end;
    leg->end->call = call;
    leg->end->at = session_place(session);
    leg->end->key = leg->key;
    leg->end->farewell->base.open = leg_opens;
    leg->end->farewell->base.to = leg->end->at;
    leg->end->farewell->key = leg->key;
    leg->end->farewell->kind = PHONE_ENDED;
    return leg;
}

void end_free(struct end *end)
{
    if (end) free(end->farewell);
    free(end);
}

void leg_free(struct leg *leg)
{
    if (!leg) return;
    end_free(leg->end);
    free(leg->closing);
    free(leg);
}

void leg_enter(struct leg *leg, struct session *session, struct bytes name)
{
    leg->name_len = name.len;
    memcpy(leg->name, name.ptr, name.len); /* at most PHONE_LEG_MAX: the dialect has seen to it */
    leg->next = session->legs;
    session->legs = leg;
    session->leg_count++;
}

/* The leg goes, and home hears of it. */
static void leg_leave(struct leg *leg, struct session *session, bool is_lost, enum call_cause cause)
{
    struct leg **at = &session->legs;

    while (*at != leg)
        at = &(*at)->next;
    *at = leg->next;
    session->leg_count--;
    leg->closing->is_lost = is_lost;
    leg->closing->cause = cause;
    loop_post(leg->home->loop, &leg->closing->mail);
    free(leg);
}

/* Their calls are freed with their lanes, ends and all. */
static void free_legs(struct session *session)
{
    while (session->legs) {
        struct leg *leg = session->legs;
        session->legs = leg->next;
        free(leg->closing);
        free(leg);
    }
}

void phone_session_ended(struct session *session)
{
    if (session->lane->node->has_ended) {
        free_legs(session);
        return;
    }
    while (session->legs)
        leg_leave(session->legs, session, true, CAUSE_NORMAL_CLEARING);
}

void phone_session_away(struct session *session)
{
    struct leg *leg = session->legs;

    while (leg) {
        struct leg *next = leg->next;
        if (!leg->is_talking) leg_leave(leg, session, true, CAUSE_NORMAL_CLEARING);
        leg = next;
    }
}

static struct leg *leg_of_name(const struct session *session, struct bytes name)
{
    struct leg *leg = session->legs;

    while (leg && !bytes_equal(bytes_of(leg->name, leg->name_len), name))
        leg = leg->next;
    return leg;
}

static struct leg *leg_of_key(const struct session *session, uint64_t key)
{
    struct leg *leg = session ? session->legs : NULL;

    while (leg && leg->key != key)
        leg = leg->next;
    return leg;
}

/* ---- what the client is told ---- */

static const struct buf *write_news(struct session *session, const struct phone_news *news)
{
    struct dialect_session words = session_words(session);
    struct buf *body = lane_body(session->lane);

    dialect_of_socket()->phone_tell(body, &words, news);
    return body;
}

static void tell(struct session *session, const struct phone_news *news)
{
    session_send(session, write_news(session, news));
}

/* An answer that the caller's client cannot be told ends the call for both. */
static void tell_answer(struct session *session, struct leg *leg, struct phone_news *news)
{
    const struct buf *text = write_news(session, news);

    if (session_has_room(session, text)) {
        leg->is_talking = true;
        session_send(session, text);
        return;
    }
    news->kind = PHONE_ENDED;
    news->cause = CAUSE_DESTINATION_OUT_OF_ORDER;
    tell(session, news);
    leg_leave(leg, session, true, news->cause);
}

static bool may_follow(const struct leg *leg, const struct session *session)
{
    struct address dialled = {
        .id = leg->address, .project = session->holder.project, .resource = leg->resource};

    return upgrade_moves_call(&session->holder, leg->is_caller, &dialled);
}

/* Its client had a call that it may not go on with: both sides are told. */
static void end_call(struct session *session, struct session *old, struct leg *leg)
{
    struct phone_news news = {
        .kind = PHONE_ENDED, .leg = bytes_of(leg->name, leg->name_len), .cause = CAUSE_CALL_REJECTED};

    tell(session, &news);
    leg_leave(leg, old, false, news.cause);
}

void phone_session_follows(struct session *session, struct session *old)
{
    struct leg **at = &old->legs, *leg;

    while ((leg = *at) != NULL)
        if (may_follow(leg, session)) {
            *at = leg->next;
            old->leg_count--;
            leg->next = session->legs;
            session->legs = leg;
            session->leg_count++;
        } else
            end_call(session, old, leg); /* which takes it out */
}

static void answer(struct session *session, const struct phone_ask *ask)
{
    struct dialect_session words = session_words(session);
    struct buf *body = lane_body(session->lane);

    dialect_of_socket()->phone_answer(body, &words, ask);
    session_send(session, body);
}

static void refuse(struct session *session, const struct phone_ask *ask, const struct refused *refused,
                   enum err error, const struct finding *finding)
{
    const struct dialect *dialect = dialect_of_socket();
    struct buf *body = lane_body(session->lane);
    struct bytes data =
        socket_refusal_data(session->lane, session->socket, bytes_of_text(dialect->phone_method), finding);

    dialect->phone_refuse(body, ask, refused, error, data);
    session_send(session, body);
}

/* Opened where the session is. A leg that has gone meanwhile needs nothing; that it has gone is on its way
 * home. */
void leg_opens(struct session_letter *base, struct session *session)
{
    struct leg_letter *letter = (struct leg_letter *)(void *)base;
    struct leg *leg = leg_of_key(session, letter->key);
    struct phone_news news = {
        .kind = letter->kind, .cause = letter->cause, .sdp = bytes_of(letter->sdp, letter->sdp_len)};

    if (leg) {
        news.leg = bytes_of(leg->name, leg->name_len);
        if (letter->kind == PHONE_ANSWERED)
            tell_answer(session, leg, &news);
        else {
            tell(session, &news);
            leg_leave(leg, session, false, letter->cause);
        }
    }
    free(letter);
}

void reply_opens(struct session_letter *base, struct session *session)
{
    struct reply_letter *letter = (struct reply_letter *)(void *)base;
    bool is_refused = letter->refused.refusal || letter->error;
    struct leg *leg = leg_of_key(session, letter->key);
    bool is_own = session && session_is_named(session, &base->to); /* another never asked */
    struct phone_ask ask = {.verb = PHONE_DIAL,
                            .id = bytes_of(letter->id, letter->id_len),
                            .leg = bytes_of(letter->leg, letter->leg_len)};

    if (letter->has_inner) ask.inner_id = bytes_of(letter->inner, letter->inner_len);
    if (is_own && is_refused)
        refuse(session, &ask, &letter->refused, letter->error, &letter->finding);
    else if (is_own)
        answer(session, &ask);
    if (leg) {
        leg->address = letter->address;
        leg->resource = letter->resource;
    }
    if (leg && is_refused) leg_leave(leg, session, false, CAUSE_NORMAL_CLEARING);
    free(letter);
}

/* ---- what the client says ---- */

static struct finding finding_of(const struct session *session, enum refusal refusal, enum err error,
                                 const char *check)
{
    struct finding finding = {.refusal = refusal,
                              .error = error,
                              .project = session->holder.project,
                              .user = session->holder.user,
                              .family = session->holder.family};

    finding_check(&finding, check);
    return finding;
}

static void refuse_member(struct session *session, const struct phone_ask *ask, const struct refused *refused)
{
    struct finding finding = finding_of(session, refused->refusal, ERR_OK, "phone.params");

    finding_expected(&finding, "%s: it %s", finding_field(refused->field), refused->because);
    finding_seen(&finding, "one that does not");
    refuse(session, ask, refused, ERR_OK, &finding);
}

static void refuse_too_many(struct session *session, const struct phone_ask *ask, const char *which)
{
    struct refused refused = {REFUSAL_RATE_LIMITED, FIELD_NONE, "too many calls at once"};
    struct finding finding = finding_of(session, refused.refusal, ERR_OK, "phone.calls");

    finding_expected(&finding, "no more calls at once than %s allows", which);
    finding_seen(&finding, "one more");
    refuse(session, ask, &refused, ERR_OK, &finding);
}

/* A client that was reloaded asks again for the call that it had. If its leg is still here the call goes on;
 * nobody is rung twice. */
static void refuse_again(struct session *session, const struct phone_ask *ask)
{
    struct refused refused = {REFUSAL_DESTINATION_UNKNOWN, FIELD_CALL, "that call is over"};
    struct finding finding = finding_of(session, refused.refusal, ERR_OK, "phone.again");

    finding_expected(&finding, "a call that its session takes part in");
    finding_seen(&finding, "one that is over, or another session's");
    refuse(session, ask, &refused, ERR_OK, &finding);
}

static void fail(struct session *session, const struct phone_ask *ask, enum err error)
{
    struct refused refused = {0};
    struct finding finding = finding_of(session, REFUSAL_NONE, error, "phone.memory");

    finding_expected(&finding, "memory for a call");
    finding_seen(&finding, "none");
    refuse(session, ask, &refused, error, &finding);
}

static void dial(struct session *session, const struct phone_ask *ask)
{
    struct leg *leg;
    enum err e;

    if (leg_of_name(session, ask->leg)) {
        answer(session, ask);
        return;
    }
    if (ask->is_again) {
        refuse_again(session, ask);
        return;
    }
    if (session->leg_count >= SESSION_LEGS_MAX) {
        refuse_too_many(session, ask, "a session");
        return;
    }
    e = call_begin(&leg, session, ask);
    if (e == ERR_LIMIT)
        refuse_too_many(session, ask, "calls_max, calls_per_user_max or calls_per_resource_max");
    else if (e)
        fail(session, ask, e);
    else {
        leg_enter(leg, session, ask->leg);
        call_go(leg->end->call);
    }
}

/* Too late, or nobody's: the client shall not wait for media that never comes. */
static void end_stray(struct session *session, const struct phone_ask *ask)
{
    struct phone_news news = {.kind = PHONE_ENDED, .leg = ask->leg, .cause = CAUSE_NORMAL_CLEARING};

    tell(session, &news);
}

static void take_answer(struct session *session, const struct phone_ask *ask)
{
    struct leg *leg = leg_of_name(session, ask->leg);
    struct call_letter *letter;

    if (!leg || leg->is_caller) {
        answer(session, ask);
        if (!leg) end_stray(session, ask);
        return;
    }
    letter = calloc(1, sizeof *letter + ask->sdp.len);
    if (!letter) {
        fail(session, ask, ERR_NO_MEMORY);
        leg_leave(leg, session, true, CAUSE_NORMAL_CLEARING);
        return;
    }
    letter->mail.open = call_opens;
    letter->end = leg->end;
    letter->is_answer = true;
    letter->sdp_len = ask->sdp.len;
    memcpy(letter->sdp, ask->sdp.ptr, ask->sdp.len);
    leg->is_talking = true; /* unless another was first: then its farewell is on its way */
    answer(session, ask);
    loop_post(leg->home->loop, &letter->mail);
}

static void hang_up(struct session *session, const struct phone_ask *ask)
{
    struct leg *leg = leg_of_name(session, ask->leg);

    answer(session, ask);
    if (leg) leg_leave(leg, session, false, ask->cause);
}

void phone_message(struct session *session, const struct rpc_message *call)
{
    struct refused refused = {0};
    struct phone_ask ask;

    dialect_of_socket()->phone_decode(&ask, &refused, call);
    if (refused.refusal) {
        refuse_member(session, &ask, &refused);
        return;
    }
    switch (ask.verb) {
    case PHONE_OTHER:
        answer(session, &ask);
        break;
    case PHONE_DIAL:
        dial(session, &ask);
        break;
    case PHONE_ANSWER:
        take_answer(session, &ask);
        break;
    case PHONE_HANG_UP:
        hang_up(session, &ask);
        break;
    }
}
