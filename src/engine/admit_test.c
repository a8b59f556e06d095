#include "engine/admit.h"

#include "harness/check.h"

#define NOW_S 1767225600
#define MINE  "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define OTHER "AzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
#define NEVER INT64_MIN

enum proof_sent { NO_PROOF, BROKEN, GOOD, OTHERS_KEY, TOO_OLD, OTHER_METHOD, HTTP_FORM };

static const struct fact_project project = {.id = {{1}}};
static const struct proof_policy policy = {.profile = PROOF_VENDOR,
                                           .now_s = NOW_S,
                                           .rpc = {(const uint8_t *)"request", 7},
                                           .mth = {(const uint8_t *)"connect", 7}};

static struct proof_facts proof_of(enum proof_sent sent)
{
    struct proof_facts proof = {.jkt = BYTES(MINE),
                                .jti = BYTES("1"),
                                .iat_s = NOW_S,
                                .rpc = BYTES("request"),
                                .mth = BYTES("connect")};

    if (sent == OTHERS_KEY) proof.jkt = BYTES(OTHER);
    if (sent == TOO_OLD) proof.iat_s = NOW_S - 301;
    if (sent == OTHER_METHOD) proof.mth = BYTES("reauthenticate");
    if (sent == HTTP_FORM) {
        proof.rpc = proof.mth = BYTES_NONE;
        proof.htm = BYTES("GET");
        proof.htu = BYTES("/");
    }
    return proof;
}

static const struct {
    const char *name;
    bool has_project, is_bound, as_bearer;
    int64_t gt_ms, cutoff_ms;
    enum proof_sent proof;
    enum refusal wanted;
} rows[] = {
    {"another deployment's project", false, false, false, 5, NEVER, NO_PROOF, REFUSAL_TOKEN_FOREIGN},
    {"foreign, though proved", false, true, true, 5, NEVER, GOOD, REFUSAL_TOKEN_FOREIGN},
    {"granted at the cutoff", true, false, false, 5, 5, NO_PROOF, REFUSAL_TOKEN_CUT_OFF},
    {"granted before the cutoff", true, false, false, 4, 5, NO_PROOF, REFUSAL_TOKEN_CUT_OFF},
    {"cut off, though proved", true, true, false, 4, 5, GOOD, REFUSAL_TOKEN_CUT_OFF},
    {"cut off where bound is bearer", true, true, true, 4, 5, NO_PROOF, REFUSAL_TOKEN_CUT_OFF},
    {"bound, no proof", true, true, false, 5, NEVER, NO_PROOF, REFUSAL_PROOF_MISSING},
    {"bound, broken proof", true, true, false, 5, NEVER, BROKEN, REFUSAL_PROOF_INVALID},
    {"bound, another key", true, true, false, 5, NEVER, OTHERS_KEY, REFUSAL_PROOF_INVALID},
    {"bound, old proof", true, true, false, 5, NEVER, TOO_OLD, REFUSAL_PROOF_INVALID},
    {"bound, proof of another call", true, true, false, 5, NEVER, OTHER_METHOD, REFUSAL_PROOF_INVALID},
    {"bound, proof of an HTTP call", true, true, false, 5, NEVER, HTTP_FORM, REFUSAL_PROOF_INVALID},
    {"bound and proved", true, true, false, 5, NEVER, GOOD, REFUSAL_NONE},
    {"bound and proved, after a cutoff", true, true, false, 6, 5, GOOD, REFUSAL_NONE},
    {"bound where that is taken as bearer", true, true, true, 5, NEVER, NO_PROOF, REFUSAL_NONE},
    {"unbound", true, false, false, 5, NEVER, NO_PROOF, REFUSAL_NONE},
    {"unbound, a proof came along", true, false, false, 5, NEVER, GOOD, REFUSAL_NONE},
    {"unbound, a broken proof came along", true, false, false, 5, NEVER, BROKEN, REFUSAL_NONE},
    {"unbound, another key's proof", true, false, false, 5, NEVER, OTHERS_KEY, REFUSAL_NONE},
};

static void admits_by_the_table(void)
{
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct proof_facts proof = proof_of(rows[i].proof);
        struct admit_facts facts = {.needs = MAY_CONNECT,
                                    .project = rows[i].has_project ? &project : NULL,
                                    .cutoff_ms = rows[i].cutoff_ms,
                                    .takes_bound_as_bearer = rows[i].as_bearer,
                                    .proof_broken = rows[i].proof == BROKEN};
        struct holder holder = {.kind = TOKEN_SUBSCRIBER, .gt_ms = rows[i].gt_ms};

        if (rows[i].proof != NO_PROOF && rows[i].proof != BROKEN) facts.proof = &proof;
        if (rows[i].is_bound) holder.jkt = BYTES(MINE);
        CHECK_NOTE("%s", rows[i].name);
        CHECK_INT(admit(&holder, &facts, &policy), rows[i].wanted);
    }
}

/* Who wants to bind a token shows the key, whatever the token says; and no route takes that back. */
static void asks_an_unbound_holder_for_a_proof(void)
{
    static const struct {
        enum proof_sent proof;
        enum refusal wanted;
    } asked[] = {{NO_PROOF, REFUSAL_PROOF_MISSING},
                 {BROKEN, REFUSAL_PROOF_INVALID},
                 {TOO_OLD, REFUSAL_PROOF_INVALID},
                 {OTHER_METHOD, REFUSAL_PROOF_INVALID},
                 {GOOD, REFUSAL_NONE},
                 {OTHERS_KEY, REFUSAL_NONE}};
    size_t i;

    for (i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct proof_facts proof = proof_of(asked[i].proof);
        struct admit_facts facts = {.needs = MAY_BIND,
                                    .needs_proof = true,
                                    .project = &project,
                                    .cutoff_ms = NEVER,
                                    .proof_broken = asked[i].proof == BROKEN};
        struct holder holder = {.kind = TOKEN_SUBSCRIBER, .gt_ms = 5};

        if (asked[i].proof != NO_PROOF && asked[i].proof != BROKEN) facts.proof = &proof;
        CHECK_NOTE("row %zu", i);
        CHECK_INT(admit(&holder, &facts, &policy), asked[i].wanted);
    }
}

/* The key comes from the token: a policy that names another, or none, changes nothing. */
static void takes_the_key_from_the_token(void)
{
    struct proof_facts mine = proof_of(GOOD), others = proof_of(OTHERS_KEY);
    struct admit_facts facts = {
        .needs = MAY_CONNECT, .project = &project, .cutoff_ms = NEVER, .proof = &others};
    struct holder holder = {.kind = TOKEN_SUBSCRIBER, .gt_ms = 1, .jkt = BYTES(MINE)};
    struct proof_policy named = policy;

    named.jkt = BYTES(OTHER);
    CHECK_INT(admit(&holder, &facts, &named), REFUSAL_PROOF_INVALID);
    facts.proof = &mine;
    CHECK_INT(admit(&holder, &facts, &named), REFUSAL_NONE);
}

int main(void)
{
    CHECK_RUN(admits_by_the_table);
    CHECK_RUN(asks_an_unbound_holder_for_a_proof);
    CHECK_RUN(takes_the_key_from_the_token);
    return CHECK_END();
}
