/* operate_user.c — whom a project knows: listed, shown, removed. */
#include "engine/user.h"

#include <string.h>

#include "server/operate_inside.h"

static const char *kind_name(enum user_kind kind)
{
    switch (kind) {
    case USER_SUBSCRIBER:
        return "subscriber";
    case USER_PARTICIPANT:
        return "participant";
    case USER_EMBEDDED:
        return "embedded";
    case USER_GUEST:
        return "guest";
    case USER_ANONYMOUS:
        return "anonymous";
    }
    return "";
}

static void put_user(struct operating *o, const struct user *user)
{
    operate_put_uuid(o, "id", &user->id);
    operate_put(o, "kind", bytes_of_text(kind_name(user->kind)));
    operate_put(o, "reference", user->reference);
    operate_put(o, "external_id", user->external_id);
    operate_put(o, "display_name", user->profile.value[PROFILE_DISPLAY_NAME]);
    operate_put(o, "address", user->address.name);
    operate_put_uuid(o, "address_id", &user->address.id);
    operate_put_uuid(o, "resource", &user->address.resource);
    operate_put_instant(o, "created_at", user->created_ms);
    operate_put_instant(o, "updated_at", user->updated_ms);
}

static void put_users(struct operating *o, const struct user *list, size_t count)
{
    size_t i;

    json_key(&o->w, "users");
    json_array_begin(&o->w);
    for (i = 0; i < count; i++) {
        json_object_begin(&o->w);
        put_user(o, &list[i]);
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
}

/* ERR_OK, or it is refused already. */
static enum err read_users(struct store_read *out, struct operating *o, enum read_kind kind,
                           struct bytes text, const struct uuid *id)
{
    enum err e;

    memset(out, 0, sizeof *out);
    out->kind = kind;
    out->project = o->project->id;
    out->text = text;
    if (id) out->id = *id;
    out->limit = OPERATION_PAGE;
    out->arena = &o->arena;
    e = store_read_wait(o->means->store, out);
    if (e == ERR_MALFORMED && kind == READ_USERS)
        operate_refuse(o, "--after takes what the page before gave as next");
    else if (e)
        operate_fail(o, e);
    return e;
}

void operate_user_list(struct operating *o)
{
    struct store_read read;

    if (!operate_names_project(o)) return;
    if (read_users(&read, o, READ_USERS, operand(o, OPERAND_AFTER), NULL)) return;
    put_users(o, read.users, read.user_count);
    if (!bytes_is_absent(read.next)) operate_put(o, "next", read.next);
}

/* By what was given; *list is in the operation's arena, or in *read. */
static bool look_users_up(const struct user **list, size_t *count, struct store_read *read,
                          struct operating *o)
{
    struct bytes reference = operand(o, OPERAND_REFERENCE), external_id = operand(o, OPERAND_EXTERNAL_ID);
    struct uuid id;
    enum err e;

    if (!operate_names_project(o)) return false;
    if (!bytes_is_absent(external_id)) {
        e = read_users(read, o, READ_USERS_BY_EXTERNAL_ID, external_id, NULL);
        *list = read->users;
        *count = read->user_count;
    } else {
        if (bytes_is_absent(reference) && !operate_id(&id, o, "user")) return false;
        e = bytes_is_absent(reference) ? read_users(read, o, READ_USER_BY_ID, BYTES_NONE, &id)
                                       : read_users(read, o, READ_USER_BY_REFERENCE, reference, NULL);
        *list = &read->user;
        *count = read->found;
    }
    return !e;
}

static void refuse_unknown(struct operating *o)
{
    operate_refuse(o, "the project knows no such user: coatcheck user list tells whom it knows");
}

void operate_user_show(struct operating *o)
{
    const struct user *list;
    struct store_read read;
    size_t count;

    if (!look_users_up(&list, &count, &read, o)) return;
    if (count)
        put_users(o, list, count);
    else
        refuse_unknown(o);
}

/* Its row is gone, or it had none: of an anonymous visitor there are interviews alone. */
static void remove_user(struct operating *o, const struct uuid *id, const struct user *known)
{
    user_gone(&o->plan, &o->project->id, id, o->means->now_ms);
    if (!operate_commit(o, false)) return;
    if (o->rows[0].state != ROW_WRITTEN) {
        if (known)
            operate_refuse(o, "somebody else has removed this user just now");
        else
            refuse_unknown(o);
        return;
    }
    operate_tell_cutoff(o, 1);
    o->effects->has_user = true;
    o->effects->project = o->project->id;
    o->effects->user = *id;
    operate_put_uuid(o, "removed", id);
    operate_put(o, "reference", known ? known->reference : BYTES_NONE);
    if (!known) operate_put_bool(o, "interviews_only", true);
}

void operate_user_delete(struct operating *o)
{
    const struct user *list;
    struct store_read read;
    struct uuid id;
    size_t count;

    if (!look_users_up(&list, &count, &read, o)) return;
    if (count > 1) {
        operate_refuse(
            o, "%zu users carry this external id: coatcheck user show tells them, remove them by id", count);
        return;
    }
    if (count)
        remove_user(o, &list->id, list);
    else if (bytes_is_absent(operand(o, OPERAND_ID)))
        refuse_unknown(o);
    else if (operate_id(&id, o, "user"))
        remove_user(o, &id, NULL);
}
