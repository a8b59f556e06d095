/* products.h — the products that `coatcheck dev` shows on its start page: whoever started them tells the
 * server, by POST /dev/products:
 *
 *     {"products":[{"id":"call","name":"Call us","what":"one sentence","url":"http://127.0.0.1:8791/"}]}
 *
 * Strict: a member more or less, a text that is empty, too long or not plain, an id that is there twice, or a
 * URL that leads away from this machine refuses the whole list. The latest list counts, an empty one takes
 * all away; it is kept in memory alone. */
#ifndef COATCHECK_SERVER_PRODUCTS_H
#define COATCHECK_SERVER_PRODUCTS_H

#include "base/bytes.h"
#include "base/err.h"
#include "wire/json_write.h"

#define PRODUCTS_MAX      8
#define PRODUCT_ID_MAX    32  /* of a-z, 0-9 and - */
#define PRODUCT_NAME_MAX  40  /* bytes */
#define PRODUCT_WHAT_MAX  200 /* bytes */
#define PRODUCT_URL_MAX   200
#define PRODUCTS_BODY_MAX 16384

struct product { /* NUL-terminated */
    char id[PRODUCT_ID_MAX + 1], name[PRODUCT_NAME_MAX + 1];
    char what[PRODUCT_WHAT_MAX + 1], url[PRODUCT_URL_MAX + 1];
};

struct products {
    uint32_t count;
    struct product list[PRODUCTS_MAX];
};

/* ERR_MALFORMED, and *why says what is wrong, a literal; ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_USE enum err products_read(struct products *out, const char **why, struct bytes body);
void products_write(struct json_writer *w, const struct products *products); /* an array */

#endif
