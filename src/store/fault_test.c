/* Everything the store asks of its disk goes wrong once, and the power goes at every change.
 *
 * For each operation and each fault the n-th call fails, for n = 1, 2, ... until the operation needs fewer;
 * beyond the first 24 not every n (step_after). */
#include "harness/store_faults.h"

static const struct {
    const char *name;
    struct fault fault; /* at each place in turn */
    unsigned endings;   /* 2: with a power cut, too */
} faults[] = {
    {"read", {FAULT_READ, FAULT_ERROR, 0, false}, 1},
    {"garbage", {FAULT_READ, FAULT_GARBAGE, 0, false}, 1},
    {"write", {FAULT_WRITE, FAULT_ERROR, 0, false}, 2},
    {"short write", {FAULT_WRITE, FAULT_SHORT, 0, false}, 1},
    {"full", {FAULT_WRITE | FAULT_SHARE | FAULT_OPEN | FAULT_FOLDER, FAULT_FULL, 0, true}, 2},
    {"sync", {FAULT_SYNC, FAULT_ERROR, 0, false}, 2},
    {"syncs", {FAULT_SYNC, FAULT_ERROR, 0, true}, 2},
    {"truncate, delete", {FAULT_TRUNCATE | FAULT_DELETE, FAULT_ERROR, 0, false}, 2},
    {"open, size", {FAULT_OPEN | FAULT_SIZE, FAULT_ERROR, 0, false}, 1},
    {"lock, share", {FAULT_LOCK | FAULT_SHARE, FAULT_ERROR, 0, false}, 1},
    {"folder", {FAULT_FOLDER, FAULT_ERROR, 0, false}, 2},
    {"all", {FAULT_DISK, FAULT_ERROR, 0, true}, 1},
};

/* From the log into the file, unseen: there is no check sum that would find a page read wrong. */
static bool copies(const struct operation *operation)
{
    return operation->opens || operation->before != NULL || operation->run == sweep;
}

static void survives_each_failing_call(void)
{
    for (size_t i = 0; i < COUNT(operations); i++)
        for (size_t j = 0; j < COUNT(faults); j++)
            if (faults[j].fault.effect != FAULT_GARBAGE || !copies(&operations[i]))
                try_each_place(&operations[i], faults[j].name, faults[j].fault, faults[j].endings);
}

static void survives_a_power_cut_at_each_change(void)
{
    for (size_t i = 0; i < COUNT(operations); i++)
        try_each_place(&operations[i], "power", (struct fault){FAULT_CHANGES, FAULT_POWER, 0, false}, 3);
}

int main(void)
{
    fault_set_up(false);
    if (!begin_faults()) return EXIT_FAILURE;
    CHECK_RUN(survives_each_failing_call);
    CHECK_RUN(survives_a_power_cut_at_each_change);
    return end_faults();
}
