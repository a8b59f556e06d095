#include "server/flow.h"

#include "harness/check.h"
#include "wire/json_read.h"

static _Atomic uint64_t numbers;
static struct flow flows[2];
static const struct flow *const both[] = {&flows[0], &flows[1]};

static void begin(void)
{
    memset(flows, 0, sizeof flows);
    atomic_store(&numbers, 0);
    flows[0].numbers = flows[1].numbers = &numbers;
}

static struct json told(struct buf *text)
{
    struct json_writer w;
    struct json document = {NULL};

    buf_init(text, 1 << 20);
    w = json_writer_on(text);
    json_object_begin(&w);
    flow_write(&w, both, 2);
    json_object_end(&w);
    CHECK(buf_error(text) == ERR_OK);
    CHECK(json_read(&document, buf_bytes(text)) == ERR_OK);
    return document;
}

static int64_t count_of(struct json document, const char *station, const char *what)
{
    int64_t count = -1;

    CHECK(json_int64(&count, json_member(json_member(json_member(document, "stations"), station), what)));
    return count;
}

static void tells_nothing_at_first(void)
{
    struct buf text;
    struct json document;

    begin();
    document = told(&text);
    CHECK_INT(json_count(json_member(document, "happenings")), 0);
    CHECK_INT(count_of(document, "secret", "passed"), 0);
    CHECK_INT(count_of(document, "session", "refused"), 0);
    json_free(document);
    buf_release(&text);
}

static void refusals_stand_where_they_were_refused(void)
{
    static const struct {
        enum ask_kind kind;
        bool takes_key;
        int status;
        enum flow_station at;
    } cases[] = {
        {ASK_MINT_SUBSCRIBER, true, 401, FLOW_SECRET},
        {ASK_MINT_SUBSCRIBER, true, 403, FLOW_SECRET},
        {ASK_MINT_SUBSCRIBER, true, 422, FLOW_TOKEN},
        {ASK_MINT_SUBSCRIBER, true, 429, FLOW_TOKEN},
        {ASK_LAUNCH, true, 400, FLOW_TICKET},
        {ASK_REDEEM, false, 401, FLOW_TICKET},
        {ASK_WHO_AM_I, false, 401, FLOW_TOKEN},
        {ASK_CONNECT, false, 401, FLOW_SESSION},
        {ASK_DIAL, false, 404, FLOW_SESSION},
        {ASK_USERS, true, 422, FLOW_SECRET},
        {ASK_NONE, true, 429, FLOW_SECRET},
        {ASK_NONE, false, 429, FLOW_TOKEN},
        {ASK_DESCRIBE, false, 400, FLOW_TOKEN},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_NOTE("row %zu", i);
        CHECK_INT(flow_refused_at(cases[i].kind, cases[i].takes_key, cases[i].status), FLOW_BIT(cases[i].at));
    }
}

static void every_kind_has_a_word(void)
{
    int kind;

    for (kind = 0; kind < ASK_KIND_COUNT; kind++) {
        CHECK_NOTE("kind %d", kind);
        CHECK(flow_what((enum ask_kind)kind) && *flow_what((enum ask_kind)kind));
        CHECK(flow_stations((enum ask_kind)kind) < FLOW_BIT(FLOW_STATIONS));
    }
}

