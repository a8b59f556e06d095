/* run_who.c — what an access token tells its holder: who am I, whom can I reach. A limited token sees only
 * what it may reach. */
#include <string.h>

#include "engine/dial.h"
#include "service/service_run.h"

#define ADDRESSES_PAGE 50 /* the API's page size */

static void tell_who(struct run *run)
{
    if (!run->read.found) {
        struct finding *finding = run_finding(run, "user.exists");
        finding_expected(finding, "the user that sub names");
        finding_seen(finding, "no such user in the project");
        run_refuse(run, REFUSAL_USER_GONE, FIELD_NONE, NULL);
        return;
    }
    run_remember_read(run);
    run->outcome.who = run->read.user;
    run_finish(run, OUTCOME_WHO);
}

/* Guests have no row; what is known of one is in the token. */
static void tell_guest(struct run *run)
{
    const struct holder *holder = &run->outcome.holder;
    struct user *who = &run->outcome.who;

    memset(who, 0, sizeof *who);
    who->id = holder->user;
    who->project = holder->project;
    who->kind = holder->user_kind;
    who->profile.value[PROFILE_DISPLAY_NAME] = BYTES("Guest");
    run_finish(run, OUTCOME_WHO);
}

void run_who(struct run *run)
{
    const struct holder *holder = &run->outcome.holder;
    const struct user *user;

    if (!run_authenticate_bearer(run, BYTES_NONE, MAY_ASK_WHO)) return;
    if (holder->user_kind == USER_GUEST) {
        tell_guest(run);
        return;
    }
    user = users_by_id(run->service->users, &holder->project, &holder->user);
    if (!user) {
        run_read(run, READ_USER_BY_ID, &holder->project, &holder->user, BYTES_NONE, tell_who);
        return;
    }
    run->outcome.who = *user; /* read by the encoder before anything else can touch the cache */
    run_finish(run, OUTCOME_WHO);
}

static void tell_addresses(struct run *run, const struct address *list, size_t count)
{
    run->outcome.addresses.list = list;
    run->outcome.addresses.count = count;
    run_finish(run, OUTCOME_ADDRESSES);
}

static void user_by_address_read(struct run *run)
{
    tell_addresses(run, &run->read.user.address, run->read.found ? 1 : 0);
}

/* Those of the project's resources; resource: of this one only, or NULL. */
static void list_resources(struct run *run, const struct uuid *resource)
{
    const struct facts *facts = lease_facts(run->lease);
    struct address *list = arena_alloc(run->arena, ADDRESSES_PAGE * sizeof *list);
    const struct bytes name = run->ask.addresses.name;
    size_t i, count = 0;

    if (!list) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    for (i = 0; i < facts->address_count && count < ADDRESSES_PAGE; i++) {
        const struct address *address = &facts->addresses[i];
        if (!uuid_equal(&address->project, &run->project->id)) continue;
        if (resource && !uuid_equal(&address->resource, resource)) continue;
        if (bytes_is_absent(name) || bytes_equal(address->name, name)) list[count++] = *address;
    }
    tell_addresses(run, list, count);
}

static void list_found(struct run *run)
{
    const struct bytes name = run->ask.addresses.name;
    size_t i, count = 0;

    for (i = 0; i < run->found_count; i++)
        if (bytes_is_absent(name) || bytes_equal(run->found[i].name, name))
            run->found[count++] = run->found[i];
    tell_addresses(run, run->found, count);
}

static void find_by_name(struct run *run)
{
    const struct bytes name = run->ask.addresses.name;
    const struct address *address = facts_address(lease_facts(run->lease), &run->project->id, name);

    if (address || name.len > ADDRESS_NAME_MAX)
        tell_addresses(run, address, address ? 1 : 0);
    else
        run_read(run, READ_USER_BY_ADDRESS, &run->project->id, NULL, name, user_by_address_read);
}

void run_addresses(struct run *run)
{
    const struct holder *holder = &run->outcome.holder;

    if (!run_authenticate_bearer(run, BYTES_NONE, MAY_ASK_WHO)) return;
    if (!run_goes_on(run)) return;
    if (holder->address_count)
        run_find_addresses(run, holder->addresses, holder->address_count, list_found);
    else if (!uuid_is_zero(&holder->resource))
        list_resources(run, &holder->resource);
    else if (!capability_has(holder->kind, MAY_DIAL_ANY))
        tell_addresses(run, NULL, 0);
    else if (bytes_is_absent(run->ask.addresses.name))
        list_resources(run, NULL);
    else
        find_by_name(run);
}

/* What a token may not reach is not there for it, whether or not it exists. */
static void tell_address(struct run *run)
{
    struct finding *finding;

    if (run->found_count && dial_may_reach(&run->outcome.holder, &run->found[0])) {
        tell_addresses(run, run->found, 1);
        return;
    }
    finding = run_finding(run, run->found_count ? "address.reach" : "address.exists");
    finding_expected(finding, "the id of an address that this token may reach");
    finding_seen(finding, run->found_count ? "one that it may not" : "no such address in the project");
    run_refuse(run, REFUSAL_NOT_FOUND, FIELD_ADDRESS, NULL);
}

void run_address(struct run *run)
{
    if (!run_authenticate_bearer(run, BYTES_NONE, MAY_ASK_WHO)) return;
    if (run_goes_on(run)) run_find_addresses(run, &run->ask.address, 1, tell_address);
}
