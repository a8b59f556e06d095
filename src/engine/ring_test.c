#include "engine/ring.h"

#include "harness/check.h"

#define NOW  INT64_C(1767225600000)
#define DAY  INT64_C(86400000)
#define SIGN RING_SIGN_WAIT_MS
#define SEAL RING_SEAL_WAIT_MS
#define KEPT RING_SIGN_KEPT_MS

static const struct ring_timetable monthly = {
    .sign_days = 30, .seal_days = 30, .sign_algorithm = {(const uint8_t *)"ES256", 5}};

static struct ring_key keys[2 * RING_USE_MAX];
static struct ring_view ring;

static void add(const char *id, enum ring_use use, enum ring_state state, int64_t ago_ms)
{
    struct bytes algorithm = use == RING_SIGN ? BYTES("ES256") : BYTES_NONE;

    keys[ring.count++] = (struct ring_key){.id = bytes_of_text(id),
                                           .use = use,
                                           .state = state,
                                           .algorithm = algorithm,
                                           .since_ms = NOW - ago_ms};
    ring.keys = keys;
}

/* A ring in words, "sPkR": a letter for the use (s sign, l seal, h hash), one for the state. The ages are of
 * the keys in order. */
static void ring_of(const char *words, const int64_t ages_ms[4])
{
    static const char *const ids[] = {"a", "b", "c", "d"};
    size_t i;

    ring.count = 0;
    for (i = 0; words[2 * i]; i++) {
        enum ring_use use = words[2 * i] == 's' ? RING_SIGN : words[2 * i] == 'l' ? RING_SEAL : RING_HASH;
        enum ring_state state = words[2 * i + 1] == 'P'   ? RING_PUBLISHED
                                : words[2 * i + 1] == 'S' ? RING_SIGNING
                                                          : RING_RETIRED;
        add(ids[i], use, state, ages_ms[i]);
    }
}

/* The steps of a plan in letters: p publish, t turn, d drop. */
static const char *letters_of(const struct ring_plan *plan)
{
    static char text[RING_STEPS_MAX + 1];
    size_t i;

    for (i = 0; i < plan->step_count; i++)
        text[i] = " ptd"[plan->steps[i].act];
    text[i] = 0;
    return text;
}

