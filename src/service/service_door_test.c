/* What the standard door asks for, over the memory store: refresh by proof, introspection, revocation, the
 * signed list. How proofs are judged is engine/proof_test.c's; here it is what becomes of the judgement. */
#include "harness/service_world.h"

#include "service/service_run.h"

#define TEXT_MAX 4096
#define PATH     "/oauth/token"

struct pair {
    char token[TEXT_MAX], refresh[TEXT_MAX];
    struct bytes token_text, refresh_text;
};

static unsigned number; /* of what must not come twice */

static void keep(struct pair *out, const struct outcome *outcome)
{
    struct bytes token = outcome->minted.token, refresh = outcome->minted.refresh_token;

    memset(out, 0, sizeof *out);
    CHECK_INT(outcome->kind, OUTCOME_MINTED);
    if (outcome->kind != OUTCOME_MINTED) return;
    memcpy(out->token, token.ptr, token.len);
    memcpy(out->refresh, refresh.ptr, refresh.len);
    out->token_text = bytes_of(out->token, token.len);
    out->refresh_text = bytes_of(out->refresh, refresh.len);
}

static void mint(struct pair *out, bool is_bound)
{
    struct asked asked;
    char reference[32];

    (void)snprintf(reference, sizeof reference, "door-%u", number++);
    ask_mint_init(&asked, reference);
    if (is_bound) asked.run.ask.mint.fingerprint = bytes_of(world.browser.jkt, sizeof world.browser.jkt);
    keep(out, ask_run(&asked));
    ask_release(&asked);
}

/* The browser's proof for a POST to path; more: further claims, or "". */
static void prove_door(struct buf *out, const char *path, int64_t iat_s, const char *more)
{
    struct buf header, header_b64;
    struct json_writer w = json_writer_on(&header);
    char payload[512];

    buf_init(&header, 2048);
    buf_init(&header_b64, 4096);
    buf_append_text(&header, "{\"typ\":\"dpop+jwt\",\"alg\":\"ES256\",\"jwk\":");
    jwk_write_public(&w, ALG_ES256, world.browser.jwk.x, world.browser.jwk.y, BYTES("k"));
    buf_append_byte(&header, '}');
    base64url_append(&header_b64, buf_bytes(&header));
    (void)snprintf(payload, sizeof payload,
                   "{\"jti\":\"door-%u\",\"htm\":\"POST\",\"htu\":\"" URL "%s\",\"iat\":%lld%s}", number++,
                   path, (long long)iat_s, more);
    buf_reset(out);
    world_check(jws_sign(out, world.browser.sign, buf_bytes(&header_b64), bytes_of_text(payload)));
    buf_release(&header);
    buf_release(&header_b64);
}

static void door_init(struct asked *asked, enum ask_kind kind, bool has_key)
{
    ask_init(asked, kind);
    if (has_key) asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
    asked->run.http_method = BYTES("POST");
    asked->run.http_path = BYTES(PATH);
}

static void refresh_init(struct asked *asked, const struct pair *pair, const struct buf *proof)
{
    door_init(asked, ASK_REFRESH, false);
    asked->run.ask.refresh = (struct ask_refresh){
        .refresh_token = pair->refresh_text, .proof = buf_bytes(proof), .may_lack_key = true};
}

static void check_refused(struct asked *asked, enum refusal refusal, const char *check)
{
    ask_run(asked);
    CHECK_INT(asked->run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked->run.outcome.refused.refusal, refusal);
    if (CHECK(asked->run.finding.check != NULL)) CHECK(strcmp(asked->run.finding.check, check) == 0);
    CHECK(asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    ask_release(asked);
}

static bool is_active(struct bytes token)
{
    struct asked asked;
    bool is;

    door_init(&asked, ASK_INTROSPECT, true);
    asked.run.ask.introspect.token = token;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_INTROSPECTED);
    is = asked.run.outcome.introspected.is_active;
    if (!is) CHECK(uuid_is_zero(&asked.run.outcome.holder.user) && !asked.run.outcome.holder.jti.len);
    ask_release(&asked);
    return is;
}

static void refuses_refreshes_without_key_and_proof(void)
{
    struct asked asked;
    struct pair bound, loose;
    struct buf proof;

    buf_init(&proof, DPOP_MAX);
    mint(&bound, true);
    mint(&loose, false);
    refresh_init(&asked, &bound, &proof);
    asked.run.ask.refresh.proof = BYTES_NONE;
    check_refused(&asked, REFUSAL_CREDENTIAL_MISSING, "credential.present");
    prove_door(&proof, PATH, NOW_S, "");
    refresh_init(&asked, &bound, &proof);
    asked.run.ask.refresh.may_lack_key = false;
    check_refused(&asked, REFUSAL_CREDENTIAL_MISSING, "credential.present");
    refresh_init(&asked, &loose, &proof);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.refused.refusal, REFUSAL_PROOF_MISSING);
    ask_release(&asked);
    refresh_init(&asked, &bound, &proof);
    asked.run.ask.origin = BYTES("https://evil.test");
    check_refused(&asked, REFUSAL_ORIGIN_NOT_LISTED, "project.origins");
    buf_release(&proof);
}

