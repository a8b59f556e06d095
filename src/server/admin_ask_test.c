#include "server/admin_ask.h"

#include "harness/check.h"

#define CLOCK   "\"command\":\"clock\""
#define RING    "\"command\":\"keyring\""
#define PROJECT "\"project\":\"00000000-0000-4000-8000-000000000001\""

static void refuses_what_is_no_ask(void)
{
    static const char *const lines[] = {
        "",
        "why",
        "{}",
        "[]",
        "{\"command\":1}",
        "{\"command\":\"\"}",
        "{\"command\":\"whY\"}",
        "{\"command\":\"why\"}",
        "{\"command\":\"why\",\"error_id\":\"\"}",
        "{\"command\":\"why\",\"error_id\":\"AAAAAAAAAAAAAAA\"}",
        "{\"command\":\"why\",\"error_id\":\"AAAAAAAAAAAAAAAAA\"}",
        "{\"command\":\"why\",\"error_id\":\"AAAAAAAAAAAAAAA=\"}",
        "{\"command\":\"why\",\"error_id\":7}",
        "{\"command\":\"keys\",\"command\":\"keys\"}",
        "{\"command\":\"keys\"} x",
        "{\"command\":\"cloCk\"," PROJECT ",\"by_ms\":1}",
        "{\"command\":\"times\"}",
        "{\"command\":\"confirm\",\"confirm\":true,\"confirm\":true}",
        "{\"command\":\"keys\",\"project\":\"dev\"}",
        "{\"command\":\"keys\",\"project\":null}",
        "{\"command\":\"revoke\"}",
        "{\"command\":\"revoke\"," PROJECT "}",
        "{\"command\":\"revoke\"," PROJECT ",\"of\":\"users\",\"name\":\"x\"}",
        "{\"command\":\"revoke\"," PROJECT ",\"of\":\"user\",\"name\":\"\"}",
        "{\"command\":\"revoke\"," PROJECT ",\"of\":\"user\",\"name\":7}",
        "{\"command\":\"revoke\"," PROJECT
        ",\"of\":\"user\",\"name\":\"01234567890123456789012345678901234567890\"}",
        "{\"command\":\"revoke\",\"of\":\"user\",\"name\":\"x\"}",
        "{\"command\":\"keyring\"}",
        "{" RING ",\"want\":\"turn\"}",
        "{" RING ",\"want\":\"rotate\"}",
        "{" RING ",\"want\":\"rotate\",\"use\":\"both\"}",
        "{" RING ",\"want\":\"retire\"}",
        "{" RING ",\"want\":\"remove\",\"id\":\"0123456\"}",
        "{" RING ",\"want\":\"remove\",\"id\":\"012345678\"}",
        "{" RING ",\"want\":\"remove\",\"id\":12345678}",
        "{" RING ",\"want\":\"remove\",\"id\":\"01234567\",\"emergency\":1}",
        "{" RING ",\"want\":\"rewrap\",\"look\":\"yes\"}",
        "{" CLOCK "}",
        "{\"command\":\"operate\"}",
        "{\"command\":\"operate\",\"verb\":\"key steal\"}",
        "{\"command\":\"operate\",\"verb\":\"key create\",\"name\":7}",
        "{" CLOCK "," PROJECT "}",
        "{" CLOCK ",\"by_ms\":1}",
        "{" CLOCK ",\"project\":\"\",\"by_ms\":1}",
        "{" CLOCK ",\"project\":\"dev\",\"by_ms\":1}",
        "{" CLOCK "," PROJECT ",\"by_ms\":\"1\"}",
        "{" CLOCK "," PROJECT ",\"by_ms\":1.5}",
        "{" CLOCK "," PROJECT ",\"by_ms\":1e3}",
        "{" CLOCK "," PROJECT ",\"by_ms\":9223372036854775808}",
        "{" CLOCK "," PROJECT ",\"by_ms\":1,\"by_ms\":2}",
    };
    struct admin_ask ask;
    size_t i;

    for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CHECK_NOTE("%s", lines[i]);
        CHECK(admin_ask_read(&ask, bytes_of_text(lines[i])) == ERR_MALFORMED);
        CHECK_INT(ask.command, ADMIN_NONE);
    }
}

