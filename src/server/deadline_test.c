#include "server/deadline.h"

#include "base/dice.h"
#include "harness/check.h"

#define MANY 3000

static bool is_sound(const struct deadline_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        if (heap->slots[i].deadline->place != i + 1) return false;
        if (heap->slots[i].at_ms != heap->slots[i].deadline->at_ms) return false;
        if (i && heap->slots[(i - 1) / 4].at_ms > heap->slots[i].at_ms) return false;
    }
    return true;
}

static void knows_nothing_when_empty(void)
{
    struct deadline_heap heap = {0};
    struct deadline one = {0};
    CHECK(deadline_heap_first_ms(&heap) == DEADLINE_NEVER);
    CHECK(deadline_heap_take_due(&heap, INT64_MAX) == NULL);
    deadline_heap_remove(&heap, &one); /* never set */
    CHECK_INT(heap.count, 0);
    deadline_heap_release(&heap);
}

static void takes_nothing_before_its_time(void)
{
    struct deadline_heap heap = {0};
    struct deadline one = {0};
    CHECK(deadline_heap_put(&heap, &one, 100) == ERR_OK);
    CHECK(deadline_heap_take_due(&heap, 99) == NULL);
    CHECK(deadline_heap_take_due(&heap, 100) == &one);
    CHECK_INT(one.place, 0);
    CHECK(deadline_heap_take_due(&heap, 100) == NULL);
    deadline_heap_release(&heap);
}

static void moves_what_is_set(void)
{
    struct deadline_heap heap = {0};
    struct deadline one = {0}, two = {0};
    CHECK(deadline_heap_put(&heap, &one, 100) == ERR_OK);
    CHECK(deadline_heap_put(&heap, &two, 200) == ERR_OK);
    CHECK(deadline_heap_put(&heap, &one, 300) == ERR_OK);
    CHECK_INT(heap.count, 2);
    CHECK_INT(deadline_heap_first_ms(&heap), 200);
    CHECK(deadline_heap_put(&heap, &one, INT64_MAX) == ERR_OK);
    CHECK(deadline_heap_put(&heap, &one, INT64_MIN) == ERR_OK);
    CHECK(deadline_heap_take_due(&heap, 0) == &one);
    deadline_heap_release(&heap);
}

/* The model: an array searched from end to end. */
static int64_t least_of(const struct deadline *all)
{
    int64_t least = DEADLINE_NEVER;
    for (size_t i = 0; i < MANY; i++)
        if (all[i].place && all[i].at_ms < least) least = all[i].at_ms;
    return least;
}

static void agrees_with_a_plain_search(void)
{
    static struct deadline all[MANY];
    struct deadline_heap heap = {0};
    struct dice_seeded seed;
    struct dice dice = dice_from_seed(&seed, 42);
    size_t set = 0;
    for (int step = 0; step < 30000; step++) {
        struct deadline *one = &all[dice_below(&dice, MANY)];
        uint64_t choice = dice_below(&dice, 10);
        if (choice < 6) {
            set += one->place == 0;
            CHECK(deadline_heap_put(&heap, one, (int64_t)dice_below(&dice, 5000)) == ERR_OK);
        } else if (choice < 9) {
            set -= one->place != 0;
            deadline_heap_remove(&heap, one);
        } else {
            int64_t least = least_of(all);
            CHECK_INT(deadline_heap_first_ms(&heap), least);
            struct deadline *due = deadline_heap_take_due(&heap, least);
            CHECK((due == NULL) == (set == 0));
            if (due) CHECK_INT(due->at_ms, least);
            set -= due != NULL;
        }
        CHECK_INT(heap.count, set);
        if (step % 100 == 0) CHECK(is_sound(&heap));
    }
    int64_t before = INT64_MIN;
    for (struct deadline *due; (due = deadline_heap_take_due(&heap, INT64_MAX)) != NULL; set--) {
        CHECK(due->at_ms >= before);
        before = due->at_ms;
    }
    CHECK_INT(set, 0);
    deadline_heap_release(&heap);
}

int main(void)
{
    CHECK_RUN(knows_nothing_when_empty);
    CHECK_RUN(takes_nothing_before_its_time);
    CHECK_RUN(moves_what_is_set);
    CHECK_RUN(agrees_with_a_plain_search);
    return CHECK_END();
}
