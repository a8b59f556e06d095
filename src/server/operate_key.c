/* operate_key.c — a project's keys: made, listed, retired. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "engine/make_key.h"
#include "server/operate_inside.h"
#include "service/key_text.h"

static const struct {
    enum key_kind kind;
    const char *name;
} kinds[] = {{KEY_API_TOKEN, "api-token"},
             {KEY_CLIENT, "client"},
             {KEY_SECRET, "secret-key"},
             {KEY_PUBLISHABLE, "publishable"},
             {KEY_CLICK_TO_CALL, "click-to-call"}};

static const char *kind_name(enum key_kind kind)
{
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].kind == kind) return kinds[i].name;
    return "";
}

/* A click-to-call key is made with its resource, never alone. */
static bool read_kind(enum key_kind *out, struct operating *o)
{
    struct bytes name = operand(o, OPERAND_KIND);
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].kind == KEY_CLICK_TO_CALL || !bytes_equal(name, bytes_of_text(kinds[i].name))) continue;
        *out = kinds[i].kind;
        return true;
    }
    operate_refuse(o, "which kind of key? api-token, client, secret-key or publishable%s",
                   bytes_equal(name, BYTES("click-to-call"))
                       ? "; a click-to-call token comes with coatcheck resource create click-to-call"
                       : "");
    return false;
}

/* "calling,video"; none given: what it takes to mint. */
static bool read_permissions(uint32_t *out, struct operating *o, enum key_kind kind)
{
    struct bytes rest = operand(o, OPERAND_PERMISSIONS), word;
    enum permission permission;
    bool has_more = true;

    *out = kind == KEY_API_TOKEN && bytes_is_absent(rest) ? PERMISSIONS_TO_MINT : 0;
    if (bytes_is_absent(rest)) return true;
    if (bytes_equal(rest, BYTES("all"))) {
        *out = PERMISSION_ALL;
        return true;
    }
    while (has_more) {
        struct bytes list = rest;
        has_more = bytes_split(&word, &rest, list, ',');
        if (!has_more) word = list;
        if (!permission_of(&permission, bytes_trim(word))) {
            operate_refuse(
                o,
                "\"%.*s\" is no permission: calling, chat, datasphere, fax, management, messaging, "
                "numbers, pubsub, storage, tasking, video, or all",
                (int)(word.len < 40 ? word.len : 40), word.len ? (const char *)word.ptr : "");
            return false;
        }
        *out |= (uint32_t)permission;
    }
    return true;
}

static void put_permissions(struct operating *o, uint32_t permissions)
{
    uint32_t bit;

    json_key(&o->w, "permissions");
    json_array_begin(&o->w);
    for (bit = 1; bit < PERMISSION_ALL; bit <<= 1)
        if (permissions & bit) json_put_literal(&o->w, permission_text((enum permission)bit));
    json_array_end(&o->w);
}

static void put_key(struct operating *o, const struct fact_key *key)
{
    operate_put(o, "id", key->public_id);
    operate_put_uuid(o, "project", &key->project);
    operate_put(o, "kind", bytes_of_text(kind_name(key->kind)));
    operate_put(o, "name", key->name);
    put_permissions(o, key->permissions);
    operate_put_instant(o, "created_at", key->created_ms);
    operate_put(o, "state", key->is_retired ? BYTES("retired") : BYTES("live"));
    if (!uuid_is_zero(&key->resource)) operate_put_uuid(o, "resource", &key->resource);
}

enum err operate_draw_key(struct key_text *text, uint8_t hash[KEY_HASH_LEN], struct operating *o,
                          enum key_kind kind)
{
    struct key_bench bench;
    enum err e;

    memset(hash, 0, KEY_HASH_LEN);
    key_text_draw(text, kind, o->project->is_test, &o->means->dice);
    if (!text->secret_len) return ERR_OK;
    if (!o->means->ring) return ERR_CONFIG;
    TRY(e = key_bench_open(&bench, o->means->ring, o->facts->epoch), done);
    e = keyring_hash(hash, &bench, bytes_of(text->secret, text->secret_len));
done:
    key_bench_release(&bench);
    return e;
}

