/* run_resource.c — a backend's way to what addresses lead to. Subscribers count as resources in the API,
 * though they live elsewhere: whatever is no resource of the facts is looked for among them. */
#include "engine/resource.h"
#include "engine/user.h"

#include <string.h>

#include "service/service_run.h"

static struct resource_facts facts_of(const struct run *run)
{
    struct resource_facts facts = {.project = run->project};

    if (run->ask.resource.step != OBJECT_CREATE)
        facts.resource = facts_resource(lease_facts(run->lease), &run->project->id, &run->ask.resource.id);
    return facts;
}

static void end_resource(struct run *run)
{
    run_finish(run, OUTCOME_RESOURCE);
}

static void end_gone(struct run *run)
{
    run_finish(run, OUTCOME_GONE);
}

static void tell_gone(struct run *run)
{
    run_facts_changed(run, end_gone);
}

static void settle(struct run *run)
{
    struct resource_facts facts = facts_of(run);
    struct refused refused;

    resource_settle(&refused, &run->outcome.resource, &run->plan, &facts, run->rows);
    if (refused.refusal)
        run_refuse_as(run, &refused);
    else if (!run->plan.write_count)
        run_finish(run, OUTCOME_RESOURCE);
    else if (run->ask.resource.step == OBJECT_DELETE)
        run_voided(run, tell_gone);
    else
        run_facts_changed(run, end_resource);
}

static void plan(struct run *run)
{
    struct resource_facts facts = facts_of(run);
    enum err e = resource_plan(&run->plan, run->arena, &facts, &run->ask.resource, run->now_ms,
                               &run->service->options.dice);

    if (e)
        run_fail(run, e);
    else if (run->plan.refused.refusal || !run->plan.write_count)
        settle(run);
    else
        run_commit(run, settle);
}

static void try_among_users(struct run *run)
{
    struct ask_resource asked = run->ask.resource;

    run->ask.kind = ASK_USER;
    memset(&run->ask.user, 0, sizeof run->ask.user);
    run->ask.user.step = asked.step;
    run->ask.user.id = asked.id;
    run_user_go(run);
}

void run_resource(struct run *run)
{
    static const struct ask_user reads = {.step = OBJECT_READ};
    struct refused refused;

    if (!run_authenticate_key(run)) return;
    if (run->unreadable) {
        run_fail(run, run->unreadable);
        return;
    }
    refused = user_check(&reads, run->key);
    if (!refused.refusal) refused = resource_check(&run->ask.resource, BYTES_NONE);
    if (!run_passes(run, refused)) return;
    if (run->ask.resource.step == OBJECT_CREATE || facts_of(run).resource)
        plan(run);
    else
        try_among_users(run);
}

/* ---- pages: first the resources by their ids, then the subscribers ---- */

#define AFTER_RESOURCE 'r' /* and the id of the last one that was told */
#define AFTER_USER     'u' /* and the store's own cursor; none: the first */

static struct bytes cursor_of(struct run *run, char kind, struct bytes rest)
{
    char *text = arena_alloc(run->arena, 1 + rest.len);

    if (!text) return BYTES_NONE;
    text[0] = kind;
    if (rest.len) memcpy(text + 1, rest.ptr, rest.len);
    return bytes_of(text, 1 + rest.len);
}

static void finish_page(struct run *run)
{
    run->outcome.resources.page.size = run->ask.page.size;
    run->outcome.resources.page.cursor = run->ask.page.cursor;
    run->outcome.resources.page.number = run->ask.page.number;
    run_finish(run, OUTCOME_RESOURCES);
}

static void tell_users(struct run *run)
{
    run->outcome.resources.users = run->read.users;
    run->outcome.resources.user_count = run->read.user_count;
    if (!bytes_is_absent(run->read.next))
        run->outcome.resources.page.next = cursor_of(run, AFTER_USER, run->read.next);
    finish_page(run);
}

/* The project's resources whose id comes after the given one, as many as fit. Returns whether
 * there are more. */
static bool take_resources(struct run *run, const struct uuid *after, struct resource *list)
{
    const struct facts *facts = lease_facts(run->lease);
    size_t i;

    run->outcome.resources.list = list;
    for (i = 0; i < facts->resource_count; i++) {
        const struct resource *resource = &facts->resources[i];
        if (!uuid_equal(&resource->project, &run->project->id)) continue;
        if (after && memcmp(resource->id.byte, after->byte, sizeof after->byte) <= 0) continue;
        if (run->outcome.resources.count == run->ask.page.size) return true;
        list[run->outcome.resources.count++] = *resource;
    }
    return false;
}

static void begin_page(struct run *run, const struct uuid *after)
{
    struct resource *list = arena_alloc(run->arena, run->ask.page.size * sizeof *list);
    char last[UUID_TEXT_LEN];
    bool has_more;
    size_t count;

    if (!list) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    has_more = take_resources(run, after, list);
    count = run->outcome.resources.count;
    if (!has_more && count < run->ask.page.size) {
        run_read_page(run, BYTES_NONE, run->ask.page.size - (uint32_t)count, tell_users);
        return;
    }
    if (has_more) uuid_write(last, &list[count - 1].id);
    run->outcome.resources.page.next = has_more ? cursor_of(run, AFTER_RESOURCE, bytes_of(last, sizeof last))
                                                : cursor_of(run, AFTER_USER, BYTES_NONE);
    finish_page(run);
}

static void list_page(struct run *run)
{
    struct bytes cursor = run->ask.page.cursor, rest = bytes_from(cursor, 1);
    struct uuid after;

    if (bytes_is_absent(cursor))
        begin_page(run, NULL);
    else if (cursor.len && cursor.ptr[0] == AFTER_USER)
        run_read_page(run, rest.len ? rest : BYTES_NONE, run->ask.page.size, tell_users);
    else if (cursor.len && cursor.ptr[0] == AFTER_RESOURCE && uuid_read(&after, rest) == ERR_OK)
        begin_page(run, &after);
    else
        run_refuse(run, REFUSAL_PARAMETER_INVALID, FIELD_PAGE, "is no token of a page of ours");
}

static bool tell_addresses_of(struct run *run)
{
    const struct facts *facts = lease_facts(run->lease);
    struct address *list = arena_alloc(run->arena, PAGE_SIZE_MAX * sizeof *list);
    size_t i, count = 0;

    if (!facts_resource(facts, &run->project->id, &run->ask.page.owner)) return false;
    for (i = 0; list && i < facts->address_count && count < PAGE_SIZE_MAX; i++)
        if (uuid_equal(&facts->addresses[i].resource, &run->ask.page.owner) &&
            uuid_equal(&facts->addresses[i].project, &run->project->id))
            list[count++] = facts->addresses[i];
    run->outcome.addresses.list = list;
    run->outcome.addresses.count = count;
    run->outcome.addresses.owner = run->ask.page.owner;
    run->outcome.addresses.page.size = run->ask.page.size;
    if (list)
        run_finish(run, OUTCOME_ADDRESSES);
    else
        run_fail(run, ERR_NO_MEMORY);
    return true;
}

void run_resources(struct run *run)
{
    if (!run_page_begins(run)) return;
    if (!run->ask.page.has_owner)
        list_page(run);
    else if (!tell_addresses_of(run))
        run_own_address(run);
}
