#include "engine/upgrade.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define KEY_A       BYTES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
#define KEY_B       BYTES("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")

static struct holder holder;
static struct resume_state state;
static struct resume_facts facts;

/* A subscriber's live token, and a good state of a guest's session. */
static void begin(void)
{
    holder = (struct holder){.project = {{1}}, .user = {{2}}, .kind = TOKEN_SUBSCRIBER, .gt_ms = 5000};
    state = (struct resume_state){.session = {{3}},
                                  .project = {{1}},
                                  .user = {{4}},
                                  .kind = TOKEN_GUEST,
                                  .deadline_s = 100,
                                  .gt_ms = 5000,
                                  .sequence = 7};
    facts = (struct resume_facts){.holder = &holder,
                                  .cutoff_ms = INT64_MIN,
                                  .presented = RESUME_STATE,
                                  .state = &state,
                                  .state_now_ms = 50000};
}

/* Every pair, written out once more: what is not here is refused. */
static void goes_upwards_only(void)
{
    static const struct {
        enum token_kind from, to;
    } good[] = {
        {TOKEN_EMBED, TOKEN_GUEST},      {TOKEN_EMBED, TOKEN_INVITE},      {TOKEN_EMBED, TOKEN_SUBSCRIBER},
        {TOKEN_GUEST, TOKEN_SUBSCRIBER}, {TOKEN_INVITE, TOKEN_SUBSCRIBER},
    };
    int from, to;
    size_t i;

    for (from = 0; from < TOKEN_KINDS; from++)
        for (to = 0; to < TOKEN_KINDS; to++) {
            bool wanted = false;
            for (i = 0; i < COUNT(good); i++)
                if ((int)good[i].from == from && (int)good[i].to == to) wanted = true;
            CHECK_NOTE("%d to %d", from, to);
            CHECK(upgrade_may((enum token_kind)from, (enum token_kind)to) == wanted);
            if (wanted) CHECK(!upgrade_may((enum token_kind)to, (enum token_kind)from));
        }
}

enum wrong { NOTHING, NO_STATE, UNREADABLE, OTHER_PROJECT, OTHER_KEY, SAME_KIND, DOWNWARDS, CUT };

static void spoil(enum wrong wrong)
{
    if (wrong == NO_STATE) facts.presented = RESUME_NOTHING;
    if (wrong == UNREADABLE) facts.presented = RESUME_UNREADABLE;
    if (wrong == NO_STATE || wrong == UNREADABLE) facts.state = NULL;
    if (wrong == OTHER_PROJECT) state.project.byte[0] = 9;
    if (wrong == SAME_KIND) holder.kind = TOKEN_GUEST;
    if (wrong == DOWNWARDS) {
        holder.kind = TOKEN_EMBED;
        state.kind = TOKEN_SUBSCRIBER;
    }
    if (wrong == CUT) facts.cutoff_ms = 5000;
    if (wrong == OTHER_KEY) {
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
        enum wrong wrong;
        enum refusal proof;
        enum refusal refusal; /* none: it may */
    } rows[] = {
        {"forged", REFUSAL_TOKEN_SIGNATURE, NOTHING, 0, REFUSAL_TOKEN_SIGNATURE},
        {"foreign", REFUSAL_TOKEN_FOREIGN, NOTHING, 0, REFUSAL_TOKEN_FOREIGN},
        {"expired", REFUSAL_TOKEN_EXPIRED, NOTHING, 0, REFUSAL_TOKEN_EXPIRED},
        {"expired, no state", REFUSAL_TOKEN_EXPIRED, NO_STATE, 0, REFUSAL_TOKEN_EXPIRED},
        {"cut", 0, CUT, 0, REFUSAL_TOKEN_CUT_OFF},
        {"cut, wrong proof", 0, CUT, REFUSAL_PROOF_INVALID, REFUSAL_TOKEN_CUT_OFF},
        {"forged, unreadable", REFUSAL_TOKEN_SIGNATURE, UNREADABLE, 0, REFUSAL_TOKEN_SIGNATURE},
        {"no proof", 0, NOTHING, REFUSAL_PROOF_MISSING, REFUSAL_RESUME_IMPOSSIBLE},
        {"wrong proof", 0, NOTHING, REFUSAL_PROOF_INVALID, REFUSAL_RESUME_IMPOSSIBLE},
        {"no state", 0, NO_STATE, 0, REFUSAL_RESUME_IMPOSSIBLE},
        {"unreadable", 0, UNREADABLE, 0, REFUSAL_RESUME_IMPOSSIBLE},
        {"another project's", 0, OTHER_PROJECT, 0, REFUSAL_RESUME_IMPOSSIBLE},
        {"another key", 0, OTHER_KEY, 0, REFUSAL_RESUME_IMPOSSIBLE},
        {"the same kind", 0, SAME_KIND, 0, REFUSAL_RESUME_IMPOSSIBLE},
        {"downwards", 0, DOWNWARDS, 0, REFUSAL_RESUME_IMPOSSIBLE},
        {"all good", 0, NOTHING, 0, 0},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct resume_decision decision;
        begin();
        facts.token = rows[i].token;
        facts.proof = rows[i].proof;
        spoil(rows[i].wrong);
        decision = upgrade_judge(&facts);
        CHECK_NOTE("%s", rows[i].name);
        CHECK_INT(decision.refusal, rows[i].refusal);
        CHECK_INT(decision.verdict, rows[i].refusal ? RESUME_REFUSED : RESUME_UPGRADE);
    }
}

