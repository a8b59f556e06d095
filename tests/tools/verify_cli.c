/* verify_cli.c — our verifier of access tokens as a filter, to be compared with another one.
 *
 * The first line of stdin is the policy, a JSON object: keys (a list of JWKs with kid), iss, aud, typ, now,
 * leeway_s. Every further line is one token, as it is; it must not contain a line feed. For each one line on
 * stdout: accept or refuse. The steps are those of the service: form, key by kid, algorithm of the key,
 * signature, typ, claims, policy. How long a token may live is the issuer's limit and is left out here. */
#include <stdio.h>
#include <stdlib.h>

#include "token/claims.h"
#include "token/jwk.h"
#include "token/jws.h"

#define ARENA_BYTES (4 * (size_t)JWS_MAX)

struct verifier {
    struct crypto *crypto;
    struct json policy;
    struct claims_policy rules;
    struct bytes typ;
};

static bool number_of(int64_t *out, struct json policy, const char *name)
{
    return json_int64(out, json_member(policy, name));
}

static bool verifier_read(struct verifier *out, struct bytes line)
{
    if (crypto_new(&out->crypto) != ERR_OK || json_read(&out->policy, line) != ERR_OK) return false;
    out->typ = json_text(json_member(out->policy, "typ"));
    out->rules.iss = json_text(json_member(out->policy, "iss"));
    out->rules.aud = json_text(json_member(out->policy, "aud"));
    out->rules.life_max_s = INT64_MAX;
    return number_of(&out->rules.now_s, out->policy, "now") &&
           number_of(&out->rules.leeway_s, out->policy, "leeway_s");
}

static void verifier_release(struct verifier *verifier)
{
    json_free(verifier->policy);
    crypto_free(verifier->crypto);
}

static bool is_signed_by(struct verifier *verifier, const struct jws *jws, struct json key)
{
    struct crypto_check *check = NULL;
    struct crypto_public public;
    struct jwk jwk;
    bool is_good;

    if (jwk_read(&jwk, key) != ERR_OK || !alg_may_sign(jwk.alg)) return false;
    if (!bytes_equal(jws->alg, bytes_of_text(alg_jose(jwk.alg)))) return false;
    public = jwk_public(&jwk);
    is_good = crypto_check_new(&check, verifier->crypto, &public) == ERR_OK &&
              crypto_check(check, jws->signing_input, jws->signature);
    crypto_check_free(check);
    return is_good;
}

static bool signature_is_good(struct verifier *verifier, const struct jws *jws)
{
    struct json keys = json_member(verifier->policy, "keys");

    if (bytes_is_absent(jws->kid)) return false;
    for (size_t i = 0; i < json_count(keys); i++)
        if (bytes_equal(json_text(json_member(json_item(keys, i), "kid")), jws->kid))
            return is_signed_by(verifier, jws, json_item(keys, i));
    return false;
}

static bool is_good(struct verifier *verifier, struct bytes token)
{
    struct arena arena;
    struct claims claims;
    struct jws jws;
    bool is_accepted;

    arena_init(&arena, ARENA_BYTES);
    is_accepted = jws_split(&jws, &arena, token) == ERR_OK && signature_is_good(verifier, &jws) &&
                  bytes_equal(jws.typ, verifier->typ) &&
                  claims_read(&claims, &arena, jws.payload, verifier->rules.aud) == ERR_OK &&
                  claims_check(&claims, &verifier->rules) == REFUSAL_NONE;
    jws_release(&jws);
    arena_release(&arena);
    return is_accepted;
}

/* Without its line feed; false at the end. */
static bool read_line(struct bytes *out, char **line, size_t *cap)
{
    ssize_t len = getline(line, cap, stdin);

    if (len < 0) return false;
    if (len > 0 && (*line)[len - 1] == '\n') len--;
    *out = bytes_of(*line, (size_t)len);
    return true;
}

int main(void)
{
    struct verifier verifier = {.crypto = NULL};
    char *line = NULL;
    size_t cap = 0;
    struct bytes text;
    bool is_ready = read_line(&text, &line, &cap) && verifier_read(&verifier, text);

    if (!is_ready) fprintf(stderr, "verify_cli: the first line is no policy\n");
    while (is_ready && read_line(&text, &line, &cap))
        puts(is_good(&verifier, text) ? "accept" : "refuse");
    free(line);
    verifier_release(&verifier);
    return is_ready ? EXIT_SUCCESS : EXIT_FAILURE;
}
