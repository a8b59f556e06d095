/* A proof from the text to the verdict: token/dpop.h reads it, engine/proof.h judges it, on our cases. */
#include "base/base64url.h"
#include "engine/proof.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "token/dpop.h"

static struct crypto *crypto;

static struct proof_facts facts_of(const struct dpop *dpop)
{
    return (struct proof_facts){
        .jkt = bytes_of(dpop->jkt, sizeof dpop->jkt),
        .jti = dpop->jti,
        .iat_s = dpop->iat_s,
        .htm = dpop->htm,
        .htu = dpop->htu,
        .rpc = dpop->rpc,
        .mth = dpop->mth,
        .ath = dpop->ath,
        .nonce = dpop->nonce,
    };
}

static struct bytes ath_of(char text[BASE64URL_LEN(SHA256_LEN)], struct bytes token)
{
    uint8_t hash[SHA256_LEN];

    if (bytes_is_absent(token)) return BYTES_NONE;
    CHECK_INT(crypto_sha256(crypto, hash, token), ERR_OK);
    return bytes_of(text, base64url_write(text, bytes_of(hash, sizeof hash)));
}

static struct proof_policy policy_of(const json_t *request, struct bytes ath)
{
    struct proof_policy policy = {
        .now_s = json_integer_value(json_object_get(request, "now")),
        .ath = ath,
        .jkt = vector_text(request, "expected_jkt"),
        .needs_nonce = json_object_get(request, "required_nonce") != NULL,
        .nonces = {vector_text(request, "required_nonce")},
    };

    if (json_object_get(request, "rpc_method")) {
        policy.profile = PROOF_VENDOR;
        policy.rpc = BYTES("request");
        policy.mth = vector_text(request, "rpc_method");
    } else {
        policy.profile = PROOF_STRICT;
        policy.htm = vector_text(request, "htm");
        policy.htu = vector_text(request, "htu");
    }
    return policy;
}

static enum refusal judge(struct arena *arena, struct bytes proof, const json_t *request)
{
    char text[BASE64URL_LEN(SHA256_LEN)];
    struct proof_policy policy = policy_of(request, ath_of(text, vector_text(request, "access_token")));
    struct proof_facts facts;
    struct dpop dpop;

    if (dpop_read(&dpop, arena, crypto, proof) != ERR_OK) return REFUSAL_PROOF_INVALID;
    facts = facts_of(&dpop);
    return proof_check(&facts, &policy);
}

static void run(json_t *file)
{
    json_t *row;
    size_t i;

    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        const char *expect = json_string_value(json_object_get(row, "expect"));
        struct arena arena;
        enum refusal verdict;

        arena_init(&arena, 64 * 1024);
        verdict = judge(&arena, vector_text(row, "proof"), json_object_get(row, "request"));
        CHECK_NOTE("%s/%s: %s", json_string_value(json_object_get(row, "group")),
                   json_string_value(json_object_get(row, "id")), refusal_name(verdict));
        if (!strcmp(expect, "accept")) CHECK_INT(verdict, REFUSAL_NONE);
        if (!strcmp(expect, "reject")) CHECK(verdict != REFUSAL_NONE);
        arena_release(&arena);
    }
    json_decref(file);
}

static void our_proof_cases(void)
{
    vector_each("own/dpop_cases.json", run);
}

/* RFC 9449 §7.1: with the token its ath is of, with another one, and a minute and a second later. */
static void the_rfcs_resource_request(void)
{
    json_t *file = vector_own("rfc/rfc_facts.json");
    json_t *entry = json_object_get(json_object_get(file, "vectors"), "rfc9449_resource_request");
    json_t *request =
        json_pack("{s:O, s:O, s:O, s:O, s:O}", "now", json_object_get(entry, "verify_at"), "htm",
                  json_object_get(entry, "htm"), "htu", json_object_get(entry, "htu"), "access_token",
                  json_object_get(entry, "access_token"), "expected_jkt", json_object_get(entry, "jkt"));
    struct arena arena;

    arena_init(&arena, 256 * 1024);
    CHECK_INT(judge(&arena, vector_text(entry, "proof"), request), REFUSAL_NONE);
    json_object_set_new(request, "required_nonce", json_string("n"));
    CHECK_INT(judge(&arena, vector_text(entry, "proof"), request), REFUSAL_PROOF_NONCE);
    json_object_del(request, "required_nonce");
    json_object_set_new(request, "access_token", json_string("another"));
    CHECK_INT(judge(&arena, vector_text(entry, "proof"), request), REFUSAL_PROOF_INVALID);
    json_object_set(request, "access_token", json_object_get(entry, "access_token"));
    json_object_set_new(request, "now", json_integer(json_integer_value(json_object_get(entry, "iat")) + 61));
    CHECK_INT(judge(&arena, vector_text(entry, "proof"), request), REFUSAL_PROOF_INVALID);
    arena_release(&arena);
    json_decref(request);
    json_decref(file);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    CHECK_RUN(our_proof_cases);
    CHECK_RUN(the_rfcs_resource_request);
    crypto_free(crypto);
    return CHECK_END();
}
