/* standard_decode.c — forms of OAuth become asks. */
#include "dialect/member.h"
#include "dialect/standard/standard.h"
#include "wire/form.h"
#include "wire/url.h"

static struct bytes needed(const struct form *form, const char *name, enum ask_field field,
                           struct refused *refused)
{
    struct bytes value = form_value(form, bytes_of_text(name));

    if (bytes_is_absent(value)) member_refuse(refused, REFUSAL_PARAMETER_MISSING, field, "is missing");
    return value;
}

/* RFC 7523 §2.2. Whether the type is the one we know is judged with the rest of it, and so is a client_id
 * that names another (RFC 7521 §4.2). */
static void take_assertion(struct ask *ask, const struct form *form, struct refused *refused)
{
    struct credential *credential = &ask->credential;
    struct bytes assertion = form_value(form, BYTES("client_assertion"));
    struct bytes type = form_value(form, BYTES("client_assertion_type"));

    if (bytes_is_absent(assertion) && bytes_is_absent(type)) return;
    if (bytes_is_absent(assertion) || bytes_is_absent(type))
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_ASSERTION, "is missing, or its type is");
    else if (credential->kind != CREDENTIAL_NONE)
        credential->kind = CREDENTIAL_TWO;
    else
        *credential = (struct credential){.kind = CREDENTIAL_ASSERTION,
                                          .token = assertion,
                                          .assertion_type = type,
                                          .user = form_value(form, BYTES("client_id"))};
}

/* RFC 6749 §2.3.1 allows a secret in the body and advises against it. Overlooking one would turn a client
 * that authenticated into one that did not. */
static void take_authentication(struct ask *ask, const struct form *form, struct refused *refused)
{
    if (!bytes_is_absent(form_value(form, BYTES("client_secret"))))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_NONE,
                      "a secret belongs into the Authorization field");
    take_assertion(ask, form, refused);
}

/* RFC 9449 §4.3 (1): one proof, or none. Of several none can be chosen. */
static struct bytes proof_of(const struct dialect_request *request, struct refused *refused)
{
    if (!request->has_more_proofs) return request->proof;
    member_refuse(refused, REFUSAL_PROOF_INVALID, FIELD_PROOF, "came more than once");
    return BYTES_NONE;
}

enum err standard_decode_describe(struct ask *ask, struct refused *refused,
                                  const struct dialect_request *request)
{
    (void)refused; /* there is nothing in this request that could be refused */
    (void)request;
    ask->kind = ASK_DESCRIBE;
    return ERR_OK;
}

/* What a token may do is settled by what it comes from: it can be asked for neither more nor less. */
static void refuse_other_rights(const struct form *form, struct refused *refused)
{
    if (!bytes_is_absent(form_value(form, BYTES("scope"))))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_SCOPE,
                      "cannot be asked for: it stays as it was granted");
    if (!bytes_is_absent(form_value(form, BYTES("resource"))) ||
        !bytes_is_absent(form_value(form, BYTES("audience"))))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_TARGET,
                      "cannot be asked for: tokens are for this server");
}

static void decode_refresh(struct ask *ask, const struct form *form, struct bytes proof,
                           struct refused *refused)
{
    ask->refresh.refresh_token = needed(form, "refresh_token", FIELD_REFRESH_TOKEN, refused);
    ask->refresh.proof = proof;
    ask->refresh.may_lack_key = true;
}

/* RFC 8693 §2.1. The ticket speaks for itself; a launch names its project's publishable key besides, as
 * client_id, because a page that got hold of a ticket alone shall not get further. */
static void decode_exchange(struct ask *ask, const struct form *form, struct bytes proof,
                            struct refused *refused)
{
    struct bytes ticket = needed(form, "subject_token", FIELD_TICKET, refused);
    struct bytes type = needed(form, "subject_token_type", FIELD_TICKET_TYPE, refused);
    struct bytes wanted = form_value(form, BYTES("requested_token_type"));
    struct bytes client = form_value(form, BYTES("client_id"));
    bool is_launch = bytes_equal(type, BYTES(TYPE_LAUNCH));
    /* client_id then names who signed it, and that is more than a publishable key shows */
    bool has_assertion = ask->credential.kind == CREDENTIAL_ASSERTION;

