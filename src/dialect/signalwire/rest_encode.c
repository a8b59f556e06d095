/* rest_encode.c — their answers, and the bodies of this dialect's refusals. */
#include "dialect/signalwire/rest_inside.h"
#include "dialect/signalwire/signalwire.h"

#include "base/instant.h"
#include "wire/json_write.h"

void signalwire_encode_minted(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    signalwire_write_uuid(&w, "subscriber_id", &outcome->minted.user);
    json_key(&w, "token");
    json_put_string(&w, outcome->minted.token);
    json_key(&w, "refresh_token");
    json_put_string(&w, outcome->minted.refresh_token);
    json_object_end(&w);
}

void signalwire_encode_refreshed(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_MINTED) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 201;
    json_object_begin(&w);
    json_key(&w, "token");
    json_put_string(&w, outcome->minted.token);
    json_key(&w, "refresh_token");
    json_put_string(&w, outcome->minted.refresh_token);
    json_object_end(&w);
}

void signalwire_write_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    json_key(w, key);
    json_put_uuid(w, id);
}

/* "/private/ada" -> "ada": what the vendor calls the address's name. */
static struct bytes short_name(struct bytes name)
{
    size_t i = name.len;

    while (i && name.ptr[i - 1] != '/')
        i--;
    return bytes_from(name, i);
}

static void write_channel(struct json_writer *w, const char *channel, struct bytes name)
{
    struct buf line;

    buf_init(&line, ADDRESS_NAME_MAX + 32);
    buf_append(&line, name);
    buf_append_text(&line, "?channel=");
    buf_append_text(&line, channel);
    json_key(w, channel);
    json_put_string(w, buf_bytes(&line));
    if (buf_error(&line)) w->out->error = buf_error(&line);
    buf_release(&line);
}

void signalwire_write_address(struct json_writer *w, const struct address *address)
{
    char created[INSTANT_TEXT_LEN];

    instant_write(created, address->created_ms);
    json_object_begin(w);
    signalwire_write_uuid(w, "id", &address->id);
    json_key(w, "name");
    json_put_string(w, short_name(address->name));
    json_key(w, "display_name");
    json_put_string(w, address->display_name);
    signalwire_write_uuid(w, "resource_id", &address->resource);
    json_key(w, "type");
    json_put_literal(w, address_type_text(address->type));
    json_key(w, "cover_url");
    json_put_null(w);
    json_key(w, "preview_url");
    json_put_null(w);
    json_key(w, "locked");
    json_put_bool(w, false);
    json_key(w, "channels");
    json_object_begin(w);
    write_channel(w, "audio", address->name);
    write_channel(w, "video", address->name);
    json_object_end(w);
    json_key(w, "created_at");
    json_put_string(w, bytes_of(created, sizeof created));
    json_object_end(w);
}

/* One, by id; without the list around it. */
void signalwire_encode_address(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_ADDRESSES || !outcome->addresses.count) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    signalwire_write_address(&w, &outcome->addresses.list[0]);
}

void signalwire_write_addresses(struct json_writer *w, const struct outcome *outcome)
{
    size_t i;

    json_key(w, "data");
    json_array_begin(w);
    for (i = 0; i < outcome->addresses.count; i++)
        signalwire_write_address(w, &outcome->addresses.list[i]);
    json_array_end(w);
}

void signalwire_encode_addresses(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);

    if (outcome->kind != OUTCOME_ADDRESSES) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    signalwire_write_addresses(&w, outcome);
    json_key(&w, "links");
    json_object_begin(&w);
    json_object_end(&w);
    json_object_end(&w);
}

/* Of a guest there is nothing to tell: only a subscriber's token has capabilities of its own. */
static void write_sat_claims(struct json_writer *w, const struct holder *holder)
{
    if (!holder->is_full_subscriber && !holder->may_self_refresh && bytes_is_absent(holder->jkt)) return;
    json_key(w, "sat_claims");
    json_object_begin(w);
    signalwire_write_scope(w, holder);
    json_key(w, "expires_at");
    json_put_number(w, holder->exp_s);
    signalwire_write_binding(w, holder);
    json_object_end(w);
}

/* The reference is an e-mail address if it looks like one; the vendor's field has no other source. */
struct bytes signalwire_email_of(const struct user *user)
{
    return bytes_have(user->reference, '@') ? user->reference : BYTES_NONE;
}

void signalwire_encode_who(struct dialect_reply *reply, const struct outcome *outcome)
{
    struct json_writer w = json_writer_on(reply->body);
    const struct user *user = &outcome->who;
    size_t i;

    if (outcome->kind != OUTCOME_WHO) {
        signalwire_encode_refused(reply, outcome);
        return;
    }
    reply->status = 200;
    json_object_begin(&w);
    signalwire_write_uuid(&w, "id", &user->id);
    json_key(&w, "email");
    json_put_string_or_null(&w, signalwire_email_of(user));
    for (i = 0; i < PROFILE_COUNT; i++) {
        json_key(&w, profile_member((enum profile_field)i));
        json_put_string_or_null(&w, user->profile.value[i]);
    }
    json_key(&w, "push_notification_key");
    json_put_null(&w);
    json_key(&w, "app_settings");
    json_object_begin(&w);
    json_key(&w, "display_name");
    json_put_string_or_null(&w, user->profile.value[PROFILE_DISPLAY_NAME]);
    json_key(&w, "scopes");
    json_array_begin(&w);
    json_array_end(&w);
    json_object_end(&w);
    json_key(&w, "fabric_addresses");
    json_array_begin(&w);
    if (outcome->holder.is_full_subscriber) signalwire_write_address(&w, &user->address);
    json_array_end(&w);
    write_sat_claims(&w, &outcome->holder);
    json_object_end(&w);
}

