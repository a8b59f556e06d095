#include "token/turn.h"

#include "harness/check.h"

static struct crypto *crypto;
static struct buf user, password;

/* RFC 2202 §3, test 2: the key is shorter than a block. */
static void hmac_by_rfc_2202(void)
{
    static const uint8_t wanted[SHA1_LEN] = {0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74,
                                             0x16, 0xd5, 0xf1, 0x84, 0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79};
    uint8_t out[SHA1_LEN];

    CHECK_INT(crypto_hmac_sha1(crypto, out, BYTES("Jefe"), BYTES("what do ya want for nothing?")), ERR_OK);
    CHECK_BYTES(bytes_of(out, sizeof out), bytes_of(wanted, sizeof wanted));
}

/* The password was worked out with `printf %s 1767232800:0123abcd | openssl dgst -sha1 -hmac north
 * -binary | base64`. */
static void a_name_that_ends_and_its_password(void)
{
    CHECK_INT(turn_credential(&user, &password, crypto, BYTES("north"), 1767232800, BYTES("0123abcd")),
              ERR_OK);
    CHECK_BYTES(buf_bytes(&user), BYTES("1767232800:0123abcd"));
    CHECK_BYTES(buf_bytes(&password), BYTES("W1dQ0FG/xoxtlSuVnPaoFoXuWmo="));
}

static void what_does_not_fit_is_no_credential(void)
{
    struct buf narrow;

    buf_init(&narrow, 12);
    buf_reset(&password);
    CHECK_INT(turn_credential(&narrow, &password, crypto, BYTES("north"), 1767232800, BYTES("0123abcd")),
              ERR_TOO_LARGE);
    CHECK_INT(password.len, 0);
    buf_release(&narrow);
}

int main(void)
{
    if (crypto_new(&crypto) != ERR_OK) return EXIT_FAILURE;
    buf_init(&user, TURN_TEXT_MAX);
    buf_init(&password, TURN_TEXT_MAX);
    CHECK_RUN(hmac_by_rfc_2202);
    CHECK_RUN(a_name_that_ends_and_its_password);
    CHECK_RUN(what_does_not_fit_is_no_credential);
    buf_release(&user);
    buf_release(&password);
    crypto_free(crypto);
    return CHECK_END();
}
