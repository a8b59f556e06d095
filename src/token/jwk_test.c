#include "token/jwk.h"

#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_json.h"

static struct crypto *crypto;

#define X      "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y      "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define ED     "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define EC_KEY "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\""

static enum err read_text(struct jwk *out, struct bytes text)
{
    struct json document;
    enum err e = json_read(&document, text);

    memset(out, 0xee, sizeof *out);
    if (e == ERR_OK) e = jwk_read(out, document);
    json_free(document);
    return e;
}

static void refuses(void)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "\"EC\"",
        "{\"kty\":\"EC\"}",
        "{\"kty\":\"ec\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"" X "\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "=\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA" X "\",\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\",\"y\":\"" Y
        "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":7,\"y\":\"" Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":[\"" X "\"],\"y\":\"" Y "\"}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
        "{\"kty\":\"none\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}",
        "{" EC_KEY ",\"d\":\"AA\"}",
        "{" EC_KEY ",\"d\":null}",
        "{" EC_KEY ",\"p\":\"\"}",
        "{" EC_KEY ",\"q\":\"\"}",
        "{" EC_KEY ",\"dp\":\"\"}",
        "{" EC_KEY ",\"dq\":\"\"}",
        "{" EC_KEY ",\"qi\":\"\"}",
        "{" EC_KEY ",\"oth\":[]}",
        "{" EC_KEY ",\"k\":\"\"}",
        "{" EC_KEY ",\"\\u0064\":\"AA\"}",
        "{" EC_KEY ",\"alg\":\"ES384\"}",
        "{" EC_KEY ",\"alg\":null}",
        "{" EC_KEY ",\"use\":\"enc\"}",
        "{" EC_KEY ",\"key_ops\":[\"encrypt\"]}",
        "{" EC_KEY ",\"key_ops\":[]}",
        "{" EC_KEY ",\"key_ops\":\"verify\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct jwk jwk, zero;
        memset(&zero, 0, sizeof zero);
        CHECK_NOTE("%.200s", texts[i]);
        CHECK_INT(read_text(&jwk, bytes_of_text(texts[i])), ERR_MALFORMED);
        CHECK(memcmp(&jwk, &zero, sizeof jwk) == 0);
    }
}

/* {"kty":"RSA"} with n of len bytes, the first and last as given, and e as text. */
static enum err read_rsa(size_t len, uint8_t first, uint8_t last, const char *e)
{
    uint8_t n[600];
    struct jwk jwk;
    struct buf text;
    enum err result;

    memset(n, 0x5a, sizeof n);
    n[0] = first;
    n[len - 1] = last;
    buf_init(&text, 4096);
    buf_append_text(&text, "{\"kty\":\"RSA\",\"n\":\"");
    base64url_append(&text, bytes_of(n, len));
    buf_append_text(&text, "\",\"e\":\"");
    buf_append_text(&text, e);
    buf_append_text(&text, "\"}");
    result = read_text(&jwk, buf_bytes(&text));
    buf_release(&text);
    return result;
}

