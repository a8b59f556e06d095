/* run_sign.c — the end of every way that makes an access token: what was decided, and stored where it had to
 * be, is signed and told. */
#include "base/secret.h"
#include "service/service_run.h"

static enum err write_tokens(struct buf *text, size_t *token_len, struct issuer *issuer,
                             const struct grant *grant)
{
    enum err e;

    buf_reset(text);
    TRY(e = issue_access(text, issuer, grant), done);
    *token_len = text->len;
    if (grant->has_refresh) e = issue_refresh(text, issuer, grant);
done:
    return e;
}

void run_sign(struct run *run, const struct grant *grant)
{
    struct issuer *issuer = &run->service->issuer;
    struct bytes token = BYTES_NONE;
    size_t token_len = 0;
    enum err e = write_tokens(&issuer->text, &token_len, issuer, grant);

    if (!e) {
        token = arena_copy(run->arena, buf_bytes(&issuer->text));
        if (bytes_is_absent(token)) e = ERR_NO_MEMORY;
    }
    if (issuer->text.len) secret_wipe(issuer->text.ptr, issuer->text.len);
    if (e) {
        run_fail(run, e);
        return;
    }
    run->outcome.minted.kind = grant->kind;
    run->outcome.minted.user = grant->user;
    run->outcome.minted.token = bytes_part(token, 0, token_len);
    run->outcome.minted.refresh_token = grant->has_refresh ? bytes_from(token, token_len) : BYTES_NONE;
    run->outcome.minted.is_bound = !bytes_is_absent(grant->jkt);
    run->outcome.minted.iat_s = grant->iat_s;
    run->outcome.minted.exp_s = grant->exp_s;
    run->outcome.minted.refresh_exp_s = grant->refresh_exp_s - grant->aged_ms / 1000;
    run->outcome.minted.absolute_end_s = grant->absolute_end_s - grant->aged_ms / 1000;
    run_finish(run, OUTCOME_MINTED);
}

void run_sign_session(struct run *run, const struct grant *grant, struct bytes external_id)
{
    run->outcome.minted.external_id = external_id;
    run_sign(run, grant);
}
