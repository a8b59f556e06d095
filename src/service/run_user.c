/* run_user.c — a backend's way to its subscribers: one, or a page of them. */
#include "engine/user.h"

#include <string.h>

#include "service/service_run.h"

static struct user_facts facts_of(struct run *run)
{
    struct user_facts facts = {.project = run->project};

    if (run->ask.user.step != OBJECT_CREATE && run->read.found) facts.user = &run->read.user;
    if (run->has_password_hash) facts.password_hash = bytes_of(run->password_hash, sizeof run->password_hash);
    return facts;
}

static void end_gone(struct run *run)
{
    run_finish(run, OUTCOME_GONE);
}

static void settle(struct run *run)
{
    struct user_facts facts = facts_of(run);
    struct decision decision;

    user_settle(&decision, &run->plan, &facts, run->rows);
    if (decision.refused.refusal) {
        run_refuse_as(run, &decision.refused);
        return;
    }
    if (decision.has_user) {
        if (run->plan.write_count) run_remember(run, &decision.user, true);
        run->outcome.who = decision.user;
        run_finish(run, OUTCOME_WHO);
        return;
    }
    run_forget(run, &run->project->id, &facts.user->id);
    run_voided(run, end_gone);
}

static void plan(struct run *run)
{
    struct user_facts facts = facts_of(run);
    enum err e =
        user_plan(&run->plan, run->arena, &facts, &run->ask.user, run->now_ms, &run->service->options.dice);

    if (e)
        run_fail(run, e);
    else if (run->plan.refused.refusal || !run->plan.write_count)
        settle(run);
    else
        run_commit(run, settle);
}

/* The API's objects carry two ids, the user's and its resource's; either leads here. */
static void user_read(struct run *run)
{
    if (run->read.found || run->tries++)
        plan(run);
    else
        run_read(run, READ_USER_BY_RESOURCE, &run->project->id, &run->ask.user.id, BYTES_NONE, user_read);
}

static void find_user(struct run *run)
{
    if (run->ask.user.step == OBJECT_CREATE)
        plan(run);
    else
        run_read(run, READ_USER_BY_ID, &run->project->id, &run->ask.user.id, BYTES_NONE, user_read);
}

void run_user_go(struct run *run)
{
    bool has_members = run->ask.user.step == OBJECT_CREATE || run->ask.user.step == OBJECT_UPDATE;

    if (!run_passes(run, user_check(&run->ask.user, run->key))) return;
    if (has_members && run->ask.user.password.len)
        run_hash_password(run, run->ask.user.password, find_user);
    else
        find_user(run);
}

void run_user(struct run *run)
{
    if (!run_authenticate_key(run)) return;
    if (run->unreadable)
        run_fail(run, run->unreadable);
    else
        run_user_go(run);
}

/* ---- pages ---- */

#define PAGE_ARENA_MAX (1 << 20) /* PAGE_SIZE_MAX users, each with all that its profile may hold */

static void tell_page(struct run *run)
{
    const struct ask_page *page = &run->ask.page;

    run->outcome.users.list = run->read.users;
    run->outcome.users.count = run->read.user_count;
    run->outcome.users.page = (struct list_page){page->size, page->number, page->cursor, run->read.next};
    run_finish(run, OUTCOME_USERS);
}

static void tell_own_address(struct run *run)
{
    if (!run->read.found && !run->tries++) {
        run_read(run, READ_USER_BY_RESOURCE, &run->project->id, &run->ask.page.owner, BYTES_NONE,
                 tell_own_address);
        return;
    }
    if (!run->read.found || run->read.user.kind != USER_SUBSCRIBER) {
        run_refuse(run, REFUSAL_NOT_FOUND, FIELD_NONE, "no subscriber of that id");
        return;
    }
    run->outcome.addresses.list = &run->read.user.address;
    run->outcome.addresses.count = 1;
    run->outcome.addresses.owner = run->read.user.address.resource;
    run->outcome.addresses.page.size = run->ask.page.size;
    run_finish(run, OUTCOME_ADDRESSES);
}

bool run_page_begins(struct run *run)
{
    static const struct ask_user reads = {.step = OBJECT_READ};

    if (!run_authenticate_key(run)) return false;
    if (run->unreadable) {
        run_fail(run, run->unreadable);
        return false;
    }
    if (run->arena->max < PAGE_ARENA_MAX) run->arena->max = PAGE_ARENA_MAX;
    return run_passes(run, user_check(&reads, run->key));
}

void run_own_address(struct run *run)
{
    run_read(run, READ_USER_BY_ID, &run->project->id, &run->ask.page.owner, BYTES_NONE, tell_own_address);
}

void run_users(struct run *run)
{
    if (!run_page_begins(run)) return;
    if (run->ask.page.has_owner)
        run_own_address(run);
    else
        run_read_page(run, run->ask.page.cursor, run->ask.page.size, tell_page);
}