static const struct row_of_plan {
    const char *ring;
    int64_t ages_ms[4];
    enum ring_want want;
    enum ring_use use;
    const char *id;
    bool is_emergency;
    enum ring_no no;
    int64_t from_ms; /* after now; -1: none is told */
    bool may_force;
    const char *steps;
    int64_t harm_new_s, harm_old_s;
} plans[] = {
    /* what is refused, in an emergency too */
    {"sShSlS", {0}, RING_WANT_ROTATE, RING_HASH, "", false, RING_IS_HASH, -1, false, "", 0, 0},
    {"sShSlS", {0}, RING_WANT_ROTATE, RING_HASH, "", true, RING_IS_HASH, -1, false, "", 0, 0},
    {"sShSlS", {0}, RING_WANT_RETIRE, 0, "b", true, RING_IS_HASH, -1, false, "", 0, 0},
    {"sShSlS", {0}, RING_WANT_REMOVE, 0, "b", true, RING_IS_HASH, -1, false, "", 0, 0},
    {"sShSlS", {0}, RING_WANT_RETIRE, 0, "x", true, RING_NO_SUCH_KEY, -1, false, "", 0, 0},
    {"sShSlS", {0}, RING_WANT_REMOVE, 0, "", true, RING_NO_SUCH_KEY, -1, false, "", 0, 0},
    {"sSsP", {0}, RING_WANT_RETIRE, 0, "b", true, RING_NEVER_SIGNED, -1, false, "", 0, 0},
    {"sSsR", {0}, RING_WANT_RETIRE, 0, "b", true, RING_IS_RETIRED, -1, false, "", 0, 0},
    /* what is refused before its time: the last millisecond, and the first that is allowed */
    {"sSsP", {DAY, SIGN - 1}, RING_WANT_ROTATE, RING_SIGN, "", false, RING_TOO_YOUNG, 1, true, "", 1, 0},
    {"sSsP", {DAY, SIGN}, RING_WANT_ROTATE, RING_SIGN, "", false, RING_MAY, -1, false, "t", 0, 0},
    {"sSsP",
     {DAY, 0},
     RING_WANT_ROTATE,
     RING_SIGN,
     "",
     false,
     RING_TOO_YOUNG,
     SIGN,
     true,
     "",
     SIGN / 1000,
     0},
    {"sSsP", {DAY, 0}, RING_WANT_RETIRE, 0, "a", false, RING_TOO_YOUNG, SIGN, true, "", SIGN / 1000, 0},
    {"sSsP", {DAY, SIGN}, RING_WANT_RETIRE, 0, "a", false, RING_MAY, -1, false, "t", 0, 0},
    {"sS", {DAY}, RING_WANT_RETIRE, 0, "a", false, RING_NO_OTHER, -1, true, "", SIGN / 1000, 0},
    {"lSlP", {DAY, SEAL - 1}, RING_WANT_ROTATE, RING_SEAL, "", false, RING_TOO_YOUNG, 1, true, "", 1, 0},
    {"lSlP", {DAY, SEAL}, RING_WANT_ROTATE, RING_SEAL, "", false, RING_MAY, -1, false, "t", 0, 0},
    {"sSsR", {0, KEPT - 1}, RING_WANT_REMOVE, 0, "b", false, RING_STILL_NEEDED, 1, true, "", 0, 1},
    {"sSsR", {0, KEPT}, RING_WANT_REMOVE, 0, "b", false, RING_MAY, -1, false, "d", 0, 0},
    {"sSsR", {0, 0}, RING_WANT_REMOVE, 0, "b", false, RING_STILL_NEEDED, KEPT, true, "", 0, KEPT / 1000},
    {"lSlR",
     {0, RING_SEAL_KEPT_MS - 1},
     RING_WANT_REMOVE,
     0,
     "b",
     false,
     RING_STILL_NEEDED,
     1,
     true,
     "",
     0,
     1},
    {"lSlR", {0, RING_SEAL_KEPT_MS}, RING_WANT_REMOVE, 0, "b", false, RING_MAY, -1, false, "d", 0, 0},
    {"sS", {0}, RING_WANT_REMOVE, 0, "a", false, RING_STILL_SIGNS, -1, true, "", SIGN / 1000, KEPT / 1000},
    {"sSsP",
     {9 * DAY, SIGN},
     RING_WANT_REMOVE,
     0,
     "a",
     false,
     RING_STILL_SIGNS,
     -1,
     true,
     "",
     0,
     KEPT / 1000},
    /* what is safe at any time */
    {"sSlS", {0}, RING_WANT_ROTATE, RING_SIGN, "", false, RING_MAY, -1, false, "p", 0, 0},
    {"sSlS", {0}, RING_WANT_ROTATE, RING_SEAL, "", false, RING_MAY, -1, false, "p", 0, 0},
    {"sSsPlP", {0}, RING_WANT_REMOVE, 0, "b", false, RING_MAY, -1, false, "d", 0, 0},
    /* emergencies */
    {"sS", {DAY}, RING_WANT_ROTATE, RING_SIGN, "", true, RING_MAY, -1, false, "pt", SIGN / 1000, 0},
    {"sSsP",
     {DAY, 60000},
     RING_WANT_ROTATE,
     RING_SIGN,
     "",
     true,
     RING_MAY,
     -1,
     false,
     "t",
     SIGN / 1000 - 60,
     0},
    {"sS", {DAY}, RING_WANT_RETIRE, 0, "a", true, RING_MAY, -1, false, "pt", SIGN / 1000, 0},
    {"sS", {DAY}, RING_WANT_REMOVE, 0, "a", true, RING_MAY, -1, false, "ptd", SIGN / 1000, KEPT / 1000},
    {"sSsP", {DAY, SIGN}, RING_WANT_REMOVE, 0, "a", true, RING_MAY, -1, false, "td", 0, KEPT / 1000},
    {"sSsR", {0, DAY}, RING_WANT_REMOVE, 0, "b", true, RING_MAY, -1, false, "d", 0, (KEPT - DAY) / 1000},
    {"lS", {DAY}, RING_WANT_REMOVE, 0, "a", true, RING_MAY, -1, false, "ptd", 60, RING_SEAL_KEPT_MS / 1000},
};

