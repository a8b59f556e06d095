#include "wire/json_read.h"

#include <jansson.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A JavaScript number prints with at most 17 digits, and so does every double. More of them would
 * be rounded off. */
#define REAL_DIGITS_MAX 17
/* Smaller ones lose digits (the smallest normal double is 2.2e-308) or turn into 0. */
#define REAL_EXPONENT_MIN (-307)

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Where a number stands between text[at] and its end: digits that count, and the power of ten of the
 * first of them. */
struct real {
    size_t digits, zeros_after; /* zeros_after: zeros that count only if another digit follows */
    long first_power;
    bool has_fraction, has_exponent;
};

/* The mantissa: leading and trailing zeros say nothing about precision. */
static size_t scan_mantissa(struct real *real, struct bytes text, size_t at)
{
    for (; at < text.len && (is_digit(text.ptr[at]) || (text.ptr[at] == '.' && !real->has_fraction)); at++) {
        uint8_t c = text.ptr[at];
        if (c == '.') {
            real->has_fraction = true;
            continue;
        }
        if (real->digits == 0 && c == '0') {
            if (real->has_fraction) real->first_power--;
            continue;
        }
        if (real->digits == 0 && real->has_fraction) real->first_power--;
        if (real->digits > 0 && !real->has_fraction) real->first_power++;
        if (c == '0') {
            real->zeros_after++;
            continue;
        }
        real->digits += real->zeros_after + 1;
        real->zeros_after = 0;
    }
    return at;
}

static size_t scan_exponent(struct real *real, struct bytes text, size_t at)
{
    long exponent = 0;
    bool is_negative = false;

    if (at >= text.len || (text.ptr[at] | 0x20) != 'e') return at;
    real->has_exponent = true;
    at++;
    if (at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+')) is_negative = text.ptr[at++] == '-';
    for (; at < text.len && is_digit(text.ptr[at]); at++)
        if (exponent < 1000000) exponent = exponent * 10 + (text.ptr[at] - '0');
    real->first_power += is_negative ? -exponent : exponent;
    return at;
}

/* Past the number at text[at]; *is_exact says whether a double can hold it. Its grammar is the
 * library's matter. */
static size_t scan_number(bool *is_exact, struct bytes text, size_t at)
{
    struct real real = {0};

    at = scan_exponent(&real, text, scan_mantissa(&real, text, at));
    *is_exact = !(real.has_fraction || real.has_exponent) || real.digits == 0 ||
                (real.digits <= REAL_DIGITS_MAX && real.first_power >= REAL_EXPONENT_MIN);
    return at;
}

/* Where c stands first in text[at..end); end if it does not. */
static size_t next_of(uint8_t c, struct bytes text, size_t at, size_t end)
{
    size_t index = at < end ? bytes_index(bytes_part(text, at, end - at), c) : BYTES_NOT_FOUND;

    return index == BYTES_NOT_FOUND ? end : at + index;
}

/* Past the string at text[at]. By the library's searches, as proofs and tokens are long; each byte is met
 * twice at most, however many are escaped. */
static size_t scan_string(struct bytes text, size_t at)
{
    size_t quote = next_of('"', text, ++at, text.len), escape;

    while ((escape = next_of('\\', text, at, quote)) < quote) {
        at = escape + 2;
        if (at > quote) quote = next_of('"', text, at, text.len);
    }
    return quote + 1;
}

/* What the library would take but we do not, in one pass before it sees the text: depth (its own limit is
 * 2048 calls deep) and numbers it would round. */
static bool is_within_limits(struct bytes text)
{
    unsigned depth = 0;
    bool is_exact = true;

    for (size_t at = 0; at < text.len && is_exact;) {
        uint8_t c = text.ptr[at];
        if (c == '"') {
            at = scan_string(text, at);
        } else if (is_digit(c)) {
            at = scan_number(&is_exact, text, at);
        } else {
            if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX) return false;
            if ((c == ']' || c == '}') && depth > 0) depth--;
            at++;
        }
    }
    return is_exact;
}

/* When the buffer of a token cannot grow, the library goes on and says nothing: the token then lacks a byte,
 * is taken for another one, or is written past its end. So a failure is noted here, and from then on such
 * buffers come from a reserve until the parse, which is lost, has ended. They double from 16 bytes on, so
 * their size is a power of two; what has another size is a value, and for values the library does listen. */
#define RESERVE_BYTES 524288 /* twice what a token of 64 KiB takes */

static _Thread_local bool is_parsing, memory_failed;

/* One for all threads, because a thread's own would be touched, and so cost its whole size, when the
 * thread starts. Whoever runs out of memory holds the lock until its parse has ended; with memory
 * nobody takes it. */
static pthread_mutex_t reserve_lock = PTHREAD_MUTEX_INITIALIZER;
static size_t reserve_used;
static alignas(max_align_t) uint8_t reserve[RESERVE_BYTES];

static void *take_reserve(size_t size)
{
    size_t at = reserve_used;

    if (size < alignof(max_align_t) || (size & (size - 1)) || size > RESERVE_BYTES - at) return NULL;
    reserve_used += size;
    return reserve + at;
}

static void *allocate(size_t size)
{
    void *memory = memory_failed ? NULL : malloc(size);

    if (memory || !is_parsing) return memory;
    if (!memory_failed)
        (void)pthread_mutex_lock(&reserve_lock); /* fails only for a lock that was never made */
    memory_failed = true;
    return take_reserve(size);
}

static void release(void *memory)
{
    uintptr_t at = (uintptr_t)memory, start = (uintptr_t)reserve;

    if (at < start || at >= start + RESERVE_BYTES) free(memory);
}

