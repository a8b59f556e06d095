/* objects_encode.c — subscribers, resources and keys as a backend gets to see them. */
#include "base/instant.h"
#include "dialect/signalwire/rest_inside.h"
#include "dialect/signalwire/signalwire.h"
#include "wire/json_write.h"

#define RESOURCES   "/api/fabric/resources"
#define SUBSCRIBERS RESOURCES "/subscribers"

static void write_instant(struct json_writer *w, const char *key, int64_t at_ms)
{
    char text[INSTANT_TEXT_LEN];

    instant_write(text, at_ms);
    json_key(w, key);
    json_put_string(w, bytes_of(text, sizeof text));
}

static void write_head(struct json_writer *w, const struct uuid *id, const struct uuid *project,
                       struct bytes display_name, const char *type)
{
    signalwire_write_uuid(w, "id", id);
    signalwire_write_uuid(w, "project_id", project);
    json_key(w, "display_name");
    json_put_string_or_null(w, display_name);
    json_key(w, "type");
    json_put_literal(w, type);
}

static void write_profile(struct json_writer *w, const struct user *user)
{
    size_t i;

    json_key(w, "email");
    json_put_string_or_null(w, signalwire_email_of(user));
    for (i = 0; i < PROFILE_COUNT; i++) {
        if (i == PROFILE_REGION) continue;
        json_key(w, i == PROFILE_TIME_ZONE ? "timezone" : profile_member((enum profile_field)i));
        json_put_string_or_null(w, user->profile.value[i]);
    }
}

/* The outer id is the resource's, the inner the subscriber's. */
static void write_subscriber(struct json_writer *w, const struct user *user)
{
    struct bytes shown = user->profile.value[PROFILE_DISPLAY_NAME];

    json_object_begin(w);
    write_head(w, &user->address.resource, &user->project, shown.len ? shown : user->reference, "subscriber");
    write_instant(w, "created_at", user->created_ms);
    write_instant(w, "updated_at", user->updated_ms);
    json_key(w, "subscriber");
    json_object_begin(w);
    signalwire_write_uuid(w, "id", &user->id);
    write_profile(w, user);
    json_object_end(w);
    json_object_end(w);
}

static const char *type_of(enum address_type type)
{
    switch (type) {
    case ADDRESS_APP:
        return "app";
    case ADDRESS_CALL:
        return "click_to_call";
    case ADDRESS_ROOM:
        return "video_room";
    case ADDRESS_SUBSCRIBER:
        return "subscriber";
    }
    return "app";
}

static void write_resource(struct json_writer *w, const struct resource *resource)
{
    const char *type = type_of(resource->type);

    json_object_begin(w);
    write_head(w, &resource->id, &resource->project, resource->display_name, type);
    write_instant(w, "created_at", resource->created_ms);
    write_instant(w, "updated_at", resource->updated_ms);
    json_key(w, type);
    json_object_begin(w);
    signalwire_write_uuid(w, "id", &resource->id);
    json_key(w, "name");
    json_put_string_or_null(w, resource->name);
    json_key(w, "display_name");
    json_put_string_or_null(w, resource->display_name);
    if (resource->type == ADDRESS_CALL) {
        json_key(w, "disabled");
        json_put_bool(w, resource->is_disabled);
    }
    json_object_end(w);
    json_object_end(w);
}

static void encode_subscriber(struct dialect_reply *reply, const struct outcome *outcome, int status)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_WHO) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = status;
    write_subscriber(&w, &outcome->who);
}

void signalwire_encode_subscriber(struct dialect_reply *reply, const struct outcome *outcome)
{
    encode_subscriber(reply, outcome, 200);
}

void signalwire_encode_subscriber_made(struct dialect_reply *reply, const struct outcome *outcome)
{
    encode_subscriber(reply, outcome, 201);
}

/* Subscribers count as resources, too. */
void signalwire_encode_resource(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_RESOURCE) {
        encode_subscriber(reply, outcome, 200);
        return;
    }
    reply->status = 200;
    write_resource(&w, &outcome->resource);
}

void signalwire_encode_gone(struct dialect_reply *reply, const struct outcome *outcome)
{
    if (outcome->kind == OUTCOME_GONE)
        reply->status = 204;
    else
        signalwire_encode_refused(reply, outcome);
}