static void tell_made(struct operating *o, const struct fact_key *key, const struct key_text *text)
{
    put_key(o, key);
    operate_put(o, "url", o->means->url);
    if (text->secret_len) operate_put(o, "secret", bytes_of(text->secret, text->secret_len));
}

void operate_key_create(struct operating *o)
{
    struct ask_make_key ask = {.name = operand(o, OPERAND_NAME)};
    struct key_text text;
    uint8_t hash[KEY_HASH_LEN];
    enum key_kind kind;
    struct refused refused;
    enum err e;

    if (!operate_names_project(o) || !read_kind(&kind, o) || !read_permissions(&ask.permissions, o, kind))
        return;
    if (bytes_is_absent(ask.name) && kind == KEY_API_TOKEN) ask.name = BYTES("api token");
    refused = make_key_check(&ask, kind);
    if (refused.refusal) {
        operate_refuse_as(o, &refused);
        return;
    }
    e = operate_draw_key(&text, hash, o, kind);
    make_key_plan(&o->plan, o->project, kind, &ask, bytes_of(text.id, text.id_len), hash, o->means->now_ms);
    if (e)
        operate_fail(o, e);
    else if (operate_commit(o, true)) {
        if (make_key_settle(&o->plan, o->rows))
            tell_made(o, &o->plan.writes[0].key, &text);
        else
            operate_refuse(o, "another key of this server has the same id by chance: try again");
    }
    secret_wipe(&text, sizeof text);
}

static int64_t used_ms(const struct store_key_uses *uses, struct bytes public_id)
{
    size_t i;

    for (i = 0; i < uses->count; i++)
        if (bytes_equal(uses->list[i].public_id, public_id)) return uses->list[i].used_ms;
    return 0;
}

static void list_keys(struct operating *o, const struct store_key_uses *uses)
{
    struct bytes after = operand(o, OPERAND_AFTER), last = BYTES_NONE;
    bool has_more = false;
    size_t i, count = 0;

    json_key(&o->w, "keys");
    json_array_begin(&o->w);
    for (i = 0; i < o->facts->key_count && !has_more; i++) {
        const struct fact_key *key = &o->facts->keys[i];
        if (!uuid_equal(&key->project, &o->project->id)) continue;
        if (!bytes_is_absent(after) && bytes_compare(key->public_id, after) <= 0) continue;
        has_more = count == OPERATION_PAGE;
        if (has_more) break;
        count++;
        last = key->public_id;
        json_object_begin(&o->w);
        put_key(o, key);
        operate_put_instant(o, "used_at", used_ms(uses, key->public_id));
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
    if (has_more) operate_put(o, "next", last);
}

void operate_key_list(struct operating *o)
{
    struct store *store = o->means->store;
    struct store_key_uses *uses = NULL;
    enum err e;

    if (!operate_names_project(o)) return;
    e = store->ops->key_uses(store, &o->project->id, &uses);
    if (e)
        operate_fail(o, e);
    else
        list_keys(o, uses);
    store_key_uses_free(uses);
}

/* By its public id alone: that is unique over all projects. */
void operate_key_retire(struct operating *o)
{
    struct bytes id = operand(o, OPERAND_ID);
    const struct fact_key *key = facts_key(o->facts, id);
    struct write *write = &o->plan.writes[0];

    if (!key) {
        operate_refuse(o, "there is no key \"%.*s\": coatcheck key list tells their ids",
                       (int)(id.len < 40 ? id.len : 40), id.len ? (const char *)id.ptr : "");
        return;
    }
    write->kind = WRITE_KEY;
    write->key = *key;
    write->key.is_retired = true;
    o->plan.write_count = 1;
    if (!key->is_retired && !operate_commit(o, true)) return;
    put_key(o, &write->key);
    operate_put_bool(o, "was_retired", key->is_retired);
}
