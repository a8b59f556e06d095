#include "token/crypto.h"

#include "base/hex.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "token/ed25519_point.h"

static struct crypto *crypto;

static struct secret secret_of_hex(const char *text)
{
    struct secret secret = {.len = strlen(text) / 2};

    CHECK(secret.len <= SECRET_MAX && hex_read(secret.data, secret.len, bytes_of_text(text)) == ERR_OK);
    return secret;
}

static bool equals_hex(const uint8_t *got, size_t len, const char *wanted)
{
    uint8_t buffer[128];

    return len <= sizeof buffer && strlen(wanted) == 2 * len &&
           hex_read(buffer, len, bytes_of_text(wanted)) == ERR_OK && memcmp(got, buffer, len) == 0;
}

static struct bytes of_hex(uint8_t **owned, const json_t *object, const char *key)
{
    size_t len;

    *owned = vector_hex(object, key, &len);
    return bytes_of(*owned, len);
}

/* ---- hashes and derivation ---- */

static void hashes(void)
{
    uint8_t out[SHA256_LEN];

    for (int again = 0; again < 2; again++) {
        CHECK_INT(crypto_sha256(crypto, out, BYTES("abc")), ERR_OK); /* FIPS 180-4 */
        CHECK(equals_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        CHECK_INT(crypto_sha256(crypto, out, BYTES("")), ERR_OK);
        CHECK(equals_hex(out, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    }
}

static void derives_by_rfc_5869(void)
{
    struct secret root = secret_of_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), out;

    CHECK_INT(crypto_derive(crypto, &out, 42, &root, BYTES("")), ERR_OK); /* A.3 */
    CHECK(equals_hex(out.data, out.len,
                     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
    CHECK_INT(crypto_derive(crypto, &out, SECRET_MAX + 1, &root, BYTES("x")), ERR_TOO_LARGE);
    CHECK_INT(out.len, 0);
    CHECK_INT(crypto_derive(crypto, &out, 0, &root, BYTES("x")), ERR_TOO_LARGE);
}

static void derives_like_the_published_cases(void)
{
    json_t *file = vector_foreign("wycheproof/hkdf_sha256_test.json"), *group, *test;
    size_t g, t, ran = 0;

    json_array_foreach(json_object_get(file, "testGroups"), g, group)
        json_array_foreach(json_object_get(group, "tests"), t, test)
    {
        size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
        uint8_t *ikm, *info, *okm;
        struct bytes key = of_hex(&ikm, test, "ikm"), label = of_hex(&info, test, "info");
        struct bytes wanted = of_hex(&okm, test, "okm");
        struct secret root = {.len = 0}, out;

        CHECK_NOTE("tcId %d", (int)json_integer_value(json_object_get(test, "tcId")));
        /* We derive without salt, from at most 64 bytes to at most 64. */
        if (vector_text(test, "salt").len == 0 && size >= 1 && size <= SECRET_MAX && key.len >= 1 &&
            secret_set(&root, key) == ERR_OK) {
            CHECK_INT(crypto_derive(crypto, &out, size, &root, label), ERR_OK);
            CHECK(bytes_equal(bytes_of(out.data, out.len), wanted) ==
                  !strcmp(json_string_value(json_object_get(test, "result")), "valid"));
            ran++;
        }
        free(ikm), free(info), free(okm);
    }
    if (file) printf("     %zu hkdf cases\n", ran);
    json_decref(file);
}

static void stretches_passwords(void)
{
    uint8_t out[32];

    CHECK_INT(crypto_scrypt(out, BYTES("password"), BYTES("NaCl")), ERR_OK);
    CHECK(equals_hex(out, 32, "3fa85118fffe9732da7f4c63ef61f5c6458144d036401f8829dd4e5b2c50c51f"));
}

/* ---- HMAC ---- */

static void macs_by_rfc_4231(void)
{
    struct secret key = {.len = 4, .data = "Jefe"};
    struct crypto_mac *mac;
    uint8_t out[SHA256_LEN];

    CHECK_INT(crypto_mac_new(&mac, crypto, &key), ERR_OK);
    for (int again = 0; again < 3; again++) {
        CHECK_INT(crypto_mac(mac, out, BYTES("what do ya want for nothing?")), ERR_OK);
        CHECK(equals_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
    }
    crypto_mac_free(mac);
    crypto_mac_free(NULL);
}

static void macs_like_the_published_cases(void)
{
    json_t *file = vector_foreign("wycheproof/hmac_sha256_test.json"), *group, *test;
    size_t g, t, ran = 0;

    json_array_foreach(json_object_get(file, "testGroups"), g, group)
        json_array_foreach(json_object_get(group, "tests"), t, test)
    {
        uint8_t *key_hex, *msg_hex, *tag_hex, out[SHA256_LEN];
        struct bytes key = of_hex(&key_hex, test, "key"), msg = of_hex(&msg_hex, test, "msg");
        struct bytes tag = of_hex(&tag_hex, test, "tag");
        struct crypto_mac *mac = NULL;
        struct secret secret = {.len = 0};
        bool is_valid = !strcmp(json_string_value(json_object_get(test, "result")), "valid");

        CHECK_NOTE("tcId %d", (int)json_integer_value(json_object_get(test, "tcId")));
        if (key.len > 64) { /* RFC 2104 §2: a longer key is its hash */
            CHECK_INT(crypto_sha256(crypto, secret.data, key), ERR_OK);
            secret.len = SHA256_LEN;
        } else {
            CHECK_INT(secret_set(&secret, key), ERR_OK);
        }
        CHECK_INT(crypto_mac_new(&mac, crypto, &secret), ERR_OK);
        CHECK_INT(crypto_mac(mac, out, msg), ERR_OK);
        CHECK((memcmp(out, tag.ptr, tag.len) == 0) == is_valid);
        /* Where a full tag is due, a cut one never passes. */
        CHECK(secret_equal_bytes(bytes_of(out, sizeof out), tag) == (is_valid && tag.len == SHA256_LEN));
        crypto_mac_free(mac);
        free(key_hex), free(msg_hex), free(tag_hex);
        ran++;
    }
    if (file) printf("     %zu hmac cases\n", ran);
    json_decref(file);
}

/* ---- AES-SIV ---- */

static void siv_case(struct crypto_siv *siv, const json_t *row)
{
    struct bytes ad[CRYPTO_SIV_AD_MAX], plain, wanted;
    uint8_t *plain_owned, *wanted_owned, ad_bytes[CRYPTO_SIV_AD_MAX][64], opened[128], bad[128];
    size_t count = json_array_size(json_object_get(row, "ad"));
    struct buf out;

    buf_init(&out, 256);
    plain = of_hex(&plain_owned, row, "plain");
    wanted = of_hex(&wanted_owned, row, "sealed");
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(json_object_get(row, "ad"), i));
        ad[i] = bytes_of(ad_bytes[i], strlen(text) / 2);
        CHECK_INT(hex_read(ad_bytes[i], ad[i].len, bytes_of_text(text)), ERR_OK);
    }
    CHECK_INT(crypto_siv_seal(siv, &out, plain, ad, count), ERR_OK);
    CHECK(bytes_equal(buf_bytes(&out), wanted));
    CHECK(crypto_siv_open(siv, opened, wanted, ad, count));
    CHECK(bytes_equal(bytes_of(opened, plain.len), plain));
    for (size_t bit = 0; bit < wanted.len * 8; bit++) {
        memcpy(bad, wanted.ptr, wanted.len);
        bad[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!crypto_siv_open(siv, opened, bytes_of(bad, wanted.len), ad, count));
        CHECK(opened[0] == 0 && opened[plain.len - 1] == 0); /* nothing unauthenticated comes out */
    }
    for (size_t len = 0; len < wanted.len; len++)
        CHECK(!crypto_siv_open(siv, opened, bytes_of(wanted.ptr, len), ad, count));
    if (count > 0) CHECK(!crypto_siv_open(siv, opened, wanted, ad, count - 1));
    buf_release(&out);
    free(plain_owned), free(wanted_owned);
}

static void seals_as_a_separate_reading_does(void)
{
    json_t *file = vector_own("own/aes_siv.json"), *row;
    struct secret key = secret_of_hex(json_string_value(json_object_get(file, "key")));
    struct crypto_siv *siv;
    size_t i;

    CHECK_INT(crypto_siv_new(&siv, crypto, &key), ERR_OK);
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        CHECK_NOTE("case %zu", i);
        siv_case(siv, row);
    }
    crypto_siv_free(siv);
    json_decref(file);
}

static void refuses_what_the_library_would_skip(void)
{
    struct secret key = {.len = 64, .data = {7}};
    struct bytes none[] = {BYTES("")}, five[5];
    struct crypto_siv *siv;
    struct buf out;

    for (size_t i = 0; i < 5; i++)
        five[i] = BYTES("x");
    buf_init(&out, 256);
    CHECK_INT(crypto_siv_new(&siv, crypto, &key), ERR_OK);
    CHECK_INT(crypto_siv_seal(siv, &out, BYTES(""), five, 1), ERR_MALFORMED);
    CHECK_INT(crypto_siv_seal(siv, &out, BYTES("p"), none, 1), ERR_CRYPTO);
    CHECK_INT(crypto_siv_seal(siv, &out, BYTES("p"), five, 5), ERR_CRYPTO);
    CHECK_INT(out.len, 0);
    crypto_siv_free(siv);
    key.len = 32;
    CHECK_INT(crypto_siv_new(&siv, crypto, &key), ERR_MALFORMED);
    CHECK(!siv);
    buf_release(&out);
}

/* ---- signatures ---- */

static void signs_and_checks(enum alg alg)
{
    struct crypto_sign *sign;
    struct crypto_check *check;
    struct secret key;
    uint8_t x[32] = {0}, y[32] = {0}, signature[64];
    struct crypto_public public = {.alg = alg, .x = bytes_of(x, 32), .y = bytes_of(y, 32)};

    CHECK_NOTE("%s", alg_jose(alg));
    CHECK_INT(crypto_key_generate(crypto, alg, &key), ERR_OK);
    CHECK_INT(crypto_sign_new(&sign, crypto, alg, &key), ERR_OK);
    CHECK_INT(crypto_public_of(sign, x, y), ERR_OK);
    CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
    for (int i = 0; i < 300; i++) { /* enough for r and s of every length that shows up in practice */
        struct bytes data = bytes_of(&i, sizeof i);
        CHECK_INT(crypto_sign(sign, signature, data), ERR_OK);
        CHECK(crypto_check(check, data, bytes_of(signature, 64)));
        CHECK(!crypto_check(check, BYTES("other"), bytes_of(signature, 64)));
        signature[i % 64] ^= 1;
        CHECK(!crypto_check(check, data, bytes_of(signature, 64)));
        CHECK(!crypto_check(check, data, bytes_of(signature, 63)));
    }
    crypto_check_free(check);
    crypto_sign_free(sign);
    secret_release(&key);
}

static void signs_es256(void)
{
    signs_and_checks(ALG_ES256);
}
static void signs_eddsa(void)
{
    signs_and_checks(ALG_EDDSA);
}

static void refuses_private_keys_out_of_range(void)
{
    static const struct {
        enum alg alg;
        const char *key;
    } rows[] = {
        {ALG_ES256, "0000000000000000000000000000000000000000000000000000000000000000"},
        {ALG_ES256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"}, /* n */
        {ALG_ES256, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        {ALG_ES256, "01"},
        {ALG_EDDSA, "01"},
        {ALG_RS256, "0101010101010101010101010101010101010101010101010101010101010101"},
        {ALG_NONE, "0101010101010101010101010101010101010101010101010101010101010101"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct secret key = secret_of_hex(rows[i].key);
        struct crypto_sign *sign;
        CHECK_NOTE("row %zu", i);
        CHECK_INT(crypto_sign_new(&sign, crypto, rows[i].alg, &key), ERR_CRYPTO);
        CHECK(!sign);
    }
}

/* Keys are made for what we sign with, and for nothing else. */
static void makes_no_other_keys(void)
{
    static const enum alg algs[] = {ALG_NONE, ALG_RS256, ALG_COUNT};

    for (size_t i = 0; i < sizeof algs / sizeof *algs; i++) {
        struct secret key = {.len = 5, .data = "stale"};
        CHECK_NOTE("alg %d", (int)algs[i]);
        CHECK_INT(crypto_key_generate(crypto, algs[i], &key), ERR_CRYPTO);
        CHECK_INT(key.len, 0);
        CHECK(key.data[0] == 0);
    }
}

static void refuses_public_keys(void)
{
    static uint8_t zero[513], ones[513], odd[513];
    const struct {
        const char *what;
        struct crypto_public key;
    } rows[] = {
        {"off the curve", {.alg = ALG_ES256, .x = bytes_of(ones, 32), .y = bytes_of(ones, 32)}},
        {"zero point", {.alg = ALG_ES256, .x = bytes_of(zero, 32), .y = bytes_of(zero, 32)}},
        {"short x", {.alg = ALG_ES256, .x = bytes_of(ones, 31), .y = bytes_of(ones, 32)}},
        {"long y", {.alg = ALG_ES256, .x = bytes_of(ones, 32), .y = bytes_of(ones, 33)}},
        {"no coordinates", {.alg = ALG_ES256}},
        {"Ed25519 of order 4", {.alg = ALG_EDDSA, .x = bytes_of(zero, 32)}},
        {"Ed25519 short", {.alg = ALG_EDDSA, .x = bytes_of(odd, 31)}},
        {"RSA 2047 bits", {.alg = ALG_RS256, .n = bytes_of(odd + 1, 256), .e = BYTES("\x01\x00\x01")}},
        {"RSA 4104 bits", {.alg = ALG_RS256, .n = bytes_of(ones, 513), .e = BYTES("\x01\x00\x01")}},
        {"RSA leading zero", {.alg = ALG_RS256, .n = bytes_of(odd, 512), .e = BYTES("\x01\x00\x01")}},
        {"RSA e = 1", {.alg = ALG_RS256, .n = bytes_of(ones, 256), .e = BYTES("\x01")}},
        {"RSA even e", {.alg = ALG_RS256, .n = bytes_of(ones, 256), .e = BYTES("\x02")}},
        {"RSA e of 5 bytes",
         {.alg = ALG_RS256, .n = bytes_of(ones, 256), .e = BYTES("\x01\x00\x00\x00\x01")}},
        {"RSA no e", {.alg = ALG_RS256, .n = bytes_of(ones, 256)}},
        {"no algorithm", {.alg = ALG_NONE, .x = bytes_of(ones, 32), .y = bytes_of(ones, 32)}},
    };

    memset(ones, 0xff, sizeof ones);
    memset(odd, 0x7f, sizeof odd);
    odd[0] = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct crypto_check *check;
        CHECK_NOTE("%s", rows[i].what);
        CHECK_INT(crypto_check_new(&check, crypto, &rows[i].key), ERR_MALFORMED);
        CHECK(!check);
        crypto_check_free(check);
    }
}

static void knows_points_of_small_order(void)
{
    static const char *const refused[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    };
    static const char *const taken[] = {
        "0200000000000000000000000000000000000000000000000000000000000000",
        "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000001000000000000000000000000000000",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    };
    uint8_t point[32];

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        CHECK_NOTE("%s", refused[i]);
        CHECK_INT(hex_read(point, 32, bytes_of_text(refused[i])), ERR_OK);
        CHECK(!ed25519_point_is_sound(point));
    }
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        CHECK_NOTE("%s", taken[i]);
        CHECK_INT(hex_read(point, 32, bytes_of_text(taken[i])), ERR_OK);
        CHECK(ed25519_point_is_sound(point));
    }
}

/* RFC 8032 §5.1.7: S is below the group's order L. S + L would fulfil the equation as well as S does,
 * and make of one signature many. Ours is made here, so that the case is at hand wherever the
 * published ones are not. */
static void add_order(uint8_t s[32])
{
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned carry = 0;

    for (size_t i = 0; i < 32; i++) {
        carry += (unsigned)s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void refuses_stretched_ed25519(void)
{
    struct crypto_sign *sign;
    struct crypto_check *check;
    struct crypto_public public = {.alg = ALG_EDDSA};
    struct secret secret;
    struct bytes data = BYTES("signed once");
    uint8_t x[32], y[32], good[64], bad[64];

    CHECK_INT(crypto_key_generate(crypto, ALG_EDDSA, &secret), ERR_OK);
    CHECK_INT(crypto_sign_new(&sign, crypto, ALG_EDDSA, &secret), ERR_OK);
    CHECK_INT(crypto_public_of(sign, x, y), ERR_OK);
    public.x = bytes_of(x, 32);
    CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
    CHECK_INT(crypto_sign(sign, good, data), ERR_OK);
    CHECK(crypto_check(check, data, bytes_of(good, 64)));
    memcpy(bad, good, 64);
    for (int times = 1; times < 8; times++) { /* S + 7 L still fits into 32 bytes */
        add_order(bad + 32);
        CHECK_NOTE("S + %d L", times);
        CHECK(!crypto_check(check, data, bytes_of(bad, 64)));
    }
    memcpy(bad, good, 64);
    memset(bad + 32, 0, 32);
    CHECK(!crypto_check(check, data, bytes_of(bad, 64))); /* S = 0 */
    add_order(bad + 32);
    CHECK(!crypto_check(check, data, bytes_of(bad, 64))); /* S = L */
    memcpy(bad, good, 64);
    memset(bad, 0, 32);
    CHECK(!crypto_check(check, data, bytes_of(bad, 64))); /* R = 0: a point of order four */
    bad[0] = 1;
    CHECK(!crypto_check(check, data, bytes_of(bad, 64))); /* R is the identity */
    memset(bad + 32, 0, 32);
    CHECK(!crypto_check(check, data, bytes_of(bad, 64))); /* and S = 0, which any key of small order takes */
    memset(bad, 0, 64);
    CHECK(!crypto_check(check, data, bytes_of(bad, 64)));
    CHECK(crypto_check(check, data, bytes_of(good, 64)));
    crypto_check_free(check);
    crypto_sign_free(sign);
    secret_release(&secret);
}

/* A key that failed must not spoil the one made after it: ES256 keys are kept and given a new point. */
static void a_refused_key_leaves_no_trace(void)
{
    uint8_t bad[32] = {1};
    struct crypto_public public = {.alg = ALG_ES256, .x = bytes_of(bad, 32), .y = bytes_of(bad, 32)};
    struct crypto_check *one, *two;

    signs_and_checks(ALG_ES256);
    CHECK_INT(crypto_check_new(&one, crypto, &public), ERR_MALFORMED);
    signs_and_checks(ALG_ES256);
    CHECK_INT(crypto_check_new(&one, crypto, &public), ERR_MALFORMED);
    CHECK_INT(crypto_check_new(&two, crypto, &public), ERR_MALFORMED);
    CHECK(!one && !two);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(refuses_what_the_library_would_skip);
    CHECK_RUN(refuses_private_keys_out_of_range);
    CHECK_RUN(makes_no_other_keys);
    CHECK_RUN(refuses_public_keys);
    CHECK_RUN(knows_points_of_small_order);
    CHECK_RUN(refuses_stretched_ed25519);
    CHECK_RUN(a_refused_key_leaves_no_trace);
    CHECK_RUN(hashes);
    CHECK_RUN(derives_by_rfc_5869);
    CHECK_RUN(derives_like_the_published_cases);
    CHECK_RUN(stretches_passwords);
    CHECK_RUN(macs_by_rfc_4231);
    CHECK_RUN(macs_like_the_published_cases);
    CHECK_RUN(seals_as_a_separate_reading_does);
    CHECK_RUN(signs_es256);
    CHECK_RUN(signs_eddsa);
    crypto_free(crypto);
    crypto_free(NULL);
    return CHECK_END();
}
