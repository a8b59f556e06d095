#include "dialect/dialect.h"
#include "harness/check.h"

static void finds_no_owner_for_foreign_paths(void)
{
    static const char *const paths[] = {
        "", "/", "/ap", "/api", "/API/fabric/addresses", "/.well-known/jwks.json", "*"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct dialect *owner;
        const struct dialect_route *row;
        struct route_params params;
        CHECK_NOTE("%s", paths[i]);
        CHECK_INT(dialect_find(&owner, &row, &params, HTTP_GET, bytes_of_text(paths[i])), ROUTE_UNKNOWN);
        CHECK(!owner && !row);
    }
}

/* The owner is told even where no row fits: its words are the answer. */
static void tells_the_owner_of_a_path_without_a_row(void)
{
    const struct dialect *owner;
    const struct dialect_route *row;
    struct route_params params;

    CHECK_INT(dialect_find(&owner, &row, &params, HTTP_GET, BYTES("/api/fabric/nothing")), ROUTE_UNKNOWN);
    CHECK(owner && owner->refuse && !row);
    CHECK_INT(dialect_find(&owner, &row, &params, HTTP_GET, BYTES("/api/fabric/addresses\0")), ROUTE_UNKNOWN);
    CHECK(owner && !row);
}

/* The first row of the dialect that takes this path under this method, each looked at alone. */
static const struct dialect_route *first_that_takes(const struct dialect *dialect, enum http_method method,
                                                    struct bytes path)
{
    for (size_t r = 0; r < dialect->route_count; r++) {
        const void *row;
        struct route_params params;
        if (route_find(&row, &params, &dialect->routes[r], 1, sizeof dialect->routes[r], method, path) ==
            ROUTE_FOUND)
            return &dialect->routes[r];
    }
    return NULL;
}

/* Every row of every dialect, by its method and by each other one: none hides another. */
static void finds_each_row_by_its_method_alone(void)
{
    size_t rows = 0;

    for (size_t d = 0; d < dialect_count; d++) {
        for (size_t r = 0; r < dialects[d]->route_count; r++, rows++) {
            const struct route *route = &dialects[d]->routes[r].route;
            for (enum http_method method = HTTP_GET; method <= HTTP_OTHER; method++) {
                struct bytes path = bytes_of_text(route->path);
                const struct dialect_route *row, *wanted = method == route->method
                                                               ? &dialects[d]->routes[r]
                                                               : first_that_takes(dialects[d], method, path);
                const struct dialect *owner;
                struct route_params params;
                CHECK_NOTE("%s, method %d", route->path, (int)method);
                CHECK_INT(dialect_find(&owner, &row, &params, method, path),
                          wanted ? ROUTE_FOUND : ROUTE_OTHER_METHOD);
                CHECK(owner == dialects[d]);
                CHECK(row == wanted);
            }
        }
    }
    CHECK(rows > 0);
}

/* The socket's dialect can do all that a session will ask of it; so can each row. */
static void is_whole(void)
{
    const struct dialect *socket = dialect_of_socket();

    CHECK(socket && socket->connect_method && socket->connect_decode && socket->welcome);
    CHECK(socket && socket->refuse_call && socket->give_state && socket->ping);
    for (size_t d = 0; d < dialect_count; d++) {
        CHECK(dialects[d]->name && dialects[d]->owns_path && dialects[d]->refuse);
        for (size_t r = 0; r < dialects[d]->route_count; r++) {
            const struct dialect_route *row = &dialects[d]->routes[r];
            CHECK_NOTE("%s", row->route.path);
            CHECK(row->decode && row->encode);
            CHECK((row->route.body == ROUTE_NO_BODY) == (row->route.body_max == 0));
            CHECK(row->route.body_max <= HTTP_BODY_MAX);
        }
        for (size_t c = 0; c < dialects[d]->call_count; c++)
            CHECK(dialects[d]->calls[c].method && dialects[d]->calls[c].answer);
    }
}

int main(void)
{
    CHECK_RUN(finds_no_owner_for_foreign_paths);
    CHECK_RUN(tells_the_owner_of_a_path_without_a_row);
    CHECK_RUN(finds_each_row_by_its_method_alone);
    CHECK_RUN(is_whole);
    return CHECK_END();
}
