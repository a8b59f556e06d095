#include "base/refusal.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name, *slug, *doc, *fix;
    int http, ws;
} rows[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"NONE", "", "Not refused.", "", 200, 1000},
#define REFUSAL_ROW(name, http, ws, slug, doc, fix) [REFUSAL_##name] = {#name, slug, doc, fix, http, ws},
#include "base/refusal.def"
#undef REFUSAL_ROW
};

static size_t row_of(enum refusal r)
{
    assert((size_t)r < REFUSAL_COUNT);
    return (size_t)r;
}

const char *refusal_name(enum refusal r)
{
    return rows[row_of(r)].name;
}
int refusal_http_status(enum refusal r)
{
    return rows[row_of(r)].http;
}
int refusal_close_code(enum refusal r)
{
    return rows[row_of(r)].ws;
}
const char *refusal_slug(enum refusal r)
{
    return rows[row_of(r)].slug;
}
const char *refusal_doc(enum refusal r)
{
    return rows[row_of(r)].doc;
}
const char *refusal_fix(enum refusal r)
{
    return rows[row_of(r)].fix;
}
