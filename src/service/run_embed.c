/* run_embed.c — the way of an exchange that needs no credential: a click-to-call token out of a public page,
 * or an access token that one was exchanged for. */
#include "base/secret.h"
#include "engine/embed.h"
#include "service/key_text.h"
#include "service/presented.h"
#include "service/service_run.h"

static void found_in_embed(struct run *run, const struct refused *refused, bool has_nobody)
{
    struct finding *finding;

    switch ((int)refused->refusal) {
    case REFUSAL_RESOURCE_DISABLED:
        finding = run_finding(run, has_nobody ? "resource.reaches" : "resource.live");
        finding_expected(finding, has_nobody ? "a resource whose user is there to be rung"
                                             : "a resource that is there and switched on");
        break;
    case REFUSAL_KEY_RETIRED:
    case REFUSAL_NOT_FOUND:
        finding = run_finding(run, "key.live");
        finding_expected(finding, "a click-to-call token in use");
        break;
    default:
        return;
    }
    finding_seen(finding, "%s", refused->because);
}

/* An access token was shown that descends from a click-to-call token, not that itself. */
static bool is_again(const struct run *run)
{
    return !bytes_start_with(run->ask.embed.token, BYTES("c2c_"));
}

static const struct resource *resource_of(const struct run *run)
{
    if (!run->key) return NULL;
    return facts_resource(lease_facts(run->lease), &run->project->id, &run->key->resource);
}

static void counted(struct run *run)
{
    struct budget_spent spent;

    budget_settle(&spent, &run->plan, run->rows, run->now_ms);
    if (spent.refusal)
        run_overspent(run, run->kept, &spent);
    else
        run_sign(run, &run->plan.grant);
}

/* What came of a click-to-call token was counted there: a visitor who renews it is not another one. */
static void count(struct run *run, const struct resource *resource)
{
    struct budget *budget = arena_alloc(run->arena, sizeof *budget);

    run->kept = budget;
    if (!budget) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    budget_of_click(budget, resource, run->project);
    if (!budget_plan(&run->plan, budget, run->now_ms))
        run_fail(run, ERR_LIMIT);
    else if (run->plan.write_count)
        run_commit(run, counted);
    else
        run_sign(run, &run->plan.grant);
}

static void plan(struct run *run, bool has_nobody)
{
    const struct uuid *resource = run->key ? &run->key->resource : NULL;
    const struct lineage lineage = {.project = &run->project->id,
                                    .key = run->key ? run->key->public_id : BYTES_NONE,
                                    .resource = resource};
    const struct embed_facts embed = {.project = run->project,
                                      .key = run->key,
                                      .resource = resource_of(run),
                                      .has_nobody = has_nobody,
                                      .holder = is_again(run) ? &run->outcome.holder : NULL,
                                      .cutoff_ms = run_cutoff_ms(run, &lineage)};
    const struct refused *refused = &run->plan.refused;

    embed_plan(&run->plan, &embed, run->now_ms, &run->service->options.dice);
    if (refused->refusal) {
        found_in_embed(run, refused, has_nobody);
        run_refuse_as(run, refused);
    } else if (embed.holder)
        run_sign(run, &run->plan.grant);
    else
        count(run, embed.resource);
}

static void user_read(struct run *run)
{
    if (is_again(run) && run_was_cut(run)) return; /* while the store was asked */
    if (run->read.found) run_remember_read(run);
    plan(run, !run->read.found);
}

/* A resource outlives the user that it rings: whoever is deleted is not asked for by its id again, so there
 * is nobody at the other end of the button, and nothing to give a token for. */
static void find_whom_it_rings(struct run *run)
{
    const struct resource *resource = resource_of(run);

    if (!resource || resource->is_disabled || uuid_is_zero(&resource->user) ||
        users_by_id(run->service->users, &run->project->id, &resource->user))
        plan(run, false);
    else
        run_read(run, READ_USER_BY_ID, &run->project->id, &resource->user, BYTES_NONE, user_read);
}

static void refuse_unknown(struct run *run, struct bytes public_id)
{
    struct finding *finding = run_finding(run, bytes_is_absent(public_id) ? "key.form" : "key.known");

    finding_expected(finding, "a click-to-call token of this server");
    finding_seen(finding, bytes_is_absent(public_id) ? "one of another form" : "one that is not known here");
    run_refuse(run, REFUSAL_NOT_FOUND, FIELD_TOKEN, NULL);
}

/* An unknown token is hashed all the same, so that its answer takes as long as a known one's. */
static void exchange_click(struct run *run, struct bytes text)
{
    static const uint8_t no_hash[KEY_HASH_LEN] = {0};
    const struct facts *facts = lease_facts(run->lease);
    struct bytes public_id = key_text_public_id(KEY_CLICK_TO_CALL, text);
    const struct fact_key *key = bytes_is_absent(public_id) ? NULL : facts_key(facts, public_id);
    uint8_t hash[KEY_HASH_LEN];
    enum err e = keyring_hash(hash, &run->service->bench, text);

    if (e) {
        run_fail(run, e);
        return;
    }
    if (key && key->kind != KEY_CLICK_TO_CALL) key = NULL;
    if (!secret_equal_bytes(bytes_of(hash, sizeof hash), bytes_of(key ? key->hash : no_hash, sizeof hash)) ||
        !key || !facts_project(facts, &key->project)) {
        refuse_unknown(run, public_id);
        return;
    }
    run->key = key;
    run->project = facts_project(facts, &key->project);
    if (run->ask.origin.len && !facts_project_lists(run->project, run->ask.origin)) {
        run_found_origins(run_finding(run, "project.origins"), run->project, run->ask.origin);
        run_refuse(run, REFUSAL_ORIGIN_NOT_LISTED, FIELD_NONE, NULL);
        return;
    }
    if (run_limit(run, LIMIT_EMBED_TOKEN, key->public_id)) find_whom_it_rings(run);
}

void run_embed(struct run *run)
{
    struct bytes text = run->ask.embed.token;
    struct finding *finding;

    if (!run_goes_on(run)) return;
    if (!is_again(run)) {
        exchange_click(run, text);
        return;
    }
    if (presented_kind(text) != PRESENTED_JWS) {
        finding = run_finding(run, "embed.prefix");
        finding_expected(finding, "a click-to-call token (c2c_...), or what one was exchanged for");
        finding_seen(finding, "%s", presented_text(presented_kind(text)));
        run_refuse(run, REFUSAL_TOKEN_PREFIX, FIELD_TOKEN, "is not a click-to-call token");
        return;
    }
    if (!run_authenticate_token(run, text, BYTES_NONE, MAY_CONNECT)) return;
    run->key = facts_key(lease_facts(run->lease), run->outcome.holder.parent_key);
    if (run_limit(run, LIMIT_EMBED_TOKEN, run->outcome.holder.parent_key)) find_whom_it_rings(run);
}