static void refuses_other_proofs(void)
{
    static const struct {
        const char *path, *more;
        int64_t iat_s;
    } rows[] = {{"/oauth/revoke", "", NOW_S}, {PATH, "", NOW_S - 61}, {PATH, "", NOW_S + 6}};
    struct asked asked;
    struct pair bound;
    struct buf proof;
    size_t i;

    buf_init(&proof, DPOP_MAX);
    mint(&bound, true);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("row %zu", i);
        prove_door(&proof, rows[i].path, rows[i].iat_s, rows[i].more);
        refresh_init(&asked, &bound, &proof);
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.refused.refusal, REFUSAL_PROOF_INVALID);
        ask_release(&asked);
    }
    refresh_init(&asked, &bound, &proof);
    asked.run.ask.refresh.proof = BYTES("a.b.c");
    check_refused(&asked, REFUSAL_PROOF_INVALID, "proof.form");
    CHECK(is_active(bound.refresh_text));
    buf_release(&proof);
}

static void uses_a_proof_up_with_the_rotation(void)
{
    struct asked asked;
    struct pair bound, next;
    struct buf proof;

    buf_init(&proof, DPOP_MAX);
    mint(&bound, true);
    prove_door(&proof, PATH, NOW_S, "");
    refresh_init(&asked, &bound, &proof);
    keep(&next, ask_run(&asked));
    CHECK(asked.run.outcome.minted.is_bound);
    CHECK(bytes_is_absent(asked.run.outcome.nonce));
    ask_release(&asked);
    refresh_init(&asked, &bound, &proof);
    check_refused(&asked, REFUSAL_PROOF_REPLAYED, "proof.once");
    refresh_init(&asked, &next, &proof);
    check_refused(&asked, REFUSAL_PROOF_REPLAYED, "proof.once");
    CHECK(is_active(next.refresh_text));
    CHECK(!is_active(bound.refresh_text));
    prove_door(&proof, PATH, NOW_S, "");
    refresh_init(&asked, &bound, &proof);
    keep(&bound, ask_run(&asked));
    ask_release(&asked);
    CHECK(bytes_equal(bound.refresh_text, next.refresh_text));
    buf_release(&proof);
}

/* A nonce is good in its own slice of time and in the next; after that it gets another. */
static void takes_the_last_two_nonces(void)
{
    struct asked asked;
    struct pair bound;
    struct buf proof;
    char more[64];
    static const int64_t ages_s[] = {0, 120, 240};
    size_t i;

    buf_init(&proof, DPOP_MAX);
    world.service->options.wants_nonces = true;
    mint(&bound, true);
    prove_door(&proof, PATH, NOW_S, "");
    refresh_init(&asked, &bound, &proof);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.refused.refusal, REFUSAL_PROOF_NONCE);
    (void)snprintf(more, sizeof more, ",\"nonce\":\"%.*s\"", (int)asked.run.outcome.nonce.len,
                   (const char *)asked.run.outcome.nonce.ptr);
    ask_release(&asked);
    for (i = 0; i < sizeof ages_s / sizeof ages_s[0]; i++) {
        CHECK_NOTE("after %lld s", (long long)ages_s[i]);
        prove_door(&proof, PATH, NOW_S + ages_s[i], more);
        refresh_init(&asked, &bound, &proof);
        asked.run.now_ms = asked.run.wall_ms = NOW_MS + ages_s[i] * 1000;
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.kind, i < 2 ? OUTCOME_MINTED : OUTCOME_REFUSED);
        if (i == 2) CHECK_INT(asked.run.outcome.refused.refusal, REFUSAL_PROOF_NONCE);
        CHECK_INT(asked.run.outcome.nonce.len, 22);
        ask_release(&asked);
    }
    world.service->options.wants_nonces = false;
    buf_release(&proof);
}

static void knows_what_is_active(void)
{
    struct pair pair;

    mint(&pair, false);
    CHECK(is_active(pair.token_text));
    CHECK(is_active(pair.refresh_text));
    CHECK(!is_active(BYTES("x")));
    CHECK(!is_active(BYTES("a.b.c")));
    CHECK(!is_active(BYTES("rt_x.y")));
    CHECK(!is_active(bytes_part(pair.token_text, 0, pair.token_text.len - 1)));
    CHECK(!is_active(bytes_part(pair.refresh_text, 0, pair.refresh_text.len - 1)));
}

