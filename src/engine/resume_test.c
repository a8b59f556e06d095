#include "engine/resume.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define KEY_A       BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
#define KEY_B       BYTES("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")

static struct holder holder;
static struct resume_state state;
static struct resume_facts facts;

/* A live unbound token and a good state of its session. */
static void begin(void)
{
    holder = (struct holder){.project = {{1}}, .user = {{2}}, .kind = TOKEN_SUBSCRIBER, .gt_ms = 5000};
    state = (struct resume_state){.session = {{3}},
                                  .project = {{1}},
                                  .user = {{2}},
                                  .kind = TOKEN_SUBSCRIBER,
                                  .deadline_s = 100,
                                  .gt_ms = 5000,
                                  .sequence = 7};
    facts = (struct resume_facts){.holder = &holder,
                                  .cutoff_ms = INT64_MIN,
                                  .presented = RESUME_STATE,
                                  .state = &state,
                                  .state_now_ms = 50000};
}

enum presented { NONE, GOOD, OVER, TAMPERED, OTHER_USER, OTHER_PROJECT, OTHER_KIND, OTHER_KEY };

static void present(enum presented what)
{
    facts.presented = what == NONE ? RESUME_NOTHING : what == TAMPERED ? RESUME_UNREADABLE : RESUME_STATE;
    if (facts.presented != RESUME_STATE) facts.state = NULL;
    if (what == OVER) facts.state_now_ms = 100000;
    if (what == OTHER_USER) state.user.byte[0] = 9;
    if (what == OTHER_PROJECT) state.project.byte[0] = 9;
    if (what == OTHER_KIND) state.kind = TOKEN_GUEST;
    if (what == OTHER_KEY) {
        holder.jkt = KEY_A;
        state.jkt = KEY_B;
    }
}

