#include "dialect/signalwire/signalwire.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define ID(n)       "0000000" #n "-0000-4000-8000-000000000000"

struct decoded {
    struct ask ask;
    struct refused refused;
    struct json document;
    enum err error;
};

static void decode_text(struct decoded *out, ask_decode_fn *decode, const char *body)
{
    struct dialect_request request = {0};

    memset(out, 0, sizeof *out);
    CHECK_INT(json_read(&out->document, bytes_of_text(body)), ERR_OK);
    request.body = out->document;
    CHECK_NOTE("%s", body);
    out->error = decode(&out->ask, &out->refused, &request);
}

static ask_decode_fn *const decoders[] = {signalwire_decode_guest, signalwire_decode_invite,
                                          signalwire_decode_embed, signalwire_decode_activate,
                                          signalwire_decode_renew};
static const enum ask_kind kinds[] = {ASK_MINT_GUEST, ASK_MINT_INVITE, ASK_MINT_EMBED, ASK_BIND, ASK_BIND};

static void refuses_what_is_no_object(void)
{
    static const char *const bodies[] = {"[]", "null", "7", "\"token\"", "true"};
    size_t i, d;

    for (i = 0; i < COUNT(bodies); i++)
        for (d = 0; d < COUNT(decoders); d++) {
            struct decoded decoded;
            decode_text(&decoded, decoders[d], bodies[i]);
            CHECK_INT(decoded.error, ERR_MALFORMED);
            CHECK_INT(decoded.ask.kind, kinds[d]);
            json_free(decoded.document);
        }
}

struct wrong {
    const char *body;
    enum refusal refusal;
    enum ask_field field;
};

static void check_wrong(ask_decode_fn *decode, const struct wrong *rows, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        struct decoded decoded;
        decode_text(&decoded, decode, rows[i].body);
        CHECK_INT(decoded.error, ERR_OK);
        CHECK_INT(decoded.refused.refusal, rows[i].refusal);
        CHECK_INT(decoded.refused.field, rows[i].field);
        CHECK((decoded.refused.because != NULL) == (rows[i].refusal != REFUSAL_NONE));
        json_free(decoded.document);
    }
}

#define BAD(field)     REFUSAL_PARAMETER_INVALID, FIELD_##field
#define MISSING(field) REFUSAL_PARAMETER_MISSING, FIELD_##field
#define REGION         REFUSAL_PARAMETER_INVALID, (enum ask_field)(FIELD_PROFILE + PROFILE_REGION)

static void refuses_guests(void)
{
    static const struct wrong rows[] = {
        {"{\"allowed_addresses\":\"" ID(1) "\"}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":{}}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":7}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[7]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[null]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[[\"" ID(1) "\"]]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[\"\"]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[\"/public/desk\"]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[\"" ID(1) " \"]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[\"00000000-0000-0000-0000-000000000000\"]}", BAD(ADDRESSES)},
        {"{\"allowed_addresses\":[\"" ID(1) "\"],\"expire_at\":\"1\"}", BAD(EXPIRE_AT)},
        {"{\"allowed_addresses\":[\"" ID(1) "\"],\"expire_at\":1.5}", BAD(EXPIRE_AT)},
        {"{\"allowed_addresses\":[\"" ID(1) "\"],\"region\":\"eu\"}", REGION},
        {"{\"allowed_addresses\":[\"" ID(1) "\"],\"ch\":\"evil.example\"}", REGION},
    };

    check_wrong(signalwire_decode_guest, rows, COUNT(rows));
}

static void refuses_invites(void)
{
    static const struct wrong rows[] = {
        {"{}", MISSING(ADDRESS)},
        {"{\"address_id\":null}", MISSING(ADDRESS)},
        {"{\"address_id\":\"\"}", MISSING(ADDRESS)},
        {"{\"address_id\":7}", BAD(ADDRESS)},
        {"{\"address_id\":\"ada\"}", BAD(ADDRESS)},
        {"{\"address_id\":[\"" ID(1) "\"]}", BAD(ADDRESS)},
        {"{\"address_id\":\"" ID(1) "\",\"expires_at\":\"1767225600\"}", BAD(EXPIRE_AT)},
        {"{\"address_id\":\"" ID(1) "\",\"expires_at\":1767225600.5}", BAD(EXPIRE_AT)},
        {"{\"address_id\":\"" ID(1) "\",\"expires_at\":true}", BAD(EXPIRE_AT)},
        {"{\"address_id\":\"" ID(1) "\",\"dpop_token\":7}", BAD(PROOF)},
    };

    check_wrong(signalwire_decode_invite, rows, COUNT(rows));
}

static void refuses_embeds(void)
{
    static const struct wrong rows[] = {
        {"{}", MISSING(TOKEN)},
        {"{\"token\":null}", MISSING(TOKEN)},
        {"{\"token\":\"\"}", MISSING(TOKEN)},
        {"{\"token\":7}", BAD(TOKEN)},
        {"{\"token\":[\"c2c_1\"]}", BAD(TOKEN)},
        {"{\"token\":\"c2c_\\u0000\"}", BAD(TOKEN)},
    };

    check_wrong(signalwire_decode_embed, rows, COUNT(rows));
}

