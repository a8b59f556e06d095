#include "base/base64url.h"
#include "harness/check.h"
#include "harness/vector_json.h"

static void run_cases(json_t *file)
{
    json_t *row;
    size_t i;
    json_array_foreach(json_object_get(file, "cases"), i, row)
    {
        struct bytes input = vector_text(row, "input");
        uint8_t out[4096];
        size_t len = 99;
        CHECK_NOTE("%s", json_string_value(json_object_get(row, "id")));
        enum err e = base64url_read(out, sizeof out, &len, input);
        if (!bytes_equal(vector_text(row, "expect"), BYTES("decode"))) {
            CHECK(e == ERR_MALFORMED && len == 0);
            continue;
        }
        size_t wanted_len;
        uint8_t *wanted = vector_hex(row, "hex", &wanted_len);
        struct buf text;
        CHECK(e == ERR_OK);
        CHECK(bytes_equal(bytes_of(out, len), bytes_of(wanted, wanted_len)));
        buf_init(&text, 8192);
        base64url_append(&text, bytes_of(wanted, wanted_len));
        CHECK_BYTES(buf_bytes(&text), input);
        buf_release(&text);
        free(wanted);
    }
    json_decref(file);
}

static void keeps_to_the_vectors(void)
{
    vector_each("own/base64url.json", run_cases);
}

static void refuses_other_alphabets(void)
{
    uint8_t out[16];
    size_t len;
    for (int c = 0; c < 256; c++) {
        uint8_t text[4] = {'A', 'A', 'A', (uint8_t)c}, tail[3] = {'A', (uint8_t)c, 'A'};
        bool is_url =
            c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", c) != NULL;
        bool is_classic =
            c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c) != NULL;
        CHECK_NOTE("byte %d", c);
        CHECK((base64url_read(out, sizeof out, &len, bytes_of(text, 4)) == ERR_OK) == is_url);
        CHECK((base64url_read(out, sizeof out, &len, bytes_of(tail, 3)) == ERR_OK) == is_url);
        CHECK((base64_read(out, sizeof out, &len, bytes_of(text, 4)) == ERR_OK) == (is_classic || c == '='));
    }
}

static void refuses_bits_that_belong_to_no_byte(void)
{
    uint8_t out[4];
    size_t len;
    CHECK(base64url_read(out, 4, &len, BYTES("AB")) == ERR_MALFORMED);
    CHECK(base64url_read(out, 4, &len, BYTES("AAB")) == ERR_MALFORMED);
    CHECK(base64url_read(out, 4, &len, BYTES("AQ")) == ERR_OK && len == 1 && out[0] == 1);
    CHECK(base64url_read(out, 4, &len, BYTES("AAE")) == ERR_OK && len == 2 && out[1] == 1);
}

static void padding_is_exact(void)
{
    static const char *const refused[] = {
        "=",    "==",       "===",      "====", "A===", "AA=",    "AA",  "AAA",
        "AA=A", "AAA=AAAA", "AAAA====", "AB==", "AAB=", "AA==\n", "AA-_"};
    uint8_t out[16];
    size_t len;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        CHECK_NOTE("%s", refused[i]);
        CHECK(base64_read(out, sizeof out, &len, bytes_of_text(refused[i])) == ERR_MALFORMED && len == 0);
    }
    CHECK(base64_read(out, sizeof out, &len, BYTES("")) == ERR_OK && len == 0);
    CHECK(base64_read(out, sizeof out, &len, BYTES("+/8=")) == ERR_OK && len == 2 && out[0] == 0xFB &&
          out[1] == 0xFF);
    CHECK(base64_read(out, sizeof out, &len, BYTES("Zg==")) == ERR_OK && len == 1 && out[0] == 'f');
}

static void refuses_what_does_not_fit(void)
{
    uint8_t out[2] = {7, 7};
    size_t len = 9;
    CHECK(base64url_read(out, 2, &len, BYTES("AAAA")) == ERR_TOO_LARGE && len == 0);
    CHECK(base64url_read(out, 2, &len, BYTES("AAA")) == ERR_OK && len == 2);
}

/* RFC 4648 §10 */
static void round_trips(void)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct buf text;
        uint8_t back[8];
        char bare[16];
        size_t len, wanted = strcspn(pairs[i][1], "=");
        CHECK_NOTE("%s", pairs[i][0]);
        buf_init(&text, 100);
        base64_append(&text, bytes_of_text(pairs[i][0]));
        CHECK_BYTES(buf_bytes(&text), bytes_of_text(pairs[i][1]));
        CHECK(base64_read(back, sizeof back, &len, buf_bytes(&text)) == ERR_OK);
        CHECK_BYTES(bytes_of(back, len), bytes_of_text(pairs[i][0]));
        CHECK_INT(BASE64URL_LEN(strlen(pairs[i][0])), wanted);
        CHECK_INT(base64url_write(bare, bytes_of_text(pairs[i][0])), wanted);
        CHECK_BYTES(bytes_of(bare, wanted), bytes_of(pairs[i][1], wanted));
        buf_release(&text);
    }
}

int main(void)
{
    CHECK_RUN(keeps_to_the_vectors);
    CHECK_RUN(refuses_other_alphabets);
    CHECK_RUN(refuses_bits_that_belong_to_no_byte);
    CHECK_RUN(padding_is_exact);
    CHECK_RUN(refuses_what_does_not_fit);
    CHECK_RUN(round_trips);
    return CHECK_END();
}
