/* Law: a key that is read is published and read again as the same key, and its thumbprint is one. */
#include "token/jwk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err read_text(struct jwk *out, struct bytes text)
{
    struct json document;
    enum err e = json_read(&document, text);

    memset(out, 0, sizeof *out);
    if (e == ERR_OK) e = jwk_read(out, document);
    json_free(document);
    return e;
}

static void survives_publishing(const struct jwk *jwk)
{
    struct jwk again;
    struct buf text;
    struct json_writer w = json_writer_on(&text);

    buf_init(&text, 4096);
    jwk_write_public(&w, jwk->alg, jwk->x, jwk->y, BYTES("kid"));
    if (read_text(&again, buf_bytes(&text)) != ERR_OK || memcmp(jwk, &again, sizeof again) != 0) abort();
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *crypto;
    char thumbprint[JWK_THUMBPRINT_LEN];
    struct crypto_check *check;
    struct crypto_public public;
    struct jwk jwk;

    if (!crypto && crypto_new(&crypto) != ERR_OK) abort();
    if (read_text(&jwk, bytes_of(data, size)) != ERR_OK) return 0;
    if (jwk_thumbprint(thumbprint, crypto, &jwk) != ERR_OK) abort();
    if (!jwk_is_thumbprint(bytes_of(thumbprint, sizeof thumbprint))) abort();
    if (jwk.alg != ALG_RS256) survives_publishing(&jwk);
    public = jwk_public(&jwk);
    if (crypto_check_new(&check, crypto, &public) == ERR_OK && crypto_check(check, BYTES("x"), BYTES("y")))
        abort();
    crypto_check_free(check);
    return 0;
}
