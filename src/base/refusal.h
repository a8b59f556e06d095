/* refusal.h — "we decided against it": expired, replayed, out of scope (table: refusal.def).
 *
 * A refusal is a normal result of the engine, not a failure: it has a status, a close code and a public slug,
 * and a precise name for the operator. See err.h for the other kind of no. */
#ifndef COATCHECK_BASE_REFUSAL_H
#define COATCHECK_BASE_REFUSAL_H

enum refusal {
    REFUSAL_NONE = 0,
#define REFUSAL_ROW(name, http, ws, slug, doc, fix) REFUSAL_##name,
#include "base/refusal.def"
#undef REFUSAL_ROW
    REFUSAL_COUNT
};

const char *refusal_name(enum refusal r); /* "PROOF_REPLAYED": for the operator only */
int refusal_http_status(enum refusal r);  /* 200 for REFUSAL_NONE */
int refusal_close_code(enum refusal r);   /* 1000 for REFUSAL_NONE */
const char *refusal_slug(enum refusal r); /* what a client may learn */
const char *refusal_doc(enum refusal r);  /* one sentence for the operator: what it means */
const char *refusal_fix(enum refusal r);  /* and what to do */

#endif
