#include "server/board.h"

#include <pthread.h>

#include "harness/check.h"

#define TEXT_LEN 83 /* no multiple of a word */
#define WRITES   20000

static _Atomic uint64_t mark, words[(TEXT_LEN + 7) / 8];

static void refuses_what_was_never_written(void)
{
    _Atomic uint64_t unused = 0, none[1] = {0};
    char out[8];

    CHECK(!board_read(out, sizeof out, &unused, none));
}

static void refuses_a_second_writer(void)
{
    _Atomic uint64_t busy = 1, room[1] = {0};
    char text[8] = "1234567", out[8];

    CHECK(!board_write(&busy, room, text, sizeof text));
    CHECK_INT(atomic_load(&busy), 1);
    CHECK(!board_read(out, sizeof out, &busy, room));
}

static void gives_back_what_was_written(void)
{
    char text[TEXT_LEN], out[TEXT_LEN + 1] = {0};
    size_t i, len;

    for (i = 0; i < TEXT_LEN; i++)
        text[i] = (char)('!' + i);
    for (len = 1; len <= TEXT_LEN; len++) {
        CHECK_NOTE("%zu bytes", len);
        memset(out, '~', sizeof out);
        CHECK(board_write(&mark, words, text, len));
        CHECK(board_read(out, len, &mark, words));
        CHECK(memcmp(out, text, len) == 0);
        CHECK(out[len] == '~');
    }
}

static void *write_on(void *state)
{
    char text[TEXT_LEN];
    int i;

    (void)state;
    for (i = 0; i < WRITES; i++) {
        memset(text, 'a' + i % 26, sizeof text);
        (void)board_write(&mark, words, text, sizeof text);
    }
    return NULL;
}

/* Two write, so that one is refused now and then; whatever is read is one text, whole. */
static void never_mixes_two_texts(void)
{
    char whole[TEXT_LEN], out[TEXT_LEN];
    pthread_t writers[2];
    int i, mixed = 0;

    memset(out, 'a', sizeof out);
    CHECK(board_write(&mark, words, out, sizeof out));
    for (i = 0; i < 2; i++)
        if (!CHECK(pthread_create(&writers[i], NULL, write_on, NULL) == 0)) return;
    for (i = 0; i < WRITES; i++) {
        if (!board_read(out, sizeof out, &mark, words)) continue;
        memset(whole, out[0], sizeof whole);
        mixed += memcmp(out, whole, sizeof out) != 0;
    }
    for (i = 0; i < 2; i++)
        CHECK(pthread_join(writers[i], NULL) == 0);
    CHECK_INT(mixed, 0);
    CHECK(board_read(out, sizeof out, &mark, words));
}

int main(void)
{
    CHECK_RUN(refuses_what_was_never_written);
    CHECK_RUN(refuses_a_second_writer);
    CHECK_RUN(gives_back_what_was_written);
    CHECK_RUN(never_mixes_two_texts);
    return CHECK_END();
}
