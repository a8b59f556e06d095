/* operate_resource.c — what addresses lead to: click-to-call buttons and rooms. */
#include "engine/budget.h"
#include "engine/resource.h"
#include "engine/user.h"

#include <string.h>

#include "base/secret.h"
#include "engine/words.h"
#include "server/operate_inside.h"
#include "service/key_text.h"

static const char *type_name(enum address_type type)
{
    return type == ADDRESS_CALL ? "click-to-call" : address_type_text(type);
}

static void put_addresses(struct operating *o, const struct uuid *resource)
{
    size_t i;

    json_key(&o->w, "addresses");
    json_array_begin(&o->w);
    for (i = 0; i < o->facts->address_count; i++) {
        const struct address *address = &o->facts->addresses[i];
        if (!uuid_equal(&address->resource, resource)) continue;
        json_object_begin(&o->w);
        operate_put_uuid(o, "id", &address->id);
        operate_put(o, "name", address->name);
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
}

static void put_resource(struct operating *o, const struct resource *resource)
{
    enum budget_part part;

    operate_put_uuid(o, "id", &resource->id);
    operate_put_uuid(o, "project", &resource->project);
    operate_put(o, "type", bytes_of_text(type_name(resource->type)));
    operate_put(o, "name", resource->name);
    operate_put_uuid(o, "reaches", &resource->user);
    operate_put(o, "state", resource->is_disabled ? BYTES("disabled") : BYTES("enabled"));
    operate_put_instant(o, "created_at", resource->created_ms);
    for (part = BUDGET_USES; part < BUDGET_PARTS; part++)
        if (resource->budget[part])
            operate_put_number(o, setting_text(budget_setting(part)), resource->budget[part]);
}

/* ---- making one ---- */

/* Whom it rings; somebody not known yet is made with it, as a first token would make them. */
static bool find_reached(struct resource_facts *facts, struct write *fresh, struct operating *o)
{
    struct bytes reference = operand(o, OPERAND_REACHES);
    struct store_read read = {.kind = READ_USER_BY_REFERENCE, .arena = &o->arena};
    static const struct profile no_profile;
    enum err e;

    if (bytes_is_absent(reference)) {
        operate_refuse(o,
                       "whom shall it ring? --reaches REFERENCE, the reference their tokens are minted by");
        return false;
    }
    if (words_are_blank(reference) || reference.len > REFERENCE_MAX || words_have_control(reference)) {
        operate_refuse(o, "a reference has 1 to %d bytes and no control characters", REFERENCE_MAX);
        return false;
    }
    read.project = o->project->id;
    read.text = reference;
    TRY(e = store_read_wait(o->means->store, &read), failed);
    if (read.found) {
        facts->user = read.user.id;
        return true;
    }
    TRY(e = user_fresh(fresh, &o->arena, o->project, reference, &no_profile, BYTES_NONE, o->means->now_ms,
                       &o->means->dice),
        failed);
    facts->user = fresh->user.user.id;
    return true;
failed:
    operate_fail(o, e);
    return false;
}

static void tell_made(struct operating *o, const struct resource *resource, const struct address *address,
                      const struct key_text *key)
{
    put_resource(o, resource);
    operate_put(o, "address", address->name);
    operate_put_uuid(o, "address_id", &address->id);
    operate_put(o, "url", o->means->url);
    if (!key) return;
    operate_put(o, "key", bytes_of(key->id, key->id_len));
    operate_put(o, "token", bytes_of(key->secret, key->secret_len));
}

static void create(struct operating *o, const struct ask_resource *ask, const struct resource_facts *facts,
                   const struct key_text *key)
{
    struct resource resource;
    struct refused refused;
    enum err e = resource_plan(&o->plan, &o->arena, facts, ask, o->means->now_ms, &o->means->dice);

    if (e) {
        operate_fail(o, e);
        return;
    }
    if (!operate_commit(o, true)) return;
    resource_settle(&refused, &resource, &o->plan, facts, o->rows);
    if (refused.refusal)
        operate_refuse_as(o, &refused);
    else
        tell_made(o, &resource, &o->plan.writes[1].address, key);
}

static void create_button(struct operating *o, const struct ask_resource *ask,
                          const struct resource_facts *of_any)
{
    struct resource_facts facts = *of_any;
    struct fact_key click = {.kind = KEY_CLICK_TO_CALL, .project = o->project->id, .name = ask->name};
    struct key_text text;
    struct write fresh = {.kind = WRITE_NONE}; /* of a user who is not known yet */
    enum err e;

    if (!find_reached(&facts, &fresh, o)) return;
    if (fresh.kind == WRITE_USER) facts.fresh_user = &fresh;
    e = operate_draw_key(&text, click.hash, o, KEY_CLICK_TO_CALL);
    click.public_id = bytes_of(text.id, text.id_len);
    click.created_ms = o->means->now_ms;
    facts.click_key = &click;
    if (e)
        operate_fail(o, e);
    else
        create(o, ask, &facts, &text);
    secret_wipe(&text, sizeof text);
}

void operate_resource_create(struct operating *o)
{
    struct bytes type = operand(o, OPERAND_KIND);
    struct ask_resource ask = {.step = OBJECT_CREATE, .name = operand(o, OPERAND_NAME)};
    struct resource_facts facts = {.address = operand(o, OPERAND_ADDRESS)};
    struct refused refused;
    bool is_button = bytes_equal(type, BYTES("click-to-call"));

    if (!operate_names_project(o)) return;
    if (!is_button && !bytes_equal(type, BYTES("room"))) {
        operate_refuse(o, "which kind of resource? click-to-call or room");
        return;
    }
    ask.type = is_button ? ADDRESS_CALL : ADDRESS_ROOM;
    facts.project = o->project;
    refused = resource_check(&ask, facts.address);
    if (refused.refusal)
        operate_refuse_as(o, &refused);
    else if (is_button)
        create_button(o, &ask, &facts);
    else
        create(o, &ask, &facts, NULL);
}

/* ---- those that are there ---- */

void operate_resource_list(struct operating *o)
{
    struct bytes after_text = operand(o, OPERAND_AFTER);
    const struct resource *last = NULL;
    struct uuid after = {{0}};
    bool has_more = false;
    size_t i, count = 0;

    if (!operate_names_project(o)) return;
    if (!bytes_is_absent(after_text) && uuid_read(&after, after_text)) {
        operate_refuse(o, "--after takes what the page before gave as next");
        return;
    }
    json_key(&o->w, "resources");
    json_array_begin(&o->w);
    for (i = 0; i < o->facts->resource_count; i++) {
        const struct resource *resource = &o->facts->resources[i];
        if (!uuid_equal(&resource->project, &o->project->id) ||
            memcmp(resource->id.byte, after.byte, sizeof after.byte) <= 0)
            continue;
        has_more = count == OPERATION_PAGE;
        if (has_more) break;
        count++;
        last = resource;
        json_object_begin(&o->w);
        put_resource(o, resource);
        put_addresses(o, &resource->id);
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
    if (has_more) operate_put_uuid(o, "next", &last->id);
}

/* Ids are unique over all projects, so none has to be named. */
static const struct resource *find_resource(struct operating *o)
{
    struct uuid id;
    size_t i;

    if (!operate_id(&id, o, "resource")) return NULL;
    for (i = 0; i < o->facts->resource_count; i++)
        if (uuid_equal(&o->facts->resources[i].id, &id)) {
            o->project = facts_project(o->facts, &o->facts->resources[i].project);
            return o->project ? &o->facts->resources[i] : NULL;
        }
    operate_refuse(o, "there is no such resource: coatcheck resource list tells their ids");
    return NULL;
}

/* Plans and commits what `ask` says of the one that is named. */
static bool change(struct resource *out, struct operating *o, struct ask_resource *ask)
{
    struct resource_facts facts = {.resource = find_resource(o)};
    struct refused refused;
    enum err e;

    if (!facts.resource) return false;
    facts.project = o->project;
    e = resource_plan(&o->plan, &o->arena, &facts, ask, o->means->now_ms, &o->means->dice);
    if (e) {
        operate_fail(o, e);
        return false;
    }
    if (!operate_commit(o, true)) return false;
    resource_settle(&refused, out, &o->plan, &facts, o->rows);
    if (refused.refusal) operate_refuse_as(o, &refused);
    return !refused.refusal;
}

void operate_resource_delete(struct operating *o)
{
    struct ask_resource ask = {.step = OBJECT_DELETE};
    struct resource gone;

    if (!change(&gone, o, &ask)) return;
    operate_tell_cutoff(o, 1);
    operate_put_uuid(o, "removed", &o->plan.writes[0].resource.id);
}

void operate_resource_switch(struct operating *o)
{
    struct bytes value = operand(o, OPERAND_VALUE);
    struct ask_resource ask = {.step = OBJECT_UPDATE, .is_disabled = bytes_equal(value, BYTES("off"))};
    struct resource resource;

    if (!ask.is_disabled && !bytes_equal(value, BYTES("on"))) {
        operate_refuse(o, "a resource is switched on or off");
        return;
    }
    if (change(&resource, o, &ask)) put_resource(o, &resource);
}

/* A button's own bounds, in place of its project's. */
void operate_resource_set(struct operating *o)
{
    struct bytes name = operand(o, OPERAND_SETTING);
    const struct resource *before = find_resource(o);
    struct ask_resource ask = {.step = OBJECT_UPDATE, .has_budget = true};
    struct resource resource;
    uint64_t most;

    if (!before) return;
    if (before->type != ADDRESS_CALL) {
        operate_refuse(o, "only a click-to-call button has a token that can run out");
        return;
    }
    if (!budget_part_of(&ask.part, name)) {
        operate_refuse(o, "a button has click_uses, click_uses_hour, click_uses_day and click_sessions");
        return;
    }
    if (!bytes_to_u64(&most, operand(o, OPERAND_VALUE), INT64_MAX) ||
        !setting_allows(budget_setting(ask.part), (int64_t)most)) {
        operate_refuse(o, "%s is a whole number up to 1000000000; 0: as its project says",
                       setting_text(budget_setting(ask.part)));
        return;
    }
    ask.is_disabled = before->is_disabled;
    ask.most = (int64_t)most;
    if (change(&resource, o, &ask)) put_resource(o, &resource);
}

/* ---- addresses of resources ---- */

void operate_address_list(struct operating *o)
{
    struct bytes after = operand(o, OPERAND_AFTER), last = BYTES_NONE;
    bool has_more = false;
    size_t i, count = 0;

    if (!operate_names_project(o)) return;
    json_key(&o->w, "addresses");
    json_array_begin(&o->w);
    for (i = 0; i < o->facts->address_count; i++) { /* by project and name */
        const struct address *address = &o->facts->addresses[i];
        if (!uuid_equal(&address->project, &o->project->id)) continue;
        if (!bytes_is_absent(after) && bytes_compare(address->name, after) <= 0) continue;
        has_more = count == OPERATION_PAGE;
        if (has_more) break;
        count++;
        last = address->name;
        json_object_begin(&o->w);
        operate_put_uuid(o, "id", &address->id);
        operate_put(o, "name", address->name);
        operate_put(o, "display_name", address->display_name);
        operate_put(o, "type", bytes_of_text(type_name(address->type)));
        operate_put_uuid(o, "resource", &address->resource);
        operate_put_instant(o, "created_at", address->created_ms);
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
    if (has_more) operate_put(o, "next", last);
}
