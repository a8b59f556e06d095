/* deadline.h — the heap behind loop.h's deadlines: which of many points in time comes next. Knows no
 * loop and no clock.
 *
 * Four children a node, and each slot carries its time, so that a step down reads one run of 64 bytes
 * and no deadline. A deadline knows its place, so that moving or removing it needs no search.
 * Deadlines are borrowed. */
#ifndef COATCHECK_SERVER_DEADLINE_H
#define COATCHECK_SERVER_DEADLINE_H

#include "server/loop.h"

#define DEADLINE_NEVER INT64_MAX

struct deadline_slot {
    int64_t at_ms;
    struct deadline *deadline;
};
struct deadline_heap { /* zeroed: empty */
    struct deadline_slot *slots;
    size_t count, cap;
};

void deadline_heap_release(struct deadline_heap *heap);

/* Adds, or moves what is in already; ERR_NO_MEMORY only when the heap must grow, and then
 * nothing has changed. */
MUST_USE enum err deadline_heap_put(struct deadline_heap *heap, struct deadline *deadline, int64_t at_ms);
void deadline_heap_remove(struct deadline_heap *heap, struct deadline *deadline); /* harmless if not set */
int64_t deadline_heap_first_ms(const struct deadline_heap *heap); /* DEADLINE_NEVER if empty */

/* Removes and returns the earliest that is due at now_ms; NULL if none is. */
struct deadline *deadline_heap_take_due(struct deadline_heap *heap, int64_t now_ms);

#endif