/* Which life is wished may be nonsense, but a proof that is none is left for the engine to miss. */
static void takes_what_browsers_send_to_bind(void)
{
    static const struct wrong rows[] = {
        {"{\"expire_in\":\"900\"}", BAD(LIFE)},
        {"{\"expire_in\":true}", BAD(LIFE)},
        {"{\"expire_in\":[900]}", BAD(LIFE)},
        {"{\"expire_in\":-1}", REFUSAL_NONE, FIELD_NONE},
        {"{\"expire_in\":900.5}", REFUSAL_NONE, FIELD_NONE},
        {"{}", REFUSAL_NONE, FIELD_NONE},
        {"{\"dpop_token\":7}", REFUSAL_NONE, FIELD_NONE},
    };
    struct decoded decoded;

    check_wrong(signalwire_decode_activate, rows, COUNT(rows));
    check_wrong(signalwire_decode_renew, rows, COUNT(rows));
    decode_text(&decoded, signalwire_decode_renew,
                "{\"dpop_token\":\"a.b.c\",\"expire_in\":900,\"jkt\":\"x\"}");
    CHECK_BYTES(decoded.ask.bind.proof, BYTES("a.b.c"));
    CHECK(decoded.ask.bind.has_life && decoded.ask.bind.renews);
    CHECK_INT(decoded.ask.bind.life_s, 900);
    json_free(decoded.document);
    decode_text(&decoded, signalwire_decode_activate, "{\"dpop_token\":7,\"expire_in\":0.5}");
    CHECK(bytes_is_absent(decoded.ask.bind.proof) && !decoded.ask.bind.has_life && !decoded.ask.bind.renews);
    json_free(decoded.document);
}

static void counts_more_addresses_than_it_keeps(void)
{
    char body[1024] = "{\"allowed_addresses\":[";
    struct decoded decoded;
    size_t i;

    for (i = 0; i < ADDRESSES_MAX + 1; i++)
        (void)snprintf(body + strlen(body), sizeof body - strlen(body),
                       "%s\"0000000%zx-0000-4000-8000-000000000000\"", i ? "," : "", i + 1);
    (void)snprintf(body + strlen(body), sizeof body - strlen(body), "]}");
    decode_text(&decoded, signalwire_decode_guest, body);
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_INT(decoded.ask.guest.address_count, ADDRESSES_MAX);
    CHECK_INT(decoded.ask.guest.address_count_asked, ADDRESSES_MAX + 1);
    CHECK_INT(decoded.ask.guest.addresses[9].byte[3], 10);
    json_free(decoded.document);
    decode_text(&decoded, signalwire_decode_guest, "{\"allowed_addresses\":null}");
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_INT(decoded.ask.guest.address_count_asked, 0);
    json_free(decoded.document);
}

/* Members that are none of ours go nowhere. */
static void takes_the_whole_of_each(void)
{
    struct decoded decoded;

    decode_text(&decoded, signalwire_decode_guest,
                "{\"allowed_addresses\":[\"" ID(1) "\"],\"expire_at\":5,\"scope\":\"sat:refresh\","
                                                   "\"fingerprint\":\"x\",\"project_id\":\"" ID(
                                                       9) "\",\"ch\":\"us-central\",\"region\":null}");
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK(decoded.ask.guest.has_expiry);
    CHECK_INT(decoded.ask.guest.expire_at_s, 5);
    json_free(decoded.document);
    decode_text(&decoded, signalwire_decode_invite,
                "{\"address_id\":\"" ID(2) "\",\"expires_at\":6,\"expire_at\":7,\"dpop_token\":\"p\"}");
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_INT(decoded.ask.invite.address.byte[3], 2);
    CHECK_INT(decoded.ask.invite.expire_at_s, 6);
    CHECK_BYTES(decoded.ask.invite.proof, BYTES("p"));
    json_free(decoded.document);
    decode_text(&decoded, signalwire_decode_embed, "{\"token\":\"c2c_1\",\"resource\":\"" ID(3) "\"}");
    CHECK_INT(decoded.refused.refusal, REFUSAL_NONE);
    CHECK_BYTES(decoded.ask.embed.token, BYTES("c2c_1"));
    json_free(decoded.document);
}

static void finds_no_address_under_what_is_no_id(void)
{
    static const char *const wrong[] = {"", "front-desk", ID(1) "x", "%30"};
    struct dialect_request request = {.params = {.count = 1}};
    struct refused refused;
    struct ask ask;
    size_t i;

    for (i = 0; i < COUNT(wrong); i++) {
        refused = (struct refused){0};
        request.params.value[0] = bytes_of_text(wrong[i]);
        CHECK_NOTE("%s", wrong[i]);
        CHECK_INT(signalwire_decode_address(&ask, &refused, &request), ERR_OK);
        CHECK_INT(refused.refusal, REFUSAL_NOT_FOUND);
    }
    refused = (struct refused){0};
    request.params.value[0] = BYTES(ID(1));
    CHECK_INT(signalwire_decode_address(&ask, &refused, &request), ERR_OK);
    CHECK_INT(refused.refusal, REFUSAL_NONE);
    CHECK_INT(ask.kind, ASK_ADDRESS);
    CHECK_INT(ask.address.byte[3], 1);
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_object);
    CHECK_RUN(refuses_guests);
    CHECK_RUN(refuses_invites);
    CHECK_RUN(refuses_embeds);
    CHECK_RUN(takes_what_browsers_send_to_bind);
    CHECK_RUN(counts_more_addresses_than_it_keeps);
    CHECK_RUN(takes_the_whole_of_each);
    CHECK_RUN(finds_no_address_under_what_is_no_id);
    return CHECK_END();
}
