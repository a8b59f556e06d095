#include "service/issue.h"

#include <jansson.h>

#include "base/base64url.h"
#include "engine/age.h"
#include "harness/check.h"
#include "store/store.h"

#define NOW_S 1767225600
#define URL   "https://coat.test"
#define JKT   "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

static struct dice_seeded storage;
static struct dice dice;

struct desk { /* a store, its ring and one issuer */
    struct store *store;
    struct keyring *ring;
    struct key_bench bench;
    struct issuer issuer;
};
static struct desk mine, other;

static void desk_open(struct desk *desk, const char *url)
{
    struct secret master = {.len = 32};
    const char *why;

    dice_fill(&dice, master.data, 32);
    if (store_memory_open(&desk->store) != ERR_OK ||
        keyring_open(&desk->ring, desk->store, &master, &dice, 0, &why) != ERR_OK ||
        key_bench_open(&desk->bench, desk->ring, 1) != ERR_OK ||
        issuer_open(&desk->issuer, &desk->bench, bytes_of_text(url), BYTES("puc.coat.test")) != ERR_OK)
        exit(EXIT_FAILURE);
}

static void desk_close(struct desk *desk)
{
    issuer_release(&desk->issuer);
    key_bench_release(&desk->bench);
    keyring_free(desk->ring);
    desk->store->ops->close(desk->store);
}

static struct grant grant_of(void)
{
    return (struct grant){.kind = TOKEN_SUBSCRIBER,
                          .project = {{1}},
                          .user = {{2}},
                          .application = {{3}},
                          .jti = {{4}},
                          .family = {{5}},
                          .user_kind = USER_SUBSCRIBER,
                          .parent_key = BYTES("PT00"),
                          .iat_s = NOW_S,
                          .exp_s = NOW_S + 7200,
                          .gt_ms = (int64_t)NOW_S * 1000 + 7,
                          .has_refresh = true,
                          .refresh_exp_s = NOW_S + 7500,
                          .absolute_end_s = NOW_S + 86400};
}

static struct fact_project project = {.id = {{1}}, .is_test = true}; /* the grant's */
static const struct facts facts = {.projects = &project, .project_count = 1};

static enum refusal verify(struct holder *out, struct arena *arena, struct bytes token, int64_t now_s)
{
    struct finding finding = {.check = NULL};
    enum refusal refusal;

    CHECK_INT(issue_verify(out, &refusal, &finding, arena, &mine.issuer, token, &facts, now_s * 1000),
              ERR_OK);
    CHECK((refusal != REFUSAL_NONE) ==
          (finding.check != NULL)); /* a refusal explains itself, nothing else does */
    CHECK(!refusal || (finding.expected[0] && finding.seen[0]));
    return refusal;
}

static void check_refused(struct bytes token, int64_t now_s, enum refusal wanted)
{
    struct holder holder, nobody;
    struct arena arena;

    memset(&nobody, 0, sizeof nobody);
    arena_init(&arena, 65536);
    CHECK_INT(verify(&holder, &arena, token, now_s), wanted);
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
    CHECK(wanted == REFUSAL_NONE || memcmp(&holder, &nobody, sizeof nobody) == 0);
    arena_release(&arena);
}

/* Signed by key with this header and these claims; {K} in the header stands for the good kid. */
static void sign_text(struct buf *out, struct desk *by, const char *header, const char *claims)
{
    const char *mark = strstr(header, "{K}");
    struct buf text, header_b64;

    buf_init(&text, 2048);
    buf_init(&header_b64, 4096);
    buf_append(&text, bytes_of(header, mark ? (size_t)(mark - header) : strlen(header)));
    if (mark) buf_append(&text, mine.bench.sign_kid);
    if (mark) buf_append_text(&text, mark + 3);
    base64url_append(&header_b64, buf_bytes(&text));
    buf_reset(out);
    CHECK_INT(jws_sign(out, by->bench.sign, buf_bytes(&header_b64), bytes_of_text(claims)), ERR_OK);
    buf_release(&text);
    buf_release(&header_b64);
}

