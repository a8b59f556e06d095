/* run_dial.c — a live session asks for an address: who asks, what is of that name, whom it leads to; then the
 * engine decides. A limited token's own addresses are looked up, never the name it asks for, so that neither
 * answer nor time tells it what else there is. */
#include "engine/dial.h"
#include "service/service_run.h"

struct dialling { /* in the run's arena */
    struct holder holder;
    struct bytes name; /* of the address; absent: none can be of that name */
    bool has_address;
    struct address address;
};

static bool keep(struct bytes *out, struct run *run, struct bytes text)
{
    *out = arena_copy(run->arena, text);
    return !arena_copy_failed(text, *out);
}

static bool keep_address(struct run *run, const struct address *address)
{
    struct dialling *dialling = run->kept;

    dialling->has_address = true;
    dialling->address = *address;
    return keep(&dialling->address.name, run, address->name) &&
           keep(&dialling->address.display_name, run, address->display_name);
}

/* ---- the decision ---- */

static bool tell_callee(struct run *run, const struct dialling *dialling, struct bytes user_name)
{
    struct bytes name = dialling->address.display_name;

    if (!name.len) name = user_name;
    if (!name.len) name = dialling->address.name;
    return keep(&run->outcome.dialled.callee_name, run, name) &&
           keep(&run->outcome.dialled.callee_number, run, dialling->address.name);
}

static void decide(struct run *run, const struct user *user)
{
    const struct dialling *dialling = run->kept;
    const struct facts *facts = lease_facts(run->lease);
    const struct dial_facts seen = {
        .holder = &dialling->holder,
        .name = dialling->name,
        .address = dialling->has_address ? &dialling->address : NULL,
        .resource = dialling->has_address
                        ? facts_resource(facts, &run->project->id, &dialling->address.resource)
                        : NULL,
        .user = user};
    struct dial_decision decision = dial_decide(&seen);
    struct finding *finding;

    if (decision.refused.refusal) {
        finding = run_finding(run, "dial.address");
        finding_expected(finding, "an address that this token may reach, of somebody who is there");
        finding_seen(finding, "%s", decision.refused.because);
        run_refuse_as(run, &decision.refused);
    } else if (!run_was_cut(run)) { /* the store may have been asked meanwhile */
        run->outcome.dialled.callee = decision.callee;
        run->outcome.dialled.address = dialling->address.id;
        run->outcome.dialled.resource = dialling->address.resource;
        if (tell_callee(run, dialling, user ? user->profile.value[PROFILE_DISPLAY_NAME] : BYTES_NONE))
            run_finish(run, OUTCOME_DIALLED);
        else
            run_fail(run, ERR_NO_MEMORY);
    }
}

static void callee_read(struct run *run)
{
    if (run->read.found) run_remember_read(run);
    decide(run, run->read.found ? &run->read.user : NULL);
}

static void find_callee(struct run *run)
{
    const struct dialling *dialling = run->kept;
    const struct resource *resource;
    const struct user *user;

    if (!dialling->has_address) {
        decide(run, NULL);
        return;
    }
    if (dialling->address.type == ADDRESS_SUBSCRIBER) {
        run_read(run, READ_USER_BY_ADDRESS, &run->project->id, NULL, dialling->address.name, callee_read);
        return;
    }
    resource = facts_resource(lease_facts(run->lease), &run->project->id, &dialling->address.resource);
    if (!resource || uuid_is_zero(&resource->user)) {
        decide(run, NULL);
        return;
    }
    user = users_by_id(run->service->users, &run->project->id, &resource->user);
    if (user)
        decide(run, user);
    else
        run_read(run, READ_USER_BY_ID, &run->project->id, &resource->user, BYTES_NONE, callee_read);
}

/* ---- the address ---- */

static void found_address(struct run *run, const struct address *address)
{
    if (address && !keep_address(run, address))
        run_fail(run, ERR_NO_MEMORY);
    else
        find_callee(run);
}

static void pick_listed(struct run *run)
{
    const struct dialling *dialling = run->kept;
    size_t i;

    for (i = 0; i < run->found_count; i++)
        if (bytes_equal(run->found[i].name, dialling->name)) break;
    found_address(run, i < run->found_count ? &run->found[i] : NULL);
}

static void pick_of_resource(struct run *run)
{
    const struct dialling *dialling = run->kept;
    const struct facts *facts = lease_facts(run->lease);
    size_t i;

    for (i = 0; i < facts->address_count; i++)
        if (uuid_equal(&facts->addresses[i].resource, &dialling->holder.resource) &&
            bytes_equal(facts->addresses[i].name, dialling->name))
            break;
    found_address(run, i < facts->address_count ? &facts->addresses[i] : NULL);
}