/* Its grant has ended, and it waits: what is left of it may go over. */
static void takes_a_session_past_its_end(void)
{
    begin();
    facts.state_now_ms = 1000000;
    CHECK_INT(upgrade_judge(&facts).verdict, RESUME_UPGRADE);
}

static void moves_what_the_new_token_reaches(void)
{
    static const struct address desk = {.id = {{0xa1}}, .project = {{1}}, .resource = {{0xe1}}};
    static const struct address foreign = {.id = {{0xa1}}, .project = {{9}}, .resource = {{0xe1}}};
    static const struct address unknown = {.project = {{1}}};
    struct holder guest = {
        .project = {{1}}, .kind = TOKEN_GUEST, .addresses = {{{0xa2}}}, .address_count = 1};

    begin();
    CHECK(!upgrade_moves_call(&holder, true, &unknown));
    CHECK(!upgrade_moves_call(&holder, true, &foreign));
    CHECK(!upgrade_moves_call(&holder, false, &desk));
    CHECK(!upgrade_moves_call(&guest, true, &desk));
    CHECK(upgrade_moves_call(&holder, true, &desk));
    guest.addresses[0] = desk.id;
    CHECK(upgrade_moves_call(&guest, true, &desk));
}

/* A welcome that was lost: whoever asks again is who was let in, and nothing has come from there since. */
static void asks_again_only_until_it_was_heard_of(void)
{
    struct holder there;

    begin();
    there = holder;
    CHECK(!upgrade_asks_again(&holder, &state, 6, &there, false)); /* a state that was never given out */
    CHECK(!upgrade_asks_again(&holder, &state, 9, &there, false)); /* older than the last two */
    CHECK(!upgrade_asks_again(&holder, &state, 7, &there, true));
    there.user.byte[0]++;
    CHECK(!upgrade_asks_again(&holder, &state, 7, &there, false));
    there = holder;
    there.project.byte[0]++;
    CHECK(!upgrade_asks_again(&holder, &state, 7, &there, false));
    there = holder;
    there.kind = TOKEN_GUEST;
    CHECK(!upgrade_asks_again(&holder, &state, 7, &there, false));
    there = holder;
    CHECK(upgrade_asks_again(&holder, &state, 7, &there, false));
    CHECK(upgrade_asks_again(&holder, &state, 8, &there, false));
    state.sequence = 0; /* of a session that was told of none */
    CHECK(!upgrade_asks_again(&holder, &state, 0, &there, false));
    CHECK(!upgrade_asks_again(&holder, &state, 1, &there, false));
}

int main(void)
{
    CHECK_RUN(goes_upwards_only);
    CHECK_RUN(judges_row_by_row);
    CHECK_RUN(takes_a_session_past_its_end);
    CHECK_RUN(moves_what_the_new_token_reaches);
    CHECK_RUN(asks_again_only_until_it_was_heard_of);
    return CHECK_END();
}
