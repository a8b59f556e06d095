#include "base/secret.h"
#include "harness/check.h"

static void refuses_what_does_not_fit(void)
{
    struct secret secret = {0};
    uint8_t long_one[SECRET_MAX + 1] = {1};
    CHECK(secret_set(&secret, BYTES("old")) == ERR_OK);
    CHECK(secret_set(&secret, bytes_of(long_one, sizeof long_one)) == ERR_TOO_LARGE);
    CHECK(secret.len == 0 && secret.data[0] == 0);
    CHECK(secret_set(&secret, bytes_of(long_one, SECRET_MAX)) == ERR_OK);
    secret_release(&secret);
}

static void tells_secrets_apart(void)
{
    struct secret a = {0}, b = {0};
    CHECK(secret_set(&a, BYTES("abc")) == ERR_OK);
    secret_copy(&b, &a);
    CHECK(secret_equal(&a, &b));
    CHECK(secret_set(&b, BYTES("abd")) == ERR_OK);
    CHECK(!secret_equal(&a, &b));
    CHECK(secret_set(&b, BYTES("ab")) == ERR_OK);
    CHECK(!secret_equal(&a, &b));
    CHECK(!secret_equal_bytes(BYTES("a\0b"), BYTES("a\0c")));
    CHECK(secret_equal_bytes(BYTES(""), BYTES_NONE));
    secret_release(&a);
    secret_release(&b);
}

static void leaves_nothing_behind(void)
{
    struct secret secret = {0}, zero = {0};
    CHECK(secret_set(&secret, BYTES("long secret")) == ERR_OK);
    CHECK(secret_set(&secret, BYTES("s")) == ERR_OK);
    CHECK(secret.data[1] == 0);
    secret_release(&secret);
    secret_release(&secret);
    CHECK(memcmp(&secret, &zero, sizeof zero) == 0);
}

int main(void)
{
    CHECK_RUN(refuses_what_does_not_fit);
    CHECK_RUN(tells_secrets_apart);
    CHECK_RUN(leaves_nothing_behind);
    return CHECK_END();
}
