#include "token/claims.h"

#include "token/jwk.h"
#include "wire/json_write.h"

#include <string.h>

static const char *const kind_texts[KIND_COUNT] = {
    [KIND_NONE] = "",
    [KIND_SUBSCRIBER] = "subscriber",
    [KIND_GUEST] = "guest",
    [KIND_INVITE] = "invite",
    [KIND_EMBED] = "embed",
    [KIND_PARTICIPANT] = "participant",
    [KIND_EMBEDDED] = "embedded",
};

const char *claims_kind_text(enum claims_kind kind)
{
    return kind < KIND_COUNT ? kind_texts[kind] : "";
}

enum claims_kind claims_kind_of(struct bytes text)
{
    for (enum claims_kind kind = KIND_NONE + 1; kind < KIND_COUNT; kind++)
        if (bytes_equal(text, bytes_of_text(kind_texts[kind]))) return kind;
    return KIND_NONE;
}

/* ---- writing ---- */

static void write_text(struct json_writer *w, const char *key, struct bytes text)
{
    if (bytes_is_absent(text)) return;
    json_key(w, key);
    json_put_string(w, text);
}

static void write_number(struct json_writer *w, const char *key, int64_t number)
{
    json_key(w, key);
    json_put_number(w, number);
}

static void write_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    if (uuid_is_zero(id)) return;
    json_key(w, key);
    json_put_uuid(w, id);
}

void claims_write(struct buf *out, const struct claims *claims)
{
    struct json_writer w = json_writer_on(out);

    json_object_begin(&w);
    write_text(&w, "iss", claims->iss);
    write_text(&w, "aud", claims->aud);
    write_text(&w, "sub", claims->sub);
    write_number(&w, "iat", claims->iat_s);
    write_number(&w, "exp", claims->exp_s);
    write_text(&w, "jti", claims->jti);
    write_text(&w, "client_id", claims->client);
    write_uuid(&w, "prj", &claims->project);
    write_text(&w, "kind", bytes_of_text(claims_kind_text(claims->kind)));
    write_text(&w, "scope", claims->scope);
    write_number(&w, "gt", claims->gt_ms);
    write_uuid(&w, "fam", &claims->family);
    write_text(&w, "par", claims->parent);
    write_uuid(&w, "app", &claims->application);
    if (claims->address_count > 0) {
        json_key(&w, "adr");
        json_array_begin(&w);
        for (size_t i = 0; i < claims->address_count && i < CLAIMS_ADDRESSES_MAX; i++)
            json_put_uuid(&w, &claims->addresses[i]);
        json_array_end(&w);
    }
    write_uuid(&w, "res", &claims->resource);
    write_uuid(&w, "inv", &claims->inviter);
    if (!bytes_is_absent(claims->jkt)) {
        json_key(&w, "cnf");
        json_object_begin(&w);
        write_text(&w, "jkt", claims->jkt);
        json_object_end(&w);
    }
    if (claims->age_ms != 0) write_number(&w, "age", claims->age_ms);
    if (claims->end_s != 0) write_number(&w, "end", claims->end_s);
    json_object_end(&w);
}

/* ---- reading: each reader takes an absent claim, and refuses a present one of another type ---- */

static bool is_there(struct json object, const char *name)
{
    return json_type_of(json_member(object, name)) != JSON_IS_ABSENT;
}

static enum err read_text_value(struct bytes *out, struct arena *arena, struct json value)
{
    struct bytes text = json_text(value);

    if (!json_text_is_clean(value) || text.len == 0 || text.len > CLAIMS_TEXT_MAX) return ERR_MALFORMED;
    *out = arena_copy(arena, text);
    return arena_copy_failed(text, *out) ? ERR_NO_MEMORY : ERR_OK;
}

static enum err read_text(struct bytes *out, struct arena *arena, struct json object, const char *name)
{
    if (!is_there(object, name)) return ERR_OK;
    return read_text_value(out, arena, json_member(object, name));
}

/* Negative times are before 1970: nothing of ours, and a trap for differences. */
static enum err read_number(int64_t *out, struct json object, const char *name)
{
    if (!is_there(object, name)) return ERR_OK;
    return json_int64(out, json_member(object, name)) && *out >= 0 ? ERR_OK : ERR_MALFORMED;
}

static enum err read_uuid_value(struct uuid *out, struct json value)
{
    enum err e = uuid_read(out, json_text(value));

    return e == ERR_OK && uuid_is_zero(out) ? ERR_MALFORMED : e; /* zero means absent, and is never written */
}

static enum err read_uuid(struct uuid *out, struct json object, const char *name)
{
    return is_there(object, name) ? read_uuid_value(out, json_member(object, name)) : ERR_OK;
}

static enum err read_aud(struct bytes *out, struct arena *arena, struct json object, struct bytes wanted)
{
    struct json aud = json_member(object, "aud");
    bool is_listed = false;

    if (json_type_of(aud) != JSON_IS_ARRAY) return read_text(out, arena, object, "aud");
    for (size_t i = 0; i < json_count(aud); i++) {
        if (!json_text_is_clean(json_item(aud, i))) return ERR_MALFORMED;
        is_listed = is_listed || bytes_equal(json_text(json_item(aud, i)), wanted);
    }
    if (!is_listed || bytes_is_absent(wanted)) return ERR_OK; /* stays absent: claims_check refuses it */
    *out = arena_copy(arena, wanted);
    return arena_copy_failed(wanted, *out) ? ERR_NO_MEMORY : ERR_OK;
}