static void refuses_a_long_line(void)
{
    char line[ADMIN_LINE_MAX];
    struct admin_ask ask;

    memset(line, ' ', sizeof line);
    memcpy(line, "{\"command\":\"keys\"}", 18);
    CHECK(admin_ask_read(&ask, bytes_of(line, sizeof line)) == ERR_TOO_LARGE);
    CHECK(admin_ask_read(&ask, bytes_of(line, sizeof line - 1)) == ERR_OK);
}

static void reads_commands(void)
{
    struct admin_ask ask;

    CHECK(admin_ask_read(&ask, BYTES("{\"command\":\"why\",\"error_id\":\"ab-_ABCDEFGHIJKL\"}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_WHY);
    CHECK(memcmp(ask.error_id, "ab-_ABCDEFGHIJKL", RECORD_ID_LEN) == 0);
    CHECK(admin_ask_read(&ask, BYTES("{\"error_id\":3,\"command\":\"keys\"}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_KEYS);
    CHECK(admin_ask_read(&ask, BYTES("{" RING ",\"want\":\"rewrap\"}")) == ERR_OK);
    CHECK(ask.command == ADMIN_KEYRING && !ask.ring.want);
    CHECK(admin_ask_read(&ask, BYTES("{" RING ",\"want\":\"rotate\",\"use\":\"seal\",\"look\":true}")) ==
          ERR_OK);
    CHECK(ask.ring.want == RING_WANT_ROTATE && ask.ring.use == RING_SEAL && ask.ring.is_look);
    CHECK(admin_ask_read(&ask, BYTES("{" RING ",\"want\":\"remove\",\"id\":\"0123abcd\",\"look\":false,"
                                     "\"emergency\":true}")) == ERR_OK);
    CHECK(ask.ring.want == RING_WANT_REMOVE && ask.ring.is_emergency && !ask.ring.is_look);
    CHECK_BYTES(bytes_of(ask.ring.id, sizeof ask.ring.id), BYTES("0123abcd"));
    CHECK(admin_ask_read(&ask, BYTES("{\"command\":\"time\"}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_TIME);
    CHECK(admin_ask_read(&ask, BYTES("{\"command\":\"confirm\"}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_CONFIRM);
}

static void reads_a_clock(void)
{
    static const struct uuid project = {{0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}};
    struct admin_ask ask;

    CHECK(admin_ask_read(&ask, BYTES("{\"by_ms\":-9223372036854775808," PROJECT "," CLOCK "}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_CLOCK);
    CHECK(uuid_equal(&ask.project, &project));
    CHECK_INT(ask.by_ms, INT64_MIN);
    CHECK(admin_ask_read(&ask, BYTES("{" CLOCK "," PROJECT ",\"by_ms\":7200000}")) == ERR_OK);
    CHECK_INT(ask.by_ms, 7200000);
    CHECK(admin_ask_read(&ask, BYTES("{\"command\":\"keys\"," PROJECT "}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_KEYS);
    CHECK(uuid_equal(&ask.project, &project));
}

static void takes_an_operation(void)
{
    struct admin_ask ask;

    CHECK(admin_ask_read(&ask, BYTES("{\"command\":\"operate\",\"verb\":\"project list\"}")) == ERR_OK);
    CHECK_INT(ask.command, ADMIN_OPERATE);
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_ask);
    CHECK_RUN(refuses_a_long_line);
    CHECK_RUN(reads_commands);
    CHECK_RUN(reads_a_clock);
    CHECK_RUN(takes_an_operation);
    return CHECK_END();
}
