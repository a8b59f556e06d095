#include "dialect/signalwire/signalwire.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define ID          "00000001-0000-4000-8000-000000000000"

struct decoded {
    struct ask ask;
    struct refused refused;
    struct json document;
    struct arena arena;
    enum err error;
};

/* body and query may be NULL: none; the path names ID. */
static void decode(struct decoded *out, ask_decode_fn *decoder, const char *body, const char *query,
                   struct bytes id)
{
    struct dialect_request request = {.query = bytes_of_text(query), .params = {{id}, 1}};

    memset(out, 0, sizeof *out);
    arena_init(&out->arena, 65536);
    request.arena = &out->arena;
    if (body) CHECK_INT(json_read(&out->document, bytes_of_text(body)), ERR_OK);
    request.body = out->document;
    CHECK_NOTE("%s %s", body ? body : "", query ? query : "");
    out->error = decoder(&out->ask, &out->refused, &request);
}

static void decoded_release(struct decoded *decoded)
{
    json_free(decoded->document);
    arena_release(&decoded->arena);
}

static void refuses_what_is_no_object(void)
{
    static ask_decode_fn *const decoders[] = {signalwire_decode_subscriber_create,
                                              signalwire_decode_subscriber_update,
                                              signalwire_decode_room_create, signalwire_decode_make_key};
    static const char *const bodies[] = {"[]", "null", "7", "\"name\""};
    struct decoded decoded;
    size_t i, d;

    for (i = 0; i < COUNT(bodies); i++)
        for (d = 0; d < COUNT(decoders); d++) {
            decode(&decoded, decoders[d], bodies[i], NULL, BYTES(ID));
            CHECK_INT(decoded.error, ERR_MALFORMED);
            decoded_release(&decoded);
        }
}

static void refuses_ids_that_are_none(void)
{
    static ask_decode_fn *const decoders[] = {
        signalwire_decode_subscriber_read,    signalwire_decode_subscriber_delete,
        signalwire_decode_resource_read,      signalwire_decode_resource_delete,
        signalwire_decode_resource_addresses, signalwire_decode_subscriber_addresses};
    struct decoded decoded;
    size_t d;

    for (d = 0; d < COUNT(decoders); d++) {
        decode(&decoded, decoders[d], NULL, NULL, BYTES("..%2f"));
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, REFUSAL_NOT_FOUND);
        decoded_release(&decoded);
        decode(&decoded, decoders[d], NULL, NULL, BYTES(ID));
        CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
        decoded_release(&decoded);
    }
}

static void refuses_members_of_the_wrong_kind(void)
{
    static const struct {
        ask_decode_fn *decoder;
        const char *body;
        enum refusal refusal;
        enum ask_field field;
    } rows[] = {
        {signalwire_decode_subscriber_create, "{}", REFUSAL_PARAMETER_MISSING, FIELD_EMAIL},
        {signalwire_decode_subscriber_create, "{\"email\":7}", REFUSAL_PARAMETER_INVALID, FIELD_EMAIL},
        {signalwire_decode_subscriber_create, "{\"email\":\"a@b.c\",\"password\":[]}",
         REFUSAL_PARAMETER_INVALID, FIELD_PASSWORD},
        {signalwire_decode_room_create, "{\"enable_room_previews\":true}", REFUSAL_PARAMETER_MISSING,
         FIELD_NAME},
        {signalwire_decode_room_create, "{\"name\":\"r\"}", REFUSAL_PARAMETER_MISSING, FIELD_PREVIEWS},
        {signalwire_decode_room_create, "{\"name\":\"r\",\"enable_room_previews\":\"yes\"}",
         REFUSAL_PARAMETER_INVALID, FIELD_PREVIEWS},
        {signalwire_decode_room_create, "{\"name\":{},\"enable_room_previews\":true}",
         REFUSAL_PARAMETER_INVALID, FIELD_NAME},
        {signalwire_decode_make_key, "{\"permissions\":[\"fax\"]}", REFUSAL_PARAMETER_MISSING, FIELD_NAME},
        {signalwire_decode_make_key, "{\"name\":\"k\"}", REFUSAL_PARAMETER_MISSING, FIELD_PERMISSIONS},
        {signalwire_decode_make_key, "{\"name\":\"k\",\"permissions\":\"fax\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_PERMISSIONS},
        {signalwire_decode_make_key, "{\"name\":\"k\",\"permissions\":[\"everything\"]}",
         REFUSAL_PARAMETER_INVALID, FIELD_PERMISSIONS},
        {signalwire_decode_make_key,
         "{\"name\":\"k\",\"permissions\":[\"fax\"],\"subproject_id\":\"" ID "\"}", REFUSAL_PARAMETER_INVALID,
         FIELD_SUBPROJECT},
    };
    struct decoded decoded;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        decode(&decoded, rows[i].decoder, rows[i].body, NULL, BYTES(ID));
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].field);
        decoded_release(&decoded);
    }
}

