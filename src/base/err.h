/* err.h — "we could not decide": malformed input, no memory, a busy store (table: err.def).
 *
 * Every function that can fail this way returns enum err, is MUST_USE, and zeroes its out parameter on
 * failure. Its sibling refusal.h holds "we decided against it", which is a normal result. Nothing here is an
 * errno: the value travels by return only. */
#ifndef COATCHECK_BASE_ERR_H
#define COATCHECK_BASE_ERR_H

#define MUST_USE __attribute__((warn_unused_result))

enum err {
    ERR_OK = 0,
#define ERR_ROW(name, http, ws, slug, doc, fix) ERR_##name,
#include "base/err.def"
#undef ERR_ROW
    ERR_COUNT
};

const char *err_name(enum err e); /* "STORE_BUSY": for logs */
int err_http_status(enum err e);  /* 200 for ERR_OK */
int err_close_code(enum err e);   /* WebSocket close code; 1000 for ERR_OK */
const char *err_slug(enum err e); /* what a client may learn; "" for ERR_OK */
const char *err_doc(enum err e);  /* for the operator: what it means */
const char *err_fix(enum err e);  /* and what to do */

/* Jumps to label when the expression is not ERR_OK; both stay visible at the call: TRY(e = f(&x), done). */
#define TRY(expression, label)                                                                               \
    do {                                                                                                     \
        if ((expression) != ERR_OK) goto label;                                                              \
    } while (0)

#endif
