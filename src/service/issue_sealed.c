/* issue_sealed.c — the half of issue.h whose credentials are sealed: refresh tokens, tickets and
 * resume states. */
#include <string.h>

#include "base/base64url.h"
#include "service/issue.h"
#include "service/presented.h"

static enum err seal_key_of(struct seal_key **out, const struct key_bench *bench, struct bytes id)
{
    size_t i;

    *out = bench->seals[0];
    if (bytes_is_absent(id)) return ERR_OK;
    for (i = 0; i < bench->seal_count; i++) {
        *out = bench->seals[i];
        if (bytes_equal(seal_key_id(*out), id)) return ERR_OK;
    }
    *out = NULL;
    return ERR_CORRUPT;
}

enum err issue_refresh(struct buf *out, struct issuer *issuer, const struct grant *grant)
{
    struct sealed sealed = {0};
    struct seal_key *key;
    size_t len;
    enum err e = seal_key_of(&key, issuer->bench, grant->seal_key);

    if (e) return e;
    sealed.id = grant->family;
    sealed.project = grant->project;
    sealed.user = grant->user;
    sealed.generation = grant->generation;
    sealed.gt_ms = grant->gt_ms;
    sealed.age_ms = grant->age_ms - grant->aged_ms;
    sealed.iat_s = grant->iat_s;
    sealed.exp_s = grant->refresh_exp_s;
    sealed.absolute_end_s = grant->absolute_end_s;
    sealed.claims_kind = (enum claims_kind)grant->kind;
    sealed.may_self_refresh = grant->may_self_refresh;
    sealed.application = grant->application;
    sealed.parent_key = grant->parent_key;
    sealed.resource = grant->resource;
    sealed.inviter = grant->inviter;
    sealed.address_count = grant->address_count;
    memcpy(sealed.addresses, grant->addresses, sizeof sealed.addresses);
    if (!bytes_is_absent(grant->jkt)) {
        sealed.is_bound = base64url_read(sealed.jkt, sizeof sealed.jkt, &len, grant->jkt) == ERR_OK;
        if (!sealed.is_bound) return ERR_MALFORMED; /* the engine lets no such fingerprint through */
    }
    seal_write(out, key, SEAL_REFRESH, &sealed);
    return buf_error(out);
}

enum err issue_resume(struct buf *out, struct issuer *issuer, const struct resume_state *state)
{
    struct sealed sealed = {0};
    size_t len;

    sealed.id = state->session;
    sealed.project = state->project;
    sealed.user = state->user;
    sealed.claims_kind = (enum claims_kind)state->kind;
    sealed.family = state->family;
    sealed.parent_key = state->parent_key;
    sealed.exp_s = state->deadline_s;
    sealed.gt_ms = state->gt_ms;
    sealed.age_ms = state->age_ms;
    sealed.generation = state->sequence;
    sealed.lane = state->lane;
    if (!bytes_is_absent(state->jkt)) {
        sealed.is_bound = base64url_read(sealed.jkt, sizeof sealed.jkt, &len, state->jkt) == ERR_OK;
        if (!sealed.is_bound) return ERR_MALFORMED; /* no token is bound to such a one */
    }
    seal_write(out, issuer->bench->seals[0], SEAL_RESUME, &sealed);
    return buf_error(out);
}

static enum seal_kind seal_kind_of(enum ticket_kind kind)
{
    return kind == TICKET_LAUNCH ? SEAL_LAUNCH : SEAL_BOOTSTRAP;
}

enum err issue_ticket(struct buf *out, struct issuer *issuer, const struct ticket *ticket)
{
    struct sealed sealed = {0};

    sealed.id = ticket->id;
    sealed.project = ticket->project;
    sealed.user = ticket->user;
    sealed.gt_ms = ticket->gt_ms;
    sealed.iat_s = ticket->iat_s;
    sealed.exp_s = ticket->exp_s;
    sealed.age_ms = ticket->age_ms;
    sealed.parent_key = ticket->parent_key;
    sealed.is_new_user = ticket->is_new_user;
    sealed.external_id = ticket->external_id;
    sealed.payload = ticket->payload;
    seal_write(out, issuer->bench->seals[0], seal_kind_of(ticket->kind), &sealed);
    return buf_error(out);
}

/* Nothing in it is proved, so nothing of it is told but its form. */
static void found_not_ours(struct finding *finding, enum seal_kind kind, struct bytes text,
                           struct bytes named)
{
    finding_clear(finding);
    finding_check(finding, bytes_is_absent(named) ? "sealed.form" : "sealed.opens");
    finding_expected(finding, "%s, as it was issued by this server",
                     presented_text(kind == SEAL_REFRESH     ? PRESENTED_REFRESH
                                    : kind == SEAL_BOOTSTRAP ? PRESENTED_BOOTSTRAP
                                    : kind == SEAL_LAUNCH    ? PRESENTED_LAUNCH
                                                             : PRESENTED_RESUME));
    if (bytes_is_absent(named))
        finding_seen(finding, "%s, %zu bytes", presented_text(presented_kind(text)), text.len);
    else
        finding_seen(finding,
                     "one that names key %.*s and does not open: altered, or of another server or epoch",
                     FINDING_BYTES(named, SEAL_KEY_ID_LEN));
}

