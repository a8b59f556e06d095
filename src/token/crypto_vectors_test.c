/* Signature checks against the published case lists. */
#include "harness/check.h"
#include "harness/vector_json.h"
#include "token/crypto.h"
#include "token/ecdsa_der.h"

static struct crypto *crypto;

static struct bytes of_hex(uint8_t **owned, const json_t *object, const char *key)
{
    size_t len;

    *owned = vector_hex(object, key, &len);
    return bytes_of(*owned, len);
}

enum form { FORM_RAW, FORM_DER };

/* DER comes in through our reader, as the library's own signatures do. */
static bool check_form(struct crypto_check *check, struct bytes msg, struct bytes sig, enum form form)
{
    uint8_t rs[ECDSA_RS_LEN];

    if (form == FORM_RAW) return crypto_check(check, msg, sig);
    return ecdsa_der_read(rs, sig) && crypto_check(check, msg, bytes_of(rs, sizeof rs));
}

static size_t run_group(const json_t *group, struct crypto_check *check, enum form form)
{
    json_t *test;
    size_t t;

    json_array_foreach(json_object_get(group, "tests"), t, test)
    {
        const char *result = json_string_value(json_object_get(test, "result"));
        uint8_t *msg_owned, *sig_owned;
        struct bytes msg = of_hex(&msg_owned, test, "msg"), sig = of_hex(&sig_owned, test, "sig");
        bool is_good = check_form(check, msg, sig, form);

        CHECK_NOTE("tcId %d %s", (int)json_integer_value(json_object_get(test, "tcId")),
                   json_string_value(json_object_get(test, "comment")));
        if (!strcmp(result, "valid")) CHECK(is_good);
        if (!strcmp(result, "invalid")) CHECK(!is_good);
        CHECK(check_form(check, msg, sig, form) == is_good); /* a kept key answers the same again */
        free(msg_owned), free(sig_owned);
    }
    return t;
}

static struct crypto_check *check_of_point(struct bytes uncompressed)
{
    struct crypto_public public = {
        .alg = ALG_ES256, .x = bytes_part(uncompressed, 1, 32), .y = bytes_part(uncompressed, 33, 32)};
    struct crypto_check *check = NULL;

    CHECK(uncompressed.len == 65);
    CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
    return check;
}

static void run_es256(const char *name, enum form form)
{
    json_t *file = vector_foreign(name), *group;
    size_t g, ran = 0;

    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        uint8_t *owned;
        struct crypto_check *check =
            check_of_point(of_hex(&owned, json_object_get(group, "publicKey"), "uncompressed"));
        if (check) ran += run_group(group, check, form);
        crypto_check_free(check);
        free(owned);
    }
    if (file) printf("     %zu cases\n", ran);
    json_decref(file);
}

static void es256_as_jose_writes_it(void)
{
    run_es256("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json", FORM_RAW);
}

static void es256_through_der(void)
{
    run_es256("wycheproof/ecdsa_secp256r1_sha256_test.json", FORM_DER);
}

static void eddsa(void)
{
    json_t *file = vector_foreign("wycheproof/ed25519_test.json"), *group;
    size_t g, ran = 0;

    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        uint8_t *owned;
        struct crypto_public public = {.alg = ALG_EDDSA,
                                       .x = of_hex(&owned, json_object_get(group, "publicKey"), "pk")};
        struct crypto_check *check = NULL;
        CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
        if (check) ran += run_group(group, check, FORM_RAW);
        crypto_check_free(check);
        free(owned);
    }
    if (file) printf("     %zu cases\n", ran);
    json_decref(file);
}

/* One DER element at the front of *der; its content. */
static struct bytes der_take(struct bytes *der, uint8_t tag)
{
    size_t len, head = 2;
    struct bytes content;

    if (der->len < 3 || der->ptr[0] != tag) return BYTES_NONE;
    len = der->ptr[1];
    if (len > 0x80)
        for (len = 0; head < 2 + (size_t)(der->ptr[1] & 0x7f) && head < der->len; head++)
            len = len << 8 | der->ptr[head];
    content = bytes_part(*der, head, len);
    *der = bytes_from(*der, head + len);
    return content;
}

static struct bytes without_sign(struct bytes integer)
{
    return integer.len > 1 && integer.ptr[0] == 0 ? bytes_from(integer, 1) : integer;
}

static void rs256(void)
{
    json_t *file = vector_foreign("wycheproof/rsa_signature_2048_sha256_test.json"), *group;
    size_t g, ran = 0;

    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        uint8_t *owned;
        struct bytes asn = of_hex(&owned, group, "publicKeyAsn"), sequence = der_take(&asn, 0x30);
        struct crypto_public public = {.alg = ALG_RS256};
        struct crypto_check *check = NULL;

        public.n = without_sign(der_take(&sequence, 0x02));
        public.e = without_sign(der_take(&sequence, 0x02));
        CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
        if (check) ran += run_group(group, check, FORM_RAW);
        crypto_check_free(check);
        free(owned);
    }
    if (file) printf("     %zu cases\n", ran);
    json_decref(file);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(es256_as_jose_writes_it);
    CHECK_RUN(es256_through_der);
    CHECK_RUN(eddsa);
    CHECK_RUN(rs256);
    crypto_free(crypto);
    return CHECK_END();
}