/* The table of docs/sessions.md, in its order. */
static void judges_row_by_row(void)
{
    static const struct {
        const char *name;
        enum refusal token;
        bool is_cut;
        enum presented presented;
        enum refusal proof;
        enum resume_verdict verdict;
        enum refusal refusal;
    } rows[] = {
        {"forged, no state", REFUSAL_TOKEN_SIGNATURE, false, NONE, 0, RESUME_REFUSED,
         REFUSAL_TOKEN_SIGNATURE},
        {"forged, good state", REFUSAL_TOKEN_SIGNATURE, false, GOOD, 0, RESUME_REFUSED,
         REFUSAL_TOKEN_SIGNATURE},
        {"foreign, good state", REFUSAL_TOKEN_FOREIGN, false, GOOD, 0, RESUME_REFUSED, REFUSAL_TOKEN_FOREIGN},
        {"cut, no state", 0, true, NONE, 0, RESUME_REFUSED, REFUSAL_TOKEN_CUT_OFF},
        {"cut, good state", 0, true, GOOD, 0, RESUME_REFUSED, REFUSAL_TOKEN_CUT_OFF},
        {"cut and expired", REFUSAL_TOKEN_EXPIRED, true, GOOD, 0, RESUME_REFUSED, REFUSAL_TOKEN_CUT_OFF},
        {"cut, wrong proof", 0, true, GOOD, REFUSAL_PROOF_INVALID, RESUME_REFUSED, REFUSAL_TOKEN_CUT_OFF},
        {"live, no state", 0, false, NONE, 0, RESUME_NEW_SESSION, 0},
        {"live, no state, no proof", 0, false, NONE, REFUSAL_PROOF_MISSING, RESUME_REFUSED,
         REFUSAL_PROOF_MISSING},
        {"live, no state, bad proof", 0, false, NONE, REFUSAL_PROOF_INVALID, RESUME_REFUSED,
         REFUSAL_PROOF_INVALID},
        {"live, good state", 0, false, GOOD, 0, RESUME_LIVE, 0},
        {"live, state past its deadline", 0, false, OVER, 0, RESUME_LIVE, 0},
        {"expired, good state", REFUSAL_TOKEN_EXPIRED, false, GOOD, 0, RESUME_LAST, 0},
        {"live, good state, no proof", 0, false, GOOD, REFUSAL_PROOF_MISSING, RESUME_REFUSED,
         REFUSAL_RESUME_IMPOSSIBLE},
        {"expired, good state, bad proof", REFUSAL_TOKEN_EXPIRED, false, GOOD, REFUSAL_PROOF_INVALID,
         RESUME_REFUSED, REFUSAL_RESUME_IMPOSSIBLE},
        {"expired, no state", REFUSAL_TOKEN_EXPIRED, false, NONE, 0, RESUME_REFUSED, REFUSAL_TOKEN_EXPIRED},
        {"expired, no state, no proof", REFUSAL_TOKEN_EXPIRED, false, NONE, REFUSAL_PROOF_MISSING,
         RESUME_REFUSED, REFUSAL_TOKEN_EXPIRED},
        {"expired, deadline passed", REFUSAL_TOKEN_EXPIRED, false, OVER, 0, RESUME_REFUSED,
         REFUSAL_TOKEN_EXPIRED},
        {"expired, deadline passed, no proof", REFUSAL_TOKEN_EXPIRED, false, OVER, REFUSAL_PROOF_MISSING,
         RESUME_REFUSED, REFUSAL_TOKEN_EXPIRED},
        {"live, tampered", 0, false, TAMPERED, 0, RESUME_REFUSED, REFUSAL_RESUME_IMPOSSIBLE},
        {"live, tampered, no proof", 0, false, TAMPERED, REFUSAL_PROOF_MISSING, RESUME_REFUSED,
         REFUSAL_RESUME_IMPOSSIBLE},
        {"expired, tampered", REFUSAL_TOKEN_EXPIRED, false, TAMPERED, 0, RESUME_REFUSED,
         REFUSAL_RESUME_IMPOSSIBLE},
        {"live, other user", 0, false, OTHER_USER, 0, RESUME_REFUSED, REFUSAL_RESUME_IMPOSSIBLE},
        {"expired, other user", REFUSAL_TOKEN_EXPIRED, false, OTHER_USER, 0, RESUME_REFUSED,
         REFUSAL_RESUME_IMPOSSIBLE},
        {"live, other project", 0, false, OTHER_PROJECT, 0, RESUME_REFUSED, REFUSAL_RESUME_IMPOSSIBLE},
        {"live, other kind", 0, false, OTHER_KIND, 0, RESUME_REFUSED, REFUSAL_RESUME_IMPOSSIBLE},
        {"live, other key", 0, false, OTHER_KEY, 0, RESUME_REFUSED, REFUSAL_RESUME_IMPOSSIBLE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct resume_decision decision;
        begin();
        facts.token = rows[i].token;
        facts.proof = rows[i].proof;
        if (rows[i].is_cut) facts.cutoff_ms = 5000;
        present(rows[i].presented);
        decision = resume_judge(&facts);
        CHECK_NOTE("%s", rows[i].name);
        CHECK_INT(decision.verdict, rows[i].verdict);
        CHECK_INT(decision.refusal, rows[i].refusal);
    }
}

static void asks_for_the_key_of_token_or_state(void)
{
    begin();
    CHECK(bytes_is_absent(resume_key(&holder, &state)));
    CHECK(bytes_is_absent(resume_key(&holder, NULL)));
    state.jkt = KEY_B;
    CHECK(bytes_equal(resume_key(&holder, &state), KEY_B));
    holder.jkt = KEY_A;
    CHECK(bytes_equal(resume_key(&holder, &state), KEY_A));
    CHECK(bytes_equal(resume_key(&holder, NULL), KEY_A));
}

static void settles_row_by_row(void)
{
    static const struct {
        const char *name;
        enum resume_found found;
        uint32_t given, presented;
        enum resume_act act;
    } rows[] = {
        {"ended", RESUME_FOUND_NONE, 7, 7, RESUME_REFUSE},
        {"detached, newest", RESUME_FOUND_DETACHED, 7, 7, RESUME_ATTACH},
        {"detached, the one before", RESUME_FOUND_DETACHED, 8, 7, RESUME_ATTACH},
        {"detached, two before", RESUME_FOUND_DETACHED, 9, 7, RESUME_REFUSE},
        {"detached, never given out", RESUME_FOUND_DETACHED, 6, 7, RESUME_REFUSE},
        {"detached, none", RESUME_FOUND_DETACHED, 1, 0, RESUME_REFUSE},
        {"attached", RESUME_FOUND_ATTACHED, 7, 7, RESUME_PROBE},
        {"attached, too old", RESUME_FOUND_ATTACHED, 9, 7, RESUME_REFUSE},
        {"silent", RESUME_FOUND_SILENT, 7, 7, RESUME_REPLACE},
        {"silent, too old", RESUME_FOUND_SILENT, 9, 7, RESUME_REFUSE},
    };
    struct resume_session session = {.holder = &holder};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        begin();
        session.sequence = rows[i].given;
        state.sequence = rows[i].presented;
        CHECK_NOTE("%s", rows[i].name);
        CHECK_INT(resume_settle(&session, rows[i].found, &state, BYTES_NONE), rows[i].act);
    }
}

