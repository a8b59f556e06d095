#include "server/products.h"

#include <string.h>

#include "server/local_name.h"
#include "wire/json_read.h"

static bool is_plain(struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7f) return false;
    return true;
}

static bool is_id(struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') return false;
    }
    return true;
}

/* Browsers take a backslash for a slash, and what is before an @ for a user: neither is in a name. */
static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
}

static bool is_local_url(struct bytes url)
{
    const struct bytes schemes[] = {BYTES("http://"), BYTES("https://")};
    size_t i, end = 0;
    struct bytes rest = BYTES_NONE;

    for (i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (url.len > schemes[i].len && bytes_equal(bytes_part(url, 0, schemes[i].len), schemes[i]))
            rest = bytes_from(url, schemes[i].len);
    while (end < rest.len && rest.ptr[end] != '/')
        if (!is_name_byte(rest.ptr[end++])) return false;
    if (end == rest.len || !local_name(bytes_part(rest, 0, end)))
        return false; /* the path's slash is asked for */
    for (; end < rest.len; end++)
        if (rest.ptr[end] <= 0x20 || rest.ptr[end] >= 0x7f || strchr("\"'<>\\^`{|}", rest.ptr[end]))
            return false;
    return true;
}

/* room: of the text and its NUL. */
static bool take_text(char *out, size_t room, struct json object, const char *member,
                      bool (*is_good)(struct bytes text))
{
    struct bytes text = json_text(json_member(object, member));

    if (!text.len || text.len >= room || !is_good(text)) return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return true;
}

static bool take_product(struct product *out, const char **why, struct json object)
{
    *why = "each product has the members id, name, what and url, and no other";
    if (json_type_of(object) != JSON_IS_OBJECT || json_count(object) != 4) return false;
    *why = "an id has 1 to 32 of a to z, 0 to 9 and -";
    if (!take_text(out->id, sizeof out->id, object, "id", is_id)) return false;
    *why = "a name has 1 to 40 bytes, without control characters";
    if (!take_text(out->name, sizeof out->name, object, "name", is_plain)) return false;
    *why = "what has 1 to 200 bytes, without control characters";
    if (!take_text(out->what, sizeof out->what, object, "what", is_plain)) return false;
    *why = "a url has at most 200 characters: http or https, a name of this machine, and a path";
    return take_text(out->url, sizeof out->url, object, "url", is_local_url);
}

static bool is_there(const struct products *products, const char *id)
{
    uint32_t i;

    for (i = 0; i < products->count; i++)
        if (!strcmp(products->list[i].id, id)) return true;
    return false;
}

static bool take_list(struct products *out, const char **why, struct json document)
{
    struct json list = json_member(document, "products");
    size_t i;

    *why = "the body is an object with the one member products, a list of at most 8";
    if (json_count(document) != 1 || json_type_of(list) != JSON_IS_ARRAY || json_count(list) > PRODUCTS_MAX)
        return false;
    for (i = 0; i < json_count(list); i++) {
        struct product *product = &out->list[i];
        if (!take_product(product, why, json_item(list, i))) return false;
        *why = "an id is there twice";
        if (is_there(out, product->id)) return false;
        out->count++;
    }
    return true;
}

enum err products_read(struct products *out, const char **why, struct bytes body)
{
    struct json document = {NULL};
    enum err e;

    memset(out, 0, sizeof *out);
    *why = "the body is no strict JSON";
    TRY(e = body.len > PRODUCTS_BODY_MAX ? ERR_TOO_LARGE : json_read(&document, body), done);
    if (!take_list(out, why, document)) e = ERR_MALFORMED;
done:
    json_free(document);
    if (e) memset(out, 0, sizeof *out);
    return e;
}

static void put(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_put_string(w, bytes_of_text(text));
}

void products_write(struct json_writer *w, const struct products *products)
{
    uint32_t i;

    json_array_begin(w);
    for (i = 0; i < products->count; i++) {
        json_object_begin(w);
        put(w, "id", products->list[i].id);
        put(w, "name", products->list[i].name);
        put(w, "what", products->list[i].what);
        put(w, "url", products->list[i].url);
        json_object_end(w);
    }
    json_array_end(w);
}
