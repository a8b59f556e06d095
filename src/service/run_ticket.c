/* run_ticket.c — the ways of a launch and of a bootstrap: key, user, plan, seal. Nothing is written. */
#include <string.h>

#include "base/secret.h"
#include "engine/ticket.h"
#include "service/service_run.h"

static void seal(struct run *run)
{
    const struct ticket *ticket = &run->plan.ticket;
    struct buf *text = &run->service->issuer.text;
    struct bytes sealed = BYTES_NONE;
    enum err e;

    buf_reset(text);
    e = issue_ticket(text, &run->service->issuer, ticket);
    if (!e) {
        sealed = arena_copy(run->arena, buf_bytes(text));
        if (bytes_is_absent(sealed)) e = ERR_NO_MEMORY;
    }
    if (text->len) secret_wipe(text->ptr, text->len);
    if (e) {
        run_fail(run, e);
        return;
    }
    run->outcome.ticket.text = sealed;
    run->outcome.ticket.user = ticket->user;
    run->outcome.ticket.iat_s = ticket->iat_s;
    run->outcome.ticket.exp_s = ticket->exp_s;
    run_finish(run, OUTCOME_TICKET);
}

static void settle(struct run *run)
{
    const struct refused *refused = &run->plan.refused;

    if (refused->refusal)
        run_refuse_as(run, refused);
    else
        seal(run);
}

static int64_t cutoff_ms(const struct run *run, const struct uuid *user)
{
    return run_cutoff_ms(
        run, &(struct lineage){.project = &run->project->id, .key = run->key->public_id, .user = user});
}

static void plan_launch(struct run *run, const struct user *user)
{
    struct bytes merged = run->ask.launch.payload;
    struct ticket_facts facts = {
        .project = run->project, .key = run->key, .user = ticket_may_resume(user) ? user : NULL};
    enum err e = facts.user ? run_merge_payload(&merged, run, user->payload, merged) : ERR_OK;

    /* too large to be looked at is too large to be kept */
    facts.payload_bytes = e == ERR_TOO_LARGE ? SIZE_MAX : merged.len;
    if (e && e != ERR_TOO_LARGE) {
        run_fail(run, e);
        return;
    }
    facts.cutoff_ms = cutoff_ms(run, facts.user ? &user->id : NULL);
    ticket_plan_launch(&run->plan, &facts, &run->ask.launch, run->now_ms, &run->service->options.dice);
    settle(run);
}

static void user_read(struct run *run)
{
    plan_launch(run, run->read.found ? &run->read.user : NULL);
}

static bool may_mint(struct run *run)
{
    return run_authenticate_key(run) && run_limit(run, LIMIT_MINT_KEY, run->key->public_id) &&
           run_limit(run, LIMIT_MINT_PROJECT, uuid_bytes(&run->project->id));
}

void run_launch(struct run *run)
{
    struct refused refused;

    if (!may_mint(run) || !run_goes_on(run)) return;
    refused = ticket_check_launch(&run->ask.launch);
    if (refused.refusal)
        run_refuse_as(run, &refused);
    else if (run->ask.launch.has_user)
        run_read(run, READ_USER_BY_ID, &run->project->id, &run->ask.launch.user, BYTES_NONE, user_read);
    else
        plan_launch(run, NULL);
}

#define NAME_MAX (sizeof(struct uuid) + EXTERNAL_ID_MAX + 16)

/* Who an external id of this project is: the same for ever, guessed by nobody, and told from no row. RFC 9562
 * §5.8: version 8 is for ids of one's own making. */
static enum err known_as(struct uuid *out, struct run *run, struct bytes external_id)
{
    uint8_t hash[KEY_HASH_LEN];
    struct buf name;
    enum err e;

    buf_init(&name, NAME_MAX);
    buf_append_text(&name, "participant"); /* what else is hashed with this key begins with no such word */
    buf_append_byte(&name, 0);
    buf_append(&name, uuid_bytes(&run->project->id));
    buf_append(&name, external_id);
    e = buf_error(&name);
    if (!e) e = keyring_hash(hash, &run->service->bench, buf_bytes(&name));
    buf_release(&name);
    if (e) return e;
    memcpy(out->byte, hash, sizeof out->byte);
    out->byte[6] = (uint8_t)((out->byte[6] & 0x0f) | 0x80);
    out->byte[8] = (uint8_t)((out->byte[8] & 0x3f) | 0x80);
    return ERR_OK;
}

void run_bootstrap(struct run *run)
{
    const struct ask_bootstrap *ask = &run->ask.bootstrap;
    struct ticket_facts facts = {0};
    struct refused refused;
    struct uuid id;
    enum err e;

    if (!may_mint(run) || !run_goes_on(run)) return;
    refused = ticket_check_bootstrap(ask);
    if (refused.refusal) {
        run_refuse_as(run, &refused);
        return;
    }
    if (!bytes_is_absent(ask->external_id)) {
        e = known_as(&id, run, ask->external_id);
        if (e) {
            run_fail(run, e);
            return;
        }
        facts.known_as = &id;
    }
    facts.project = run->project;
    facts.key = run->key;
    facts.cutoff_ms = cutoff_ms(run, facts.known_as);
    ticket_plan_bootstrap(&run->plan, &facts, ask, run->now_ms, &run->service->options.dice);
    settle(run);
}
