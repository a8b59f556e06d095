#include "token/seal.h"

#include "harness/check.h"
#include "token/sealed_form.h"

static struct crypto *crypto;
static const struct secret root = {.len = 32, .data = "root root root root root root roo"};

static struct seal_key *key_of(const char *id, uint64_t epoch)
{
    struct seal_key *key = NULL;

    CHECK_INT(seal_key_new(&key, crypto, &root, bytes_of_text(id), epoch), ERR_OK);
    return key;
}

static void draw(struct uuid *out, uint8_t fill)
{
    memset(out->byte, fill, sizeof out->byte);
}

/* The most a refresh token ever carries (design: addresses or a resource, never both; no external id). */
static struct sealed fullest_refresh(void)
{
    struct sealed sealed = {
        .generation = 1000000,
        .gt_ms = INT64_C(4102444800000),
        .iat_s = 4102444800,
        .exp_s = 4102444800,
        .absolute_end_s = 4102444800,
        .claims_kind = KIND_EMBEDDED,
        .is_bound = true,
        .may_self_refresh = true,
        .is_new_user = true,
        .address_count = CLAIMS_ADDRESSES_MAX,
        .parent_key = BYTES("0123456789abcdef0123456789abcdef"),
        .age_ms = INT64_C(31536000000),
    };

    draw(&sealed.id, 1), draw(&sealed.project, 2), draw(&sealed.user, 3), draw(&sealed.application, 4);
    for (size_t i = 0; i < CLAIMS_ADDRESSES_MAX; i++)
        draw(&sealed.addresses[i], (uint8_t)(5 + i));
    memset(sealed.jkt, 0x77, sizeof sealed.jkt);
    return sealed;
}

static bool same(const struct sealed *a, const struct sealed *b)
{
    struct sealed left = *a, right = *b;

    if (!bytes_equal(a->parent_key, b->parent_key) || !bytes_equal(a->external_id, b->external_id))
        return false;
    left.parent_key = left.external_id = right.parent_key = right.external_id = BYTES_NONE;
    return left.generation == right.generation && left.gt_ms == right.gt_ms && left.iat_s == right.iat_s &&
           left.exp_s == right.exp_s && left.absolute_end_s == right.absolute_end_s &&
           left.age_ms == right.age_ms && left.claims_kind == right.claims_kind &&
           left.is_bound == right.is_bound && left.may_self_refresh == right.may_self_refresh &&
           left.is_new_user == right.is_new_user && left.address_count == right.address_count &&
           !memcmp(left.addresses, right.addresses, sizeof left.addresses) &&
           !memcmp(left.jkt, right.jkt, sizeof left.jkt) && uuid_equal(&left.id, &right.id) &&
           uuid_equal(&left.project, &right.project) && uuid_equal(&left.user, &right.user) &&
           uuid_equal(&left.application, &right.application) && uuid_equal(&left.resource, &right.resource) &&
           uuid_equal(&left.family, &right.family) && left.lane == right.lane;
}

static enum err open_text(struct sealed *out, struct seal_key *key, enum seal_kind kind, struct bytes text)
{
    static struct arena arena;
    static bool is_ready;

    if (!is_ready) arena_init(&arena, 4096);
    is_ready = true;
    arena_reset(&arena);
    return seal_read(out, &arena, key, kind, text);
}

static void any_bit_flipped_refuses(void)
{
    struct sealed sealed = fullest_refresh(), out;
    struct seal_key *key = key_of("0a1b2c3d", 1);
    struct buf text;

    buf_init(&text, 1024);
    seal_write(&text, key, SEAL_REFRESH, &sealed);
    CHECK_INT(buf_error(&text), ERR_OK);
    for (size_t bit = 0; bit < text.len * 8; bit++) {
        text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_INT(open_text(&out, key, SEAL_REFRESH, buf_bytes(&text)), ERR_MALFORMED);
        CHECK_INT(out.generation, 0);
        text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < text.len; len++)
        CHECK_INT(open_text(&out, key, SEAL_REFRESH, bytes_of(text.ptr, len)), ERR_MALFORMED);
    CHECK_INT(open_text(&out, key, SEAL_REFRESH, buf_bytes(&text)), ERR_OK);
    buf_append_byte(&text, 'A');
    CHECK_INT(open_text(&out, key, SEAL_REFRESH, buf_bytes(&text)), ERR_MALFORMED);
    buf_release(&text);
    seal_key_free(key);
}

