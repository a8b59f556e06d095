/* phone_call.c — a call at home: from the dial to the last leg's goodbye, by the engine's table. */
#include "server/phone_inside.h"
#include "server/showroom.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "wire/sdp.h"

/* ---- counting ---- */

/* The tokens of a click-to-call resource speak for a new visitor each, so that they count together. */
static bool counts_by_resource(const struct holder *holder)
{
    return !uuid_is_zero(&holder->resource);
}

static uint16_t slot_of(const struct node *node, const struct holder *holder)
{
    const struct uuid *of = counts_by_resource(holder) ? &holder->resource : &holder->user;

    return (uint16_t)(bytes_hash(uuid_bytes(of), node->parking_seed) % CALL_SLOTS);
}

static void uncount(struct call *call)
{
    struct node *node = call->home->node;

    atomic_fetch_sub(&node->calls, 1);
    atomic_fetch_sub(&node->calls_by_caller[call->slot], 1);
    lane_count(call->home, COUNT_CALLS, -1);
}

static bool count(struct call *call, const struct holder *holder)
{
    struct node *node = call->home->node;
    int64_t most =
        counts_by_resource(holder) ? node->config->calls_per_resource_max : node->config->calls_per_user_max;
    int64_t in_all, of_caller;

    call->slot = slot_of(node, holder);
    in_all = atomic_fetch_add(&node->calls, 1);
    of_caller = atomic_fetch_add(&node->calls_by_caller[call->slot], 1);
    lane_count(call->home, COUNT_CALLS, 1);
    if (in_all < node->config->calls_max && of_caller < most) return true;
    uncount(call);
    return false;
}

/* ---- memory ---- */

void dial_free(struct dial *dial)
{
    if (!dial) return;
    free(dial->reply);
    arena_release(&dial->arena);
    buf_release(&dial->offer);
    free(dial);
}

static void free_ends(struct end *end)
{
    while (end) {
        struct end *next = end->next;
        end_free(end);
        end = next;
    }
}

static void call_free(struct call *call)
{
    dial_free(call->dial);
    end_free(call->caller);
    free_ends(call->callees);
    free(call);
}

static void take_out(struct call *call)
{
    if (call->next) call->next->prev = call->prev;
    if (call->prev)
        call->prev->next = call->next;
    else
        call->home->calls = call->next;
}

void calls_free(struct lane *lane)
{
    struct call *call = lane->calls;

    lane->calls = NULL;
    while (call) {
        struct call *next = call->next;
        struct dial *dial = call->dial;
        unsigned i;
        /* legs that a letter never brought home are freed with their sessions; their ends are here */
        for (i = 0; dial && dial->letters_out && i < lane->node->lane_count; i++)
            free_ends(dial->letters[i].rung);
        call_free(call);
        call = next;
    }
}

/* Nobody points to it any more: no letter is under way, and every leg has said that it is gone. */
static void free_if_done(struct call *call)
{
    const struct end *end;

    if (call->state != CALL_OVER || call->dial || !call->caller->is_gone) return;
    for (end = call->callees; end; end = end->next)
        if (!end->is_gone) return;
    take_out(call);
    deadline_clear(call->home->loop, &call->deadline);
    uncount(call);
    call_free(call);
}

/* ---- the table, carried out ---- */

static void bid_farewell(struct end *end, enum call_cause cause)
{
    struct leg_letter *letter = end->farewell;

    if (end->is_told || end->is_gone) return;
    end->is_told = true;
    end->farewell = NULL;
    letter->cause = cause;
    session_post(end->call->home, &letter->base);
}

static void bid_all(struct end *ends, const struct end *but, enum call_cause cause)
{
    for (; ends; ends = ends->next)
        if (ends != but) bid_farewell(ends, cause);
}

static void time_over(struct deadline *deadline);

/* The answer that came: to the caller. */
static void join(struct call *call, struct leg_letter *news)
{
    int64_t until_ms = loop_tick_ms(call->home->loop) + call->home->node->config->call_max_s * 1000;
    enum err e = deadline_set(call->home->loop, &call->deadline, until_ms, time_over);

    (void)e; /* it is set already: moving it cannot fail */
    session_post(call->home, &news->base);
    bid_all(call->callees, call->talking, call_cause_of(CALL_RINGING, CALL_LEG_ANSWERED));
}

/* about: the ends that the event is about, if any; alone: only the first of them. */
static enum call_effect apply(struct call *call, enum call_event event, enum call_cause cause)
{
    struct call_step step = call_step(call->state, event);

    if (step.state == CALL_OVER && call->state != CALL_OVER)
        log_debug("call_over", log_text("in", call_state_name(call->state)),
                  log_text("cause", call_cause_text(cause)));
    call->state = step.state;
    switch (step.effect) {
    case CALL_IGNORE:
    case CALL_KEEP_RINGING:
    case CALL_JOIN:     /* the one who brings the answer carries it on */
    case CALL_DROP_LEG: /* and who knows which leg */
        break;
    case CALL_TELL_CALLER:
        bid_farewell(call->caller, cause);
        break;
    case CALL_TELL_CALLEES:
        bid_all(call->callees, NULL, cause);
        break;
    case CALL_TELL_ALL:
        bid_farewell(call->caller, cause);
        bid_all(call->callees, NULL, cause);
        break;
    }
    return step.effect;
}

