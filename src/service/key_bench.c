/* key_bench.c — the half of keys.h that belongs to one thread: contexts made of opened keys. */
#include <string.h>

#include "service/keys_inside.h"

static enum err open_sign(struct key_bench *bench, const struct opened_key *key)
{
    struct crypto_sign *sign = NULL;
    struct crypto_public public = {.alg = key->alg};
    uint8_t x[32], y[32];
    enum err e;

    if (bench->check_count == KEYRING_MAX) return ERR_LIMIT;
    TRY(e = crypto_sign_new(&sign, bench->crypto, key->alg, key->secret), done);
    TRY(e = crypto_public_of(sign, x, y), done);
    public.x = bytes_of(x, sizeof x);
    public.y = bytes_of(y, sizeof y);
    TRY(e = crypto_check_new(&bench->checks[bench->check_count].check, bench->crypto, &public), done);
    bench->checks[bench->check_count].kid = key->id;
    bench->checks[bench->check_count++].alg = key->alg;
    if (key->state != RING_SIGNING || bench->sign) goto done;
    bench->sign = sign;
    bench->sign_kid = key->id;
    bench->sign_alg = key->alg;
    sign = NULL;
done:
    crypto_sign_free(sign);
    return e;
}

/* The sealing key comes first, so that seals[0] is the one to seal with. */
static enum err open_seal(struct key_bench *bench, const struct opened_key *key, uint64_t epoch)
{
    struct seal_key *seal;
    enum err e;

    if (bench->seal_count == KEYRING_MAX) return ERR_LIMIT;
    if ((e = seal_key_new(&seal, bench->crypto, key->secret, key->id, epoch))) return e;
    bench->seals[bench->seal_count++] = seal;
    if (key->state == RING_SIGNING) {
        bench->seals[bench->seal_count - 1] = bench->seals[0];
        bench->seals[0] = seal;
        bench->can_seal = true;
    }
    return ERR_OK;
}

enum err key_bench_open(struct key_bench *out, const struct keyring *ring, uint64_t epoch)
{
    size_t i;
    enum err e;

    memset(out, 0, sizeof *out);
    TRY(e = crypto_new(&out->crypto), done);
    for (i = 0; i < ring->count; i++) {
        const struct opened_key *key = &ring->keys[i];
        if (key->use == RING_SIGN) TRY(e = open_sign(out, key), done);
        if (key->use == RING_SEAL) TRY(e = open_seal(out, key, epoch), done);
        if (key->use == RING_HASH && !out->mac)
            TRY(e = crypto_mac_new(&out->mac, out->crypto, key->secret), done);
    }
    if (!out->mac || !out->sign || !out->can_seal) e = ERR_CORRUPT;
done:
    if (e) key_bench_release(out);
    return e;
}

void key_bench_release(struct key_bench *bench)
{
    size_t i;

    for (i = 0; i < bench->seal_count; i++)
        seal_key_free(bench->seals[i]);
    for (i = 0; i < bench->check_count; i++)
        crypto_check_free(bench->checks[i].check);
    crypto_sign_free(bench->sign);
    crypto_mac_free(bench->mac);
    crypto_free(bench->crypto);
    memset(bench, 0, sizeof *bench);
}

enum err keyring_hash(uint8_t out[KEY_HASH_LEN], struct key_bench *bench, struct bytes secret)
{
    return crypto_mac(bench->mac, out, secret);
}