static void reads_rooms_keys_and_subscribers(void)
{
    struct decoded decoded;

    decode(&decoded, signalwire_decode_room_create,
           "{\"name\":\"lobby\",\"display_name\":\"The lobby\",\"enable_room_previews\":false}", NULL,
           BYTES(ID));
    CHECK(decoded.ask.kind == ASK_RESOURCE && decoded.ask.resource.step == OBJECT_CREATE &&
          decoded.ask.resource.type == ADDRESS_ROOM && !decoded.refused.refusal);
    CHECK_BYTES(decoded.ask.resource.name, BYTES("lobby"));
    CHECK_BYTES(decoded.ask.resource.display_name, BYTES("The lobby"));
    decoded_release(&decoded);
    decode(&decoded, signalwire_decode_make_key, "{\"name\":\"k\",\"permissions\":[\"fax\",\"video\"]}", NULL,
           BYTES(ID));
    CHECK(decoded.ask.kind == ASK_MAKE_KEY &&
          decoded.ask.make_key.permissions == (PERMISSION_FAX | PERMISSION_VIDEO));
    decoded_release(&decoded);
    decode(&decoded, signalwire_decode_subscriber_update, "{\"email\":\"a@b.c\",\"timezone\":\"UTC\"}", NULL,
           BYTES(ID));
    CHECK(decoded.ask.kind == ASK_USER && decoded.ask.user.step == OBJECT_UPDATE &&
          decoded.ask.user.id.byte[3] == 1);
    CHECK_BYTES(decoded.ask.user.profile.value[PROFILE_TIME_ZONE], BYTES("UTC"));
    decoded_release(&decoded);
}

static void pages_have_a_size_and_a_place(void)
{
    static const struct {
        const char *query;
        enum refusal refusal;
        uint32_t size;
        const char *cursor;
    } rows[] = {
        {NULL, REFUSAL_NONE, PAGE_SIZE_STANDARD, NULL},
        {"page_size=7&page_number=2&page_token=abc", REFUSAL_NONE, 7, "abc"},
        {"page_size=100000", REFUSAL_NONE, PAGE_SIZE_MAX, NULL},
        {"page_size=0", REFUSAL_PARAMETER_INVALID, PAGE_SIZE_STANDARD, NULL},
        {"page_size=-1", REFUSAL_PARAMETER_INVALID, PAGE_SIZE_STANDARD, NULL},
        {"page_size=1e3", REFUSAL_PARAMETER_INVALID, PAGE_SIZE_STANDARD, NULL},
        {"page_number=x", REFUSAL_PARAMETER_INVALID, PAGE_SIZE_STANDARD, NULL},
        {"page_token=%zz", REFUSAL_PARAMETER_INVALID, PAGE_SIZE_STANDARD, NULL},
    };
    static ask_decode_fn *const decoders[] = {signalwire_decode_subscribers, signalwire_decode_resources,
                                              signalwire_decode_resource_addresses};
    struct decoded decoded;
    size_t i, d;

    for (i = 0; i < COUNT(rows); i++)
        for (d = 0; d < COUNT(decoders); d++) {
            decode(&decoded, decoders[d], NULL, rows[i].query, BYTES(ID));
            CHECK_INT(decoded.error, ERR_OK);
            CHECK_INT(decoded.refused.refusal, rows[i].refusal);
            CHECK_INT(decoded.ask.page.size, rows[i].size);
            CHECK_BYTES(decoded.ask.page.cursor, bytes_of_text(rows[i].cursor));
            CHECK(decoded.ask.page.has_owner == (decoders[d] == signalwire_decode_resource_addresses));
            decoded_release(&decoded);
        }
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_object);
    CHECK_RUN(refuses_ids_that_are_none);
    CHECK_RUN(refuses_members_of_the_wrong_kind);
    CHECK_RUN(reads_rooms_keys_and_subscribers);
    CHECK_RUN(pages_have_a_size_and_a_place);
    return CHECK_END();
}
