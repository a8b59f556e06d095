#include "route/route.h"

#include "harness/check.h"

struct row {
    struct route route;
    int number;
};
static const struct row rows[] = {
    {{HTTP_GET, "/a", ROUTE_OPEN, ROUTE_NO_BODY, 0, false}, 1},
    {{HTTP_POST, "/a", ROUTE_KEY, ROUTE_JSON, 16, false}, 2},
    {{HTTP_POST, "/a/b", ROUTE_KEY, ROUTE_JSON, 16, false}, 3},
    {{HTTP_GET, "/c/{id}", ROUTE_KEY, ROUTE_NO_BODY, 0, false}, 4},
    {{HTTP_PUT, "/c/{id}/d/{other}", ROUTE_KEY, ROUTE_JSON, 16, false}, 5},
};
static struct route_params params;
#define FIND(method, path) route_find(&found, &params, rows, 5, sizeof rows[0], method, BYTES(path))

static void tells_unknown_from_other_method(void)
{
    const void *found;

    CHECK(FIND(HTTP_GET, "/b") == ROUTE_UNKNOWN && !found);
    CHECK(FIND(HTTP_GET, "/a/") == ROUTE_UNKNOWN && !found);
    CHECK(FIND(HTTP_GET, "/A") == ROUTE_UNKNOWN && !found);
    CHECK(FIND(HTTP_GET, "/a\0") == ROUTE_UNKNOWN && !found);
    CHECK(FIND(HTTP_GET, "/a/b") == ROUTE_OTHER_METHOD && !found);
    CHECK(FIND(HTTP_OTHER, "/a") == ROUTE_OTHER_METHOD && !found);
}

static void an_open_segment_is_exactly_one(void)
{
    const void *found;

    CHECK(FIND(HTTP_GET, "/c") == ROUTE_UNKNOWN && !params.count);
    CHECK(FIND(HTTP_GET, "/c/") == ROUTE_UNKNOWN && !params.count);
    CHECK(FIND(HTTP_GET, "/c/1/") == ROUTE_UNKNOWN && !params.count);
    CHECK(FIND(HTTP_GET, "/c/1/2") == ROUTE_UNKNOWN && !params.count);
    CHECK(FIND(HTTP_GET, "c/1") == ROUTE_UNKNOWN);
    CHECK(FIND(HTTP_PUT, "/c/1/d/") == ROUTE_UNKNOWN);
    CHECK(FIND(HTTP_PUT, "/c//d/2") == ROUTE_UNKNOWN);
    CHECK(FIND(HTTP_POST, "/c/1") == ROUTE_OTHER_METHOD && !params.count);
    CHECK(FIND(HTTP_GET, "/c/%2e%2e") == ROUTE_FOUND && params.count == 1);
    CHECK_BYTES(params.value[0], BYTES("%2e%2e"));
    CHECK(FIND(HTTP_PUT, "/c/1/d/2") == ROUTE_FOUND && params.count == 2);
    CHECK_BYTES(params.value[0], BYTES("1"));
    CHECK_BYTES(params.value[1], BYTES("2"));
    CHECK(FIND(HTTP_GET, "/a") == ROUTE_FOUND && !params.count);
}

static void finds_by_method_and_path(void)
{
    const void *found;

    CHECK(FIND(HTTP_GET, "/a") == ROUTE_FOUND && ((const struct row *)found)->number == 1);
    CHECK(FIND(HTTP_POST, "/a") == ROUTE_FOUND && ((const struct row *)found)->number == 2);
    CHECK(FIND(HTTP_POST, "/a/b") == ROUTE_FOUND && ((const struct row *)found)->number == 3);
}

static void lists_methods(void)
{
    char methods[64];

    route_methods(methods, rows, 3, sizeof rows[0], BYTES("/a"));
    CHECK(strcmp(methods, "GET, POST, OPTIONS") == 0);
    route_methods(methods, rows, 3, sizeof rows[0], BYTES("/none"));
    CHECK(strcmp(methods, "OPTIONS") == 0);
}

int main(void)
{
    CHECK_RUN(tells_unknown_from_other_method);
    CHECK_RUN(an_open_segment_is_exactly_one);
    CHECK_RUN(finds_by_method_and_path);
    CHECK_RUN(lists_methods);
    return CHECK_END();
}