static void counts_and_orders_over_all_lanes(void)
{
    struct happening happening = {.what = "mint", .stations = FLOW_BIT(FLOW_SECRET) | FLOW_BIT(FLOW_TOKEN)};
    struct happening refused = {
        .what = "who", .stations = FLOW_BIT(FLOW_TOKEN), .slug = "unauthorized", .status = 401};
    struct buf text;
    struct json document, list;
    int64_t number, last = 0;
    size_t i;

    begin();
    for (i = 0; i < 3 * FLOW_KEPT; i++)
        flow_note(&flows[i % 3 == 0], &happening, true);
    flow_note(&flows[1], &refused, true);
    document = told(&text);
    CHECK_INT(count_of(document, "secret", "passed"), 3 * FLOW_KEPT);
    CHECK_INT(count_of(document, "token", "passed"), 3 * FLOW_KEPT);
    CHECK_INT(count_of(document, "token", "refused"), 1);
    CHECK_INT(count_of(document, "ticket", "passed"), 0);
    list = json_member(document, "happenings");
    CHECK_INT(json_count(list), FLOW_KEPT);
    for (i = 0; i < json_count(list); i++) {
        CHECK(json_int64(&number, json_member(json_item(list, i), "number")));
        CHECK(number > last);
        last = number;
    }
    CHECK_INT(last, 3 * FLOW_KEPT + 1);
    CHECK_BYTES(json_text(json_member(json_item(list, FLOW_KEPT - 1), "slug")), BYTES("unauthorized"));
    CHECK(json_type_of(json_member(json_item(list, 0), "slug")) == JSON_IS_NULL);
    json_free(document);
    buf_release(&text);
}

static void keeps_the_last_refusal_of_any_lane(void)
{
    struct happening passed = {.what = "mint", .stations = FLOW_BIT(FLOW_TOKEN)};
    struct happening refused = {.what = "who", .stations = FLOW_BIT(FLOW_TOKEN), .slug = "unauthorized"};
    struct happening later = {.what = "dial", .stations = FLOW_BIT(FLOW_SESSION), .slug = "not_found"};
    struct buf text;
    struct json document;
    int64_t number;
    size_t i;

    begin();
    document = told(&text);
    CHECK(json_type_of(json_member(document, "last_refusal")) == JSON_IS_NULL);
    json_free(document);
    buf_release(&text);
    flow_note(&flows[1], &refused, true);
    flow_note(&flows[0], &later, true);
    for (i = 0; i < 3 * FLOW_KEPT; i++)
        flow_note(&flows[i % 2], &passed, true);
    document = told(&text);
    CHECK_BYTES(json_text(json_member(json_member(document, "last_refusal"), "slug")), BYTES("not_found"));
    CHECK(json_int64(&number, json_member(json_member(document, "last_refusal"), "number")));
    CHECK_INT(number, 2);
    json_free(document);
    buf_release(&text);
}

static void cuts_a_text_at_a_whole_character(void)
{
    static const struct {
        const char *text, *wanted; /* in five bytes and a NUL */
    } cases[] = {
        {"", ""},
        {"ada", "ada"},
        {"grace", "grace"},
        {"gracey", "grace"},
        {"\xc3\xbc\xc3\xbc\xc3\xbc", "\xc3\xbc\xc3\xbc"},
        {"abc\xe2\x82\xac", "abc"},
        {"ab\xe2\x82\xac", "ab\xe2\x82\xac"},
        {"a\xf0\x9f\x98\x80", "a\xf0\x9f\x98\x80"},
        {"ab\xf0\x9f\x98\x80", "ab"},
    };
    char out[6];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_NOTE("%s", cases[i].text);
        flow_put(out, sizeof out, bytes_of_text(cases[i].text));
        CHECK(strcmp(out, cases[i].wanted) == 0);
    }
    flow_put(out, sizeof out, BYTES_NONE);
    CHECK(!*out);
}

static void tells_of_an_end_without_counting_it(void)
{
    struct happening end = {.what = "left", .stations = FLOW_BIT(FLOW_SESSION)};
    struct buf text;
    struct json document;

    begin();
    flow_note(&flows[0], &end, false);
    document = told(&text);
    CHECK_INT(count_of(document, "session", "passed"), 0);
    CHECK_INT(json_count(json_member(document, "happenings")), 1);
    json_free(document);
    buf_release(&text);
}

int main(void)
{
    CHECK_RUN(tells_nothing_at_first);
    CHECK_RUN(refusals_stand_where_they_were_refused);
    CHECK_RUN(every_kind_has_a_word);
    CHECK_RUN(counts_and_orders_over_all_lanes);
    CHECK_RUN(keeps_the_last_refusal_of_any_lane);
    CHECK_RUN(tells_of_an_end_without_counting_it);
    CHECK_RUN(cuts_a_text_at_a_whole_character);
    return CHECK_END();
}
