#include "server/host.h"

#include <pthread.h>
#include <string.h>

#include "harness/check.h"

static void fills_exactly_what_is_asked(void)
{
    const struct host *host = host_machine();
    for (size_t len = 0; len <= 700; len++) {
        uint8_t out[720], before[720];
        memset(out, 0xa5, sizeof out);
        memset(before, 0xa5, sizeof before);
        dice_fill(&host->dice, out + 8, len);
        CHECK_NOTE("%zu", len);
        CHECK(memcmp(out, before, 8) == 0);
        CHECK(memcmp(out + 8 + len, before, sizeof out - 8 - len) == 0);
        if (len >= 16) CHECK(memcmp(out + 8, before, len) != 0); /* equal once in 2^128 */
    }
}

#define DRAWS 2000
static void *draw_many(void *out)
{
    for (size_t i = 0; i < DRAWS; i++)
        dice_fill(&host_machine()->dice, (uint8_t *)out + i * 16, 16);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

static void never_draws_the_same_twice(void)
{
    static uint8_t drawn[3 * DRAWS * 16];
    pthread_t other[2];
    CHECK(pthread_create(&other[0], NULL, draw_many, drawn + DRAWS * 16) == 0);
    CHECK(pthread_create(&other[1], NULL, draw_many, drawn + 2 * DRAWS * 16) == 0);
    draw_many(drawn);
    for (int i = 0; i < 2; i++)
        pthread_join(other[i], NULL);
    qsort(drawn, 3 * DRAWS, 16, compare);
    for (size_t i = 1; i < 3 * DRAWS; i++)
        CHECK(memcmp(drawn + (i - 1) * 16, drawn + i * 16, 16) != 0);
}

static void knows_the_time(void)
{
    const struct host *host = host_machine();
    CHECK(host->wall_ms(host->state) > 1600000000000); /* after 2020 */
    int64_t before = host->monotonic_ms(host->state);
    CHECK(host->since_boot_ms(host->state) >= before); /* the machine's sleep counts */
    for (int i = 0; i < 1000; i++) {
        int64_t now = host->monotonic_ms(host->state);
        CHECK(now >= before);
        before = now;
    }
}

int main(void)
{
    CHECK_RUN(fills_exactly_what_is_asked);
    CHECK_RUN(never_draws_the_same_twice);
    CHECK_RUN(knows_the_time);
    return CHECK_END();
}