static enum call_effect apply_usual(struct call *call, enum call_event event)
{
    return apply(call, event, call_cause_of(call->state, event));
}

static void time_over(struct deadline *deadline)
{
    struct call *call = (struct call *)(void *)((char *)deadline - offsetof(struct call, deadline));

    (void)apply_usual(call, CALL_TIME_UP);
    free_if_done(call);
}

/* ---- legs speak ---- */

static bool is_ringing(const struct call *call)
{
    const struct end *end = call->callees;

    while (end && (end->is_gone || end->is_told))
        end = end->next;
    return end != NULL;
}

/* The last one that could answer is out. */
static void give_up(struct call *call, bool is_lost)
{
    if (call->is_busy || !is_lost)
        (void)apply_usual(call, CALL_LEGS_REFUSED);
    else
        (void)apply(call, CALL_LEGS_REFUSED, CAUSE_DESTINATION_OUT_OF_ORDER);
}

/* Who loses its session hangs up by that, without having meant to. */
static void leg_gone(struct call *call, struct end *end, const struct call_letter *letter)
{
    enum call_cause cause = letter->is_lost ? CAUSE_DESTINATION_OUT_OF_ORDER : letter->cause;

    end->is_gone = true;
    if (end == call->caller) {
        if (call->state == CALL_TALKING)
            (void)apply(call, CALL_CALLER_LEFT, cause);
        else
            (void)apply_usual(call, CALL_CALLER_LEFT);
    } else if (end == call->talking)
        (void)apply(call, CALL_CALLEE_LEFT, cause);
    else if (call->state == CALL_RINGING) {
        if (!letter->is_lost) call->is_busy = true;
        if (is_ringing(call) || call->dial)
            (void)apply_usual(call, CALL_LEG_REFUSED);
        else
            give_up(call, letter->is_lost);
    }
}

static struct leg_letter *carry_answer(const struct end *caller, const struct call_letter *answer)
{
    struct leg_letter *news = calloc(1, sizeof *news + answer->sdp_len);

    if (!news) return NULL;
    news->base.open = leg_opens;
    news->base.to = caller->at;
    news->key = caller->key;
    news->kind = PHONE_ANSWERED;
    news->sdp_len = answer->sdp_len;
    memcpy(news->sdp, answer->sdp, answer->sdp_len);
    return news;
}

static void leg_answered(struct call *call, struct end *end, const struct call_letter *letter)
{
    struct leg_letter *news;

    if (end->is_told || end == call->talking)
        return; /* a farewell is on its way there, or it said so twice */
    news = carry_answer(call->caller, letter);
    if (!news) {
        (void)apply(call, CALL_CUT, CAUSE_DESTINATION_OUT_OF_ORDER);
        return;
    }
    if (apply_usual(call, CALL_LEG_ANSWERED) == CALL_JOIN) {
        call->talking = end;
        join(call, news);
    } else {
        bid_farewell(end, CAUSE_ANSWERED_ELSEWHERE);
        free(news);
    }
}

void call_opens(struct mail *mail)
{
    struct call_letter *letter = (struct call_letter *)(void *)mail;
    struct end *end = letter->end;
    struct call *call = end->call;

    if (letter->is_answer)
        leg_answered(call, end, letter);
    else
        leg_gone(call, end, letter);
    free(letter);
    free_if_done(call);
}

bool call_rang(struct call *call, struct ring_letter *letter)
{
    struct end *rung = letter->rung;
    enum call_cause late =
        call_cause_of(call->state, call->state == CALL_TALKING ? CALL_RANG : CALL_CALLER_LEFT);

    call->is_busy = call->is_busy || letter->is_busy;
    letter->rung = NULL;
    while (rung) {
        struct end *end = rung;
        rung = end->next;
        end->next = call->callees;
        call->callees = end;
        if (apply_usual(call, CALL_RANG) == CALL_DROP_LEG) bid_farewell(end, late);
    }
    return call->state == CALL_ASKED || call->state == CALL_RINGING;
}

void call_all_rang(struct call *call)
{
    dial_free(call->dial);
    call->dial = NULL;
    if (call->state == CALL_ASKED)
        (void)apply(call, CALL_NOBODY, call->is_busy ? CAUSE_USER_BUSY : CAUSE_USER_NOT_REGISTERED);
    else if (call->state == CALL_RINGING && !is_ringing(call))
        give_up(call, !call->is_busy);
    free_if_done(call);
}

/* ---- dialling ---- */

