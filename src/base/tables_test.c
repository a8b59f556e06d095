/* The page docs/errors.md is made from the two tables: `base_tables_test --write` makes it, and without an
 * argument this test compares. */
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/refusal.h"
#include "harness/check.h"

#define PAGE COATCHECK_SOURCE_DIR "/docs/errors.md"

static void put_row(struct buf *out, const char *name, int http, int ws, const char *const texts[3])
{
    buf_append_text(out, "| `");
    buf_append_text(out, name);
    buf_append_text(out, "` | ");
    buf_append_i64(out, http);
    buf_append_text(out, " | ");
    buf_append_i64(out, ws);
    buf_append_text(out, " | `");
    buf_append_text(out, texts[0]);
    buf_append_text(out, "` | ");
    buf_append_text(out, texts[1]);
    buf_append_text(out, " | ");
    buf_append_text(out, texts[2]);
    buf_append_text(out, " |\n");
}

static const char head[] = "| name | HTTP | close code | public code | what it means | what to do |\n"
                           "|---|---|---|---|---|---|\n";

static void render(struct buf *out)
{
    int i;

    buf_append_text(
        out, "# Errors\n\n"
             "Made from `src/base/refusal.def` and `src/base/err.def`; do not edit (`base_tables_test "
             "--write`).\n\n"
             "Every refusal carries a public code and an id, in the fields `Coatcheck-Error-Code` and\n"
             "`Coatcheck-Error-Id`, on a socket in `error.data.error_code` and `error.data.error_id`. The "
             "code is all\n"
             "that a client learns; many causes share one. With the id, the operator asks the running server "
             "for the\n"
             "cause, the check that failed, what it expected and what it saw: `coatcheck why ID`.\n\n"
             "Bodies and, where a vendor's API has its own, statuses are those of the API that was called; "
             "the HTTP\n"
             "reader's statuses (413 to 431, 501, 505) are finer than the rows they fall under.\n\n"
             "## Refusals: decided against\n\n");
    buf_append_text(out, head);
    for (i = 1; i < REFUSAL_COUNT; i++) {
        enum refusal r = (enum refusal)i;
        put_row(out, refusal_name(r), refusal_http_status(r), refusal_close_code(r),
                (const char *const[]){refusal_slug(r), refusal_doc(r), refusal_fix(r)});
    }
    buf_append_text(out, "\n## Errors: could not be decided\n\n");
    buf_append_text(out, head);
    for (i = 1; i < ERR_COUNT; i++) {
        enum err e = (enum err)i;
        put_row(out, err_name(e), err_http_status(e), err_close_code(e),
                (const char *const[]){err_slug(e), err_doc(e), err_fix(e)});
    }
}

static void has_the_page_that_the_tables_give(void)
{
    static char read[131072];
    struct buf page;
    FILE *file = fopen(PAGE, "r");
    size_t len = file ? fread(read, 1, sizeof read, file) : 0;

    buf_init(&page, sizeof read);
    render(&page);
    CHECK_NOTE("%s differs from the tables: run base_tables_test --write", PAGE);
    CHECK(bytes_equal(buf_bytes(&page), bytes_of(read, len)));
    if (file) fclose(file);
    buf_release(&page);
}

static int write_page(void)
{
    struct buf page;
    FILE *file = fopen(PAGE, "w");
    bool is_good;

    buf_init(&page, 131072);
    render(&page);
    is_good = file && fwrite(page.ptr, 1, page.len, file) == page.len;
    if (file) is_good = fclose(file) == 0 && is_good;
    buf_release(&page);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--write") == 0) return write_page();
    CHECK_RUN(has_the_page_that_the_tables_give);
    return CHECK_END();
}
