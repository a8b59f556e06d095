#include "base/bytes.h"

#include <string.h>

struct bytes bytes_of(const void *ptr, size_t len)
{
    return (struct bytes){ptr, len};
}

struct bytes bytes_of_text(const char *text)
{
    return text == NULL ? BYTES_NONE : bytes_of(text, strlen(text));
}

bool bytes_is_absent(struct bytes b)
{
    return b.ptr == NULL;
}

/* memcmp and memchr must not be given NULL, not even with length 0 (C11 7.24.1): hence the checks for len. */
bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static uint8_t to_lower(uint8_t c)
{
    return (uint8_t)(c - 'A') < 26 ? (uint8_t)(c | 0x20) : c;
}

bool bytes_equal_nocase(struct bytes a, struct bytes b)
{
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (to_lower(a.ptr[i]) != to_lower(b.ptr[i])) return false;
    return true;
}

bool bytes_start_with(struct bytes b, struct bytes prefix)
{
    return b.len >= prefix.len && bytes_equal(bytes_of(b.ptr, prefix.len), prefix);
}

bool bytes_have(struct bytes b, uint8_t wanted)
{
    return bytes_index(b, wanted) != BYTES_NOT_FOUND;
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter == 0 ? 0 : memcmp(a.ptr, b.ptr, shorter);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

size_t bytes_index(struct bytes b, uint8_t wanted)
{
    const uint8_t *found = b.len == 0 ? NULL : memchr(b.ptr, wanted, b.len);
    return found == NULL ? BYTES_NOT_FOUND : (size_t)(found - b.ptr);
}

struct bytes bytes_from(struct bytes b, size_t start)
{
    return bytes_part(b, start, SIZE_MAX);
}

struct bytes bytes_part(struct bytes b, size_t start, size_t len)
{
    if (b.ptr == NULL) return BYTES_NONE;
    if (start > b.len) start = b.len;
    if (len > b.len - start) len = b.len - start;
    return bytes_of(b.ptr + start, len);
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

struct bytes bytes_trim(struct bytes b)
{
    size_t start = 0;
    while (start < b.len && is_blank(b.ptr[start]))
        start++;
    while (b.len > start && is_blank(b.ptr[b.len - 1]))
        b.len--;
    return bytes_from(b, start);
}

bool bytes_split(struct bytes *head, struct bytes *rest, struct bytes b, uint8_t at)
{
    size_t index = bytes_index(b, at);
    if (index == BYTES_NOT_FOUND) {
        *head = b;
        *rest = BYTES_NONE;
        return false;
    }
    *head = bytes_part(b, 0, index);
    *rest = bytes_from(b, index + 1);
    return true;
}

bool bytes_to_u64(uint64_t *out, struct bytes b, uint64_t max)
{
    uint64_t number = 0;
    *out = 0;
    if (b.len == 0 || (b.len > 1 && b.ptr[0] == '0')) return false;
    for (size_t i = 0; i < b.len; i++) {
        uint64_t digit = (uint64_t)b.ptr[i] - '0'; /* wraps far above 9 for what is no digit */
        if (digit > 9 || digit > max || number > (max - digit) / 10) return false;
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

#define HASH_PRIME 0x9E3779B97F4A7C15u /* 2^64 / golden ratio: odd, and its bits look random */

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * HASH_PRIME;
    return hash ^ hash >> 29;
}

uint64_t bytes_hash(struct bytes b, uint64_t seed)
{
    uint64_t hash = seed ^ (b.len + 1) * HASH_PRIME, word;
    for (; b.len >= sizeof word; b.ptr += sizeof word, b.len -= sizeof word) {
        memcpy(&word, b.ptr, sizeof word);
        hash = hash_word(hash, word);
    }
    word = 0;
    if (b.len > 0) memcpy(&word, b.ptr, b.len);
    hash = hash_word(hash, word);
    /* A last mixing round, so that the low bits a table uses depend on every input bit. */
    hash = hash_word(hash, hash >> 32);
    return hash_word(hash, hash >> 32);
}