static void refuses_what_is_unsafe_and_says_from_when(void)
{
    size_t i;

    for (i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        const struct row_of_plan *row = &plans[i];
        struct ring_order order = {row->want, row->use, bytes_of_text(row->id), row->is_emergency};
        int64_t harms_s[3] = {0};
        struct ring_plan plan;
        size_t j;
        CHECK_NOTE("plan %zu: %s", i, row->ring);
        ring_of(row->ring, row->ages_ms);
        plan = ring_plan(ring, &order, NOW);
        for (j = 0; j < plan.harm_count; j++)
            harms_s[plan.harms[j].of] = plan.harms[j].for_s;
        CHECK_INT(plan.no, row->no);
        CHECK_INT(plan.from_ms, row->from_ms < 0 ? 0 : NOW + row->from_ms);
        CHECK_INT(plan.may_force, row->may_force);
        CHECK(strcmp(letters_of(&plan), row->steps) == 0);
        CHECK_INT(harms_s[RING_HARM_NEW], row->harm_new_s);
        CHECK_INT(harms_s[RING_HARM_OLD], row->harm_old_s);
    }
}

static void refuses_more_keys_than_it_can_hold(void)
{
    static const char *const ids[] = {"00", "01", "02", "03", "04", "05", "06", "07",
                                      "08", "09", "10", "11", "12", "13", "14", "15"};
    struct ring_order rotate = {.want = RING_WANT_ROTATE, .use = RING_SIGN},
                      remove = {.want = RING_WANT_REMOVE};
    struct ring_plan plan;
    size_t i;

    ring.count = 0;
    for (i = 0; i < RING_USE_MAX; i++)
        add(ids[i], RING_SIGN, i ? RING_RETIRED : RING_SIGNING, DAY - (int64_t)i);
    for (i = 0; i < 2; i++) {
        rotate.is_emergency = i;
        plan = ring_plan(ring, &rotate, NOW);
        CHECK_INT(plan.no, RING_IS_FULL);
        CHECK_INT(plan.from_ms, NOW - DAY + 1 + KEPT);
        CHECK(!plan.may_force && !plan.step_count);
    }
    remove.id = BYTES("00");
    remove.is_emergency = true;
    CHECK_INT(ring_plan(ring, &remove, NOW).no, RING_IS_FULL);
    CHECK_INT(ring_due(ring, &monthly, NOW).step.act, RING_DROP); /* never a publication */
}