static void own_read(struct run *run)
{
    if (run->read.found) run_remember_read(run);
    if (run->read.found && !keep_address(run, &run->read.user.address))
        run_fail(run, ERR_NO_MEMORY);
    else
        decide(run, run->read.found ? &run->read.user : NULL);
}

static void find_address(struct run *run)
{
    const struct dialling *dialling = run->kept;
    const struct holder *holder = &dialling->holder;
    const struct address *address;

    if (bytes_is_absent(dialling->name)) {
        decide(run, NULL);
    } else if (holder->address_count)
        run_find_addresses(run, holder->addresses, holder->address_count, pick_listed);
    else if (!uuid_is_zero(&holder->resource))
        pick_of_resource(run);
    else if (!capability_has(holder->kind, MAY_DIAL_ANY))
        decide(run, NULL);
    else if ((address = facts_address(lease_facts(run->lease), &run->project->id, dialling->name)))
        found_address(run, address);
    else
        run_read(run, READ_USER_BY_ADDRESS, &run->project->id, NULL, dialling->name, own_read);
}

/* ---- the caller ---- */

static void tell_caller(struct run *run, const struct user *user)
{
    struct bytes name = user->profile.value[PROFILE_DISPLAY_NAME];

    if (!name.len) name = user->address.display_name;
    if (keep(&run->outcome.dialled.caller_name, run, name.len ? name : user->address.name) &&
        keep(&run->outcome.dialled.caller_number, run, user->address.name))
        find_address(run);
    else
        run_fail(run, ERR_NO_MEMORY);
}

static void caller_read(struct run *run)
{
    struct finding *finding;

    if (run->read.found) {
        run_remember_read(run);
        tell_caller(run, &run->read.user);
        return;
    }
    finding = run_finding(run, "user.exists");
    finding_expected(finding, "the user whose session it is");
    finding_seen(finding, "no such user in the project");
    run_refuse(run, REFUSAL_USER_GONE, FIELD_NONE, NULL);
}

/* A guest has no row and no address: the id that its token drew tells it from others. */
static void tell_guest(struct run *run)
{
    const struct dialling *dialling = run->kept;
    char *text = arena_alloc(run->arena, UUID_TEXT_LEN);

    if (!text) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    uuid_write(text, &dialling->holder.user);
    run->outcome.dialled.caller_name = BYTES("Guest");
    run->outcome.dialled.caller_number = bytes_of(text, UUID_TEXT_LEN);
    find_address(run);
}

static bool may_dial(struct run *run, const struct holder *holder)
{
    struct finding *finding;

    if (!run->project || capability_has(holder->kind, MAY_DIAL_ANY) ||
        capability_has(holder->kind, MAY_DIAL_LISTED))
        return run->project != NULL;
    finding = run_finding(run, "token.kind");
    finding_expected(finding, "a token of a kind that may call somebody");
    finding_seen(finding, "one of another kind");
    return false;
}

/* The session may end while the store is asked: nothing of it is kept but copies. */
static struct dialling *begin(struct run *run)
{
    struct dialling *dialling = arena_alloc(run->arena, sizeof *dialling);
    const struct holder *holder = run->ask.dial.holder;

    if (!dialling) return NULL;
    dialling->holder = *holder;
    if (!keep(&dialling->holder.jti, run, holder->jti) || !keep(&dialling->holder.jkt, run, holder->jkt) ||
        !keep(&dialling->holder.parent_key, run, holder->parent_key) ||
        !keep(&dialling->name, run, dial_name(run->ask.dial.destination)))
        return NULL;
    run->outcome.holder = dialling->holder;
    return dialling;
}

void run_dial(struct run *run)
{
    struct dialling *dialling = run->kept = begin(run);
    const struct holder *holder = &run->outcome.holder;
    const struct user *user;

    if (!dialling) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    run->project = facts_project(lease_facts(run->lease), &holder->project);
    if (!may_dial(run, holder)) {
        run_refuse(run, run->project ? REFUSAL_TOKEN_KIND : REFUSAL_TOKEN_FOREIGN, FIELD_NONE, NULL);
        return;
    }
    if (run_was_cut(run) || !run_limit(run, LIMIT_DIAL_USER, uuid_bytes(&holder->user))) return;
    if (!uuid_is_zero(&holder->resource) &&
        !run_limit(run, LIMIT_DIAL_RESOURCE, uuid_bytes(&holder->resource)))
        return;
    if (holder->user_kind != USER_SUBSCRIBER) {
        tell_guest(run);
        return;
    }
    user = users_by_id(run->service->users, &holder->project, &holder->user);
    if (user)
        tell_caller(run, user);
    else
        run_read(run, READ_USER_BY_ID, &holder->project, &holder->user, BYTES_NONE, caller_read);
}
