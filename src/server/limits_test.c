#include "server/limits.h"

#include "harness/check.h"

#include <pthread.h>

#define NOW     INT64_C(1000000000)
#define THREADS 4

static struct bytes peer(uint8_t room[16], const char *text)
{
    return limits_peer(room, text);
}

static void one_customer_is_one_peer(void)
{
    uint8_t a[16], b[16];

    CHECK(bytes_equal(peer(a, "2001:db8::1"), peer(b, "2001:db8:0:0:ffff::7")));
    CHECK(!bytes_equal(peer(a, "2001:db8::1"), peer(b, "2001:db8:0:1::1")));
    CHECK(!bytes_equal(peer(a, "192.0.2.1"), peer(b, "192.0.2.2")));
    CHECK(bytes_equal(peer(a, "192.0.2.1"), peer(b, "::ffff:192.0.2.1")));
    CHECK_BYTES(peer(a, "local"), BYTES("local"));
}

static void refuses_who_has_done_too_much_and_nobody_else(void)
{
    struct limits *limits;
    int64_t wait_ms;
    int i;

    CHECK_INT(limits_new(&limits, 7), ERR_OK);
    limits_set(limits, LIMIT_EMBED_ADDRESS, (struct limit_rule){.per_minute = 60, .burst = 5});
    CHECK(limits_know(limits, LIMIT_EMBED_ADDRESS));
    CHECK(!limits_know(limits, LIMIT_NONE) && !limits_know(limits, LIMIT_MINT_KEY));
    for (i = 0; i < 5; i++)
        CHECK(limits_take(limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("a"), NOW));
    CHECK(!limits_take(limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("a"), NOW) && wait_ms == 1000);
    CHECK(!limits_would_take(limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("a"), NOW) && wait_ms == 1000);
    for (i = 0; i < 9; i++)
        CHECK(limits_would_take(limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("c"), NOW) && !wait_ms);
    CHECK(limits_take(limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("b"), NOW));
    CHECK(limits_take(limits, &wait_ms, LIMIT_VISIT_ADDRESS, BYTES("a"), NOW));
    CHECK(limits_take(limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("a"), NOW + 1000000));
    limits_free(limits);
}

static void refuses_rules_it_cannot_read(void)
{
    static const char *const texts[] = {"wrong_login",    "wrong_login=",      "wrong_login=1",
                                        "wrong_login=1/", "wrong_login=1/0",   "wrong_login=-1/1",
                                        "wrong=1/1",      "wrong_login=1/1/1", "mint_key=9/9 x=1/1",
                                        "=1/1",           "wrong_login=1.5/1"};
    struct limits *limits;
    struct bytes word;
    int64_t wait_ms;
    size_t i;

    CHECK_INT(limits_new(&limits, 7), ERR_OK);
    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_NOTE("%s", texts[i]);
        CHECK(!limits_set_all(limits, bytes_of_text(texts[i]), &word) && word.len);
    }
    CHECK(limits_set_all(limits, BYTES(""), &word) && limits_set_all(limits, BYTES("  "), &word));
    CHECK(limits_set_all(limits, BYTES(" mint_key=60/2  wrong_login=0/1 "), &word));
    CHECK(limits_take(limits, &wait_ms, LIMIT_MINT_KEY, BYTES("k"), NOW));
    CHECK(limits_would_take(limits, &wait_ms, LIMIT_WRONG_LOGIN, BYTES("k"), NOW));
    CHECK(limits_take(limits, &wait_ms, LIMIT_MINT_KEY, BYTES("k"), NOW));
    CHECK(!limits_take(limits, &wait_ms, LIMIT_MINT_KEY, BYTES("k"), NOW));
    limits_free(limits);
}

struct taker {
    struct limits *limits;
    int passed;
};

static void *take_many(void *state)
{
    struct taker *taker = state;
    int64_t wait_ms;

    for (int i = 0; i < 10000; i++)
        taker->passed += limits_take(taker->limits, &wait_ms, LIMIT_EMBED_ADDRESS, BYTES("a"), NOW);
    return NULL;
}

/* However many lanes ask at the same moment: together they get one burst. */
static void lanes_share_one_bucket(void)
{
    struct taker takers[THREADS];
    struct limits *limits;
    pthread_t threads[THREADS];
    int passed = 0;

    CHECK_INT(limits_new(&limits, 7), ERR_OK);
    limits_set(limits, LIMIT_EMBED_ADDRESS, (struct limit_rule){.per_minute = 60, .burst = 1000});
    for (int i = 0; i < THREADS; i++) {
        takers[i] = (struct taker){limits, 0};
        CHECK_INT(pthread_create(&threads[i], NULL, take_many, &takers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CHECK_INT(pthread_join(threads[i], NULL), 0);
        passed += takers[i].passed;
    }
    CHECK_INT(passed, 1000);
    limits_free(limits);
}

int main(void)
{
    CHECK_RUN(refuses_rules_it_cannot_read);
    CHECK_RUN(one_customer_is_one_peer);
    CHECK_RUN(refuses_who_has_done_too_much_and_nobody_else);
    CHECK_RUN(lanes_share_one_bucket);
    return CHECK_END();
}
