/* Laws: no text from outside opens; what is sealed opens to the same form; with any bit flipped it does
 * not open. The input is a text and, where it is a sealed form too, the thing to seal. Its first bytes
 * pick kind and bit. */
#include "token/seal.h"
#include "token/sealed_form.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct seal_key *the_key(void)
{
    static struct crypto *crypto;
    static struct seal_key *key;
    static const struct secret root = {.len = 32, .data = {0x5e, 0xa1}};

    if (key) return key;
    if (crypto_new(&crypto) != ERR_OK || seal_key_new(&key, crypto, &root, BYTES("0a1b2c3d"), 1) != ERR_OK)
        abort();
    return key;
}

static void reopens(struct arena *arena, enum seal_kind kind, struct bytes form, const struct sealed *sealed,
                    size_t bit)
{
    struct sealed out;
    struct buf text, again;

    buf_init(&text, 8192);
    buf_init(&again, 8192);
    seal_write(&text, the_key(), kind, sealed);
    if (buf_error(&text) == ERR_OK) {
        if (seal_read(&out, arena, the_key(), kind, buf_bytes(&text)) != ERR_OK) abort();
        sealed_form_write(&again, &out);
        if (!bytes_equal(buf_bytes(&again), form)) abort();
        bit %= text.len * 8;
        text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (seal_read(&out, arena, the_key(), kind, buf_bytes(&text)) == ERR_OK) abort();
    }
    buf_release(&text);
    buf_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size), form = bytes_from(input, 3);
    struct arena arena;
    struct sealed sealed;
    enum seal_kind kind;

    if (size < 3) return 0;
    kind = (enum seal_kind)(data[0] % SEAL_KIND_COUNT);
    arena_init(&arena, 16 * 1024);
    for (enum seal_kind any = 0; any < SEAL_KIND_COUNT; any++)
        if (seal_read(&sealed, &arena, the_key(), any, input) == ERR_OK) abort();
    if (sealed_form_read(&sealed, &arena, form) == ERR_OK)
        reopens(&arena, kind, form, &sealed, (size_t)data[1] << 8 | data[2]);
    arena_release(&arena);
    return 0;
}
