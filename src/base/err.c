#include "base/err.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    const char *name, *slug, *doc, *fix;
    int http, ws;
} rows[ERR_COUNT] = {
    [ERR_OK] = {"OK", "", "Nothing is wrong.", "", 200, 1000},
#define ERR_ROW(name, http, ws, slug, doc, fix) [ERR_##name] = {#name, slug, doc, fix, http, ws},
#include "base/err.def"
#undef ERR_ROW
};

static size_t row_of(enum err e)
{
    assert((size_t)e < ERR_COUNT);
    return (size_t)e;
}

const char *err_name(enum err e)
{
    return rows[row_of(e)].name;
}
int err_http_status(enum err e)
{
    return rows[row_of(e)].http;
}
int err_close_code(enum err e)
{
    return rows[row_of(e)].ws;
}
const char *err_slug(enum err e)
{
    return rows[row_of(e)].slug;
}
const char *err_doc(enum err e)
{
    return rows[row_of(e)].doc;
}
const char *err_fix(enum err e)
{
    return rows[row_of(e)].fix;
}
