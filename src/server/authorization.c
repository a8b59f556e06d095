#include "server/authorization.h"

#include "wire/basic_auth.h"
#include "wire/form.h"

/* ---- read ---- */

/* RFC 6749 §2.3.1: client id and secret are form-encoded before they become Basic's user and password. What
 * is no such text stays as it came, and is no key. */
static enum err decode_basic(struct credential *out, struct arena *arena)
{
    struct bytes user = BYTES_NONE, password = BYTES_NONE;
    enum err e = form_text(&user, arena, out->user);

    if (!e) e = form_text(&password, arena, out->password);
    if (!e) {
        out->user = user;
        out->password = password;
    }
    return e == ERR_MALFORMED ? ERR_OK : e;
}

enum err authorization_read(struct credential *out, struct exchange *x)
{
    unsigned count;
    struct bytes value = http_request_field(&x->request, x->bytes, BYTES("Authorization"), &count);
    struct basic_auth basic;
    enum err e;

    *out = (struct credential){.kind = CREDENTIAL_NONE};
    if (!count) return ERR_OK;
    out->kind = CREDENTIAL_BAD;
    if (count > 1) return ERR_OK; /* two credentials: not ours to choose */
    if (bearer_read(&out->token, value, JWS_MAX) == ERR_OK) {
        out->kind = CREDENTIAL_BEARER;
        return ERR_OK;
    }
    if (x->dialect && x->dialect->takes_dpop && dpop_auth_read(&out->token, value, JWS_MAX) == ERR_OK) {
        out->kind = CREDENTIAL_DPOP;
        return ERR_OK;
    }
    e = basic_auth_read(&basic, &x->arena, value);
    if (e == ERR_NO_MEMORY) return e;
    if (e) return ERR_OK;
    *out = (struct credential){.kind = CREDENTIAL_BASIC, .user = basic.user, .password = basic.password};
    return x->dialect && x->dialect->form_encodes_credentials ? decode_basic(out, &x->arena) : ERR_OK;
}

/* ---- ask for ---- */

#define REALM "realm=\"coatcheck\""
#define ALGS  "algs=\"ES256 EdDSA RS256\"" /* token/alg.def */

/* RFC 9449 §7.1: why a token that was shown with a proof was not enough. */
static struct bytes challenge_dpop(enum refusal refusal)
{
    switch ((int)refusal) {
    case REFUSAL_PROOF_NONCE:
        return BYTES("DPoP " REALM ", error=\"use_dpop_nonce\", " ALGS);
    case REFUSAL_PROOF_MISSING:
    case REFUSAL_PROOF_INVALID:
    case REFUSAL_PROOF_REPLAYED:
        return BYTES("DPoP " REALM ", error=\"invalid_dpop_proof\", " ALGS);
    default:
        return BYTES("DPoP " REALM ", error=\"invalid_token\", " ALGS);
    }
}

/* Of calls with an access token. RFC 6750 §3.1: no error word when no credential was sent. */
static struct bytes challenge_token(const struct exchange *x, const struct outcome *outcome)
{
    bool is_absent = outcome->refused.refusal == REFUSAL_CREDENTIAL_MISSING;
    bool takes_dpop = x->row->route.credential == ROUTE_BEARER && x->dialect->takes_dpop;

    if (takes_dpop && x->run.ask.credential.kind == CREDENTIAL_DPOP)
        return challenge_dpop(outcome->refused.refusal);
    if (takes_dpop && is_absent) return BYTES("Bearer " REALM ", DPoP " REALM ", " ALGS);
    if (takes_dpop) return BYTES("Bearer " REALM ", error=\"invalid_token\", DPoP " REALM ", " ALGS);
    return is_absent ? BYTES("Bearer " REALM) : BYTES("Bearer " REALM ", error=\"invalid_token\"");
}

struct bytes authorization_challenge(const struct exchange *x, const struct outcome *outcome)
{
    const uint32_t basic = KEY_BIT(KEY_API_TOKEN) | KEY_BIT(KEY_CLIENT);

    if (!x->row || (x->row->takes_keys & basic)) return BYTES("Basic " REALM ", charset=\"UTF-8\"");
    /* what was wrong stood in the body; a Basic challenge would make a browser ask its visitor
     * for a password */
    if (x->row->route.credential == ROUTE_OPEN) return BYTES("Bearer " REALM);
    return challenge_token(x, outcome);
}