static void knows_what_is_due(void)
{
    static const struct {
        const char *ring;
        int64_t ages_ms[4];
        int64_t sign_days, seal_days;
        const char *algorithm;
        char act; /* 0: nothing, ever */
        enum ring_use use;
        int64_t at_ms; /* after now */
    } rows[] = {
        {"hSsSlS", {0}, 0, 0, "ES256", 0, 0, 0},
        {"hSsSlS", {0, 0, DAY}, 30, 0, "ES256", 'p', RING_SIGN, 30 * DAY - SIGN},
        {"hSsSlS", {0, 0, DAY}, 0, 30, "ES256", 'p', RING_SEAL, 29 * DAY - SEAL},
        {"hSsSlS", {99 * DAY, 40 * DAY, DAY}, 30, 30, "ES256", 'p', RING_SIGN, -10 * DAY - SIGN},
        {"sSsP", {31 * DAY, 1000}, 30, 30, "ES256", 't', RING_SIGN, SIGN - 1000},
        {"sSsP", {31 * DAY, 1000}, 0, 0, "ES256", 't', RING_SIGN, SIGN - 1000}, /* somebody asked for it */
        {"sSsP", {DAY, SIGN}, 30, 30, "ES256", 't', RING_SIGN, 0},
        {"lSlP", {DAY, 0}, 30, 30, "ES256", 't', RING_SEAL, SEAL},
        {"sSsR", {DAY, DAY}, 0, 0, "ES256", 'd', RING_SIGN, KEPT - DAY},
        {"lSlR", {DAY, 8 * DAY}, 30, 30, "ES256", 'd', RING_SEAL, RING_SEAL_KEPT_MS - 8 * DAY},
        /* another algorithm is configured */
        {"sSlS", {DAY, DAY}, 0, 0, "EdDSA", 'p', RING_SIGN, 0},
        {"sSsP", {DAY, 1}, 30, 30, "EdDSA", 'd', RING_SIGN, 0},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ring_timetable timetable = {rows[i].sign_days, rows[i].seal_days,
                                           bytes_of_text(rows[i].algorithm)};
        struct ring_due due;
        CHECK_NOTE("due %zu: %s", i, rows[i].ring);
        ring_of(rows[i].ring, rows[i].ages_ms);
        due = ring_due(ring, &timetable, NOW);
        CHECK_INT(due.at_ms, rows[i].act ? NOW + rows[i].at_ms : INT64_MAX);
        if (!rows[i].act) continue;
        CHECK_INT(" ptd"[due.step.act], rows[i].act);
        CHECK_INT(due.step.use, rows[i].use);
    }
}

static void apply(const struct ring_step *step, const struct ring_key *made, int64_t now_ms)
{
    struct write writes[RING_WRITES_MAX];
    size_t i, j, count;

    ring_writes(writes, &count, ring, step, made, now_ms);
    for (i = 0; i < count; i++) {
        const struct ring_key *key = &writes[i].ring_key;
        CHECK_INT(writes[i].kind, WRITE_RING_KEY);
        CHECK_INT(key->since_ms, now_ms);
        for (j = 0; j < ring.count && !bytes_equal(keys[j].id, key->id); j++)
            continue;
        if (key->state == RING_GONE)
            keys[j] = keys[--ring.count];
        else
            keys[j] = *key;
        if (j == ring.count && key->state != RING_GONE) ring.count++;
    }
}

static size_t count_in(enum ring_use use, enum ring_state state)
{
    size_t i, count = 0;

    for (i = 0; i < ring.count; i++)
        count += keys[i].use == use && keys[i].state == state;
    return count;
}

/* A year by the timetable: there is always one key that signs; whatever was signed or sealed opens as long as
 * it lives; nothing signs that verifiers cannot know; and each step is one that may also be asked for. */
static void keeps_every_credential_alive_for_a_year(void)
{
    static char ids[1200][5];
    const struct ring_timetable daily = {1, 1, BYTES("ES256")};
    struct ring_due due;
    unsigned made = 0, turns = 0;
    int64_t now_ms = NOW;

    ring_of("hSsSlS", (const int64_t[4]){0});
    while ((due = ring_due(ring, &daily, now_ms)).at_ms < NOW + 365 * DAY) {
        struct ring_key key = {.use = due.step.use,
                               .algorithm = due.step.use == RING_SIGN ? BYTES("ES256") : BYTES_NONE};
        struct ring_order order = {.want = RING_WANT_ROTATE, .use = due.step.use};
        if (due.at_ms > now_ms) now_ms = due.at_ms;
        if (due.step.act == RING_DROP) order = (struct ring_order){RING_WANT_REMOVE, 0, due.step.id, false};
        CHECK_INT(ring_plan(ring, &order, now_ms).no, RING_MAY);
        if (due.step.act == RING_TURN) turns++;
        if (due.step.act == RING_PUBLISH) {
            (void)snprintf(ids[made], sizeof ids[made], "%04u", made);
            key.id = bytes_of_text(ids[made]);
            if (++made == 1200) break;
        }
        apply(&due.step, &key, now_ms);
        CHECK_INT(count_in(RING_SIGN, RING_SIGNING), 1);
        CHECK_INT(count_in(RING_SEAL, RING_SIGNING), 1);
        CHECK_INT(count_in(RING_HASH, RING_SIGNING), 1);
        CHECK(ring.count <= RING_USE_MAX + RING_USE_MAX);
    }
    CHECK(turns >= 2 * 360 && turns <= 2 * 366);
}