static void opens_only_under_its_own_key_kind_and_epoch(void)
{
    static const char *const prefixes[] = {"rt_", "bt_", "lt_", "rs_"};
    struct seal_key *key = key_of("0a1b2c3d", 1), *other_id = key_of("0a1b2c3e", 1),
                    *other_epoch = key_of("0a1b2c3d", 2);
    struct sealed sealed = {.generation = 7}, out;
    struct buf text;

    buf_init(&text, 1024);
    draw(&sealed.id, 9);
    for (enum seal_kind kind = 0; kind < SEAL_KIND_COUNT; kind++) {
        buf_reset(&text);
        seal_write(&text, key, kind, &sealed);
        CHECK(bytes_start_with(buf_bytes(&text), bytes_of_text(prefixes[kind])));
        CHECK_BYTES(seal_named_key(kind, buf_bytes(&text)), BYTES("0a1b2c3d"));
        CHECK_INT(open_text(&out, key, kind, buf_bytes(&text)), ERR_OK);
        CHECK(same(&sealed, &out));
        CHECK_INT(open_text(&out, other_id, kind, buf_bytes(&text)), ERR_MALFORMED);
        CHECK_INT(open_text(&out, other_epoch, kind, buf_bytes(&text)), ERR_MALFORMED);
        for (enum seal_kind as = 0; as < SEAL_KIND_COUNT; as++) {
            if (as == kind) continue;
            CHECK_INT(open_text(&out, key, as, buf_bytes(&text)), ERR_MALFORMED);
            memcpy(text.ptr, prefixes[as], 3); /* renamed, it must not open either */
            CHECK_INT(open_text(&out, key, as, buf_bytes(&text)), ERR_MALFORMED);
            memcpy(text.ptr, prefixes[kind], 3);
        }
        memcpy(text.ptr + 3, "0a1b2c3e", 8); /* nor under a key id it was not sealed with */
        CHECK_INT(open_text(&out, other_id, kind, buf_bytes(&text)), ERR_MALFORMED);
    }
    buf_release(&text);
    seal_key_free(key), seal_key_free(other_id), seal_key_free(other_epoch), seal_key_free(NULL);
}

static void names_no_key_for_a_wrong_form(void)
{
    static const char *const texts[] = {
        "",
        "rt_",
        "rt_0a1b2c3d",
        "rt_0a1b2c3d.",
        "rt_0a1b2c3d.AAAA",
        "rt_0A1B2C3D.AAAAAAAAAAAAAAAAAAAAAAA",
        "rt_0a1b2c3.AAAAAAAAAAAAAAAAAAAAAAA",
        "rt_0a1b2c3dd.AAAAAAAAAAAAAAAAAAAAAAA",
        "rt_0a1b2c3g.AAAAAAAAAAAAAAAAAAAAAAA",
        "rt_0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAAA.",
        "rt_0a1b2c3d.AAAAAAAAAAA.AAAAAAAAAAAA",
        "RT_0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAAA",
        "bt_0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAAA",
    };
    static uint8_t big[SEAL_REFRESH_MAX + 1];

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_NOTE("%s", texts[i]);
        CHECK(bytes_is_absent(seal_named_key(SEAL_REFRESH, bytes_of_text(texts[i]))));
    }
    CHECK(bytes_is_absent(seal_named_key(SEAL_REFRESH, BYTES_NONE)));
    CHECK_BYTES(seal_named_key(SEAL_REFRESH, BYTES("rt_0a1b2c3d.AAAAAAAAAAAAAAAAAAAAAAA")),
                BYTES("0a1b2c3d"));
    memset(big, 'A', sizeof big);
    memcpy(big, "rt_0a1b2c3d.", 12);
    CHECK(bytes_is_absent(seal_named_key(SEAL_REFRESH, bytes_of(big, sizeof big))));
    CHECK(!bytes_is_absent(seal_named_key(SEAL_REFRESH, bytes_of(big, SEAL_REFRESH_MAX))));
}

static void keeps_a_refresh_token_short(void)
{
    struct sealed sealed = fullest_refresh(), out;
    struct seal_key *key = key_of("ffffffff", UINT64_MAX);
    struct buf text, again;

    buf_init(&text, 2048), buf_init(&again, 2048);
    seal_write(&text, key, SEAL_REFRESH, &sealed);
    CHECK_INT(buf_error(&text), ERR_OK);
    CHECK(text.len <= SEAL_REFRESH_MAX);
    printf("     the fullest refresh token: %zu characters\n", text.len);
    CHECK_INT(open_text(&out, key, SEAL_REFRESH, buf_bytes(&text)), ERR_OK);
    CHECK(same(&sealed, &out));
    seal_write(&again, key, SEAL_REFRESH, &sealed);
    CHECK_BYTES(buf_bytes(&again), buf_bytes(&text)); /* a successor comes out byte for byte the same */
    buf_release(&text), buf_release(&again);
    seal_key_free(key);
}

