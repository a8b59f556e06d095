#include "service/key_uses.h"

#include "harness/check.h"

struct shelf { /* a store that keeps what it is given until the test answers */
    struct store store;
    struct store_commit *commit;
    unsigned commits;
    size_t told;
};
static struct shelf shelf;
static struct key_uses uses;

static void take(struct store *store, struct store_commit *commit)
{
    (void)store;
    CHECK(shelf.commit == NULL);
    shelf.commit = commit;
    shelf.commits++;
    shelf.told += commit->write_count;
}

static const struct store_ops ops = {.name = "shelf", .commit = take};

static void post(void *to, struct mail *mail)
{
    (void)to;
    (void)mail;
}

static void answer(enum err error)
{
    struct store_commit *commit = shelf.commit;

    shelf.commit = NULL;
    commit->error = error;
    commit->mail.open(&commit->mail);
}

static void begin(void)
{
    memset(&uses, 0, sizeof uses);
    shelf = (struct shelf){.store = {.ops = &ops}};
    key_uses_open(&uses, &shelf.store, post, NULL);
}

static struct bytes name_of(char room[16], unsigned number)
{
    return bytes_of(room, (size_t)snprintf(room, 16, "PT%u", number));
}

static void tells_once_a_minute(void)
{
    int64_t now_ms;

    begin();
    for (now_ms = 1000000; now_ms < 1000000 + KEY_USE_MS; now_ms += 500) {
        key_uses_note(&uses, BYTES("PT1"), now_ms);
        if (shelf.commit) {
            CHECK_BYTES(shelf.commit->writes[0].key_used.public_id, BYTES("PT1"));
            CHECK_INT(shelf.commit->writes[0].kind, WRITE_KEY_USED);
            CHECK_INT(shelf.commit->writes[0].key_used.used_ms, now_ms);
            answer(ERR_OK);
        }
    }
    CHECK_INT(shelf.commits, 1);
    key_uses_note(&uses, BYTES("PT1"), now_ms);
    CHECK_INT(shelf.commits, 2);
    answer(ERR_STORE_FAILED); /* changes nothing: the next minute tells it again */
    key_uses_note(&uses, BYTES("PT1"), now_ms + KEY_USE_MS);
    CHECK_INT(shelf.commits, 3);
    answer(ERR_OK);
}

static void sends_together_what_came_meanwhile(void)
{
    char room[16];
    unsigned i;

    begin();
    for (i = 0; i < 1 + KEY_USE_BATCH; i++)
        key_uses_note(&uses, name_of(room, i), 1000000);
    CHECK_INT(shelf.told, 1);
    key_uses_note(&uses, BYTES("PTlate"), 1000000); /* there is no room: it is told at its next use */
    answer(ERR_OK);
    CHECK_INT(shelf.commits, 2);
    CHECK_INT(shelf.told, 1 + KEY_USE_BATCH);
    answer(ERR_OK);
    CHECK(shelf.commit == NULL);
    key_uses_note(&uses, BYTES("PTlate"), 1000001);
    CHECK_INT(shelf.told, 2 + KEY_USE_BATCH);
    answer(ERR_OK);
}

static void bears_more_keys_than_it_remembers(void)
{
    char room[16];
    unsigned i, round;

    begin();
    for (round = 0; round < 2; round++)
        for (i = 0; i < 4 * KEY_USE_SLOTS; i++) {
            key_uses_note(&uses, name_of(room, i), 1000000 + round);
            if (shelf.commit) answer(ERR_OK);
        }
    CHECK(shelf.told >= 4 * KEY_USE_SLOTS);
}

static void ignores_what_is_no_name_and_a_closed_store(void)
{
    static const char too_long[KEY_PUBLIC_ID_MAX + 1];

    begin();
    key_uses_note(&uses, BYTES_NONE, 1000000);
    key_uses_note(&uses, bytes_of(too_long, sizeof too_long), 1000000);
    CHECK_INT(shelf.commits, 0);
    key_uses_close(&uses);
    key_uses_note(&uses, BYTES("PT1"), 1000000);
    CHECK_INT(shelf.commits, 0);
}

int main(void)
{
    CHECK_RUN(tells_once_a_minute);
    CHECK_RUN(sends_together_what_came_meanwhile);
    CHECK_RUN(bears_more_keys_than_it_remembers);
    CHECK_RUN(ignores_what_is_no_name_and_a_closed_store);
    return CHECK_END();
}