/* ---- pages ---- */

#define LINK_MAX 4096

static void append_escaped(struct buf *out, struct bytes text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t i;

    for (i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
            c == '.' || c == '_' || c == '~') {
            buf_append_byte(out, c);
            continue;
        }
        buf_append_byte(out, '%');
        buf_append_byte(out, (uint8_t)digits[c >> 4]);
        buf_append_byte(out, (uint8_t)digits[c & 15]);
    }
}

/* cursor absent: the first page. */
static void write_link(struct json_writer *w, const char *key, struct bytes path, uint64_t number,
                       uint32_t size, struct bytes cursor)
{
    struct buf link;

    buf_init(&link, LINK_MAX);
    buf_append(&link, path);
    buf_append_text(&link, "?page_number=");
    buf_append_u64(&link, number);
    buf_append_text(&link, "&page_size=");
    buf_append_u64(&link, size);
    if (!bytes_is_absent(cursor)) {
        buf_append_text(&link, "&page_token=");
        append_escaped(&link, cursor);
    }
    json_key(w, key);
    json_put_string(w, buf_bytes(&link));
    if (buf_error(&link)) w->out->error = buf_error(&link);
    buf_release(&link);
}

/* A page knows what follows it and where all begins, but what went before it only if that is
 * the beginning. */
static void write_links(struct json_writer *w, struct bytes path, const struct list_page *page)
{
    json_key(w, "links");
    json_object_begin(w);
    write_link(w, "self", path, page->number, page->size, page->cursor);
    write_link(w, "first", path, 0, page->size, BYTES_NONE);
    if (!bytes_is_absent(page->next))
        write_link(w, "next", path, (uint64_t)page->number + 1, page->size, page->next);
    if (page->number == 1) write_link(w, "prev", path, 0, page->size, BYTES_NONE);
    json_object_end(w);
}

void signalwire_encode_subscribers(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);
    size_t i;

    if (outcome->kind != OUTCOME_USERS) {
        signalwire_encode_owned_addresses(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "data");
    json_array_begin(&w);
    for (i = 0; i < outcome->users.count; i++)
        write_subscriber(&w, &outcome->users.list[i]);
    json_array_end(&w);
    write_links(&w, BYTES(SUBSCRIBERS), &outcome->users.page);
    json_object_end(&w);
}

void signalwire_encode_resources(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);
    size_t i;

    if (outcome->kind != OUTCOME_RESOURCES) {
        signalwire_encode_owned_addresses(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "data");
    json_array_begin(&w);
    for (i = 0; i < outcome->resources.count; i++)
        write_resource(&w, &outcome->resources.list[i]);
    for (i = 0; i < outcome->resources.user_count; i++)
        write_subscriber(&w, &outcome->resources.users[i]);
    json_array_end(&w);
    write_links(&w, BYTES(RESOURCES), &outcome->resources.page);
    json_object_end(&w);
}

static void write_owned_links(struct json_writer *w, const struct outcome *outcome)
{
    struct buf path;

    buf_init(&path, LINK_MAX);
    buf_append_text(&path, RESOURCES "/");
    uuid_append(&path, &outcome->addresses.owner);
    buf_append_text(&path, "/addresses");
    if (buf_error(&path))
        w->out->error = buf_error(&path);
    else
        write_links(w, buf_bytes(&path), &outcome->addresses.page);
    buf_release(&path);
}

void signalwire_encode_owned_addresses(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_ADDRESSES) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    signalwire_write_addresses(&w, outcome);
    write_owned_links(&w, outcome);
    json_object_end(&w);
}

/* ---- keys ---- */

void signalwire_encode_key_made(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);
    const struct fact_key *key = outcome->key_made.key;
    uint32_t bit;

    if (outcome->kind != OUTCOME_KEY_MADE) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    json_key(&w, "id");
    json_put_string(&w, key->public_id);
    json_key(&w, "name");
    json_put_string(&w, key->name);
    json_key(&w, "permissions");
    json_array_begin(&w);
    for (bit = 1; bit < PERMISSION_ALL; bit <<= 1)
        if (key->permissions & bit) json_put_literal(&w, permission_text((enum permission)bit));
    json_array_end(&w);
    json_key(&w, "token");
    json_put_string(&w, outcome->key_made.secret);
    json_object_end(&w);
}
