#include "service/key_text.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const enum key_kind kinds[] = {KEY_API_TOKEN, KEY_CLIENT, KEY_SECRET, KEY_PUBLISHABLE,
                                      KEY_CLICK_TO_CALL};

#define HEX16 "0123456789abcdef"
#define HEX24 HEX16 "01234567"
#define HEX40 HEX16 HEX24

static void refuses_other_forms(void)
{
    static const struct {
        enum key_kind kind;
        const char *text;
    } rows[] = {
        {KEY_API_TOKEN, ""},
        {KEY_API_TOKEN, "PT"},
        {KEY_API_TOKEN, "PT" HEX16},
        {KEY_API_TOKEN, "PT" HEX16 "0123456789abcdef0123456789abcdef0123456"}, /* one digit short */
        {KEY_API_TOKEN, "PT" HEX16 HEX40 "0"},
        {KEY_API_TOKEN, "PT" HEX16 HEX40 " "},
        {KEY_API_TOKEN, " PT" HEX16 HEX40},
        {KEY_API_TOKEN, "pt" HEX16 HEX40},
        {KEY_API_TOKEN, "PTg123456789abcdef" HEX40},
        {KEY_API_TOKEN, "PT" HEX16 HEX16 HEX16 "0123456\n"},
        {KEY_API_TOKEN, "PT" HEX16 HEX16 HEX16 "012345-7"},
        {KEY_API_TOKEN, "cli_" HEX24},
        {KEY_API_TOKEN, "sk_test_" HEX16 HEX40},
        {KEY_SECRET, "PT" HEX16 HEX40},
        {KEY_SECRET, "sk_" HEX16 HEX40},
        {KEY_SECRET, "sk_prod_" HEX16 HEX40},
        {KEY_SECRET, "sk_test_" HEX16},
        {KEY_PUBLISHABLE, "pk_test_" HEX16},
        {KEY_PUBLISHABLE, "pk_test_" HEX24 HEX16},
        {KEY_PUBLISHABLE, "sk_test_" HEX24},
        {KEY_CLIENT, "sec_" HEX24 HEX24},
        {KEY_CLIENT, "cli_" HEX16},
        {KEY_CLICK_TO_CALL, "c2c_" HEX16},
        {KEY_CLICK_TO_CALL, "c2t_" HEX16 HEX16},
        {KEY_CLICK_TO_CALL, "c2c_" HEX16 HEX24},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("kind %d \"%s\"", rows[i].kind, rows[i].text);
        CHECK(bytes_is_absent(key_text_public_id(rows[i].kind, bytes_of_text(rows[i].text))));
    }
    CHECK_NOTE("absent and NUL");
    for (i = 0; i < COUNT(kinds); i++)
        CHECK(bytes_is_absent(key_text_public_id(kinds[i], BYTES_NONE)));
    CHECK(bytes_is_absent(key_text_public_id(KEY_API_TOKEN, bytes_of("PT" HEX16 HEX40 "\0", 59))));
    CHECK(bytes_is_absent(
        key_text_public_id(KEY_API_TOKEN, bytes_of("PT" HEX16 "\0" HEX16 HEX16 "0123456", 58))));
}

static void finds_the_public_part(void)
{
    static const struct {
        enum key_kind kind;
        const char *text, *id;
    } rows[] = {
        {KEY_API_TOKEN, "PT" HEX16 HEX40, "PT" HEX16},
        {KEY_SECRET, "sk_test_" HEX16 HEX40, "sk_test_" HEX16},
        {KEY_SECRET, "sk_live_" HEX16 HEX40, "sk_live_" HEX16},
        {KEY_PUBLISHABLE, "pk_live_" HEX24, "pk_live_" HEX24},
        {KEY_CLIENT, "cli_" HEX24, "cli_" HEX24},
        {KEY_CLICK_TO_CALL, "c2c_" HEX16 HEX16, "c2c_" HEX16},
    };
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct bytes text = bytes_of_text(rows[i].text);
        struct bytes id = key_text_public_id(rows[i].kind, text);
        CHECK_NOTE("%s", rows[i].text);
        CHECK_BYTES(id, bytes_of_text(rows[i].id));
        CHECK(id.ptr == text.ptr); /* borrowed */
        CHECK(id.len <= KEY_PUBLIC_ID_MAX);
    }
}

/* What is drawn has the form of its kind and of no other, and the whole secret is found by its own id. */
static void draws_what_it_finds(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 3);
    size_t i, j;
    int live;

    for (i = 0; i < COUNT(kinds); i++)
        for (live = 0; live < 2; live++) {
            struct key_text text;
            struct bytes presented, id;

            key_text_draw(&text, kinds[i], !live, &dice);
            id = bytes_of(text.id, text.id_len);
            CHECK_NOTE("kind %d live %d %s", kinds[i], live, text.id);
            CHECK(text.id_len == strlen(text.id) && text.secret_len == strlen(text.secret));
            CHECK((text.secret_len == 0) == (kinds[i] == KEY_PUBLISHABLE));
            presented = kinds[i] == KEY_CLIENT || kinds[i] == KEY_PUBLISHABLE
                            ? id
                            : bytes_of(text.secret, text.secret_len);
            for (j = 0; j < COUNT(kinds); j++)
                CHECK(bytes_is_absent(key_text_public_id(kinds[j], presented)) == (j != i));
            CHECK_BYTES(key_text_public_id(kinds[i], presented), id);
            if (kinds[i] == KEY_SECRET)
                CHECK(strstr(text.secret, live ? "sk_live_" : "sk_test_") == text.secret);
            if (kinds[i] == KEY_CLIENT)
                CHECK(strstr(text.secret, "sec_") == text.secret && text.secret_len == 52);
        }
}

static void draws_no_digit_twice_as_public_and_secret(void)
{
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 4);
    struct key_text a, b;

    key_text_draw(&a, KEY_CLIENT, true, &dice);
    CHECK(memcmp(a.id + 4, a.secret + 4, 24) != 0);
    key_text_draw(&a, KEY_API_TOKEN, true, &dice);
    key_text_draw(&b, KEY_API_TOKEN, true, &dice);
    CHECK(memcmp(a.secret + 2, a.secret + 18, 16) != 0);
    CHECK(strcmp(a.id, b.id) != 0 && strcmp(a.secret + 18, b.secret + 18) != 0);
}

int main(void)
{
    CHECK_RUN(refuses_other_forms);
    CHECK_RUN(finds_the_public_part);
    CHECK_RUN(draws_what_it_finds);
    CHECK_RUN(draws_no_digit_twice_as_public_and_secret);
    return CHECK_END();
}
