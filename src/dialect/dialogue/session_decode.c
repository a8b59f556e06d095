/* session_decode.c — bootstrap tokens and sessions; who am I. */
#include "dialect/member.h"
#include "dialect/dialogue/dialogue.h"

enum err dialogue_decode_bootstrap(struct ask *ask, struct refused *refused,
                                   const struct dialect_request *request)
{
    enum json_type type = json_type_of(request->body);

    ask->kind = ASK_BOOTSTRAP;
    ask->bootstrap = (struct ask_bootstrap){BYTES_NONE};
    if (type == JSON_IS_ABSENT) return ERR_OK; /* the vendor's own sample sends no body */
    if (type != JSON_IS_OBJECT) return ERR_MALFORMED;
    ask->bootstrap.external_id = member_text(request->body, "externalUserId", FIELD_EXTERNAL_ID, refused);
    return ERR_OK;
}

enum err dialogue_decode_redeem(struct ask *ask, struct refused *refused,
                                const struct dialect_request *request)
{
    ask->kind = ASK_REDEEM;
    ask->redeem = (struct ask_redeem){.kind = TICKET_BOOTSTRAP};
    if (json_type_of(request->body) != JSON_IS_OBJECT) return ERR_MALFORMED;
    ask->redeem.ticket = member_text(request->body, "bootstrapToken", FIELD_TOKEN, refused);
    /* the vendor reserves it for later; named, it has to fit */
    ask->redeem.publishable_key =
        member_text(request->body, "publishableKey", FIELD_PUBLISHABLE_KEY, refused);
    if (!ask->redeem.ticket.len)
        member_refuse(refused, REFUSAL_PARAMETER_MISSING, FIELD_TOKEN, "can't be blank");
    return ERR_OK;
}

enum err dialogue_decode_visit(struct ask *ask, struct refused *refused,
                               const struct dialect_request *request)
{
    enum json_type type = json_type_of(request->body);
    struct bytes study;

    ask->kind = ASK_VISIT;
    ask->visit = (struct ask_visit){0};
    if (type == JSON_IS_ABSENT) return ERR_OK; /* names nothing: the engine's matter */
    if (type != JSON_IS_OBJECT) return ERR_MALFORMED;
    ask->visit.publishable_key = member_text(request->body, "publishableKey", FIELD_PUBLISHABLE_KEY, refused);
    study = member_text(request->body, "studyId", FIELD_STUDY, refused);
    if (bytes_is_absent(study)) return ERR_OK;
    ask->visit.has_study = uuid_read(&ask->visit.study, study) == ERR_OK;
    if (!ask->visit.has_study)
        member_refuse(refused, REFUSAL_PARAMETER_INVALID, FIELD_STUDY, "must be a UUID");
    return ERR_OK;
}

enum err dialogue_decode_me(struct ask *ask, struct refused *refused, const struct dialect_request *request)
{
    (void)refused; /* there is nothing in this request that could be refused */
    (void)request;
    ask->kind = ASK_PARTICIPANT;
    return ERR_OK;
}
