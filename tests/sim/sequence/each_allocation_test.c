/* each_allocation_test.c — each allocation of a whole exchange fails in turn: a connection is accepted, mints
 * and reads; another is upgraded, connects, calls and goes; the node restarts. What the answers may be then
 * is the simulator's law: 503 or a close, nothing half, what was acknowledged is durable, nothing leaks. Then
 * others do the same, and all goes well. Two telephones, of which one rings, and a guest who becomes one of
 * their users have an exchange of their own: nobody waits for what never comes, no call is left behind. */
#include <string.h>

#include "harness/check.h"
#include "sim/guests.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/phones.h"
#include "sim/sequence/action.h"
#include "sim/sessions.h"

#define EACH_MAX 2000 /* more than an exchange asks for */
#ifndef EACH_STEP
#define EACH_STEP 1U /* the sanitizers look at fewer */
#endif

static const struct action exchange[] = {
    {.verb = VERB_OPEN, .b = 1, .wait = 4},
    {.verb = VERB_MINT, .c = 1 | 8, .wait = 4}, /* a new user, bound */
    {.verb = VERB_MINT, .c = 1, .d = 16 | 15, .send = 3 | 9 << 3, .wait = 4},
    {.verb = VERB_READ, .wait = 4},
    {.verb = VERB_READ, .a = 1, .c = 4, .wait = 4},
    {.verb = VERB_READ, .a = 5 << 3, .c = 4, .wait = 4}, /* a preflight */
    {.verb = VERB_READ, .a = 7 << 3, .wait = 4},         /* refused with Allow */
    {.verb = VERB_READ, .a = 7 << 3 | 3, .wait = 4},     /* the same in ready words */
    {.verb = VERB_UPGRADE, .a = 4, .wait = 4},           /* refused with Upgrade, and closed */
    {.verb = VERB_UPGRADE, .party = 1, .wait = 4},
    {.verb = VERB_CONNECT, .party = 1, .d = 1, .wait = 4},
    {.verb = VERB_CALL, .party = 1, .d = 2 | 20 << 2, .wait = 4},
    {.verb = VERB_CALL, .party = 1, .a = 6, .d = 1, .wait = 7}, /* long enough for pings */
    {.verb = VERB_END, .party = 1, .wait = 4},
    {.verb = VERB_RESET, .wait = 4},
};

static void play(uint8_t first_party)
{
    size_t i;

    for (i = 0; i < sizeof exchange / sizeof exchange[0]; i++) {
        struct action action = exchange[i];
        action.party = (uint8_t)(action.party + first_party);
        parties_act(&action);
    }
}

/* Whether the links from this one on have all got what a good client gets. */
static void check_went_well(unsigned first_link)
{
    const struct link *link;
    const struct request *request;
    unsigned answers = 0, calls = 0;

    for (link = links; link; link = link->next) {
        const struct call *call;
        if (link->number < first_link) continue;
        for (request = link->tap.requests; request; request = request->next) {
            CHECK(request->status == 200 || request->status == 101 || request->status == request->wanted);
            answers++;
        }
        for (call = link->tap.calls; call; call = call->next) {
            CHECK(call->is_answered);
            calls++;
        }
    }
    CHECK_INT(answers, 9);
    CHECK_INT(calls, 3);
}

/* True: this exchange needed fewer allocations than n, so that none failed. */
static bool fail_one(unsigned n, unsigned count)
{
    static const struct action restart = {.verb = VERB_LIFE, .wait = 5};
    unsigned before, failures;

    life_begin(0);
    before = memory_failures();
    memory_fail(n, count);
    play(0);
    memory_fail(0, 0);
    failures = memory_failures() - before;
    parties_act(&restart);
    before = links ? links->number : 0;
    model.token_count = 0; /* the others use what they mint themselves */
    play(2);
    check_went_well(before + 1);
    life_end();
    return !failures;
}

static void fails_cleanly_at_each_allocation(void)
{
    unsigned n = 0;
    bool done = false;

    for (; !done && n < EACH_MAX; n++) {
        CHECK_NOTE("allocation %u", n);
        done = fail_one(n, 1);
    }
    CHECK(done);
    CHECK(n > 50);
    printf("%u allocations\n", n - 1);
}

static void fails_cleanly_without_more(void)
{
    unsigned n;

    for (n = 0; n < 100; n++) {
        CHECK_NOTE("from allocation %u on", n);
        fail_one(n, 4);
    }
}

/* A lane keeps the memory of its replies: only the first one can want it. */
static void first_answers_fail_cleanly(void)
{
    size_t i;
    unsigned n;

    for (i = 0; i < sizeof exchange / sizeof exchange[0]; i++)
        for (n = 0; n < 40; n++) {
            unsigned before = memory_failures();
            CHECK_NOTE("action %zu, allocation %u", i, n);
            life_begin(0);
            memory_fail(n, 1);
            parties_act(&exchange[i]);
            life_end();
            if (memory_failures() == before) break;
        }
}

/* ---- telephones ---- */

#define MINTED     (PROJECTS * GUESTS) /* tokens before are guests' */
#define FIRST_DIAL 10
#define DIAL       (1 << 2)
#define ANSWER     (2 << 2)
#define BYE        (3 << 2)

