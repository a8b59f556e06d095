#include "engine/resource.h"

#include <string.h>

#include "engine/words.h"

#define PUBLIC "/public/"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

static struct refused check_name(struct bytes name)
{
    if (words_are_blank(name)) return refuse(REFUSAL_PARAMETER_MISSING, FIELD_NAME, "can't be blank");
    if (name.len > KEY_NAME_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_NAME, "is too long (at most 100 bytes)");
    if (words_have_control(name))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_NAME, "holds a control character");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

struct refused resource_check(const struct ask_resource *ask, struct bytes address)
{
    struct refused refused;

    if (ask->step != OBJECT_CREATE) return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
    refused = check_name(ask->name);
    if (refused.refusal) return refused;
    if (ask->display_name.len > PROFILE_TEXT_MAX || words_have_control(ask->display_name))
        return refuse(REFUSAL_PARAMETER_INVALID, (enum ask_field)(FIELD_PROFILE + PROFILE_DISPLAY_NAME),
                      "must be at most 255 bytes without control characters");
    if (!bytes_is_absent(address) && !words_are_address(address))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_ADDRESS,
                      "must be /public/ or /private/, then letters, digits, dots, dashes");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

static enum err name_address(struct bytes *out, struct arena *arena, const struct ask_resource *ask,
                             struct bytes address)
{
    char slug[ADDRESS_SLUG_MAX];
    size_t len = words_slug(slug, ask->name, address_type_text(ask->type));
    uint8_t *text;

    *out = address;
    if (!bytes_is_absent(address)) return ERR_OK;
    text = arena_alloc(arena, sizeof PUBLIC - 1 + len);
    if (!text) return ERR_NO_MEMORY;
    memcpy(text, PUBLIC, sizeof PUBLIC - 1);
    memcpy(text + sizeof PUBLIC - 1, slug, len);
    *out = bytes_of(text, sizeof PUBLIC - 1 + len);
    return ERR_OK;
}

static struct write *next_write(struct plan *plan, enum write_kind kind)
{
    struct write *write = &plan->writes[plan->write_count++];

    write->kind = kind;
    return write;
}

static enum err plan_create(struct plan *out, struct arena *arena, const struct resource_facts *facts,
                            const struct ask_resource *ask, int64_t now_ms, const struct dice *dice)
{
    struct resource *resource = &next_write(out, WRITE_RESOURCE)->resource;
    struct write *write;

    uuid_draw(&resource->id, dice);
    resource->project = facts->project->id;
    resource->type = ask->type;
    resource->name = ask->name;
    resource->display_name = ask->display_name.len ? ask->display_name : ask->name;
    resource->user = facts->user;
    resource->created_ms = resource->updated_ms = now_ms;
    write = next_write(out, WRITE_ADDRESS);
    write->is_gate = true; /* a resource that nobody can dial is of no use */
    uuid_draw(&write->address.id, dice);
    write->address.project = facts->project->id;
    write->address.resource = resource->id;
    write->address.display_name = resource->display_name;
    write->address.type = ask->type;
    write->address.created_ms = now_ms;
    if (facts->click_key) {
        struct write *key = next_write(out, WRITE_KEY);
        key->is_gate = true;
        key->key = *facts->click_key;
        key->key.resource = resource->id;
    }
    if (facts->fresh_user) {
        struct write *user = next_write(out, WRITE_USER);
        *user = *facts->fresh_user;
        user->is_gate = true;
    }
    return name_address(&write->address.name, arena, ask, facts->address);
}

static void plan_update(struct plan *out, const struct resource_facts *facts, const struct ask_resource *ask,
                        int64_t now_ms)
{
    struct write *write = next_write(out, WRITE_RESOURCE);
    struct resource *resource = &write->resource;
    int64_t before_ms = facts->resource->updated_ms;

    /* the whole row is written: what somebody else has changed or removed meanwhile must not come back */
    write->if_updated_ms = before_ms;
    *resource = *facts->resource;
    if (ask->display_name.len) resource->display_name = ask->display_name;
    resource->is_disabled = ask->is_disabled;
    if (ask->has_budget) resource->budget[ask->part] = ask->most;
    resource->updated_ms = now_ms > before_ms ? now_ms : before_ms + 1;
}

static void plan_delete(struct plan *out, const struct resource_facts *facts, int64_t now_ms)
{
    struct write *gone = next_write(out, WRITE_RESOURCE_GONE), *cutoff = next_write(out, WRITE_CUTOFF);

    gone->is_gate = true;
    gone->resource.id = facts->resource->id;
    gone->resource.project = facts->project->id;
    cutoff->cutoff.cutoff.of = CUTOFF_RESOURCE;
    cutoff->cutoff.cutoff.project = facts->project->id;
    cutoff->cutoff.cutoff.id = uuid_bytes(&gone->resource.id);
    cutoff->cutoff.now_ms = now_ms;
    cutoff->cutoff.keep_s = CUTOFF_KEEP_S;
}

enum err resource_plan(struct plan *out, struct arena *arena, const struct resource_facts *facts,
                       const struct ask_resource *ask, int64_t now_ms, const struct dice *dice)
{
    memset(out, 0, sizeof *out);
    if (ask->step != OBJECT_CREATE && !facts->resource) {
        out->refused = refuse(REFUSAL_NOT_FOUND, FIELD_NONE, "no resource of that id");
        return ERR_OK;
    }
    switch (ask->step) {
    case OBJECT_READ:
        return ERR_OK;
    case OBJECT_CREATE:
        return plan_create(out, arena, facts, ask, now_ms, dice);
    case OBJECT_UPDATE:
        plan_update(out, facts, ask, now_ms);
        return ERR_OK;
    case OBJECT_DELETE:
        plan_delete(out, facts, now_ms);
        return ERR_OK;
    }
    return ERR_OK;
}

static bool all_written(const struct plan *plan, const struct row *rows)
{
    size_t i;

    for (i = 0; i < plan->write_count; i++)
        if (rows[i].state != ROW_WRITTEN) return false;
    return true;
}

void resource_settle(struct refused *refused, struct resource *resource, const struct plan *plan,
                     const struct resource_facts *facts, const struct row *rows)
{
    memset(resource, 0, sizeof *resource);
    *refused = plan->refused;
    if (refused->refusal) return;
    if (!plan->write_count)
        *resource = *facts->resource;
    else if (plan->writes[0].kind == WRITE_RESOURCE_GONE) {
        if (rows[0].state == ROW_ABSENT)
            *refused = refuse(REFUSAL_NOT_FOUND, FIELD_NONE, "no resource of that id any more");
    } else if (all_written(plan, rows))
        *resource = plan->writes[0].resource;
    else if (plan->write_count > 1 && rows[1].state == ROW_EXISTS)
        *refused = bytes_is_absent(facts->address)
                       ? refuse(REFUSAL_PARAMETER_TAKEN, FIELD_NAME, "leads to an address that is taken")
                       : refuse(REFUSAL_PARAMETER_TAKEN, FIELD_ADDRESS, "is taken");
    else
        *refused = refuse(REFUSAL_NOT_FOUND, FIELD_NONE, "it was changed by somebody else: try again");
}
