#include "server/products.h"

#include "harness/check.h"
#include "server/local_name.h"

#define LIST(items)   "{\"products\":[" items "]}"
#define ITEM(id, url) "{\"id\":\"" id "\",\"name\":\"N\",\"what\":\"W\",\"url\":\"" url "\"}"
#define WITH_URL(url) LIST(ITEM("a", url))
#define WITH_NAME(value)                                                                                     \
    LIST("{\"id\":\"a\",\"name\":" value ",\"what\":\"W\",\"url\":\"http://localhost/\"}")

static struct products products;

static void refuses_what_is_no_list(void)
{
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"products\":null}",
        "{\"products\":{}}",
        "{\"products\":[],\"more\":1}",
        "{\"products\":[],\"products\":[]}",
        LIST("null"),
        LIST("{}"),
        LIST("[]"),
        LIST("{\"id\":\"a\",\"name\":\"N\",\"what\":\"W\"}"),
        LIST("{\"id\":\"a\",\"name\":\"N\",\"what\":\"W\",\"url\":\"http://localhost/\",\"x\":1}"),
        LIST("{\"id\":\"a\",\"name\":\"N\",\"what\":\"W\",\"uri\":\"http://localhost/\"}"),
        LIST(ITEM("a", "http://localhost/") "," ITEM("a", "http://localhost/")),
        LIST(ITEM("", "http://localhost/")),
        LIST(ITEM("A", "http://localhost/")),
        LIST(ITEM("a_b", "http://localhost/")),
        LIST(ITEM("012345678901234567890123456789012", "http://localhost/")),
        WITH_NAME("7"),
        WITH_NAME("null"),
        WITH_NAME("\"\""),
        WITH_NAME("\"a\\u0000b\""),
        WITH_NAME("\"a\\nb\""),
        WITH_NAME("\"a\\u007f\""),
        WITH_NAME("\"01234567890123456789012345678901234567890\""),
    };
    const char *why;
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_NOTE("%s", texts[i]);
        why = NULL;
        CHECK(products_read(&products, &why, bytes_of_text(texts[i])) == ERR_MALFORMED);
        CHECK(why && *why);
        CHECK_INT(products.count, 0);
        CHECK(!*products.list[0].id);
    }
}

static void refuses_too_much(void)
{
    static uint8_t text[PRODUCTS_BODY_MAX + 1];
    const char *why;

    memset(text, ' ', sizeof text);
    CHECK(products_read(&products, &why, bytes_of(text, sizeof text)) == ERR_TOO_LARGE);
    CHECK(products_read(&products, &why, bytes_of(text, PRODUCTS_BODY_MAX)) == ERR_MALFORMED);
}

static void refuses_urls_that_lead_away(void)
{
    static const char *const texts[] = {
        WITH_URL("http://evil.example/"),
        WITH_URL("http://localhost.evil.example/"),
        WITH_URL("http://evil.example/.localhost"),
        WITH_URL("http://evil.example\\\\.localhost/"),
        WITH_URL("http://evil.example#.localhost/"),
        WITH_URL("http://evil.example?.localhost/"),
        WITH_URL("http://localhost@evil.example/"),
        WITH_URL("http://a:b@localhost/"),
        WITH_URL("http://127.0.0.2/"),
        WITH_URL("http://0.0.0.0/"),
        WITH_URL("http://[::]/"),
        WITH_URL("http://.localhost:x/"),
        WITH_URL("http://localhost"),
        WITH_URL("http:///"),
        WITH_URL("http://"),
        WITH_URL("//localhost/"),
        WITH_URL("HTTP://localhost/"),
        WITH_URL(" http://localhost/"),
        WITH_URL("http://localhost/a b"),
        WITH_URL("http://localhost/\\\""),
        WITH_URL("http://localhost/<"),
        WITH_URL("http://localhost/\xc3\xbc"),
        WITH_URL("javascript:alert(1)"),
        WITH_URL("data:text/html,x"),
        WITH_URL("file:///etc/passwd"),
    };
    const char *why;
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_NOTE("%s", texts[i]);
        CHECK(products_read(&products, &why, bytes_of_text(texts[i])) == ERR_MALFORMED);
    }
}

static void takes_urls_of_this_machine(void)
{
    static const char *const texts[] = {
        WITH_URL("http://localhost/"),          WITH_URL("http://127.0.0.1:8791/"),
        WITH_URL("https://[::1]:1/a?b=c#d"),    WITH_URL("https://Clinic.LocalHost:8443/x"),
        WITH_URL("http://a.b.localhost:80/@x"),
    };
    const char *why;
    size_t i;

    for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        CHECK_NOTE("%s", texts[i]);
        CHECK(products_read(&products, &why, bytes_of_text(texts[i])) == ERR_OK);
        CHECK_INT(products.count, 1);
    }
}

static void keeps_the_list_in_order(void)
{
    const char *why;

    CHECK(products_read(&products, &why, BYTES(LIST())) == ERR_OK);
    CHECK_INT(products.count, 0);
    CHECK(products_read(&products, &why,
                        BYTES(LIST(ITEM("b", "http://localhost/1") "," ITEM("a-2", "http://localhost/2")))) ==
          ERR_OK);
    CHECK_INT(products.count, 2);
    CHECK(strcmp(products.list[0].id, "b") == 0);
    CHECK(strcmp(products.list[1].id, "a-2") == 0);
    CHECK(strcmp(products.list[1].url, "http://localhost/2") == 0);
}

static void knows_who_is_near(void)
{
    CHECK(local_peer("127.0.0.1"));
    CHECK(local_peer("127.9.0.1"));
    CHECK(local_peer("::1"));
    CHECK(local_peer("::ffff:127.0.0.1"));
    CHECK(!local_peer(""));
    CHECK(!local_peer("128.0.0.1"));
    CHECK(!local_peer("::12"));
    CHECK(!local_peer("::ffff:10.0.0.1"));
    CHECK(local_name(BYTES("localhost:8787")));
    CHECK(local_name(BYTES("[::1]")));
    CHECK(!local_name(BYTES("")));
    CHECK(!local_name(BYTES(".localhost")));
    CHECK(!local_name(BYTES("localhost.evil.example")));
    CHECK(!local_name(BYTES("127.0.0.1.evil.example:80")));
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_list);
    CHECK_RUN(refuses_too_much);
    CHECK_RUN(refuses_urls_that_lead_away);
    CHECK_RUN(takes_urls_of_this_machine);
    CHECK_RUN(keeps_the_list_in_order);
    CHECK_RUN(knows_who_is_near);
    return CHECK_END();
}