static enum err read_kind(enum claims_kind *out, struct json object)
{
    if (!is_there(object, "kind")) return ERR_OK;
    *out = claims_kind_of(json_text(json_member(object, "kind")));
    return *out == KIND_NONE ? ERR_MALFORMED : ERR_OK;
}

static enum err read_addresses(struct claims *out, struct json object)
{
    struct json list = json_member(object, "adr");
    enum err e = ERR_OK;

    if (json_type_of(list) == JSON_IS_ABSENT) return ERR_OK;
    if (json_type_of(list) != JSON_IS_ARRAY || json_count(list) > CLAIMS_ADDRESSES_MAX) return ERR_MALFORMED;
    for (size_t i = 0; i < json_count(list) && e == ERR_OK; i++)
        e = read_uuid_value(&out->addresses[out->address_count++], json_item(list, i));
    return e;
}

/* RFC 7800 §3.1. A cnf without jkt binds in a way we cannot check; taking it for an unbound token
 * would be worse. */
static enum err read_cnf(struct bytes *out, struct arena *arena, struct json object)
{
    struct json jkt = json_member(json_member(object, "cnf"), "jkt");

    if (!is_there(object, "cnf")) return ERR_OK;
    return jwk_is_thumbprint(json_text(jkt)) ? read_text_value(out, arena, jkt) : ERR_MALFORMED;
}

static enum err read_all(struct claims *out, struct arena *arena, struct json object, struct bytes wanted_aud)
{
    enum err e;

    TRY(e = read_text(&out->iss, arena, object, "iss"), done);
    TRY(e = read_aud(&out->aud, arena, object, wanted_aud), done);
    TRY(e = read_text(&out->sub, arena, object, "sub"), done);
    TRY(e = read_text(&out->jti, arena, object, "jti"), done);
    TRY(e = read_number(&out->iat_s, object, "iat"), done);
    TRY(e = read_number(&out->exp_s, object, "exp"), done);
    TRY(e = read_number(&out->nbf_s, object, "nbf"), done);
    TRY(e = read_uuid(&out->project, object, "prj"), done);
    TRY(e = read_kind(&out->kind, object), done);
    TRY(e = read_text(&out->scope, arena, object, "scope"), done);
    TRY(e = read_number(&out->gt_ms, object, "gt"), done);
    TRY(e = read_uuid(&out->family, object, "fam"), done);
    TRY(e = read_text(&out->parent, arena, object, "par"), done);
    TRY(e = read_uuid(&out->application, object, "app"), done);
    TRY(e = read_addresses(out, object), done);
    TRY(e = read_uuid(&out->resource, object, "res"), done);
    TRY(e = read_uuid(&out->inviter, object, "inv"), done);
    TRY(e = read_cnf(&out->jkt, arena, object), done);
    TRY(e = read_number(&out->age_ms, object, "age"), done);
    TRY(e = read_number(&out->end_s, object, "end"), done);
done:
    return e;
}

enum err claims_read(struct claims *out, struct arena *arena, struct bytes payload, struct bytes wanted_aud)
{
    struct json document = {NULL};
    enum err e;

    memset(out, 0, sizeof *out);
    TRY(e = json_read(&document, payload), done);
    e = json_type_of(document) == JSON_IS_OBJECT ? read_all(out, arena, document, wanted_aud) : ERR_MALFORMED;
done:
    json_free(document);
    if (e != ERR_OK) memset(out, 0, sizeof *out);
    return e;
}

/* ---- policy ---- */

static bool is_whole(const struct claims *claims, bool requires_ours)
{
    if (claims->iss.len == 0 || claims->sub.len == 0 || claims->exp_s == 0) return false;
    if (!requires_ours) return true;
    return claims->jti.len > 0 && claims->iat_s > 0 && claims->kind != KIND_NONE && claims->gt_ms > 0 &&
           !uuid_is_zero(&claims->project);
}

/* Nothing is negative here (claims_read, and the clock), so no difference can overflow. */
static bool is_consistent(const struct claims *claims, const struct claims_policy *policy)
{
    int64_t from_s = claims->iat_s > 0 ? claims->iat_s : policy->now_s;

    if (claims->age_ms > policy->age_max_ms) return false; /* as with an iat ahead: nobody minted this */
    if (claims->iat_s - policy->now_s > CLAIMS_IAT_AHEAD_S) return false;
    if (claims->nbf_s - policy->now_s > CLAIMS_IAT_AHEAD_S) return false;
    if (claims->iat_s > 0 && claims->exp_s <= claims->iat_s) return false;
    return claims->exp_s - from_s <= policy->life_max_s;
}

enum refusal claims_check(const struct claims *claims, const struct claims_policy *policy)
{
    int64_t now_s = policy->moved_now_s > policy->now_s ? policy->moved_now_s : policy->now_s;

    if (!is_whole(claims, policy->requires_ours)) return REFUSAL_TOKEN_MALFORMED;
    if (policy->iss.len == 0 || !bytes_equal(claims->iss, policy->iss)) return REFUSAL_TOKEN_FOREIGN;
    if (policy->aud.len == 0 || !bytes_equal(claims->aud, policy->aud)) return REFUSAL_TOKEN_FOREIGN;
    if (!is_consistent(claims, policy)) return REFUSAL_TOKEN_MALFORMED;
    if (now_s - policy->leeway_s >= claims->exp_s) return REFUSAL_TOKEN_EXPIRED;
    return REFUSAL_NONE;
}
