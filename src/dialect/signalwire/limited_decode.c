/* limited_decode.c — the calls that make limited tokens: guests, invites, embeds; and those by which a
 * browser binds and renews its own. */
#include "dialect/member.h"
#include "dialect/signalwire/signalwire.h"

static bool read_expiry(int64_t *out, struct json body, const char *name, struct refused *refused)
{
    struct json value = json_member(body, name);

    if (!member_is_given(value)) return false;
    if (json_int64(out, value)) return true;
    member_refuse_invalid(refused, FIELD_EXPIRE_AT, "must be an integer, in Unix seconds");
    return false;
}

static bool read_uuid(struct uuid *out, struct json value, enum ask_field field, struct refused *refused)
{
    if (json_type_of(value) == JSON_IS_STRING && uuid_read(out, json_text(value)) == ERR_OK &&
        !uuid_is_zero(out))
        return true;
    *out = (struct uuid){{0}};
    member_refuse_invalid(refused, field, "must be a UUID");
    return false;
}

static void decode_region(struct json body, const char *name, struct refused *refused)
{
    enum ask_field field = (enum ask_field)(FIELD_PROFILE + PROFILE_REGION);
    struct bytes region = member_text(body, name, field, refused);

    if (!bytes_is_absent(region) && !bytes_equal(region, BYTES("us-central")))
        member_refuse_invalid(refused, field, "can only be us-central");
}

static void decode_allowed(struct ask_guest *guest, struct json list, struct refused *refused)
{
    size_t i;

    if (member_is_given(list) && json_type_of(list) != JSON_IS_ARRAY)
        member_refuse_invalid(refused, FIELD_ADDRESSES, "must be a list of UUIDs");
    guest->address_count_asked = json_count(list);
    for (i = 0; i < guest->address_count_asked && i < ADDRESSES_MAX; i++)
        if (read_uuid(&guest->addresses[i], json_item(list, i), FIELD_ADDRESSES, refused))
            guest->address_count = i + 1;
}

enum err signalwire_decode_guest(struct ask *ask, struct refused *refused,
                                 const struct dialect_request *request)
{
    struct ask_guest *guest = &ask->guest;

    ask->kind = ASK_MINT_GUEST;
    *guest = (struct ask_guest){0};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    decode_allowed(guest, json_member(request->body, "allowed_addresses"), refused);
    guest->has_expiry = read_expiry(&guest->expire_at_s, request->body, "expire_at", refused);
    decode_region(request->body, "region", refused);
    decode_region(request->body, "ch", refused);
    return ERR_OK;
}

/* Any text may be an address's id to somebody who guesses; what is none is not the inviter's. */
enum err signalwire_decode_invite(struct ask *ask, struct refused *refused,
                                  const struct dialect_request *request)
{
    struct ask_invite *invite = &ask->invite;
    struct json address = json_member(request->body, "address_id");

    ask->kind = ASK_MINT_INVITE;
    *invite = (struct ask_invite){0};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    if (!member_is_given(address) || (json_type_of(address) == JSON_IS_STRING && !json_text(address).len))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_ADDRESS, "can't be blank");
    else
        (void)read_uuid(&invite->address, address, FIELD_ADDRESS, refused); /* refused is enough */
    invite->has_expiry = read_expiry(&invite->expire_at_s, request->body, "expires_at", refused);
    invite->proof = member_text(request->body, "dpop_token", FIELD_PROOF, refused);
    return ERR_OK;
}

enum err signalwire_decode_embed(struct ask *ask, struct refused *refused,
                                 const struct dialect_request *request)
{
    ask->kind = ASK_MINT_EMBED;
    ask->embed = (struct ask_embed){BYTES_NONE};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    ask->embed.token = member_text(request->body, "token", FIELD_TOKEN, refused);
    if (!ask->embed.token.len)
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_TOKEN, "can't be blank");
    return ERR_OK;
}

/* The life is a wish, and a client computes it: a number that is no whole one wishes nothing. */
static void decode_life(struct ask_bind *bind, struct json life, struct refused *refused)
{
    if (!member_is_given(life)) return;
    bind->has_life = json_int64(&bind->life_s, life);
    if (!bind->has_life && json_type_of(life) != JSON_IS_REAL)
        member_refuse_invalid(refused, FIELD_LIFE, "must be a number, in seconds");
}

static enum err decode_bind(struct ask *ask, struct refused *refused, const struct dialect_request *request,
                            bool renews)
{
    ask->kind = ASK_BIND;
    ask->bind = (struct ask_bind){.renews = renews};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    /* none, or of another type: that there is no proof is the engine's to refuse */
    ask->bind.proof = json_text(json_member(request->body, "dpop_token"));
    decode_life(&ask->bind, json_member(request->body, "expire_in"), refused);
    return ERR_OK;
}

enum err signalwire_decode_activate(struct ask *ask, struct refused *refused,
                                    const struct dialect_request *request)
{
    return decode_bind(ask, refused, request, false);
}

enum err signalwire_decode_renew(struct ask *ask, struct refused *refused,
                                 const struct dialect_request *request)
{
    return decode_bind(ask, refused, request, true);
}

/* An id that is no UUID is no address's: it is not found, as any other that does not exist. */
enum err signalwire_decode_address(struct ask *ask, struct refused *refused,
                                   const struct dialect_request *request)
{
    ask->kind = ASK_ADDRESS;
    if (uuid_read(&ask->address, request->params.value[0]))
        member_refuse(refused, REFUSAL_NOT_FOUND, FIELD_ADDRESS, "is no id");
    return ERR_OK;
}
