/* bytes.h — a borrowed run of bytes: pointer and length, never owned, never NUL-terminated.
 *
 * Whatever a struct bytes points into must outlive it; the struct itself may be copied freely. An absent
 * value has ptr NULL; an empty one has a pointer and len 0. All comparisons go by length, so that a NUL
 * inside a value can never make it look shorter than it is. */
#ifndef COATCHECK_BASE_BYTES_H
#define COATCHECK_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *ptr;
    size_t len;
};

/* A string literal as bytes, without its final NUL. */
#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})
#define BYTES_NONE     ((struct bytes){NULL, 0})

struct bytes bytes_of(const void *ptr, size_t len);
struct bytes bytes_of_text(const char *text); /* NULL gives BYTES_NONE */

bool bytes_is_absent(struct bytes b);
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_nocase(struct bytes a, struct bytes b); /* ASCII letters only */
bool bytes_start_with(struct bytes b, struct bytes prefix);
bool bytes_have(struct bytes b, uint8_t wanted);
int bytes_compare(struct bytes a, struct bytes b); /* lexicographic; <0, 0, >0 */

#define BYTES_NOT_FOUND SIZE_MAX
size_t bytes_index(struct bytes b, uint8_t wanted); /* BYTES_NOT_FOUND if absent */

struct bytes bytes_from(struct bytes b, size_t start);             /* start is clamped to len */
struct bytes bytes_part(struct bytes b, size_t start, size_t len); /* both are clamped */
struct bytes bytes_trim(struct bytes b);                           /* without spaces and tabs around it */
/* false: no separator */
bool bytes_split(struct bytes *head, struct bytes *rest, struct bytes b, uint8_t at);

/* Whole of b as a decimal number without sign or leading zeros ("0" itself is fine); false if it is
 * none or > max. */
bool bytes_to_u64(uint64_t *out, struct bytes b, uint64_t max);

/* Spread over 64 bits for hash tables under a secret-free seed; not for anything an attacker may aim at. */
uint64_t bytes_hash(struct bytes b, uint64_t seed);

#endif