/* A session is only given to whom it belongs to by now: it may have been bound since its last
 * but one state. */
static void settles_by_the_session_as_it_is_now(void)
{
    struct resume_session session = {.holder = &holder, .sequence = 7};
    struct resume_state was;

    begin();
    was = state;
    was.user.byte[0] = 9;
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &was, BYTES_NONE), RESUME_REFUSE);
    was = state;
    was.project.byte[0] = 9;
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &was, BYTES_NONE), RESUME_REFUSE);
    was = state;
    was.kind = TOKEN_GUEST;
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &was, BYTES_NONE), RESUME_REFUSE);
    was = state;
    was.jkt = KEY_B;
    holder.jkt = KEY_A;
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &was, KEY_B), RESUME_REFUSE);
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &state, BYTES_NONE), RESUME_REFUSE);
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &state, KEY_B), RESUME_REFUSE);
    CHECK_INT(resume_settle(&session, RESUME_FOUND_DETACHED, &state, KEY_A), RESUME_ATTACH);
}

static void reauthenticates_within_one_identity(void)
{
    static const struct {
        const char *name;
        uint8_t project, user;
        enum token_kind kind;
        char present, next; /* keys */
        enum refusal refusal;
    } rows[] = {
        {"other project", 9, 2, TOKEN_SUBSCRIBER, 0, 0, REFUSAL_SESSION_ELSE},
        {"other user", 1, 9, TOKEN_SUBSCRIBER, 0, 0, REFUSAL_SESSION_ELSE},
        {"other kind", 1, 2, TOKEN_GUEST, 0, 0, REFUSAL_SESSION_ELSE},
        {"bound to unbound", 1, 2, TOKEN_SUBSCRIBER, 'a', 0, REFUSAL_SESSION_ELSE},
        {"bound to another key", 1, 2, TOKEN_SUBSCRIBER, 'a', 'b', REFUSAL_SESSION_ELSE},
        {"unbound to unbound", 1, 2, TOKEN_SUBSCRIBER, 0, 0, REFUSAL_NONE},
        {"unbound to bound", 1, 2, TOKEN_SUBSCRIBER, 0, 'b', REFUSAL_NONE},
        {"the same key", 1, 2, TOKEN_SUBSCRIBER, 'a', 'a', REFUSAL_NONE},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct holder next = {.project = {{rows[i].project}}, .user = {{rows[i].user}}, .kind = rows[i].kind};
        begin();
        if (rows[i].present) holder.jkt = KEY_A;
        if (rows[i].next) next.jkt = rows[i].next == 'a' ? KEY_A : KEY_B;
        CHECK_NOTE("%s", rows[i].name);
        CHECK_INT(reauthenticate_check(&holder, &next), rows[i].refusal);
    }
}

int main(void)
{
    CHECK_RUN(judges_row_by_row);
    CHECK_RUN(asks_for_the_key_of_token_or_state);
    CHECK_RUN(settles_row_by_row);
    CHECK_RUN(settles_by_the_session_as_it_is_now);
    CHECK_RUN(reauthenticates_within_one_identity);
    return CHECK_END();
}
