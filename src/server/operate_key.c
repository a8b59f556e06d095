/* operate_key.c — a project's keys: made, listed, retired. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "engine/make_key.h"
#include "server/operate_inside.h"
#include "service/key_text.h"
#include "token/jwk.h"

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

/* By which an operator knows a public key again: of the text that is stored, RFC 7638 §3. */
static void put_thumbprint(struct operating *o, const struct fact_key *key)
{
    char jkt[JWK_THUMBPRINT_LEN];
    struct crypto *crypto = NULL;
    enum err e = crypto_new(&crypto);

    if (!e) e = jwk_thumbprint_of(jkt, crypto, key->public_key);
    crypto_free(crypto);
    operate_put(o, "thumbprint", e ? BYTES_NONE : bytes_of(jkt, sizeof jkt)); /* null: out of memory */
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
    if (!bytes_is_absent(key->public_key)) put_thumbprint(o, key);
}

/* A key of ours to be: of an algorithm that is taken, and a point of its curve. */
static enum err read_jwk(struct jwk *out, struct bytes text)
{
    struct crypto_check *check = NULL;
    struct crypto *crypto = NULL;
    struct json object = {NULL};
    struct crypto_public public;
    enum err e;

    TRY(e = json_read(&object, text), done);
    TRY(e = jwk_read(out, object), done);
    TRY(e = crypto_new(&crypto), done);
    public = jwk_public(out);
    e = crypto_check_new(&check, crypto, &public);
done:
    crypto_check_free(check);
    crypto_free(crypto);
    json_free(object);
    return e;
}

/* Kept in the one form that has one thumbprint, whatever else stood beside it. */
static bool read_public_key(struct bytes *out, struct operating *o)
{
    struct bytes text = operand(o, OPERAND_PUBLIC_KEY);
    char written[JWK_TEXT_MAX];
    struct jwk jwk;
    enum err e;

    *out = BYTES_NONE;
    if (bytes_is_absent(text)) return true;
    e = read_jwk(&jwk, text);
    if (e == ERR_MALFORMED || e == ERR_TOO_LARGE) {
        operate_refuse(o, "that is no public key that is taken here: P-256, Ed25519, or RSA of 2048 to 4096 "
                          "bits with exponent 65537, as a JWK without private members");
        return false;
    }
    if (!e) {
        *out = arena_copy(&o->arena, jwk_text(written, &jwk));
        if (bytes_is_absent(*out)) e = ERR_NO_MEMORY;
    }
    if (e) operate_fail(o, e);
    return !e;
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

    if (!operate_names_project(o) || !read_kind(&kind, o) || !read_permissions(&ask.permissions, o, kind) ||
        !read_public_key(&ask.public_key, o))
        return;
    if (bytes_is_absent(ask.name) && kind == KEY_API_TOKEN) ask.name = BYTES("api token");
    refused = make_key_check(&ask, kind);
    if (refused.refusal) {
        operate_refuse_as(o, &refused);
        return;
    }
    e = operate_draw_key(&text, hash, o, kind);
    if (!bytes_is_absent(ask.public_key)) text.secret_len = 0; /* nobody hears of it, and nothing keeps it */
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

/* By its public id alone: that is unique over all projects. NULL: there is none, and that is told. */
static const struct fact_key *find_key(struct operating *o)
{
    struct bytes id = operand(o, OPERAND_ID);
    const struct fact_key *key = facts_key(o->facts, id);
    size_t shown = id.len > KEY_PUBLIC_ID_MAX ? 12 : id.len; /* longer than any id: perhaps a whole secret */

    if (!key)
        operate_refuse(o, "there is no key \"%.*s\": coatcheck key list tells their ids", (int)shown,
                       shown ? (const char *)id.ptr : "");
    return key;
}

void operate_key_show(struct operating *o)
{
    struct store *store = o->means->store;
    const struct fact_key *key = find_key(o);
    struct store_key_uses *uses = NULL;
    enum err e;

    if (!key) return;
    e = store->ops->key_uses(store, &key->project, &uses);
    if (e)
        operate_fail(o, e);
    else {
        put_key(o, key);
        operate_put_instant(o, "used_at", used_ms(uses, key->public_id));
        if (!bytes_is_absent(key->public_key)) {
            json_key(&o->w, "public_key");
            json_put_verbatim(&o->w, key->public_key);
        }
    }
    store_key_uses_free(uses);
}

void operate_key_retire(struct operating *o)
{
    const struct fact_key *key = find_key(o);
    struct write *write = &o->plan.writes[0];

    if (!key) return;
    write->kind = WRITE_KEY;
    write->key = *key;
    write->key.is_retired = true;
    o->plan.write_count = 1;
    if (!key->is_retired && !operate_commit(o, true)) return;
    put_key(o, &write->key);
    operate_put_bool(o, "was_retired", key->is_retired);
}
