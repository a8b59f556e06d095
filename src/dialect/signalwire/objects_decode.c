/* objects_decode.c — what a backend keeps: subscribers, rooms, keys. */
#include "dialect/member.h"
#include "dialect/signalwire/signalwire.h"
#include "wire/url.h"

/* An id that is no UUID is an id that is not here: both get the same answer. */
static struct uuid id_of(struct refused *refused, const struct dialect_request *request)
{
    struct uuid id = {{0}};

    if (!request->params.count || uuid_read(&id, request->params.value[0]))
        member_refuse(refused, REFUSAL_NOT_FOUND, FIELD_NONE, "no such id");
    return id;
}

/* ---- subscribers ---- */

/* This object spells one member of the profile otherwise than the token call does, and lacks another. */
static const char *member_of(enum profile_field field)
{
    if (field == PROFILE_TIME_ZONE) return "timezone";
    return field == PROFILE_REGION ? NULL : profile_member(field);
}

static enum err decode_members(struct ask_user *user, struct refused *refused, struct json body)
{
    size_t i;

    if (json_type_of(body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    if (!member_is_given(json_member(body, "email")))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_EMAIL, "can't be blank");
    user->reference = member_text(body, "email", FIELD_EMAIL, refused);
    user->password = member_text(body, "password", FIELD_PASSWORD, refused);
    for (i = 0; i < PROFILE_COUNT; i++) {
        const char *member = member_of((enum profile_field)i);
        if (member)
            user->profile.value[i] = member_text(body, member, (enum ask_field)(FIELD_PROFILE + i), refused);
    }
    return ERR_OK;
}

static void begin_user(struct ask *ask, enum object_step step)
{
    ask->kind = ASK_USER;
    ask->user = (struct ask_user){.step = step};
}

enum err signalwire_decode_subscriber_create(struct ask *ask, struct refused *refused,
                                             const struct dialect_request *request)
{
    begin_user(ask, OBJECT_CREATE);
    return decode_members(&ask->user, refused, request->body);
}

enum err signalwire_decode_subscriber_update(struct ask *ask, struct refused *refused,
                                             const struct dialect_request *request)
{
    begin_user(ask, OBJECT_UPDATE);
    ask->user.id = id_of(refused, request);
    return decode_members(&ask->user, refused, request->body);
}

enum err signalwire_decode_subscriber_read(struct ask *ask, struct refused *refused,
                                           const struct dialect_request *request)
{
    begin_user(ask, OBJECT_READ);
    ask->user.id = id_of(refused, request);
    return ERR_OK;
}

enum err signalwire_decode_subscriber_delete(struct ask *ask, struct refused *refused,
                                             const struct dialect_request *request)
{
    begin_user(ask, OBJECT_DELETE);
    ask->user.id = id_of(refused, request);
    return ERR_OK;
}

/* ---- pages ---- */

static enum err query_number(uint32_t *out, uint32_t least, uint32_t most,
                             const struct dialect_request *request, struct bytes name,
                             struct refused *refused)
{
    struct bytes text;
    uint64_t number;
    enum err e = url_query_value(&text, request->arena, request->query, name);

