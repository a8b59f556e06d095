#include "wire/stun.h"

#include "harness/check.h"

static struct buf out;

/* hex with spaces, into bytes */
static struct bytes hexed(uint8_t *room, const char *hex)
{
    size_t len = 0;

    for (; *hex; hex++) {
        unsigned value;
        if (*hex == ' ') continue;
        value = (unsigned)(strtoul((char[]){hex[0], hex[1], 0}, NULL, 16));
        room[len++] = (uint8_t)value;
        hex++;
    }
    return bytes_of(room, len);
}

#define COOKIE_HEX      "2112a442"
#define TRANSACTION_HEX "b7e7a701bc34d686fa87dfae"

static void refuses_what_is_no_binding_request(void)
{
    static const struct {
        const char *what, *hex;
    } rows[] = {
        {"nothing", ""},
        {"a cut header", "0001 0000 " COOKIE_HEX " b7e7a701bc34d686fa87df"},
        {"an answer", "0101 0000 " COOKIE_HEX " " TRANSACTION_HEX},
        {"an indication", "0011 0000 " COOKIE_HEX " " TRANSACTION_HEX},
        {"a TURN allocation", "0003 0000 " COOKIE_HEX " " TRANSACTION_HEX},
        {"no cookie (RFC 3489)", "0001 0000 2112a443 " TRANSACTION_HEX},
        {"a length beyond the end", "0001 0004 " COOKIE_HEX " " TRANSACTION_HEX},
        {"bytes behind the end", "0001 0000 " COOKIE_HEX " " TRANSACTION_HEX " 00000000"},
        {"a length of odd bytes", "0001 0002 " COOKIE_HEX " " TRANSACTION_HEX " 8022"},
        {"an attribute beyond the end", "0001 0004 " COOKIE_HEX " " TRANSACTION_HEX " 80220004"},
        {"an attribute of 65535 bytes", "0001 0008 " COOKIE_HEX " " TRANSACTION_HEX " 8022ffff 61626364"},
        {"RTP", "8000 0000 00000000 00000000 00000000 00000000"},
    };
    struct stun_request request;
    uint8_t room[64];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("%s", rows[i].what);
        CHECK(!stun_read(&request, hexed(room, rows[i].hex)));
    }
}

static void check_answer(const char *question, const struct stun_address *from, const char *wanted)
{
    struct stun_request request;
    uint8_t room[128];

    buf_reset(&out);
    if (!CHECK(stun_read(&request, hexed(room, question)))) return;
    stun_write(&out, &request, from);
    CHECK_BYTES(buf_bytes(&out), hexed(room, wanted));
    CHECK(out.len <= STUN_ANSWER_MAX);
}

/* The addresses of RFC 5769 §2.2 and §2.3: 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677, port 32853. */
static void tells_where_a_question_came_from(void)
{
    static const struct stun_address v4 = {{192, 0, 2, 1}, 4, 32853};
    static const struct stun_address v6 = {
        {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77},
        16,
        32853};

    check_answer("0001 0000 " COOKIE_HEX " " TRANSACTION_HEX, &v4,
                 "0101 000c " COOKIE_HEX " " TRANSACTION_HEX " 00200008 0001a147 e112a643");
    check_answer("0001 0000 " COOKIE_HEX " " TRANSACTION_HEX, &v6,
                 "0101 0018 " COOKIE_HEX " " TRANSACTION_HEX
                 " 00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9");
}

static void ignores_what_may_be_ignored(void)
{
    static const struct stun_address v4 = {{192, 0, 2, 1}, 4, 32853};

    CHECK_NOTE("a name of the software, a user name, a fingerprint");
    check_answer("0001 0018 " COOKIE_HEX " " TRANSACTION_HEX
                 " 80220003 61626300 00060003 61626320 80280004 e57a3bcf",
                 &v4, "0101 000c " COOKIE_HEX " " TRANSACTION_HEX " 00200008 0001a147 e112a643");
}

static void lists_what_it_had_to_understand(void)
{
    static const struct stun_address v4 = {{192, 0, 2, 1}, 4, 32853};

    check_answer("0001 0004 " COOKIE_HEX " " TRANSACTION_HEX " 7f010000", &v4,
                 "0111 0018 " COOKIE_HEX " " TRANSACTION_HEX
                 " 0009000c 00000414 556e6b6e6f776e20 000a0002 7f010000");
    CHECK_NOTE("six of them: four are listed");
    check_answer("0001 0018 " COOKIE_HEX " " TRANSACTION_HEX
                 " 7f010000 7f020000 7f030000 7f040000 7f050000 7f060000",
                 &v4,
                 "0111 001c " COOKIE_HEX " " TRANSACTION_HEX
                 " 0009000c 00000414 556e6b6e6f776e20 000a0008 7f017f02 7f037f04");
}

int main(void)
{
    buf_init(&out, 256);
    CHECK_RUN(refuses_what_is_no_binding_request);
    CHECK_RUN(tells_where_a_question_came_from);
    CHECK_RUN(ignores_what_may_be_ignored);
    CHECK_RUN(lists_what_it_had_to_understand);
    buf_release(&out);
    return CHECK_END();
}