static void introspects_for_its_own_project_only(void)
{
    struct asked asked;
    struct pair pair;
    const struct bytes *texts[2];
    size_t i;

    mint(&pair, false);
    texts[0] = &pair.token_text;
    texts[1] = &pair.refresh_text;
    for (i = 0; i < 2; i++) {
        door_init(&asked, ASK_INTROSPECT, false);
        asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
        asked.run.ask.introspect.token = *texts[i];
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.kind, OUTCOME_INTROSPECTED);
        CHECK(!asked.run.outcome.introspected.is_active);
        ask_release(&asked);
        door_init(&asked, ASK_REVOKE, false);
        asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
        asked.run.ask.revoke.token = *texts[i];
        ask_run(&asked);
        CHECK_INT(asked.run.outcome.kind, OUTCOME_REVOKED);
        CHECK_INT(asked.run.outcome.revoked.t_ms, 0);
        ask_release(&asked);
        CHECK(is_active(*texts[i]));
    }
    door_init(&asked, ASK_INTROSPECT, false);
    asked.run.ask.introspect.token = pair.token_text;
    check_refused(&asked, REFUSAL_CREDENTIAL_MISSING, "credential.present");
}

static void revoke(struct bytes token, bool has_key, struct bytes proof, enum outcome_kind kind, bool cuts)
{
    struct asked asked;

    door_init(&asked, ASK_REVOKE, has_key);
    asked.run.ask.revoke.token = token;
    asked.run.ask.revoke.proof = proof;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, kind);
    if (kind == OUTCOME_REVOKED) CHECK((asked.run.outcome.revoked.t_ms > 0) == cuts);
    ask_release(&asked);
}

static void revokes_a_family_by_either_token(void)
{
    size_t i;

    for (i = 0; i < 2; i++) {
        struct pair pair, other;
        mint(&pair, false);
        mint(&other, false);
        revoke(i ? pair.refresh_text : pair.token_text, true, BYTES_NONE, OUTCOME_REVOKED, true);
        CHECK(!is_active(pair.token_text) && !is_active(pair.refresh_text));
        CHECK(is_active(other.token_text) && is_active(other.refresh_text));
        revoke(i ? pair.refresh_text : pair.token_text, true, BYTES_NONE, OUTCOME_REVOKED, false);
    }
    revoke(BYTES("x"), true, BYTES_NONE, OUTCOME_REVOKED, false);
    revoke(BYTES("lt_x.y"), true, BYTES_NONE, OUTCOME_REFUSED, false);
    revoke(BYTES("x"), false, BYTES_NONE, OUTCOME_REVOKED, false);
}

static void lets_a_holder_give_up_what_it_holds(void)
{
    struct pair loose, bound;
    struct buf proof;

    buf_init(&proof, DPOP_MAX);
    mint(&loose, false);
    mint(&bound, true);
    revoke(bound.token_text, false, BYTES_NONE, OUTCOME_REFUSED, false);
    prove_door(&proof, PATH, NOW_S, ""); /* without ath: of a refresh token enough, not of an access token */
    revoke(bound.token_text, false, buf_bytes(&proof), OUTCOME_REFUSED, false);
    CHECK(is_active(bound.token_text));
    revoke(bound.refresh_text, false, buf_bytes(&proof), OUTCOME_REVOKED, true);
    CHECK(!is_active(bound.token_text));
    revoke(loose.token_text, false, BYTES_NONE, OUTCOME_REVOKED, true);
    CHECK(!is_active(loose.token_text));
    buf_release(&proof);
}

static void lists_what_was_revoked(void)
{
    struct asked asked;
    struct jws jws;

    door_init(&asked, ASK_REVOCATIONS, true);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_REVOCATIONS);
    CHECK_INT(jws_split(&jws, &asked.arena, asked.run.outcome.revocations), ERR_OK);
    CHECK(bytes_equal(jws.typ, BYTES("revocations+jwt")));
    CHECK(memmem(jws.payload.ptr, jws.payload.len, "{\"kind\":\"family\"", 16) != NULL);
    jws_release(&jws);
    ask_release(&asked);
    door_init(&asked, ASK_REVOCATIONS, false);
    check_refused(&asked, REFUSAL_CREDENTIAL_MISSING, "credential.present");
}

int main(void)
{
    world_open(64);
    CHECK_RUN(refuses_refreshes_without_key_and_proof);
    CHECK_RUN(refuses_other_proofs);
    CHECK_RUN(uses_a_proof_up_with_the_rotation);
    CHECK_RUN(takes_the_last_two_nonces);
    CHECK_RUN(knows_what_is_active);
    CHECK_RUN(introspects_for_its_own_project_only);
    CHECK_RUN(revokes_a_family_by_either_token);
    CHECK_RUN(lets_a_holder_give_up_what_it_holds);
    CHECK_RUN(lists_what_was_revoked);
    world_close();
    return CHECK_END();
}
