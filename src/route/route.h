/* route.h — method and path to row. Security meaning sits in the row, so that a reviewer audits one screen.
 *
 * A path is compared byte for byte; a segment written {like-this} takes any one that is not empty, and gives
 * it back as it came. Of two rows the one that stands first wins. A path that exists under another method is
 * told from one that does not exist (405 against 404). */
#ifndef COATCHECK_ROUTE_ROUTE_H
#define COATCHECK_ROUTE_ROUTE_H

#include "wire/http_request.h"

enum route_credential {
    ROUTE_OPEN,  /* none */
    ROUTE_KEY,   /* a project's secret: answers no browser but those of test projects */
    ROUTE_BEARER /* an access token */
};

enum route_body {
    ROUTE_NO_BODY,       /* any body is drained and ignored, as RFC 9110 §9.3.1 leaves to us */
    ROUTE_JSON,          /* application/json, else 415 */
    ROUTE_JSON_OPTIONAL, /* the same, or no body at all */
    ROUTE_JSON_ANY_TYPE, /* JSON under any content type: one call without credentials, whose clients post
                            text/plain */
    ROUTE_FORM           /* application/x-www-form-urlencoded, else 415 */
};

#define ROUTE_PARAMS_MAX 2
struct route_params { /* what {…} segments took, in their order; borrowed from the path */
    struct bytes value[ROUTE_PARAMS_MAX];
    size_t count;
};

struct route {
    enum http_method method;
    const char *path;
    enum route_credential credential;
    enum route_body body;
    uint32_t body_max;          /* bytes; more is 413 before any of it is read */
    bool takes_bound_as_bearer; /* a bound token without proof: two GETs, because the clients we serve send
                                   none */
};

/* What a path is, over a table of rows that each begin with a struct route and are row_size bytes long. */
enum route_match { ROUTE_FOUND, ROUTE_OTHER_METHOD, ROUTE_UNKNOWN };
enum route_match route_find(const void **row, struct route_params *params, const void *rows, size_t count,
                            size_t row_size, enum http_method method, struct bytes path);

/* The methods a path has, for Allow and for preflights: "GET, POST, OPTIONS". out must hold 64 bytes. */
void route_methods(char out[64], const void *rows, size_t count, size_t row_size, struct bytes path);

#endif
