#include "base/hex.h"
#include "harness/check.h"

static void refuses_all_but_digits(void)
{
    static const char *const refused[] = {"",   "0",   "000", "0g", "g0", "0x", " 0", "0 ",
                                          "-1", "00 ", "0/",  "0:", "0@", "0G", "0`"};
    uint8_t out[1];
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        out[0] = 7;
        CHECK(hex_read(out, 1, bytes_of_text(refused[i])) == ERR_MALFORMED && out[0] == 0);
    }
}

static void reads_what_it_writes(void)
{
    uint8_t all[256], back[256];
    struct buf text;
    for (size_t i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    buf_init(&text, 512);
    hex_append(&text, bytes_of(all, 256));
    CHECK_BYTES(bytes_part(buf_bytes(&text), 0x7E * 2, 6), BYTES("7e7f80"));
    CHECK(hex_read(back, 256, buf_bytes(&text)) == ERR_OK && memcmp(all, back, 256) == 0);
    CHECK(hex_read(back, 2, BYTES("aFBc")) == ERR_OK && back[0] == 0xAF && back[1] == 0xBC);
    buf_release(&text);
}

int main(void)
{
    CHECK_RUN(refuses_all_but_digits);
    CHECK_RUN(reads_what_it_writes);
    return CHECK_END();
}
