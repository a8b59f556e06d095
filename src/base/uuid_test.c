#include "base/uuid.h"
#include "harness/check.h"

static const char sample[] = "550e8400-e29b-41d4-a716-446655440000";

static void refuses_other_forms(void)
{
    static const char *const refused[] = {"",
                                          "550e8400e29b41d4a716446655440000",
                                          "550e8400-e29b-41d4-a716-44665544000",
                                          "550e8400-e29b-41d4-a716-4466554400000",
                                          "550e8400_e29b-41d4-a716-446655440000",
                                          "550e840-0e29b-41d4-a716-446655440000",
                                          "{550e8400-e29b-41d4-a716-44665544000}",
                                          "550e8400-e29b-41d4-a716-44665544000g",
                                          "550e8400-e29b-41d4-a716 446655440000"};
    struct uuid id;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        memset(&id, 7, sizeof id);
        CHECK(uuid_read(&id, bytes_of_text(refused[i])) == ERR_MALFORMED);
        CHECK(uuid_is_zero(&id));
    }
}

static void reads_what_it_writes(void)
{
    struct uuid id, upper;
    char text[UUID_TEXT_LEN];
    CHECK(uuid_read(&id, BYTES(sample)) == ERR_OK);
    CHECK(uuid_read(&upper, BYTES("550E8400-E29B-41D4-A716-446655440000")) == ERR_OK);
    CHECK(uuid_equal(&id, &upper) && !uuid_is_zero(&id));
    uuid_write(text, &upper);
    CHECK_BYTES(bytes_of(text, sizeof text), BYTES(sample));
    CHECK_INT(uuid_bytes(&id).len, 16);
}

static void draws_version_four(void)
{
    struct dice_seeded seeded;
    struct dice dice = dice_from_seed(&seeded, 5);
    struct uuid last = {0}, id;
    for (int i = 0; i < 100; i++) {
        struct buf text;
        buf_init(&text, UUID_TEXT_LEN);
        uuid_draw(&id, &dice);
        uuid_append(&text, &id);
        CHECK(!uuid_equal(&id, &last));
        CHECK(text.ptr[14] == '4' && strchr("89ab", text.ptr[19]) != NULL);
        last = id;
        buf_release(&text);
    }
}

int main(void)
{
    CHECK_RUN(refuses_other_forms);
    CHECK_RUN(reads_what_it_writes);
    CHECK_RUN(draws_version_four);
    return CHECK_END();
}
