#include "engine/ticket.h"

#include <string.h>

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

static bool has_control(struct bytes b)
{
    size_t i;

    for (i = 0; i < b.len; i++)
        if (b.ptr[i] < 0x20 || b.ptr[i] == 0x7f) return true;
    return false;
}

static struct refused check_external_id(struct bytes id)
{
    if (id.len > EXTERNAL_ID_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_EXTERNAL_ID, "is too long (at most 255 bytes)");
    if (has_control(id))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_EXTERNAL_ID, "holds a control character");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static struct refused check_payload(size_t payload_bytes)
{
    if (payload_bytes > PAYLOAD_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD,
                      "is too long, with what the user has already (at most 2048 bytes)");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

struct refused ticket_check_launch(const struct ask_launch *ask)
{
    struct refused refused = check_external_id(ask->external_id);

    return refused.refusal ? refused : check_payload(ask->payload.len);
}

struct refused ticket_check_bootstrap(const struct ask_bootstrap *ask)
{
    /* an empty id would make one participant of everybody whose id the caller forgot */
    if (!bytes_is_absent(ask->external_id) && !ask->external_id.len)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_EXTERNAL_ID, "can't be blank");
    return check_external_id(ask->external_id);
}

bool ticket_may_resume(const struct user *user)
{
    return user && user->kind == USER_EMBEDDED;
}

int64_t ticket_end_ms(const struct ticket *ticket)
{
    int64_t late_ms = ticket->gt_ms - ticket->iat_s * 1000;

    return ticket->exp_s * 1000 + (late_ms > 0 && late_ms < 1000 ? late_ms : 0);
}

static void draw(struct ticket *out, enum ticket_kind kind, const struct ticket_facts *facts, int64_t life_s,
                 int64_t now_ms, const struct dice *dice)
{
    out->kind = kind;
    uuid_draw(&out->id, dice);
    out->project = facts->project->id;
    out->parent_key = facts->key->public_id;
    out->gt_ms = facts->cutoff_ms >= now_ms ? facts->cutoff_ms + 1 : now_ms;
    out->iat_s = now_ms / 1000;
    out->exp_s = out->iat_s + life_s;
    out->age_ms = facts->project->age_ms;
}

void ticket_plan_launch(struct plan *out, const struct ticket_facts *facts, const struct ask_launch *ask,
                        int64_t now_ms, const struct dice *dice)
{
    struct ticket *ticket = &out->ticket;

    memset(out, 0, sizeof *out);
    out->refused = ticket_check_launch(ask);
    if (!out->refused.refusal) out->refused = check_payload(facts->payload_bytes);
    if (out->refused.refusal) return;
    draw(ticket, TICKET_LAUNCH, facts, facts->project->setting[SETTING_LAUNCH_LIFE], now_ms, dice);
    ticket->is_new_user = !ticket_may_resume(facts->user);
    /* an id that was supplied is never adopted: it could be another tenant's, or one that was removed */
    if (ticket->is_new_user)
        uuid_draw(&ticket->user, dice);
    else
        ticket->user = facts->user->id;
    ticket->external_id = ask->external_id;
    ticket->payload = ask->payload;
}

void ticket_plan_bootstrap(struct plan *out, const struct ticket_facts *facts,
                           const struct ask_bootstrap *ask, int64_t now_ms, const struct dice *dice)
{
    struct ticket *ticket = &out->ticket;

    memset(out, 0, sizeof *out);
    out->refused = ticket_check_bootstrap(ask);
    if (out->refused.refusal) return;
    draw(ticket, TICKET_BOOTSTRAP, facts, facts->project->setting[SETTING_BOOTSTRAP_LIFE], now_ms, dice);
    ticket->is_new_user = !facts->known_as;
    if (facts->known_as)
        ticket->user = *facts->known_as;
    else
        uuid_draw(&ticket->user, dice);
    ticket->external_id = ask->external_id;
}
