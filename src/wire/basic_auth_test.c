#include "wire/basic_auth.h"
#include "harness/check.h"
#include "harness/vector_json.h"

static struct bytes part_of(const json_t *row, const char *text_key, const char *hex_key, uint8_t out[64])
{
    struct bytes text = vector_text(row, text_key), hex = vector_text(row, hex_key);
    if (!bytes_is_absent(text)) return text;
    return hex.len <= 128 && hex_read(out, hex.len / 2, hex) == ERR_OK ? bytes_of(out, hex.len / 2)
                                                                       : BYTES_NONE;
}

static void run_cases(json_t *file)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        struct arena arena;
        struct basic_auth auth;
        uint8_t user[64], password[64];
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        arena_init(&arena, 4096);
        enum err e = basic_auth_read(&auth, &arena, vector_text(row, "header"));
        if (bytes_equal(vector_text(row, "expect"), BYTES("parse"))) {
            CHECK(e == ERR_OK);
            CHECK_BYTES(auth.user, part_of(row, "user", "user_hex", user));
            CHECK_BYTES(auth.password, part_of(row, "password", "password_hex", password));
        } else {
            /* Refused here, or by the comparison with the configured pair. */
            CHECK(e == ERR_MALFORMED || !bytes_equal(auth.user, BYTES("proj-1")) ||
                  !bytes_equal(auth.password, BYTES("PT_secret")));
        }
        arena_release(&arena);
    }
    json_decref(file);
}

static void keeps_to_the_vectors(void)
{
    vector_each("own/basic_auth.json", run_cases);
}

static void refuses_all_but_one_form(void)
{
    static const char *const refused[] = {"",
                                          "Basic",
                                          "Basic ",
                                          "Basic  YTpi",
                                          " Basic YTpi",
                                          "Basic YTpi ",
                                          "Basic\tYTpi",
                                          "BasicYTpi",
                                          "Bearer YTpi",
                                          "Basic YTpi=",
                                          "Basic YTp",
                                          "Basic YWI=",
                                          "Basic YTpi,",
                                          "Basic YTpi\n",
                                          "Basic YToA",
                                          "Basic YToK",
                                          "Basic YTr/",
                                          "Basic YTp_",
                                          "Basic ===="};
    struct arena arena;
    struct basic_auth auth;
    char huge[BASIC_AUTH_MAX + 20];
    arena_init(&arena, 4096);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        memset(&auth, 1, sizeof auth);
        CHECK(basic_auth_read(&auth, &arena, bytes_of_text(refused[i])) == ERR_MALFORMED);
        CHECK(bytes_is_absent(auth.user) && bytes_is_absent(auth.password));
    }
    memset(huge, 'O', sizeof huge); /* "8", decoded; a colon comes first */
    memcpy(huge, "Basic Ojo6", 10);
    CHECK(basic_auth_read(&auth, &arena, bytes_of(huge, 6 + BASIC_AUTH_MAX + 4)) == ERR_MALFORMED);
    CHECK(basic_auth_read(&auth, &arena, BYTES_NONE) == ERR_MALFORMED);
    CHECK(basic_auth_read(&auth, &arena, BYTES("bASIC Ojo=")) == ERR_OK);
    CHECK_BYTES(auth.user, BYTES(""));
    CHECK_BYTES(auth.password, BYTES(":"));
    arena_release(&arena);
    arena_init(&arena, 1);
    CHECK(basic_auth_read(&auth, &arena, BYTES("Basic YTpi")) == ERR_NO_MEMORY);
    arena_release(&arena);
}

static void reads_bearer_tokens(void)
{
    static const char *const refused[] = {"",           "Bearer",          "Bearer ",           "Bearer  a",
                                          "Bearer a ",  "Bearer a b",      "Bearer =",          "Bearer a=b",
                                          "Bearer a,b", "Bearer \"a\"",    "Basic a",           "Bearera",
                                          "Bearer a\t", "Bearer \xC3\xA4", "Bearer 12345678901"};
    struct bytes token;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        token = BYTES("x");
        CHECK(bearer_read(&token, bytes_of_text(refused[i]), 10) == ERR_MALFORMED && bytes_is_absent(token));
    }
    CHECK(bearer_read(&token, BYTES("Bearer a\0"), 10) == ERR_MALFORMED);
    CHECK(bearer_read(&token, BYTES("bearer aB0-._~+/=="), 20) == ERR_OK);
    CHECK_BYTES(token, BYTES("aB0-._~+/=="));
}

int main(void)
{
    CHECK_RUN(refuses_all_but_one_form);
    CHECK_RUN(keeps_to_the_vectors);
    CHECK_RUN(reads_bearer_tokens);
    return CHECK_END();
}