#define IDS                                                                                                  \
    "\"sub\":\"00000000-0000-4000-8000-000000000002\",\"jti\":\"j\",\"prj\":\"00000000-0000-4000-8000-"      \
    "000000000001\","                                                                                        \
    "\"gt\":1767225600000"
#define TIMES  "\"iat\":1767225600,\"exp\":1767232800"
#define OURS   "\"iss\":\"" URL "\",\"aud\":\"" URL "\""
#define KIND   "\"kind\":\"subscriber\""
#define GOOD   "{" OURS "," IDS "," TIMES "," KIND "}"
#define HEADER "{\"alg\":\"ES256\",\"typ\":\"SAT\",\"kid\":\"{K}\"}"

static void refuses_headers(void)
{
    static const struct {
        const char *header;
        enum refusal wanted;
    } rows[] = {
        {"{\"alg\":\"ES256\",\"typ\":\"SAT\"}", REFUSAL_TOKEN_KEY_UNKNOWN},
        {"{\"alg\":\"ES256\",\"typ\":\"SAT\",\"kid\":\"\"}", REFUSAL_TOKEN_KEY_UNKNOWN},
        {"{\"alg\":\"ES256\",\"typ\":\"SAT\",\"kid\":\"00000000\"}", REFUSAL_TOKEN_KEY_UNKNOWN},
        {"{\"alg\":\"ES256\",\"typ\":\"SAT\",\"kid\":\"../{K}\"}", REFUSAL_TOKEN_KEY_UNKNOWN},
        {"{\"alg\":\"ES256\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_KIND},
        {"{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_KIND},
        {"{\"alg\":\"ES256\",\"typ\":\"sat\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_KIND},
        {"{\"alg\":\"ES256\",\"typ\":\"Refresh\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_KIND},
        {"{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_KIND},
        {"{\"alg\":\"none\",\"typ\":\"SAT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_MALFORMED},
        {"{\"alg\":\"HS256\",\"typ\":\"SAT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"typ\":\"SAT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_MALFORMED},
        {"{\"alg\":\"RS256\",\"typ\":\"SAT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_MALFORMED},
        {"{\"alg\":\"es256\",\"typ\":\"SAT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_MALFORMED},
        {"{\"typ\":\"SAT\",\"kid\":\"{K}\"}", REFUSAL_TOKEN_MALFORMED},
        {"{\"alg\":\"ES256\",\"typ\":\"SAT\",\"kid\":\"{K}\",\"crit\":[\"x\"]}", REFUSAL_TOKEN_MALFORMED},
        {HEADER, REFUSAL_NONE},
    };
    struct buf token;
    size_t i;

    buf_init(&token, JWS_MAX);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].header);
        sign_text(&token, &mine, rows[i].header, GOOD);
        check_refused(buf_bytes(&token), NOW_S, rows[i].wanted);
    }
    CHECK_NOTE("our kid, another's key");
    sign_text(&token, &other, HEADER, GOOD);
    check_refused(buf_bytes(&token), NOW_S, REFUSAL_TOKEN_SIGNATURE);
    buf_release(&token);
}

static void refuses_claims(void)
{
    static const struct {
        const char *claims;
        enum refusal wanted;
    } rows[] = {
        {"{}", REFUSAL_TOKEN_MALFORMED},
        {"[]", REFUSAL_TOKEN_MALFORMED},
        {"{\"iss\":\"https://other.test\",\"aud\":\"" URL "\"," IDS "," TIMES "," KIND "}",
         REFUSAL_TOKEN_FOREIGN},
        {"{\"iss\":\"" URL "/\",\"aud\":\"" URL "\"," IDS "," TIMES "," KIND "}", REFUSAL_TOKEN_FOREIGN},
        {"{\"iss\":\"" URL "\",\"aud\":\"https://other.test\"," IDS "," TIMES "," KIND "}",
         REFUSAL_TOKEN_FOREIGN},
        {"{" OURS "," IDS "," TIMES ",\"kind\":\"participant\"}", REFUSAL_TOKEN_KIND},
        {"{" OURS "," IDS "," TIMES ",\"kind\":\"embedded\"}", REFUSAL_TOKEN_KIND},
        {"{" OURS "," IDS "," TIMES "}", REFUSAL_TOKEN_MALFORMED},
        {"{" OURS "," IDS ",\"iat\":1767225600,\"exp\":1767225600," KIND "}", REFUSAL_TOKEN_MALFORMED},
        {"{" OURS "," IDS ",\"iat\":1767225599,\"exp\":1767225600," KIND "}", REFUSAL_TOKEN_EXPIRED},
        {"{" OURS "," IDS ",\"iat\":1767225600,\"exp\":1767312000," KIND "}", REFUSAL_NONE},
        {"{" OURS
         ",\"sub\":\"ada\",\"jti\":\"j\",\"prj\":\"00000000-0000-4000-8000-000000000001\",\"gt\":1," TIMES
         "," KIND "}",
         REFUSAL_TOKEN_MALFORMED},
        {GOOD, REFUSAL_NONE},
    };
    struct buf token;
    size_t i;

    buf_init(&token, JWS_MAX);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].claims);
        sign_text(&token, &mine, HEADER, rows[i].claims);
        check_refused(buf_bytes(&token), NOW_S, rows[i].wanted);
    }
    CHECK_NOTE("a life longer than any we give");
    sign_text(&token, &mine, HEADER, "{" OURS "," IDS ",\"iat\":1767225600,\"exp\":1767312001," KIND "}");
    {
        struct holder holder;
        struct arena arena;
        arena_init(&arena, 65536);
        CHECK(verify(&holder, &arena, buf_bytes(&token), NOW_S) != REFUSAL_NONE);
        arena_release(&arena);
    }
    buf_release(&token);
}

static void refuses_foreign_tokens(void)
{
    struct grant grant = grant_of();
    struct buf token;

    buf_init(&token, JWS_MAX);
    CHECK_INT(issue_access(&token, &other.issuer, &grant), ERR_OK);
    check_refused(buf_bytes(&token), NOW_S, REFUSAL_TOKEN_KEY_UNKNOWN);
    buf_reset(&token);
    CHECK_INT(issue_refresh(&token, &mine.issuer, &grant), ERR_OK);
    check_refused(buf_bytes(&token), NOW_S, REFUSAL_TOKEN_MALFORMED);
    check_refused(BYTES_NONE, NOW_S, REFUSAL_TOKEN_MALFORMED);
    buf_release(&token);
}

/* No byte of a token may be changed. */
static void refuses_every_changed_byte(void)
{
    struct grant grant = grant_of();
    struct buf token;
    size_t i;

    buf_init(&token, JWS_MAX);
    CHECK_INT(issue_access(&token, &mine.issuer, &grant), ERR_OK);
    for (i = 0; i < token.len; i++) {
        uint8_t before = token.ptr[i];
        struct holder holder;
        struct arena arena;
        CHECK_NOTE("byte %zu", i);
        arena_init(&arena, 65536);
        token.ptr[i] = before == 'A' ? 'B' : 'A';
        CHECK(verify(&holder, &arena, buf_bytes(&token), NOW_S) != REFUSAL_NONE);
        token.ptr[i] = before;
        arena_release(&arena);
    }
    buf_release(&token);
}

static void gives_back_what_was_granted(void)
{
    struct grant grant = grant_of();
    struct holder holder;
    struct arena arena;
    struct buf token;
    int bound;

    buf_init(&token, JWS_MAX);
    arena_init(&arena, 65536);
    for (bound = 0; bound < 2; bound++) {
        grant.jkt = bound ? BYTES(JKT) : BYTES_NONE;
        grant.may_self_refresh = bound;
        buf_reset(&token);
        CHECK_INT(issue_access(&token, &mine.issuer, &grant), ERR_OK);
        CHECK_INT(verify(&holder, &arena, buf_bytes(&token), NOW_S), REFUSAL_NONE);
        CHECK(uuid_equal(&holder.project, &grant.project) && uuid_equal(&holder.user, &grant.user));
        CHECK(uuid_equal(&holder.family, &grant.family) &&
              uuid_equal(&holder.application, &grant.application));
        CHECK(holder.is_full_subscriber && holder.may_self_refresh == (bound == 1));
        CHECK_BYTES(holder.jkt, grant.jkt);
        CHECK_BYTES(holder.jti, BYTES("04000000-0000-0000-0000-000000000000"));
        CHECK_INT(holder.exp_s, grant.exp_s);
        CHECK_INT(holder.gt_ms, grant.gt_ms);
        CHECK_INT(verify(&holder, &arena, buf_bytes(&token), grant.exp_s - 1), REFUSAL_NONE);
        CHECK_INT(verify(&holder, &arena, buf_bytes(&token), grant.exp_s), REFUSAL_TOKEN_EXPIRED);
    }
    arena_release(&arena);
    buf_release(&token);
}

static void seals_what_was_granted(void)
{
    struct grant grant = grant_of();
    struct sealed sealed;
    struct arena arena;
    struct buf token;

    buf_init(&token, JWS_MAX);
    arena_init(&arena, 65536);
    grant.jkt = BYTES(JKT);
    grant.may_self_refresh = true;
    CHECK_INT(issue_refresh(&token, &mine.issuer, &grant), ERR_OK);
    CHECK(token.len <= SEAL_REFRESH_MAX);
    CHECK_INT(seal_read(&sealed, &arena, other.bench.seals[0], SEAL_REFRESH, buf_bytes(&token)),
              ERR_MALFORMED);
    CHECK_INT(seal_read(&sealed, &arena, mine.bench.seals[0], SEAL_LAUNCH, buf_bytes(&token)), ERR_MALFORMED);
    CHECK_INT(seal_read(&sealed, &arena, mine.bench.seals[0], SEAL_REFRESH, buf_bytes(&token)), ERR_OK);
    CHECK(uuid_equal(&sealed.id, &grant.family) && uuid_equal(&sealed.user, &grant.user));
    CHECK(uuid_equal(&sealed.project, &grant.project) && uuid_equal(&sealed.application, &grant.application));
    CHECK_INT(sealed.generation, 0);
    CHECK_INT(sealed.exp_s, grant.refresh_exp_s);
    CHECK_INT(sealed.absolute_end_s, grant.absolute_end_s);
    CHECK_INT(sealed.gt_ms, grant.gt_ms);
    CHECK_INT(sealed.claims_kind, KIND_SUBSCRIBER);
    CHECK(sealed.is_bound && sealed.may_self_refresh);
    CHECK_BYTES(sealed.parent_key, grant.parent_key);
    arena_release(&arena);
    buf_release(&token);
}

/* The browser finds its WebSocket by the header's ch and reads nothing else of a token. */
static void names_key_and_host_in_the_header(void)
{
    struct grant grant = grant_of();
    struct buf token;
    uint8_t text[512];
    size_t len;
    json_t *header;

    buf_init(&token, JWS_MAX);
    CHECK_INT(issue_access(&token, &mine.issuer, &grant), ERR_OK);
    CHECK_INT(base64url_read(text, sizeof text, &len,
                             bytes_part(buf_bytes(&token), 0, bytes_index(buf_bytes(&token), '.'))),
              ERR_OK);
    header = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
    CHECK_INT(json_object_size(header), 4);
    CHECK(strcmp(json_string_value(json_object_get(header, "alg")), "ES256") == 0);
    CHECK(strcmp(json_string_value(json_object_get(header, "typ")), "SAT") == 0);
    CHECK(strcmp(json_string_value(json_object_get(header, "ch")), "puc.coat.test") == 0);
    CHECK_BYTES(bytes_of_text(json_string_value(json_object_get(header, "kid"))), mine.bench.sign_kid);
    json_decref(header);
    buf_release(&token);
}

/* Minted at one age of the project, looked at at another: what has been added since counts as time lived. */
static void expires_by_the_age_of_its_project(void)
{
    static const struct {
        int64_t theirs_ms, age_ms, later_s;
        enum refusal wanted;
    } rows[] = {
        {0, 7200000, 0, REFUSAL_TOKEN_EXPIRED},
        {0, 7199999, 0, REFUSAL_NONE},
        {0, 7000000, 200, REFUSAL_TOKEN_EXPIRED},
        {0, 7000000, 199, REFUSAL_NONE},
        {7200000, 7200000, 0, REFUSAL_NONE},
        {7200000, 7200000, 7199, REFUSAL_NONE}, /* its full time */
        {7200000, 7200000, 7200, REFUSAL_TOKEN_EXPIRED},
        {7200000, 14400000, 0, REFUSAL_TOKEN_EXPIRED},
        {7200000, 14399999, 0, REFUSAL_NONE},
        {500, 7200499, 0, REFUSAL_NONE},
        {500, 7200500, 0, REFUSAL_TOKEN_EXPIRED},
        {1, 0, 0, REFUSAL_TOKEN_MALFORMED}, /* older than its project: nobody can have minted it */
        {7200001, 7200000, 0, REFUSAL_TOKEN_MALFORMED},
        {INT64_MAX, 7200000, 0, REFUSAL_TOKEN_MALFORMED},
        {INT64_MAX, 0, 7200, REFUSAL_TOKEN_MALFORMED},
        {0, AGE_MAX_MS, 0, REFUSAL_TOKEN_EXPIRED},
        {7200000, 7200000, -6, REFUSAL_TOKEN_MALFORMED}, /* iat keeps real time */
    };
    struct buf token;
    size_t i;

    buf_init(&token, JWS_MAX);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct grant grant = grant_of();
        CHECK_NOTE("age row %zu", i);
        grant.age_ms = rows[i].theirs_ms;
        project.age_ms = rows[i].age_ms;
        buf_reset(&token);
        CHECK_INT(issue_access(&token, &mine.issuer, &grant), ERR_OK);
        check_refused(buf_bytes(&token), NOW_S + rows[i].later_s, rows[i].wanted);
    }
    project.age_ms = 0;
    buf_release(&token);
}

/* A project that is not here has no age; that it is not here is for others to refuse. */
static void knows_no_age_without_a_project(void)
{
    struct grant grant = grant_of();
    struct holder holder;
    struct arena arena;
    struct buf token;

    arena_init(&arena, 65536);
    buf_init(&token, JWS_MAX);
    grant.project = (struct uuid){{9}};
    grant.age_ms = 7200000;
    CHECK_INT(issue_access(&token, &mine.issuer, &grant), ERR_OK);
    check_refused(buf_bytes(&token), NOW_S + 7200, REFUSAL_TOKEN_EXPIRED);
    CHECK_INT(verify(&holder, &arena, buf_bytes(&token), NOW_S), REFUSAL_NONE);
    CHECK(uuid_equal(&holder.project, &grant.project));
    CHECK_INT(holder.age_ms, 7200000);
    buf_release(&token);
    arena_release(&arena);
}

int main(void)
{
    dice = dice_from_seed(&storage, 21);
    desk_open(&mine, URL);
    desk_open(&other, URL);
    CHECK_RUN(refuses_headers);
    CHECK_RUN(refuses_claims);
    CHECK_RUN(refuses_foreign_tokens);
    CHECK_RUN(refuses_every_changed_byte);
    CHECK_RUN(expires_by_the_age_of_its_project);
    CHECK_RUN(knows_no_age_without_a_project);
    CHECK_RUN(gives_back_what_was_granted);
    CHECK_RUN(seals_what_was_granted);
    CHECK_RUN(names_key_and_host_in_the_header);
    desk_close(&other);
    desk_close(&mine);
    return CHECK_END();
}