__attribute__((constructor)) static void watch_allocations(void)
{
    json_set_alloc_funcs(allocate, release);
}

static enum err cause_of(const json_error_t *error)
{
    if (error->text[0] == 0 || json_error_code(error) == json_error_out_of_memory) return ERR_NO_MEMORY;
    return ERR_MALFORMED;
}

enum err json_read(struct json *out, struct bytes text)
{
    json_error_t error;

    *out = (struct json){NULL};
    if (text.len == 0 || !is_within_limits(text)) return ERR_MALFORMED;
    /* A random seed from the kernel, drawn once: members with colliding hashes cannot be prepared. */
    json_object_seed(0);
    is_parsing = true;
    out->node = json_loadb((const char *)text.ptr, text.len,
                           JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    is_parsing = false;
    if (!memory_failed) return out->node ? ERR_OK : cause_of(&error);
    json_free(*out);
    *out = (struct json){NULL};
    memory_failed = false;
    reserve_used = 0;
    (void)pthread_mutex_unlock(&reserve_lock);
    return ERR_NO_MEMORY;
}

void json_free(struct json document)
{
    json_decref((json_t *)document.node);
}

enum json_type json_type_of(struct json value)
{
    const json_t *node = value.node;

    if (!node) return JSON_IS_ABSENT;
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return JSON_IS_OBJECT;
    case JSON_ARRAY:
        return JSON_IS_ARRAY;
    case JSON_STRING:
        return JSON_IS_STRING;
    case JSON_INTEGER:
        return JSON_IS_INTEGER;
    case JSON_REAL:
        return JSON_IS_REAL;
    case JSON_TRUE:
        return JSON_IS_TRUE;
    case JSON_FALSE:
        return JSON_IS_FALSE;
    case JSON_NULL:
        return JSON_IS_NULL;
    }
    return JSON_IS_ABSENT;
}

struct json json_member(struct json object, const char *name)
{
    return (struct json){json_object_get((const json_t *)object.node, name)};
}

size_t json_count(struct json array_or_object)
{
    const json_t *node = array_or_object.node;

    return json_is_array(node) ? json_array_size(node) : json_object_size(node);
}

struct json json_item(struct json array, size_t index)
{
    return (struct json){json_array_get((const json_t *)array.node, index)};
}

struct bytes json_text(struct json string)
{
    const json_t *node = string.node;

    return json_is_string(node) ? bytes_of(json_string_value(node), json_string_length(node)) : BYTES_NONE;
}

bool json_text_is_clean(struct json string)
{
    struct bytes text = json_text(string);

    return !bytes_is_absent(text) && !bytes_have(text, 0);
}

bool json_int64(int64_t *out, struct json number)
{
    const json_t *node = number.node;

    *out = json_is_integer(node) ? (int64_t)json_integer_value(node) : 0;
    return json_is_integer(node);
}

/* The fewest digits that give the same double back, at most 17. Without "." or "e" it would come
 * back an integer. */
static void put_real(struct json_writer *w, double value)
{
    char text[40];

    for (int digits = 15; digits <= REAL_DIGITS_MAX; digits++) {
        /* cannot be cut: 17 digits and an exponent */
        (void)snprintf(text, sizeof text - 2, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    if (!strpbrk(text, ".e")) memcpy(text + strlen(text), ".0", 3);
    json_put_verbatim(w, bytes_of_text(text));
}

static void put_object(struct json_writer *w, json_t *node)
{
    json_object_begin(w);
    for (void *at = json_object_iter(node); at; at = json_object_iter_next(node, at)) {
        json_key_bytes(w, bytes_of(json_object_iter_key(at), json_object_iter_key_len(at)));
        json_put_value(w, (struct json){json_object_iter_value(at)});
    }
    json_object_end(w);
}

static void put_array(struct json_writer *w, struct json array)
{
    json_array_begin(w);
    for (size_t i = 0; i < json_count(array); i++)
        json_put_value(w, json_item(array, i));
    json_array_end(w);
}

/* Recursion ends with the document's depth, at most JSON_DEPTH_MAX. */
void json_put_value(struct json_writer *w, struct json value)
{
    const json_t *node = value.node;

    switch (json_type_of(value)) {
    case JSON_IS_ABSENT:
    case JSON_IS_NULL:
        json_put_null(w);
        break;
    case JSON_IS_FALSE:
        json_put_bool(w, false);
        break;
    case JSON_IS_TRUE:
        json_put_bool(w, true);
        break;
    case JSON_IS_INTEGER:
        json_put_number(w, (int64_t)json_integer_value(node));
        break;
    case JSON_IS_REAL:
        put_real(w, json_real_value(node));
        break;
    case JSON_IS_STRING:
        json_put_string(w, json_text(value));
        break;
    case JSON_IS_ARRAY:
        put_array(w, value);
        break;
    case JSON_IS_OBJECT:
        put_object(w, value.node);
        break;
    }
}

static void put_members(struct json_writer *w, json_t *node, json_t *but_of)
{
    for (void *at = json_object_iter(node); at; at = json_object_iter_next(node, at)) {
        const char *key = json_object_iter_key(at);
        size_t key_len = json_object_iter_key_len(at);
        if (json_object_getn(but_of, key, key_len)) continue;
        json_key_bytes(w, bytes_of(key, key_len));
        json_put_value(w, (struct json){json_object_iter_value(at)});
    }
}

void json_put_merged(struct json_writer *w, struct json under, struct json over)
{
    json_object_begin(w);
    put_members(w, over.node, NULL);
    put_members(w, under.node, over.node);
    json_object_end(w);
}
