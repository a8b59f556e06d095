#include "engine/make_key.h"

#include <string.h>

#include "engine/words.h"

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

struct refused make_key_may(const struct fact_key *key)
{
    if (key->permissions & PERMISSION_MANAGEMENT) return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
    return refuse(REFUSAL_KEY_PERMISSION, FIELD_NONE, "needs management");
}

struct refused make_key_check(const struct ask_make_key *ask, enum key_kind kind)
{
    if (words_are_blank(ask->name) && kind == KEY_API_TOKEN)
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_NAME, "can't be blank");
    if (ask->name.len > KEY_NAME_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_NAME, "is too long (at most 100 bytes)");
    if (words_have_control(ask->name))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_NAME, "holds a control character");
    if (kind == KEY_API_TOKEN && !ask->permissions)
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_PERMISSIONS, "can't be empty");
    if (kind != KEY_API_TOKEN && ask->permissions)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_PERMISSIONS, "are for api tokens only");
    /* the other kinds are secrets whole: what would be left of them has no name to sign under */
    if (kind != KEY_CLIENT && !bytes_is_absent(ask->public_key))
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_PUBLIC_KEY, "is for clients only");
    if (ask->public_key.len > KEY_PUBLIC_MAX)
        return refuse(REFUSAL_PARAMETER_INVALID, FIELD_PUBLIC_KEY, "is too long");
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

void make_key_plan(struct plan *out, const struct fact_project *project, enum key_kind kind,
                   const struct ask_make_key *ask, struct bytes public_id, const uint8_t hash[KEY_HASH_LEN],
                   int64_t now_ms)
{
    struct fact_key *key = &out->writes[0].key;

    memset(out, 0, sizeof *out);
    out->writes[0].kind = WRITE_KEY;
    out->write_count = 1;
    key->kind = kind;
    key->project = project->id;
    key->public_id = public_id;
    key->public_key = ask->public_key;
    if (bytes_is_absent(ask->public_key)) memcpy(key->hash, hash, KEY_HASH_LEN);
    key->permissions = ask->permissions;
    key->name = ask->name;
    key->created_ms = now_ms;
}

bool make_key_settle(const struct plan *plan, const struct row *rows)
{
    return plan->write_count == 1 && rows[0].state == ROW_WRITTEN;
}