static const struct action telephones[] = {
    {.verb = VERB_OPEN, .b = 1, .wait = 5},
    {.verb = VERB_MINT, .c = 1, .wait = 5},
    {.verb = VERB_MINT, .b = 3, .c = 1, .wait = 5},
    {.verb = VERB_RESET, .wait = 5},
    {.verb = VERB_UPGRADE, .party = 1, .wait = 5},
    {.verb = VERB_CONNECT, .party = 1, .a = MINTED, .b = 6, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 1, .d = 1, .wait = 5}, /* online */
    {.verb = VERB_UPGRADE, .party = 2, .wait = 5},
    {.verb = VERB_CONNECT, .party = 2, .a = MINTED + 1, .b = 6, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 2, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 2, .a = 13, .b = DIAL, .d = 1, .wait = 5}, /* ada */
    {.verb = VERB_CALL, .party = 1, .a = 13, .b = ANSWER, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 2, .a = 13, .b = BYE, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 2, .a = 13, .b = DIAL, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 1, .a = 13, .b = BYE, .d = 1, .wait = 5}, /* busy */
    {.verb = VERB_CALL, .party = 2, .a = 13, .b = DIAL, .d = 1, .wait = 5},
    {.verb = VERB_CALL, .party = 2, .a = 13, .b = BYE, .d = 1, .wait = 5}, /* never mind */
    {.verb = VERB_UPGRADE, .party = 3, .wait = 5},
    {.verb = VERB_CONNECT, .party = 3, .b = 6, .d = 1, .wait = 5}, /* a guest */
    {.verb = VERB_RESET, .party = 3, .wait = 5},
    {.verb = VERB_UPGRADE, .party = 3, .wait = 5},
    {.verb = VERB_CONNECT, .party = 3, .a = MINTED, .b = 6, .c = 11, .d = 1, .wait = 7}, /* is ada, now */
    {.verb = VERB_END, .party = 1, .wait = 5},
    {.verb = VERB_RESET, .party = 2, .wait = 5},
    {.verb = VERB_RESET, .party = 3, .wait = 5},
};

static struct token guests[MINTED]; /* as they were founded */

static void begin_with_guests(void)
{
    life_begin(0);
    memcpy(model.tokens, guests, sizeof guests);
}

static void play_telephones(size_t from, size_t to)
{
    for (; from < to; from++)
        parties_act(&telephones[from]);
}

static void play_all_telephones(void)
{
    model.token_count = MINTED; /* each play uses what it mints itself */
    play_telephones(0, sizeof telephones / sizeof telephones[0]);
}

static void check_telephones_went_well(unsigned first_link)
{
    const struct link *link;
    const struct call *call;
    unsigned calls = 0;

    for (link = links; link; link = link->next)
        for (call = link->number >= first_link ? link->tap.calls : NULL; call; call = call->next) {
            CHECK(call->is_answered);
            calls++;
        }
    CHECK_INT(calls, 13);
    CHECK_INT(atomic_load(&node_running()->calls), 0);
}

static bool fail_one_of_telephones(unsigned n, unsigned count)
{
    static const struct action restart = {.verb = VERB_LIFE, .wait = 5};
    unsigned before, failures, joined, followed;

    begin_with_guests();
    model.token_count = MINTED;
    play_telephones(0, FIRST_DIAL); /* minting and connecting fail in the other exchange */
    before = memory_failures();
    memory_fail(n, count);
    play_telephones(FIRST_DIAL, sizeof telephones / sizeof telephones[0]);
    memory_fail(0, 0);
    failures = memory_failures() - before;
    parties_act(&restart);
    before = links ? links->number : 0;
    joined = phones_joined();
    followed = sessions_followed();
    play_all_telephones();
    check_telephones_went_well(before + 1);
    CHECK_INT(phones_joined(), joined + 1);
    CHECK_INT(sessions_followed(), followed + 1);
    life_end();
    return !failures;
}

static void telephones_fail_cleanly_at_each_allocation(void)
{
    unsigned n = 0;
    bool done = false;

    for (; !done && n < EACH_MAX; n += EACH_STEP) {
        CHECK_NOTE("allocation %u", n);
        done = fail_one_of_telephones(n, 1);
    }
    CHECK(done);
    CHECK(n > 100);
    printf("%u allocations, each %u\n", n - EACH_STEP, EACH_STEP);
}

static void telephones_fail_cleanly_without_more(void)
{
    unsigned n;

    for (n = 0; n < 200; n += 5) {
        CHECK_NOTE("from allocation %u on", n);
        fail_one_of_telephones(n, 4);
    }
}

int main(void)
{
    lives_prepare();
    memcpy(guests, model.tokens, sizeof guests);
    CHECK_RUN(fails_cleanly_at_each_allocation);
    CHECK_RUN(fails_cleanly_without_more);
    CHECK_RUN(first_answers_fail_cleanly);
    CHECK_RUN(telephones_fail_cleanly_at_each_allocation);
    CHECK_RUN(telephones_fail_cleanly_without_more);
    return CHECK_END();
}
