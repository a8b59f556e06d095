/* Each allocation of the store fails once, its own and SQLite's. */
#include "harness/store_faults.h"

static void survives_each_failing_allocation(void)
{
    for (size_t i = 0; i < COUNT(operations); i++)
        try_each_place(&operations[i], "memory", (struct fault){FAULT_MEMORY, FAULT_ERROR, 0, false}, 1);
}

int main(void)
{
    fault_set_up(true);
    if (!begin_faults()) return EXIT_FAILURE;
    CHECK_RUN(survives_each_failing_allocation);
    return end_faults();
}