/* The answer to the dial goes first: what comes after it is about a call that the client knows. */
static void dialled(struct run *run)
{
    struct dial *dial = run->owner;
    struct call *call = dial->call;
    struct reply_letter *reply = dial->reply;
    bool is_granted = run->outcome.kind == OUTCOME_DIALLED;

    dial->reply = NULL;
    if (!is_granted) {
        reply->refused = run->outcome.kind == OUTCOME_REFUSED ? run->outcome.refused : (struct refused){0};
        reply->error = reply->refused.refusal ? ERR_OK : run->outcome.error;
        reply->finding = run->finding;
        call->caller->is_told = true; /* by that */
    } else {
        if (call->home->flow)
            showroom_session(call->home, &run->outcome.holder, "dial", FLOW_BIT(FLOW_SESSION));
        reply->address = run->outcome.dialled.address;
        reply->resource = run->outcome.dialled.resource;
    }
    session_post(call->home, &reply->base);
    if (is_granted && call->state == CALL_ASKED && !uuid_is_zero(&run->outcome.dialled.callee)) {
        ring_begin(dial);
        return;
    }
    call->dial = NULL;
    dial_free(dial);
    (void)apply_usual(call, CALL_NOBODY);
    free_if_done(call);
}

void call_go(struct call *call)
{
    struct run *run = &call->dial->run;
    struct loop *loop = call->home->loop;

    run->now_ms = loop_now_ms(loop);
    run->wall_ms = loop_wall_ms(loop);
    run->step_ms = loop_step_ms(loop);
    run->arena = &call->dial->arena;
    run->done = dialled;
    run->owner = call->dial;
    service_start(call->home->service, run);
}

static enum sdp_candidates candidates_of(const struct config *config)
{
    if (!strcmp(config->offer_candidates, "drop-host")) return SDP_DROP_HOST;
    return strcmp(config->offer_candidates, "none") ? SDP_ALL : SDP_NONE;
}

static struct reply_letter *reply_new(const struct leg *leg, const struct phone_ask *ask)
{
    struct reply_letter *reply = calloc(1, sizeof *reply);

    if (!reply) return NULL;
    reply->base.open = reply_opens;
    reply->base.to = leg->end->at;
    reply->key = leg->key;
    reply->id_len = ask->id.len; /* the reader of envelopes and the dialect have seen to the lengths */
    memcpy(reply->id, ask->id.ptr, ask->id.len);
    reply->leg_len = ask->leg.len;
    memcpy(reply->leg, ask->leg.ptr, ask->leg.len);
    reply->has_inner = !bytes_is_absent(ask->inner_id);
    reply->inner_len = ask->inner_id.len;
    if (reply->inner_len) memcpy(reply->inner, ask->inner_id.ptr, reply->inner_len);
    return reply;
}

static enum err dial_new(struct dial **out, const struct session *session, const struct leg *leg,
                         const struct phone_ask *ask)
{
    const struct node *node = session->lane->node;
    struct dial *dial = calloc(1, sizeof *dial + node->lane_count * sizeof dial->letters[0]);
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!dial) return e;
    arena_init(&dial->arena, RUN_ARENA_MAX);
    buf_init(&dial->offer, SDP_MAX);
    memcpy(dial->caller, session->name, SESSION_NAME_LEN);
    dial->call = leg->end->call;
    dial->run.ask.kind = ASK_DIAL;
    dial->run.ask.dial.holder = &session->holder;
    dial->run.ask.dial.destination = arena_copy(&dial->arena, ask->destination);
    dial->reply = reply_new(leg, ask);
    if (!dial->reply || arena_copy_failed(ask->destination, dial->run.ask.dial.destination)) goto done;
    TRY(e = sdp_rewrite_offer(&dial->offer, ask->sdp, candidates_of(node->config)), done);
    *out = dial;
    dial = NULL;
done:
    dial_free(dial);
    return e;
}

static void put_in(struct call *call)
{
    call->next = call->home->calls;
    if (call->next) call->next->prev = call;
    call->home->calls = call;
}

enum err call_begin(struct leg **out, const struct session *session, const struct phone_ask *ask)
{
    struct lane *home = session->lane;
    struct call *call = calloc(1, sizeof *call);
    struct leg *leg = call ? leg_new(call, home, session) : NULL;
    int64_t until_ms = loop_tick_ms(home->loop) + home->node->config->ring_timeout_s * 1000;
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!leg) goto done;
    call->home = home;
    call->state = CALL_ASKED;
    leg->is_caller = true;
    TRY(e = dial_new(&call->dial, session, leg, ask), done);
    TRY(e = count(call, &session->holder) ? ERR_OK : ERR_LIMIT, done);
    e = deadline_set(home->loop, &call->deadline, until_ms, time_over);
    if (e) {
        uncount(call);
        goto done;
    }
    call->caller = leg->end;
    put_in(call);
    *out = leg;
    return ERR_OK;
done:
    if (call) dial_free(call->dial);
    leg_free(leg);
    free(call);
    return e;
}
