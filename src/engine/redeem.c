#include "engine/redeem.h"

#include <string.h>

#include "engine/age.h"
#include "engine/ticket.h"

enum { ROW_ONCE, ROW_USER }; /* places in the plan */

static bool is_key_of(const struct fact_key *key, const struct uuid *project)
{
    return key && key->kind == KEY_PUBLISHABLE && !key->is_retired && uuid_equal(&key->project, project);
}

enum refusal redeem_check(const struct redeem_facts *facts, const struct ask_redeem *ask,
                          const struct ticket *ticket, int64_t now_ms)
{
    const struct fact_project *project = facts->project;
    bool names_key = ask->needs_publishable_key || !bytes_is_absent(ask->publishable_key);

    if (!project || ticket->kind != ask->kind) return REFUSAL_TICKET_INVALID;
    if (names_key && !is_key_of(facts->publishable, &project->id)) return REFUSAL_PUBLISHABLE_KEY;
    if (age_now_ms(now_ms, project->age_ms, ticket->age_ms) >= ticket_end_ms(ticket))
        return REFUSAL_TICKET_EXPIRED;
    /* whatever the clock says: it may have been set back, and whether the id was used nobody
     * knows any more */
    if (ticket->exp_s <= facts->pruned_through_s) return REFUSAL_TICKET_EXPIRED;
    if (ticket->gt_ms <= facts->cutoff_ms) return REFUSAL_TOKEN_CUT_OFF;
    return REFUSAL_NONE;
}

bool redeem_needs_user(const struct ticket *ticket)
{
    return ticket->kind == TICKET_LAUNCH && !ticket->is_new_user;
}

static struct write *gate(struct plan *out, enum write_kind kind)
{
    struct write *write = &out->writes[out->write_count++];

    write->kind = kind;
    write->is_gate = true;
    return write;
}

static void plan_once(struct plan *out, const struct ticket *ticket)
{
    struct write *write = gate(out, WRITE_ONCE);

    write->once.id = ticket->id;
    /* past the ticket's last moment, so that it is still remembered in it */
    write->once.bucket_s = (ticket->exp_s / REDEEM_BUCKET_S + 1) * REDEEM_BUCKET_S;
}

static void plan_new_user(struct plan *out, const struct ticket *ticket, int64_t now_ms)
{
    struct write *write = gate(out, WRITE_USER);
    struct user *user = &write->user.user;

    user->id = ticket->user;
    user->project = ticket->project;
    user->kind = ticket->kind == TICKET_LAUNCH ? USER_EMBEDDED : USER_PARTICIPANT;
    user->external_id = ticket->external_id;
    user->payload = ticket->payload;
    user->created_ms = user->updated_ms = now_ms;
    write->gt_ms = ticket->gt_ms; /* a removal that came first is not undone */
    /* a participant who was here before goes on; a launch that makes a user makes it once */
    write->is_gate = ticket->is_new_user;
}

/* Also without a payload: it is by this write that the user is still there when the ticket is consumed. */
static void plan_known_user(struct plan *out, const struct redeem_facts *facts, const struct ticket *ticket,
                            int64_t now_ms)
{
    struct write *write = gate(out, WRITE_PAYLOAD);

    write->payload.project = ticket->project;
    write->payload.user = ticket->user;
    write->payload.payload = facts->payload;
    write->payload.external_id = ticket->external_id;
    write->payload.if_updated_ms = facts->user->updated_ms;
    /* the stamp is what tells one change from the next, so it moves by each, however fast they come */
    write->payload.now_ms = now_ms > facts->user->updated_ms ? now_ms : facts->user->updated_ms + 1;
}

static void draw_grant(struct grant *out, const struct fact_project *project, const struct ticket *ticket,
                       int64_t now_ms, const struct dice *dice)
{
    bool is_launch = ticket->kind == TICKET_LAUNCH;

    out->kind = is_launch ? TOKEN_EMBEDDED : TOKEN_PARTICIPANT;
    out->user_kind = is_launch ? USER_EMBEDDED : USER_PARTICIPANT;
    out->project = ticket->project;
    out->user = ticket->user;
    uuid_draw(&out->jti, dice);
    out->family = ticket->id;
    out->parent_key = ticket->parent_key;
    out->gt_ms = ticket->gt_ms; /* the root's: a cutoff of the key or user voids the session too */
    out->age_ms = project->age_ms;
    out->iat_s = now_ms / 1000;
    out->exp_s = out->iat_s + project->setting[is_launch ? SETTING_EMBEDDED_LIFE : SETTING_PARTICIPANT_LIFE];
    out->absolute_end_s = out->exp_s; /* it is not renewed: the backend is asked for another ticket */
}

void redeem_plan(struct plan *out, const struct redeem_facts *facts, const struct ask_redeem *ask,
                 const struct ticket *ticket, int64_t now_ms, const struct dice *dice)
{
    memset(out, 0, sizeof *out);
    out->ticket = *ticket;
    out->refused.refusal = redeem_check(facts, ask, ticket, now_ms);
    if (!out->refused.refusal && redeem_needs_user(ticket)) {
        if (!ticket_may_resume(facts->user))
            out->refused.refusal = REFUSAL_USER_GONE;
        else if (facts->payload.len > PAYLOAD_MAX) /* it has grown since the launch */
            out->refused = (struct refused){REFUSAL_PARAMETER_INVALID, FIELD_PAYLOAD,
                                            "is too long, with what the user has already"};
    }
    if (out->refused.refusal) return;
    plan_once(out, ticket);
    if (redeem_needs_user(ticket))
        plan_known_user(out, facts, ticket, now_ms);
    else
        plan_new_user(out, ticket, now_ms);
    draw_grant(&out->grant, facts->project, ticket, now_ms, dice);
}

bool redeem_met_change(const struct plan *plan, const struct row *rows)
{
    return !plan->refused.refusal && plan->write_count && plan->writes[ROW_USER].kind == WRITE_PAYLOAD &&
           rows[ROW_ONCE].state != ROW_EXISTS && rows[ROW_USER].state == ROW_EXISTS;
}

/* Nothing is left to an order of events: whatever did not happen as planned is no session. */
static enum refusal refusal_of(const struct write *user, const struct row *rows)
{
    if (rows[ROW_ONCE].state == ROW_EXISTS) return REFUSAL_TICKET_USED;
    if (rows[ROW_USER].state == ROW_ABSENT)
        return user->kind == WRITE_USER ? REFUSAL_TOKEN_CUT_OFF : REFUSAL_USER_GONE;
    if (rows[ROW_ONCE].state != ROW_WRITTEN) return REFUSAL_TICKET_USED;
    if (rows[ROW_USER].state == ROW_WRITTEN) return REFUSAL_NONE;
    if (user->is_gate || rows[ROW_USER].state != ROW_EXISTS) return REFUSAL_TICKET_USED;
    return rows[ROW_USER].user.kind == USER_PARTICIPANT ? REFUSAL_NONE : REFUSAL_USER_GONE;
}

void redeem_settle(struct decision *out, const struct plan *plan, const struct row *rows)
{
    memset(out, 0, sizeof *out);
    out->refused = plan->refused;
    if (out->refused.refusal) return;
    out->refused.refusal = refusal_of(&plan->writes[ROW_USER], rows);
    if (!out->refused.refusal) out->grant = plan->grant;
}
