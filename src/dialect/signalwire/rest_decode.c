/* rest_decode.c — minting, refreshing, who am I and addresses; and the connect of a socket. */
#include "dialect/member.h"
#include "dialect/signalwire/signalwire.h"

#include "wire/url.h"

static void decode_expiry(struct ask_mint *mint, struct json body, struct refused *refused)
{
    struct json value = json_member(body, "expire_at");

    if (!member_is_given(value)) return;
    mint->has_expiry = json_int64(&mint->expire_at_s, value);
    if (!mint->has_expiry)
        member_refuse_invalid(refused, FIELD_EXPIRE_AT, "must be an integer, in Unix seconds");
}

static void decode_application(struct ask_mint *mint, struct json body, struct refused *refused)
{
    struct bytes text = member_text(body, "application_id", FIELD_APPLICATION, refused);

    if (bytes_is_absent(text)) return;
    mint->has_application = uuid_read(&mint->application, text) == ERR_OK;
    if (!mint->has_application) member_refuse_invalid(refused, FIELD_APPLICATION, "must be a UUID");
}

/* The vendor's pages contradict each other: a string in one, a list in the other. Both are taken. */
static void decode_scope(struct ask_mint *mint, struct json body, struct refused *refused)
{
    struct json value = json_member(body, "scope");
    size_t i;

    if (!member_is_given(value)) return;
    if (json_type_of(value) == JSON_IS_STRING) {
        mint->may_self_refresh = bytes_equal(json_text(value), BYTES("sat:refresh"));
        if (!mint->may_self_refresh) member_refuse_invalid(refused, FIELD_SCOPE, "can only be sat:refresh");
        return;
    }
    if (json_type_of(value) != JSON_IS_ARRAY) member_refuse_invalid(refused, FIELD_SCOPE, "must be a string");
    for (i = 0; i < json_count(value); i++) {
        mint->may_self_refresh = bytes_equal(json_text(json_item(value, i)), BYTES("sat:refresh"));
        if (!mint->may_self_refresh) member_refuse_invalid(refused, FIELD_SCOPE, "can only be sat:refresh");
    }
}

static void decode_profile(struct ask_mint *mint, struct json body, struct refused *refused)
{
    struct bytes region;
    size_t i;

    for (i = 0; i < PROFILE_COUNT; i++)
        mint->profile.value[i] = member_text(body, profile_member((enum profile_field)i),
                                             (enum ask_field)(FIELD_PROFILE + i), refused);
    region = mint->profile.value[PROFILE_REGION];
    if (!bytes_is_absent(region) && !bytes_equal(region, BYTES("us-central")))
        member_refuse_invalid(refused, (enum ask_field)(FIELD_PROFILE + PROFILE_REGION),
                              "can only be us-central");
}

/* Members that are none of ours are ignored, never copied anywhere. */
enum err signalwire_decode_mint(struct ask *ask, struct refused *refused,
                                const struct dialect_request *request)
{
    struct ask_mint *mint = &ask->mint;

    ask->kind = ASK_MINT_SUBSCRIBER;
    *mint = (struct ask_mint){0};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    if (!member_is_given(json_member(request->body, "reference")))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_REFERENCE, "can't be blank");
    mint->reference = member_text(request->body, "reference", FIELD_REFERENCE, refused);
    decode_expiry(mint, request->body, refused);
    decode_application(mint, request->body, refused);
    mint->password = member_text(request->body, "password", FIELD_PASSWORD, refused);
    mint->fingerprint = member_text(request->body, "fingerprint", FIELD_FINGERPRINT, refused);
    decode_scope(mint, request->body, refused);
    decode_profile(mint, request->body, refused);
    return ERR_OK;
}

enum err signalwire_decode_refresh(struct ask *ask, struct refused *refused,
                                   const struct dialect_request *request)
{
    struct ask_refresh *refresh = &ask->refresh;

    ask->kind = ASK_REFRESH;
    *refresh = (struct ask_refresh){0};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    refresh->refresh_token = member_text(request->body, "refresh_token", FIELD_REFRESH_TOKEN, refused);
    if (!refresh->refresh_token.len)
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_REFRESH_TOKEN, "can't be blank");
    return ERR_OK;
}

enum err signalwire_decode_who(struct ask *ask, struct refused *refused,
                               const struct dialect_request *request)
{
    (void)refused; /* there is nothing in this request that could be refused */
    (void)request;
    ask->kind = ASK_WHO_AM_I;
    return ERR_OK;
}

