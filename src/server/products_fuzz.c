/* Aims at products_read. Law: what is taken is bounded, has ids that differ, URLs of this machine, and reads
 * as the same list when it is written again; what is refused leaves nothing behind. */
#include <stdlib.h>
#include <string.h>

#include "server/products.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_user(const char *url) /* before the path */
{
    const char *name = strstr(url, "//") + 2;
    const char *at = strchr(name, '@');

    return at && at < strchr(name, '/');
}

static void judge(const struct products *products)
{
    uint32_t i, j;

    if (products->count > PRODUCTS_MAX) abort();
    for (i = 0; i < products->count; i++) {
        const struct product *product = &products->list[i];
        if (!*product->id || !*product->name || !*product->what) abort();
        if (strncmp(product->url, "http://", 7) != 0 && strncmp(product->url, "https://", 8) != 0) abort();
        if (strpbrk(product->url, "\\\"'<> ") || has_user(product->url)) abort();
        for (j = 0; j < i; j++)
            if (!strcmp(product->id, products->list[j].id)) abort();
    }
}

static void judge_written(const struct products *products)
{
    static struct products again;
    const char *why;
    struct buf text;
    struct json_writer w;

    buf_init(&text, 65536);
    w = json_writer_on(&text);
    json_object_begin(&w);
    json_key(&w, "products");
    products_write(&w, products);
    json_object_end(&w);
    /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
    if (buf_error(&text) ||
        (text.len <= PRODUCTS_BODY_MAX &&
         (products_read(&again, &why, buf_bytes(&text)) || memcmp(&again, products, sizeof again) != 0)))
        abort();
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct products products;
    static const struct products nothing;
    const char *why = NULL;
    enum err e = products_read(&products, &why, bytes_of(data, size));

    if (e) {
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
        if (!why || memcmp(&products, &nothing, sizeof products) != 0) abort();
        return 0;
    }
    judge(&products);
    judge_written(&products);
    return 0;
}
