#include "base/arena.h"
#include "harness/check.h"

#include <stdalign.h>

static void refuses_past_its_limit(void)
{
    struct arena arena;
    arena_init(&arena, 100);
    CHECK(arena_alloc(&arena, 101) == NULL);
    CHECK(arena_alloc(&arena, SIZE_MAX) == NULL);
    CHECK(arena_alloc(&arena, 90) != NULL);
    struct bytes text = BYTES("eleven chars"), copy = arena_copy(&arena, text);
    CHECK(arena_copy_failed(text, copy));
    CHECK(arena_alloc(&arena, 11) == NULL);
    arena_reset(&arena);
    CHECK(arena_alloc(&arena, 100) != NULL);
    arena_release(&arena);
}

static void memory_is_zero_even_after_reset(void)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int round = 0; round < 3; round++) {
        for (size_t size = 1; size < 3000; size += 97) {
            uint8_t *memory = arena_alloc(&arena, size);
            if (!CHECK(memory != NULL)) return;
            CHECK((uintptr_t)memory % alignof(max_align_t) == 0);
            CHECK(memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0);
            memset(memory, 0xA5, size);
        }
        arena_reset(&arena);
        CHECK(arena.used == 0);
    }
    arena_release(&arena);
}

static void values_keep_apart(void)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct bytes first = arena_copy(&arena, BYTES("first"));
    CHECK(arena_alloc(&arena, 200000) != NULL);
    struct bytes second = arena_copy(&arena, BYTES("second"));
    CHECK_BYTES(first, BYTES("first"));
    CHECK_BYTES(second, BYTES("second"));
    CHECK(bytes_is_absent(arena_copy(&arena, BYTES_NONE)));
    CHECK(!arena_copy_failed(BYTES_NONE, BYTES_NONE));
    CHECK(!bytes_is_absent(arena_copy(&arena, BYTES(""))));
    CHECK(arena_alloc(&arena, 0) != NULL);
    arena_release(&arena);
    arena_release(&arena);
}

static void tiny_values_cannot_multiply_the_limit(void)
{
    struct arena arena;
    size_t count = 0;
    arena_init(&arena, 16000);
    while (count < 16000 && arena_alloc(&arena, 1) != NULL)
        count++;
    CHECK(count <= 1010);
    arena_release(&arena);
}

int main(void)
{
    CHECK_RUN(refuses_past_its_limit);
    CHECK_RUN(memory_is_zero_even_after_reset);
    CHECK_RUN(values_keep_apart);
    CHECK_RUN(tiny_values_cannot_multiply_the_limit);
    return CHECK_END();
}
