/* The values that RFCs print for hashes, MACs and signatures; those for whole tokens are in jws_test.c,
 * jwk_test.c and dpop_test.c. */
#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "token/jwk.h"

static struct crypto *crypto;
static json_t *facts;

static const json_t *fact(const char *name)
{
    const json_t *entry = json_object_get(json_object_get(facts, "vectors"), name);

    CHECK_NOTE("%s", name);
    CHECK(entry != NULL);
    return entry;
}

static void rfc_4231_hmac(void)
{
    const json_t *entry = fact("rfc4231_hmac_sha256_tc2");
    uint8_t out[SHA256_LEN];
    struct crypto_mac *mac;
    struct secret key;
    size_t len;
    uint8_t *wanted = vector_hex(entry, "hmac_sha256_hex", &len);

    CHECK_INT(secret_set(&key, vector_text(entry, "key")), ERR_OK);
    CHECK_INT(crypto_mac_new(&mac, crypto, &key), ERR_OK);
    CHECK_INT(crypto_mac(mac, out, vector_text(entry, "data")), ERR_OK);
    CHECK(bytes_equal(bytes_of(out, sizeof out), bytes_of(wanted, len)));
    crypto_mac_free(mac);
    free(wanted);
}

/* The challenge is no feature of ours, but the hash of a text as base64url is: a proof's ath
 * is made so too. */
static void hash_as_text(const json_t *entry, const char *text, const char *wanted)
{
    uint8_t hash[SHA256_LEN];
    struct buf out;

    buf_init(&out, 100);
    CHECK_INT(crypto_sha256(crypto, hash, vector_text(entry, text)), ERR_OK);
    base64url_append(&out, bytes_of(hash, sizeof hash));
    CHECK_BYTES(buf_bytes(&out), vector_text(entry, wanted));
    buf_release(&out);
}

static void rfc_7636_challenge(void)
{
    hash_as_text(fact("rfc7636_B_pkce"), "code_verifier", "code_challenge_s256");
}

static void rfc_9449_ath(void)
{
    hash_as_text(fact("rfc9449_resource_request"), "access_token", "ath");
}

/* Our own ES256 signatures take a random nonce, so these are verified only; each changed bit is refused. */
static void rfc_6979_signatures(void)
{
    const json_t *row, *entry = fact("rfc6979_A25_p256_sha256");
    json_t *public_key = json_deep_copy(json_object_get(entry, "jwk"));
    struct crypto_public public;
    struct crypto_check *check;
    struct json document;
    struct jwk jwk;
    char *text;
    size_t i, len;

    (void)json_object_del(public_key, "d");
    text = json_dumps(public_key, JSON_COMPACT);
    CHECK_INT(json_read(&document, bytes_of_text(text)), ERR_OK);
    CHECK_INT(jwk_read(&jwk, document), ERR_OK);
    public = jwk_public(&jwk);
    CHECK_INT(crypto_check_new(&check, crypto, &public), ERR_OK);
    json_array_foreach(json_object_get(entry, "signatures"), i, row)
    {
        uint8_t *signature = vector_hex(row, "rs_hex", &len);
        struct bytes message = vector_text(row, "message");
        CHECK_INT(len, 64);
        CHECK(crypto_check(check, message, bytes_of(signature, len)));
        CHECK(!crypto_check(check, BYTES("another"), bytes_of(signature, len)));
        for (size_t bit = 0; bit < 8 * len; bit += 37) {
            signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(!crypto_check(check, message, bytes_of(signature, len)));
            signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(signature);
    }
    CHECK_INT(i, 2);
    crypto_check_free(check);
    json_free(document);
    free(text);
    json_decref(public_key);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    facts = vector_own("rfc/rfc_facts.json");
    CHECK_RUN(rfc_4231_hmac);
    CHECK_RUN(rfc_7636_challenge);
    CHECK_RUN(rfc_9449_ath);
    CHECK_RUN(rfc_6979_signatures);
    json_decref(facts);
    crypto_free(crypto);
    return CHECK_END();
}