    if (e == ERR_NO_MEMORY) return e;
    if (!e && bytes_is_absent(text)) return ERR_OK;
    if (e || !bytes_to_u64(&number, text, UINT32_MAX) || number < least)
        member_refuse_invalid(refused, FIELD_PAGE, "and its number and size must be ones that a page gave");
    else
        *out = number > most ? most : (uint32_t)number;
    return ERR_OK;
}

static enum err decode_page(struct ask *ask, enum ask_kind kind, struct refused *refused,
                            const struct dialect_request *request)
{
    struct ask_page *page = &ask->page;
    enum err e;

    ask->kind = kind;
    *page = (struct ask_page){.size = PAGE_SIZE_STANDARD};
    TRY(e = query_number(&page->size, 1, PAGE_SIZE_MAX, request, BYTES("page_size"), refused), done);
    TRY(e = query_number(&page->number, 0, UINT32_MAX, request, BYTES("page_number"), refused), done);
    e = url_query_value(&page->cursor, request->arena, request->query, BYTES("page_token"));
    if (e == ERR_MALFORMED) {
        member_refuse_invalid(refused, FIELD_PAGE, "is not a valid query value");
        e = ERR_OK;
    }
done:
    return e;
}

enum err signalwire_decode_subscribers(struct ask *ask, struct refused *refused,
                                       const struct dialect_request *request)
{
    return decode_page(ask, ASK_USERS, refused, request);
}

enum err signalwire_decode_resources(struct ask *ask, struct refused *refused,
                                     const struct dialect_request *request)
{
    return decode_page(ask, ASK_RESOURCES, refused, request);
}

static enum err decode_owned(struct ask *ask, enum ask_kind kind, struct refused *refused,
                             const struct dialect_request *request)
{
    enum err e = decode_page(ask, kind, refused, request);

    ask->page.has_owner = true;
    ask->page.owner = id_of(refused, request);
    return e;
}

enum err signalwire_decode_subscriber_addresses(struct ask *ask, struct refused *refused,
                                                const struct dialect_request *request)
{
    return decode_owned(ask, ASK_USERS, refused, request);
}

enum err signalwire_decode_resource_addresses(struct ask *ask, struct refused *refused,
                                              const struct dialect_request *request)
{
    return decode_owned(ask, ASK_RESOURCES, refused, request);
}

/* ---- resources ---- */

static void begin_resource(struct ask *ask, enum object_step step)
{
    ask->kind = ASK_RESOURCE;
    ask->resource = (struct ask_resource){.step = step};
}

enum err signalwire_decode_room_create(struct ask *ask, struct refused *refused,
                                       const struct dialect_request *request)
{
    struct json previews = json_member(request->body, "enable_room_previews");
    enum json_type type = json_type_of(previews);

    begin_resource(ask, OBJECT_CREATE);
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    ask->resource.type = ADDRESS_ROOM;
    if (!member_is_given(json_member(request->body, "name")))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_NAME, "can't be blank");
    ask->resource.name = member_text(request->body, "name", FIELD_NAME, refused);
    ask->resource.display_name = member_text(request->body, "display_name",
                                             (enum ask_field)(FIELD_PROFILE + PROFILE_DISPLAY_NAME), refused);
    if (!member_is_given(previews))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_PREVIEWS, "can't be blank");
    else if (type != JSON_IS_TRUE && type != JSON_IS_FALSE)
        member_refuse_invalid(refused, FIELD_PREVIEWS, "must be true or false");
    return ERR_OK;
}

enum err signalwire_decode_resource_read(struct ask *ask, struct refused *refused,
                                         const struct dialect_request *request)
{
    begin_resource(ask, OBJECT_READ);
    ask->resource.id = id_of(refused, request);
    return ERR_OK;
}

enum err signalwire_decode_resource_delete(struct ask *ask, struct refused *refused,
                                           const struct dialect_request *request)
{
    begin_resource(ask, OBJECT_DELETE);
    ask->resource.id = id_of(refused, request);
    return ERR_OK;
}

/* ---- keys ---- */

static void decode_permissions(struct ask_make_key *key, struct json list, struct refused *refused)
{
    enum permission permission;
    size_t i;

    if (!member_is_given(list)) {
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_PERMISSIONS, "can't be blank");
        return;
    }
    if (json_type_of(list) != JSON_IS_ARRAY)
        member_refuse_invalid(refused, FIELD_PERMISSIONS, "must be a list");
    for (i = 0; i < json_count(list); i++) {
        if (permission_of(&permission, json_text(json_item(list, i))))
            key->permissions |= (uint32_t)permission;
        else
            member_refuse_invalid(refused, FIELD_PERMISSIONS, "holds a word that is none");
    }
}

enum err signalwire_decode_make_key(struct ask *ask, struct refused *refused,
                                    const struct dialect_request *request)
{
    ask->kind = ASK_MAKE_KEY;
    ask->make_key = (struct ask_make_key){.name = BYTES_NONE};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    if (!member_is_given(json_member(request->body, "name")))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_NAME, "can't be blank");
    ask->make_key.name = member_text(request->body, "name", FIELD_NAME, refused);
    decode_permissions(&ask->make_key, json_member(request->body, "permissions"), refused);
    if (member_is_given(json_member(request->body, "subproject_id")))
        member_refuse_invalid(refused, FIELD_SUBPROJECT, "names a project below this one; there are none");
    return ERR_OK;
}
