#include "service/presented.h"

#include "harness/check.h"
#include "service/key_text.h"

#define HEX16 "0123456789abcdef"
#define HEX40 HEX16 HEX16 "01234567"

static void knows_each_kind(void)
{
    static const struct {
        const char *text;
        enum presented wanted;
        bool is_whole;
    } rows[] = {
        {"", PRESENTED_NOTHING, false},
        {"hello", PRESENTED_UNKNOWN, false},
        {"a.b.c", PRESENTED_JWS, true},
        {"a.b.c.d", PRESENTED_UNKNOWN, false},
        {"rt_0123abcd.AAAA", PRESENTED_REFRESH, false},
        {"rt_0123abcd.AAAAAAAAAAAAAAAAAAAAAAAA", PRESENTED_REFRESH, true},
        {"bt_x", PRESENTED_BOOTSTRAP, false},
        {"lt_x", PRESENTED_LAUNCH, false},
        {"rs_x", PRESENTED_RESUME, false},
        {"PT" HEX16 HEX40, PRESENTED_API_TOKEN, true},
        {"PT" HEX16, PRESENTED_API_TOKEN, false},
        {"cli_" HEX16 "01234567", PRESENTED_CLIENT_ID, true},
        {"sec_" HEX16 HEX16 HEX16, PRESENTED_CLIENT, true},
        {"sec_" HEX16 HEX16 "x123456789abcdef", PRESENTED_CLIENT, false},
        {"sec_" HEX16, PRESENTED_CLIENT, false},
        {"sk_test_" HEX16 HEX40, PRESENTED_SECRET_KEY, true},
        {"sk_live_" HEX16, PRESENTED_SECRET_KEY, false},
        {"pk_live_" HEX16 "01234567", PRESENTED_PUBLISHABLE, true},
        {"c2c_" HEX16 HEX16, PRESENTED_CLICK, true},
        {"01234567-89ab-4def-8123-456789abcdef", PRESENTED_UUID, true},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes text = bytes_of_text(rows[i].text);
        CHECK_NOTE("%s", rows[i].text);
        CHECK_INT(presented_kind(text), rows[i].wanted);
        CHECK_INT(presented_is_whole(presented_kind(text), text), rows[i].is_whole);
        CHECK(presented_text(presented_kind(text))[0] != 0);
    }
}

/* What the server draws is what it recognises. */
static void knows_what_is_drawn(void)
{
    static const enum presented wanted[] = {[KEY_API_TOKEN] = PRESENTED_API_TOKEN,
                                            [KEY_CLIENT] = PRESENTED_CLIENT,
                                            [KEY_SECRET] = PRESENTED_SECRET_KEY,
                                            [KEY_CLICK_TO_CALL] = PRESENTED_CLICK};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, 5);
    int kind;

    for (kind = KEY_API_TOKEN; kind <= KEY_CLICK_TO_CALL; kind++) {
        struct key_text text;
        if (kind == KEY_PUBLISHABLE) continue; /* has no secret */
        key_text_draw(&text, (enum key_kind)kind, true, &dice);
        CHECK_NOTE("kind %d", kind);
        CHECK_INT(presented_kind(bytes_of(text.secret, text.secret_len)), wanted[kind]);
        CHECK(presented_is_whole(wanted[kind], bytes_of(text.secret, text.secret_len)));
        CHECK(presented_is_secret(wanted[kind]));
    }
}

int main(void)
{
    CHECK_RUN(knows_each_kind);
    CHECK_RUN(knows_what_is_drawn);
    return CHECK_END();
}