static void refuses_to_write_past_the_limit(void)
{
    struct sealed sealed = fullest_refresh();
    struct seal_key *key = key_of("0a1b2c3d", 1);
    struct buf text;
    static uint8_t long_id[256];

    memset(long_id, 'x', sizeof long_id);
    buf_init(&text, 4096);
    sealed.external_id = bytes_of(long_id, 255);
    seal_write(&text, key, SEAL_REFRESH, &sealed);
    CHECK_INT(buf_error(&text), ERR_TOO_LARGE);
    buf_reset(&text);
    seal_write(&text, key, SEAL_LAUNCH, &sealed);
    CHECK_INT(buf_error(&text), ERR_OK);
    buf_reset(&text);
    sealed.external_id = bytes_of(long_id, 256);
    seal_write(&text, key, SEAL_LAUNCH, &sealed);
    CHECK_INT(buf_error(&text), ERR_TOO_LARGE);
    buf_reset(&text);
    sealed.external_id = BYTES_NONE;
    sealed.address_count = CLAIMS_ADDRESSES_MAX + 1; /* nothing may be read past the ten there are */
    seal_write(&text, key, SEAL_LAUNCH, &sealed);
    CHECK_INT(buf_error(&text), ERR_TOO_LARGE);
    buf_release(&text);
    seal_key_free(key);
}

static void refuses_key_ids(void)
{
    static const char *const ids[] = {"", "0a1b2c3", "0a1b2c3d4", "0A1B2C3D", "0a1b2c3.", "0a1b 2c3"};
    struct secret empty = {.len = 0};
    struct seal_key *key;

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        CHECK_INT(seal_key_new(&key, crypto, &root, bytes_of_text(ids[i]), 1), ERR_MALFORMED);
    CHECK_INT(seal_key_new(&key, crypto, &empty, BYTES("0a1b2c3d"), 1), ERR_MALFORMED);
    CHECK(!key);
}

static void refuses_every_other_form(void)
{
    static const struct {
        const char *what, *form;
        size_t len;
    } rows[] = {
        {"nothing", "", 0},
        {"another version", "\x02", 1},
        {"tag 0", "\x01\x00\x01", 3},
        {"an unknown tag", "\x01\x12\x01", 3},
        {"a tag without value", "\x01\x04", 2},
        {"a zero number", "\x01\x04\x00", 3},
        {"a number with a zero group", "\x01\x04\x81\x00", 4},
        {"a number cut short", "\x01\x04\x81", 3},
        {"33 bits of generation", "\x01\x04\xff\xff\xff\xff\x1f", 7},
        {"65 bits", "\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 12},
        {"11 groups", "\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13},
        {"a repeated tag", "\x01\x04\x01\x04\x01", 5},
        {"tags out of order", "\x01\x05\x01\x04\x01", 5},
        {"a short uuid", "\x01\x01\x01", 3},
        {"a zero uuid", "\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18},
        {"an unknown kind", "\x01\x09\x07", 3},
        {"an unknown flag", "\x01\x0b\x04", 3},
        {"no addresses", "\x01\x0d\x00", 3},
        {"eleven addresses", "\x01\x0d\x0b", 3},
        {"an empty text", "\x01\x0f\x00", 3},
        {"a long parent", "\x01\x0f\x21", 3},
        {"a text cut short", "\x01\x10\x05x", 4},
        {"bytes left over", "\x01\x04\x01\x00", 4},
    };
    struct arena arena;
    struct sealed out;

    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("%s", rows[i].what);
        CHECK_INT(sealed_form_read(&out, &arena, bytes_of(rows[i].form, rows[i].len)), ERR_MALFORMED);
        CHECK(out.generation == 0 && out.gt_ms == 0);
    }
    CHECK_INT(sealed_form_read(&out, &arena, bytes_of("\x01", 1)), ERR_OK);
    CHECK_INT(
        sealed_form_read(&out, &arena, bytes_of("\x01\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12)),
        ERR_OK);
    CHECK_INT(out.gt_ms, -1);
    arena_release(&arena);
    arena_init(&arena, 0);
    CHECK_INT(sealed_form_read(&out, &arena, bytes_of("\x01\x0f\x01x", 4)), ERR_NO_MEMORY);
    arena_release(&arena);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(any_bit_flipped_refuses);
    CHECK_RUN(opens_only_under_its_own_key_kind_and_epoch);
    CHECK_RUN(names_no_key_for_a_wrong_form);
    CHECK_RUN(refuses_to_write_past_the_limit);
    CHECK_RUN(refuses_key_ids);
    CHECK_RUN(refuses_every_other_form);
    CHECK_RUN(keeps_a_refresh_token_short);
    crypto_free(crypto);
    return CHECK_END();
}