    ask->kind = ASK_REDEEM;
    ask->redeem = (struct ask_redeem){.kind = is_launch ? TICKET_LAUNCH : TICKET_BOOTSTRAP,
                                      .ticket = ticket,
                                      .needs_publishable_key = is_launch && !has_assertion,
                                      .proof = proof};
    if (!has_assertion && (is_launch || bytes_start_with(client, BYTES("pk_"))))
        ask->redeem.publishable_key = client;
    if (!is_launch && !bytes_equal(type, BYTES(TYPE_BOOTSTRAP)))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_TICKET_TYPE,
                      "is none that is exchanged here");
    if (!bytes_is_absent(wanted) && !bytes_equal(wanted, BYTES(TYPE_ACCESS)) &&
        !bytes_equal(wanted, BYTES(TYPE_JWT)))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_WANTED_TYPE, "can only be an access token");
    if (!bytes_is_absent(form_value(form, BYTES("actor_token"))))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_NONE,
                      "there is no delegation: nobody acts for another");
}

enum err standard_decode_token(struct ask *ask, struct refused *refused,
                               const struct dialect_request *request)
{
    struct form form;
    struct bytes grant, proof = proof_of(request, refused);
    enum err e = form_read(&form, request->arena, request->form);

    ask->kind = ASK_REFRESH;
    ask->refresh = (struct ask_refresh){.may_lack_key = true};
    if (e) return e;
    take_authentication(ask, &form, refused);
    grant = needed(&form, "grant_type", FIELD_GRANT_TYPE, refused);
    if (bytes_equal(grant, BYTES("refresh_token")))
        decode_refresh(ask, &form, proof, refused);
    else if (bytes_equal(grant, BYTES(GRANT_EXCHANGE)))
        decode_exchange(ask, &form, proof, refused);
    else
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_GRANT_TYPE, "is none that is offered here");
    refuse_other_rights(&form, refused);
    return ERR_OK;
}

/* token_type_hint is not needed: a token says itself what it is (RFC 7009 §2.1 lets us ignore it). */
enum err standard_decode_introspect(struct ask *ask, struct refused *refused,
                                    const struct dialect_request *request)
{
    struct form form;
    enum err e = form_read(&form, request->arena, request->form);

    ask->kind = ASK_INTROSPECT;
    ask->introspect = (struct ask_introspect){BYTES_NONE};
    if (e) return e;
    ask->introspect.token = needed(&form, "token", FIELD_TOKEN, refused);
    take_authentication(ask, &form, refused);
    return ERR_OK;
}

enum err standard_decode_revoke(struct ask *ask, struct refused *refused,
                                const struct dialect_request *request)
{
    struct form form;
    enum err e = form_read(&form, request->arena, request->form);

    ask->kind = ASK_REVOKE;
    ask->revoke = (struct ask_revoke){0};
    ask->revoke.proof = proof_of(request, refused);
    if (e) return e;
    ask->revoke.token = needed(&form, "token", FIELD_TOKEN, refused);
    take_authentication(ask, &form, refused);
    return ERR_OK;
}

enum err standard_decode_revocations(struct ask *ask, struct refused *refused,
                                     const struct dialect_request *request)
{
    struct bytes text;
    uint64_t since_ms = 0;
    enum err e = url_query_value(&text, request->arena, request->query, BYTES("since"));

    ask->kind = ASK_REVOCATIONS;
    ask->revocations = (struct ask_revocations){0};
    if (e && e != ERR_MALFORMED) return e;
    if (e || (text.len && !bytes_to_u64(&since_ms, text, INT64_MAX)))
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_SINCE, "must be the `next` of a page before");
    else
        ask->revocations.since_ms = (int64_t)since_ms;
    return ERR_OK;
}
