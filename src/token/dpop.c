#include "token/dpop.h"

#include <string.h>

static enum err copy_string(struct bytes *out, struct arena *arena, struct json claims, const char *name)
{
    struct json member = json_member(claims, name);
    struct bytes text = json_text(member);

    if (json_type_of(member) == JSON_IS_ABSENT) return ERR_OK;
    if (!json_text_is_clean(member) || text.len == 0) return ERR_MALFORMED;
    *out = arena_copy(arena, text);
    return arena_copy_failed(text, *out) ? ERR_NO_MEMORY : ERR_OK;
}

static bool is_one_form(const struct dpop *dpop)
{
    bool htm = !bytes_is_absent(dpop->htm), htu = !bytes_is_absent(dpop->htu);
    bool rpc = !bytes_is_absent(dpop->rpc), mth = !bytes_is_absent(dpop->mth);

    return htm == htu && rpc == mth && htm != rpc;
}

static enum err read_claims(struct dpop *out, struct arena *arena, struct bytes payload)
{
    struct json claims = {NULL};
    enum err e;

    TRY(e = json_read(&claims, payload), done);
    e = ERR_MALFORMED;
    if (json_type_of(claims) != JSON_IS_OBJECT) goto done;
    if (!json_int64(&out->iat_s, json_member(claims, "iat")) || out->iat_s < 0) goto done;
    TRY(e = copy_string(&out->jti, arena, claims, "jti"), done);
    TRY(e = copy_string(&out->htm, arena, claims, "htm"), done);
    TRY(e = copy_string(&out->htu, arena, claims, "htu"), done);
    TRY(e = copy_string(&out->rpc, arena, claims, "rpc"), done);
    TRY(e = copy_string(&out->mth, arena, claims, "mth"), done);
    TRY(e = copy_string(&out->ath, arena, claims, "ath"), done);
    TRY(e = copy_string(&out->nonce, arena, claims, "nonce"), done);
    if (out->jti.len == 0 || out->jti.len > DPOP_JTI_MAX || !is_one_form(out)) e = ERR_MALFORMED;
done:
    json_free(claims);
    return e;
}

/* RFC 9449 §4.3 (4)-(7): typ, an asymmetric algorithm of ours, the key in the header and the
 * signature by it. */
static enum err verify(struct dpop *out, struct crypto *crypto, const struct jws *jws)
{
    enum alg alg = alg_of_jose(jws->alg);
    struct crypto_check *check = NULL;
    struct crypto_public public;
    struct jwk jwk;
    enum err e = ERR_MALFORMED;

    if (!bytes_equal(jws->typ, BYTES("dpop+jwt")) || alg == ALG_NONE) return ERR_MALFORMED;
    TRY(e = jwk_read(&jwk, json_member(jws->header, "jwk")), done);
    e = ERR_MALFORMED;
    if (jwk.alg != alg) goto done; /* the key decides the algorithm, never the name alone */
    public = jwk_public(&jwk);
    TRY(e = crypto_check_new(&check, crypto, &public), done);
    e = ERR_MALFORMED;
    if (!crypto_check(check, jws->signing_input, jws->signature)) goto done;
    e = jwk_thumbprint(out->jkt, crypto, &jwk);
done:
    crypto_check_free(check);
    return e;
}

enum err dpop_read(struct dpop *out, struct arena *arena, struct crypto *crypto, struct bytes proof)
{
    struct jws jws = {.header = {NULL}};
    enum err e;

    memset(out, 0, sizeof *out);
    if (proof.len > DPOP_MAX) return ERR_MALFORMED;
    TRY(e = jws_split(&jws, arena, proof), done);
    /* before the signature: it costs fifty times as much */
    TRY(e = read_claims(out, arena, jws.payload), done);
    e = verify(out, crypto, &jws);
done:
    jws_release(&jws);
    if (e != ERR_OK) memset(out, 0, sizeof *out);
    return e;
}