static void keeps_rsa_in_bounds(void)
{
    CHECK_INT(read_rsa(256, 0x80, 1, "AQAB"), ERR_OK);
    CHECK_INT(read_rsa(512, 0xff, 1, "AQAB"), ERR_OK);
    CHECK_INT(read_rsa(257, 0x01, 1, "AQAB"), ERR_OK); /* 2049 bits */
    CHECK_INT(read_rsa(256, 0x7f, 1, "AQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(257, 0x00, 1, "AQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(256, 0x80, 2, "AQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(128, 0x80, 1, "AQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(513, 0x01, 1, "AQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(600, 0x80, 1, "AQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(256, 0x80, 1, "AQ"), ERR_MALFORMED);
    CHECK_INT(read_rsa(256, 0x80, 1, "Aw"), ERR_MALFORMED);
    CHECK_INT(read_rsa(256, 0x80, 1, "AAEAAQ"), ERR_MALFORMED);
    CHECK_INT(read_rsa(256, 0x80, 1, "AQABAQABAQAB"), ERR_MALFORMED);
    CHECK_INT(read_rsa(256, 0x80, 1, ""), ERR_MALFORMED);
}

static void takes_what_browsers_send(void)
{
    struct jwk jwk;
    struct crypto_public public;

    CHECK_INT(
        read_text(&jwk, BYTES("{" EC_KEY
                              ",\"ext\":true,\"key_ops\":[\"verify\"],\"alg\":\"ES256\",\"use\":\"sig\"}")),
        ERR_OK);
    CHECK_INT(jwk.alg, ALG_ES256);
    public = jwk_public(&jwk);
    CHECK(public.alg == ALG_ES256 && public.x.len == 32 && public.y.len == 32 && bytes_is_absent(public.n));
    CHECK_INT(
        read_text(&jwk, BYTES("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "\",\"alg\":\"EdDSA\"}")),
        ERR_OK);
    CHECK_INT(
        read_text(&jwk, BYTES("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "\",\"alg\":\"Ed25519\"}")),
        ERR_OK);
    CHECK_INT(read_text(&jwk, BYTES("{" EC_KEY ",\"alg\":\"Ed25519\"}")), ERR_MALFORMED);
    CHECK_INT(
        read_text(&jwk, BYTES("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED "\",\"alg\":\"EdDSA\"}")),
        ERR_OK);
    public = jwk_public(&jwk);
    CHECK(public.alg == ALG_EDDSA && public.x.len == 32 && bytes_is_absent(public.y));
}

static const char *const pem_es256 = "-----BEGIN PUBLIC KEY-----\n"
                                     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFvw2k5OAJtzONnsafQpXq6zi27dL\n"
                                     "Vfo+dNTa3LDj6h8lyrMUjz9j/dS9hzehOm+M7FkoNuJbW1ZKU/iuvvik3Q==\n"
                                     "-----END PUBLIC KEY-----\n";
static const char *const pem_eddsa = "-----BEGIN PUBLIC KEY-----\n"
                                     "MCowBQYDK2VwAyEAlkw6VKYXHWYaZz6cMuawYvyfqxQGLSLdnIjWR0CVoos=\n"
                                     "-----END PUBLIC KEY-----\n";
static const char *const pem_rs256 = "-----BEGIN PUBLIC KEY-----\n"
                                     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApOv4/iZXc8Tt3KBzrFFQ\n"
                                     "EvadUE3/OM88BEKQJz3gTv5O8JRUKeiNznQsWTEaKtN5pIrNIJEFQbpJIi8hIVw6\n"
                                     "Ps+uXCm/ZSwpMVbul/Xo8+1h8u5KLMUJ1VfqUjQW8Ep06A0le7qUjIi5p3t3gMyQ\n"
                                     "1RPCDpeAZ9KlWgC8QtNz4Kf8OLrOtNfTVixMMi24slqrm/8yvFFmzrZSuK3iisoZ\n"
                                     "LMTbAZE0G5y45TFT4eDvPs6dY5kALKIcfyqOdSzRYfyAFnz+fIPYiY0r1xhdEKyl\n"
                                     "DFDGkef8PY0GPUz4Tf7op1KL12NC2pz9lRZqXGKfsvkNhb3Izoo4McdEc1nfXRm/\n"
                                     "awIDAQAB\n"
                                     "-----END PUBLIC KEY-----\n";
static const char *const pem_p384 = "-----BEGIN PUBLIC KEY-----\n"
                                    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE75xoNQdliqqNIoTIdLUac0zjqworAfwy\n"
                                    "uusGNaFqvhHXhQxkp4P/e6m3VDkmgvs8USl601ZNLIdwxfkTNATuIsEn35DkmD44\n"
                                    "4kzP85yEdaanjOVtjsUDqSYGALA07LT0\n"
                                    "-----END PUBLIC KEY-----\n";

static void refuses_other_pem(void)
{
    static const char *const texts[] = {
        "",
        "x",
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    };
    struct jwk jwk;
    size_t i, cut;

    for (i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_NOTE("%s", texts[i]);
        CHECK_INT(jwk_read_pem(&jwk, bytes_of_text(texts[i])), ERR_MALFORMED);
    }
    CHECK_INT(jwk_read_pem(&jwk, BYTES_NONE), ERR_MALFORMED);
    CHECK_INT(jwk_read_pem(&jwk, bytes_of_text(pem_p384)), ERR_MALFORMED);
    for (cut = 0; cut + 2 < strlen(pem_es256); cut++)
        CHECK_INT(jwk_read_pem(&jwk, bytes_of(pem_es256, cut)), ERR_MALFORMED);
}

static void reads_pem(void)
{
    const struct {
        const char *pem, *text;
    } rows[] = {
        {pem_es256, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"Fvw2k5OAJtzONnsafQpXq6zi27dLVfo-dNTa3LDj6h8\","
                    "\"y\":\"JcqzFI8_Y_3UvYc3oTpvjOxZKDbiW1tWSlP4rr74pN0\"}"},
        {pem_eddsa,
         "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"lkw6VKYXHWYaZz6cMuawYvyfqxQGLSLdnIjWR0CVoos\"}"},
        {pem_rs256, "{\"e\":\"AQAB\",\"kty\":\"RSA\",\"n\":\"pOv4_iZXc8Tt3KBzrFFQEvadUE3_"
                    "OM88BEKQJz3gTv5O8JRUKeiNznQsWTEaKtN5pIrNIJEFQbpJIi8hIVw6Ps-uXCm_ZSwpMVbul_Xo8-"
                    "1h8u5KLMUJ1VfqUjQW8Ep06A0le7qUjIi5p3t3gMyQ1RPCDpeAZ9KlWgC8QtNz4Kf8OLrOtNfTVixMMi24slqrm_"
                    "8yvFFmzrZSuK3iisoZLMTbAZE0G5y45TFT4eDvPs6dY5kALKIcfyqOdSzRYfyAFnz-"
                    "fIPYiY0r1xhdEKylDFDGkef8PY0GPUz4Tf7op1KL12NC2pz9lRZqXGKfsvkNhb3Izoo4McdEc1nfXRm_aw\"}"},
    };
    char text[JWK_TEXT_MAX];
    struct jwk jwk, again;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_NOTE("row %zu", i);
        CHECK_INT(jwk_read_pem(&jwk, bytes_of_text(rows[i].pem)), ERR_OK);
        CHECK_BYTES(jwk_text(text, &jwk), bytes_of_text(rows[i].text));
        CHECK_INT(read_text(&again, bytes_of_text(rows[i].text)), ERR_OK);
        CHECK_BYTES(jwk_text(text, &again), bytes_of_text(rows[i].text));
    }
}

/* The longest key there is fits what is made for its text. */
static void writes_the_longest(void)
{
    static struct jwk jwk = {.alg = ALG_RS256, .n_len = JWK_RSA_BYTES_MAX, .e_len = 4};
    char text[JWK_TEXT_MAX];

    CHECK(jwk_text(text, &jwk).len <= JWK_TEXT_MAX);
}

static void thumbprint_case(const json_t *vectors, const char *name, const char *member)
{
    json_t *entry = json_object_get(vectors, name), *key = json_deep_copy(json_object_get(entry, "jwk"));
    char thumbprint[JWK_THUMBPRINT_LEN], *text;
    struct jwk jwk;

    CHECK_NOTE("%s", name);
    (void)json_object_del(key, "d"); /* some of these keys are published with their private half */
    text = json_dumps(key, JSON_COMPACT);
    CHECK_INT(read_text(&jwk, bytes_of_text(text)), ERR_OK);
    CHECK_INT(jwk_thumbprint(thumbprint, crypto, &jwk), ERR_OK);
    CHECK_BYTES(bytes_of(thumbprint, sizeof thumbprint), vector_text(entry, member));
    CHECK(jwk_is_thumbprint(bytes_of(thumbprint, sizeof thumbprint)));
    free(text);
    json_decref(key);
}

static void thumbprints_of_the_rfcs(void)
{
    json_t *file = vector_own("rfc/rfc_facts.json"), *vectors = json_object_get(file, "vectors");

    thumbprint_case(vectors, "rfc7638_3_1", "thumbprint_sha256");
    thumbprint_case(vectors, "rfc8037_A", "thumbprint_sha256");
    thumbprint_case(vectors, "rfc9449_token_request", "jkt");
    json_decref(file);
}

static void publishes_what_it_can_read(void)
{
    struct jwk jwk, again;
    struct buf text;
    struct json_writer w = json_writer_on(&text);

    buf_init(&text, 1024);
    CHECK_INT(read_text(&jwk, BYTES("{" EC_KEY "}")), ERR_OK);
    jwk_write_public(&w, jwk.alg, jwk.x, jwk.y, BYTES("k\"1"));
    CHECK_BYTES(buf_bytes(&text), BYTES("{" EC_KEY ",\"kid\":\"k\\\"1\",\"alg\":\"ES256\",\"use\":\"sig\"}"));
    CHECK_INT(read_text(&again, buf_bytes(&text)), ERR_OK);
    CHECK(memcmp(&jwk, &again, sizeof jwk) == 0);
    buf_reset(&text);
    w = json_writer_on(&text);
    jwk_write_public(&w, ALG_EDDSA, jwk.x, jwk.y, BYTES("k"));
    CHECK_BYTES(buf_bytes(&text), BYTES("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" X
                                        "\",\"kid\":\"k\",\"alg\":\"EdDSA\",\"use\":\"sig\"}"));
    buf_release(&text);
}

static void knows_a_thumbprint(void)
{
    CHECK(jwk_is_thumbprint(BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")));
    CHECK(!jwk_is_thumbprint(BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt"))); /* unused bits */
    CHECK(!jwk_is_thumbprint(BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9X")));
    CHECK(!jwk_is_thumbprint(BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9XsA")));
    CHECK(!jwk_is_thumbprint(BYTES("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs=")));
    CHECK(!jwk_is_thumbprint(BYTES("NzbLsXh8uDCcd+6MNwXF4W/7noWXFZAfHkxZsRGC9Xs")));
    CHECK(!jwk_is_thumbprint(BYTES("")));
    CHECK(!jwk_is_thumbprint(BYTES_NONE));
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(refuses);
    CHECK_RUN(keeps_rsa_in_bounds);
    CHECK_RUN(takes_what_browsers_send);
    CHECK_RUN(thumbprints_of_the_rfcs);
    CHECK_RUN(publishes_what_it_can_read);
    CHECK_RUN(knows_a_thumbprint);
    CHECK_RUN(refuses_other_pem);
    CHECK_RUN(reads_pem);
    CHECK_RUN(writes_the_longest);
    crypto_free(crypto);
    return CHECK_END();
}