static enum err open_sealed(bool *is_ours, struct sealed *out, struct bytes *key_id, struct finding *finding,
                            struct arena *arena, struct issuer *issuer, enum seal_kind kind,
                            struct bytes text)
{
    struct bytes named = seal_named_key(kind, text);
    struct seal_key *key = NULL;
    enum err e = ERR_MALFORMED;

    memset(out, 0, sizeof *out);
    if (!bytes_is_absent(named) && seal_key_of(&key, issuer->bench, named) == ERR_OK)
        e = seal_read(out, arena, key, kind, text);
    *is_ours = e == ERR_OK;
    if (key) *key_id = seal_key_id(key);
    if (e == ERR_MALFORMED || e == ERR_TOO_LARGE) {
        found_not_ours(finding, kind, text, named);
        return ERR_OK;
    }
    return e;
}

static enum err bound_to(struct bytes *jkt, struct arena *arena, const struct sealed *sealed)
{
    char text[BASE64URL_LEN(SHA256_LEN)];

    *jkt = BYTES_NONE;
    if (!sealed->is_bound) return ERR_OK;
    base64url_write(text, bytes_of(sealed->jkt, sizeof sealed->jkt));
    *jkt = arena_copy(arena, bytes_of(text, sizeof text));
    return bytes_is_absent(*jkt) ? ERR_NO_MEMORY : ERR_OK;
}

enum err issue_open_refresh(bool *is_ours, struct grant *out, struct finding *finding, struct arena *arena,
                            struct issuer *issuer, struct bytes text)
{
    struct sealed sealed;
    struct bytes key_id = BYTES_NONE;
    enum err e = open_sealed(is_ours, &sealed, &key_id, finding, arena, issuer, SEAL_REFRESH, text);

    memset(out, 0, sizeof *out);
    if (e || !*is_ours) return e;
    out->kind = (enum token_kind)sealed.claims_kind;
    out->user_kind = out->kind == TOKEN_SUBSCRIBER ? USER_SUBSCRIBER : USER_GUEST;
    out->family = sealed.id;
    out->project = sealed.project;
    out->user = sealed.user;
    out->generation = sealed.generation;
    out->gt_ms = sealed.gt_ms;
    out->age_ms = sealed.age_ms;
    out->iat_s = sealed.iat_s;
    out->has_refresh = true;
    out->refresh_exp_s = sealed.exp_s;
    out->absolute_end_s = sealed.absolute_end_s;
    out->may_self_refresh = sealed.may_self_refresh;
    out->application = sealed.application;
    out->parent_key = sealed.parent_key;
    out->resource = sealed.resource;
    out->inviter = sealed.inviter;
    out->address_count = sealed.address_count;
    memcpy(out->addresses, sealed.addresses, sizeof out->addresses);
    out->seal_key = key_id;
    return bound_to(&out->jkt, arena, &sealed);
}

enum err issue_open_ticket(bool *is_ours, struct ticket *out, struct finding *finding, struct arena *arena,
                           struct issuer *issuer, enum ticket_kind kind, struct bytes text)
{
    struct sealed sealed;
    struct bytes key_id = BYTES_NONE;
    enum err e = open_sealed(is_ours, &sealed, &key_id, finding, arena, issuer, seal_kind_of(kind), text);

    memset(out, 0, sizeof *out);
    if (e || !*is_ours) return e;
    *out = (struct ticket){.kind = kind,
                           .id = sealed.id,
                           .project = sealed.project,
                           .user = sealed.user,
                           .parent_key = sealed.parent_key,
                           .gt_ms = sealed.gt_ms,
                           .iat_s = sealed.iat_s,
                           .exp_s = sealed.exp_s,
                           .age_ms = sealed.age_ms,
                           .is_new_user = sealed.is_new_user,
                           .external_id = sealed.external_id,
                           .payload = sealed.payload};
    return ERR_OK;
}

enum err issue_open_resume(bool *is_ours, struct resume_state *out, struct finding *finding,
                           struct arena *arena, struct issuer *issuer, struct bytes text)
{
    struct sealed sealed;
    struct bytes key_id = BYTES_NONE;
    enum err e = open_sealed(is_ours, &sealed, &key_id, finding, arena, issuer, SEAL_RESUME, text);

    memset(out, 0, sizeof *out);
    if (e || !*is_ours) return e;
    *out = (struct resume_state){.session = sealed.id,
                                 .project = sealed.project,
                                 .user = sealed.user,
                                 .kind = (enum token_kind)sealed.claims_kind,
                                 .family = sealed.family,
                                 .parent_key = sealed.parent_key,
                                 .deadline_s = sealed.exp_s,
                                 .gt_ms = sealed.gt_ms,
                                 .age_ms = sealed.age_ms,
                                 .sequence = sealed.generation,
                                 .lane = sealed.lane};
    return bound_to(&out->jkt, arena, &sealed);
}
