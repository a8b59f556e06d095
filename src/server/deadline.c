#include "server/deadline.h"

#include <stdlib.h>

#define CHILDREN  4
#define SLOTS_MIN 64
#define SLOTS_MAX (UINT32_MAX / 2) /* a place is a uint32_t */

void deadline_heap_release(struct deadline_heap *heap)
{
    free(heap->slots);
    *heap = (struct deadline_heap){0};
}

static void fill(struct deadline_heap *heap, size_t at, struct deadline_slot slot)
{
    heap->slots[at] = slot;
    slot.deadline->place = (uint32_t)(at + 1);
}

static void rise(struct deadline_heap *heap, size_t at, struct deadline_slot slot)
{
    while (at > 0) {
        size_t parent = (at - 1) / CHILDREN;
        if (heap->slots[parent].at_ms <= slot.at_ms) break;
        fill(heap, at, heap->slots[parent]);
        at = parent;
    }
    fill(heap, at, slot);
}

static void sink(struct deadline_heap *heap, size_t at, struct deadline_slot slot)
{
    for (;;) {
        size_t first = at * CHILDREN + 1, least = first;
        if (first >= heap->count) break;
        for (size_t child = first + 1; child < first + CHILDREN && child < heap->count; child++)
            if (heap->slots[child].at_ms < heap->slots[least].at_ms) least = child;
        if (heap->slots[least].at_ms >= slot.at_ms) break;
        fill(heap, at, heap->slots[least]);
        at = least;
    }
    fill(heap, at, slot);
}

static void settle(struct deadline_heap *heap, size_t at, struct deadline_slot slot)
{
    if (at > 0 && heap->slots[(at - 1) / CHILDREN].at_ms > slot.at_ms)
        rise(heap, at, slot);
    else
        sink(heap, at, slot);
}

static enum err grow(struct deadline_heap *heap)
{
    size_t cap = heap->cap ? heap->cap * 2 : SLOTS_MIN;
    if (cap > SLOTS_MAX) return ERR_NO_MEMORY;
    struct deadline_slot *slots = realloc(heap->slots, cap * sizeof *slots);
    if (!slots) return ERR_NO_MEMORY;
    heap->slots = slots;
    heap->cap = cap;
    return ERR_OK;
}

enum err deadline_heap_put(struct deadline_heap *heap, struct deadline *deadline, int64_t at_ms)
{
    struct deadline_slot slot = {at_ms, deadline};
    enum err e = ERR_OK;
    if (deadline->place) {
        deadline->at_ms = at_ms;
        settle(heap, deadline->place - 1, slot);
        return ERR_OK;
    }
    if (heap->count == heap->cap) TRY(e = grow(heap), done);
    deadline->at_ms = at_ms;
    rise(heap, heap->count++, slot);
done:
    return e;
}

void deadline_heap_remove(struct deadline_heap *heap, struct deadline *deadline)
{
    if (!deadline->place) return;
    size_t at = deadline->place - 1;
    struct deadline_slot last = heap->slots[--heap->count];
    deadline->place = 0;
    if (at != heap->count) settle(heap, at, last);
}

int64_t deadline_heap_first_ms(const struct deadline_heap *heap)
{
    return heap->count ? heap->slots[0].at_ms : DEADLINE_NEVER;
}

struct deadline *deadline_heap_take_due(struct deadline_heap *heap, int64_t now_ms)
{
    if (!heap->count || heap->slots[0].at_ms > now_ms) return NULL;
    struct deadline *due = heap->slots[0].deadline;
    deadline_heap_remove(heap, due);
    return due;
}