static const char *field_name(enum ask_field field, const char *expiry)
{
    static const char *const names[FIELD_PROFILE] = {
        [FIELD_REFERENCE] = "reference",
        [FIELD_APPLICATION] = "application_id",
        [FIELD_PASSWORD] = "password",
        [FIELD_FINGERPRINT] = "fingerprint",
        [FIELD_SCOPE] = "scope",
        [FIELD_ADDRESS_NAME] = "name",
        [FIELD_EMAIL] = "email",
        [FIELD_NAME] = "name",
        [FIELD_PERMISSIONS] = "permissions",
        [FIELD_PAGE] = "page_token",
        [FIELD_PREVIEWS] = "enable_room_previews",
        [FIELD_SUBPROJECT] = "subproject_id",
        [FIELD_ADDRESSES] = "allowed_addresses",
        [FIELD_ADDRESS] = "address_id",
        [FIELD_TOKEN] = "token",
        [FIELD_PROOF] = "dpop_token",
        [FIELD_LIFE] = "expire_in",
        [FIELD_REFRESH_TOKEN] = "refresh_token",
    };

    if (field == FIELD_EXPIRE_AT) return expiry;
    return field >= FIELD_PROFILE ? profile_member((enum profile_field)(field - FIELD_PROFILE))
                                  : names[field];
}

/* Of a refresh token this API tells three things apart: expired, another kind of token, anything else. */
static const char *code_of(const struct refused *refused)
{
    switch ((int)refused->refusal) {
    case REFUSAL_PARAMETER_MISSING:
        return "missing_required_parameter";
    case REFUSAL_PARAMETER_INVALID:
        return "invalid_parameter";
    case REFUSAL_PARAMETER_TAKEN:
        return "value_not_unique";
    case REFUSAL_ADDRESSES_TOO_MANY:
        return "allowed_address_limit_exceeded";
    case REFUSAL_ADDRESS_FOREIGN:
        return "must_belong_to_project";
    case REFUSAL_TOKEN_PREFIX:
        return "token_has_invalid_prefix";
    case REFUSAL_REFRESH_EXPIRED:
        return "token_expired";
    case REFUSAL_REFRESH_KIND:
        return "not_a_refresh_token";
    default:
        return refused->field == FIELD_REFRESH_TOKEN ? "token_invalid" : "invalid_parameter";
    }
}

/* {"errors":[{type, code, message, attribute, url}]}: the vendor's body for 422. */
static void write_validation_error(struct buf *out, const struct refused *refused, const char *expiry)
{
    const char *attribute = field_name(refused->field, expiry);
    struct json_writer w = json_writer_on(out);
    struct buf message;

    buf_init(&message, 256);
    buf_append_text(&message, attribute ? attribute : "the request");
    buf_append_byte(&message, ' ');
    buf_append_text(&message, refused->because ? refused->because : "is invalid");
    json_object_begin(&w);
    json_key(&w, "errors");
    json_array_begin(&w);
    json_object_begin(&w);
    json_key(&w, "type");
    json_put_literal(&w, "validation_error");
    json_key(&w, "code");
    json_put_literal(&w, code_of(refused));
    json_key(&w, "message");
    json_put_string(&w, buf_bytes(&message));
    json_key(&w, "attribute");
    json_put_string_or_null(&w, bytes_of_text(attribute));
    json_key(&w, "url");
    json_put_literal(&w, "https://signalwire.com/docs/apis/error-codes");
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    buf_release(&message);
}

/* The vendor's words for statuses that have no more to say. */
static const char *error_words(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Payload Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

void signalwire_encode_refused_as(struct dialect_reply *reply, const struct outcome *outcome,
                                  const char *expiry)
{
    bool is_refusal = outcome->kind == OUTCOME_REFUSED;
    struct json_writer w = json_writer_on(reply->body);

    reply->status =
        is_refusal ? refusal_http_status(outcome->refused.refusal) : err_http_status(outcome->error);
    /* a member that is revoked, or whose user is gone, is no failed authentication */
    if (is_refusal && outcome->refused.field == FIELD_REFRESH_TOKEN) reply->status = 422;
    if (reply->status == 422) {
        write_validation_error(reply->body, &outcome->refused, expiry);
        return;
    }
    json_object_begin(&w);
    json_key(&w, "error");
    json_put_literal(&w, error_words(reply->status));
    json_object_end(&w);
}

void signalwire_encode_refused(struct dialect_reply *reply, const struct outcome *outcome)
{
    signalwire_encode_refused_as(reply, outcome, "expire_at");
}