static void writes_nothing_for_a_step_that_is_void(void)
{
    struct ring_step turn = {RING_TURN, RING_SIGN, BYTES_NONE}, drop = {RING_DROP, RING_SIGN, BYTES("x")};
    struct write writes[RING_WRITES_MAX];
    size_t count;

    ring_of("sSlP", (const int64_t[4]){0});
    ring_writes(writes, &count, ring, &turn, NULL, NOW);
    CHECK_INT(count, 0);
    ring_writes(writes, &count, ring, &drop, NULL, NOW);
    CHECK_INT(count, 0);
}

static void tells_what_becomes_of_each_key(void)
{
    static const struct {
        const char *ring;
        int64_t ages_ms[4];
        size_t key;
        int64_t days;
        enum ring_next next;
        int64_t at_ms;
    } rows[] = {
        {"hS", {0}, 0, 30, RING_NEXT_NONE, 0},
        {"sS", {0}, 0, 0, RING_NEXT_NONE, 0},
        {"sS", {DAY}, 0, 30, RING_NEXT_RETIRED, 29 * DAY},
        {"sSsP", {DAY, 1}, 0, 0, RING_NEXT_RETIRED, SIGN - 1},
        {"sSsP", {DAY, 1}, 1, 0, RING_NEXT_SIGNS, SIGN - 1},
        {"lSlR", {DAY, 1}, 1, 0, RING_NEXT_GONE, RING_SEAL_KEPT_MS - 1},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ring_timetable timetable = {rows[i].days, rows[i].days, BYTES("ES256")};
        int64_t at_ms;
        CHECK_NOTE("next %zu", i);
        ring_of(rows[i].ring, rows[i].ages_ms);
        CHECK_INT(ring_next(&at_ms, ring, &keys[rows[i].key], &timetable), rows[i].next);
        CHECK_INT(at_ms, rows[i].next ? NOW + rows[i].at_ms : 0);
    }
}

static void finds_words(void)
{
    struct ring_harm harm = {RING_HARM_OLD, RING_SEAL, 77};
    char text[RING_HARM_TEXT_MAX];
    enum ring_use use;
    enum ring_no no;

    CHECK(ring_use_of_text(&use, BYTES("seal")) && use == RING_SEAL);
    CHECK(!ring_use_of_text(&use, BYTES("Seal")) && !ring_use_of_text(&use, BYTES_NONE));
    for (no = RING_NO_SUCH_KEY; no <= RING_STILL_NEEDED; no++)
        CHECK(strlen(ring_no_text(no)) > 10);
    ring_harm_write(text, &harm);
    CHECK(strstr(text, "77 s") && strstr(text, "void"));
    CHECK(strcmp(ring_state_text(RING_GONE), "gone") == 0);
}

int main(void)
{
    CHECK_RUN(refuses_what_is_unsafe_and_says_from_when);
    CHECK_RUN(refuses_more_keys_than_it_can_hold);
    CHECK_RUN(writes_nothing_for_a_step_that_is_void);
    CHECK_RUN(knows_what_is_due);
    CHECK_RUN(keeps_every_credential_alive_for_a_year);
    CHECK_RUN(tells_what_becomes_of_each_key);
    CHECK_RUN(finds_words);
    return CHECK_END();
}