/* Sorting and paging members are accepted and have no effect: one caller sees at most one page. */
enum err signalwire_decode_addresses(struct ask *ask, struct refused *refused,
                                     const struct dialect_request *request)
{
    enum err e;

    ask->kind = ASK_ADDRESSES;
    ask->addresses = (struct ask_addresses){BYTES_NONE};
    e = url_query_value(&ask->addresses.name, request->arena, request->query, BYTES("name"));
    if (e != ERR_MALFORMED) return e;
    member_refuse_invalid(refused, FIELD_ADDRESS_NAME, "is not a valid query value");
    return ERR_OK;
}

/* Ours: the session that this one shall take the place of. Whatever is there but no object with the two is
 * presented all the same: it is refused, never taken for none. */
static void decode_upgrade(struct ask_connect *connect, struct refused *refused, struct json upgrade)
{
    struct bytes state = json_text(json_member(upgrade, "authorization_state"));

    if (!member_is_given(upgrade)) return;
    if (connect->wants_resume)
        member_refuse_invalid(refused, FIELD_NONE, "upgrade and authorization_state exclude each other");
    connect->wants_resume = connect->wants_upgrade = true;
    connect->state = state.len ? state : BYTES_NONE;
    connect->session = signalwire_session_of(json_text(json_member(upgrade, "protocol")));
}

/* Every member of connect's params that we use is checked for its type; the rest (agent, contexts, topics,
 * ...) is not ours to judge. */
enum err signalwire_decode_connect(struct ask *ask, struct refused *refused,
                                   const struct dialect_request *request)
{
    struct json params = request->body;
    struct json authentication = json_member(params, "authentication");
    struct json state = json_member(params, "authorization_state"), name = json_member(params, "protocol");
    struct json proof = json_member(params, "dpop_token");
    struct json version = json_member(params, "version");

    ask->kind = ASK_CONNECT;
    ask->connect = (struct ask_connect){0};
    ask->connect.token = json_text(json_member(authentication, "jwt_token"));
    if (!ask->connect.token.len)
        member_refuse(refused, REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, "authentication.jwt_token is missing");
    if (member_is_given(version) && json_type_of(version) != JSON_IS_OBJECT)
        member_refuse_invalid(refused, FIELD_NONE, "version must be an object");
    if (member_is_given(proof) && json_type_of(proof) != JSON_IS_STRING)
        member_refuse_invalid(refused, FIELD_NONE, "dpop_token must be a string");
    if ((member_is_given(state) && json_type_of(state) != JSON_IS_STRING) ||
        (member_is_given(name) && json_type_of(name) != JSON_IS_STRING))
        member_refuse_invalid(refused, FIELD_NONE, "authorization_state and protocol must be strings");
    ask->connect.proof = json_text(proof);
    /* Older clients present one of the two: version 3 has no state, and 4.0.0-beta.7, once refused, forgets
     * the protocol alone. To refuse them again would leave the one deaf and the other asking several times a
     * second. One half is no resume: they begin anew, as with nothing. */
    if (json_text(state).len && json_text(name).len) {
        ask->connect.wants_resume = true;
        ask->connect.state = json_text(state);
        ask->connect.session = signalwire_session_of(json_text(name));
    }
    decode_upgrade(&ask->connect, refused, json_member(params, "upgrade"));
    ask->connect.takes_slots = json_type_of(json_member(params, "takes_slots")) == JSON_IS_TRUE; /* ours */
    return ERR_OK;
}

/* "project" says nothing that the token does not say better. */
enum err signalwire_decode_reauthenticate(struct ask *ask, struct refused *refused,
                                          const struct dialect_request *request)
{
    struct json params = request->body;
    struct json proof = json_member(params, "dpop_token");

    ask->kind = ASK_REAUTHENTICATE;
    ask->reauthenticate = (struct ask_reauthenticate){0};
    ask->reauthenticate.token = json_text(json_member(json_member(params, "authentication"), "jwt_token"));
    if (!ask->reauthenticate.token.len)
        member_refuse(refused, REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, "authentication.jwt_token is missing");
    if (member_is_given(proof) && json_type_of(proof) != JSON_IS_STRING)
        member_refuse_invalid(refused, FIELD_NONE, "dpop_token must be a string");
    ask->reauthenticate.proof = json_text(proof);
    return ERR_OK;
}
