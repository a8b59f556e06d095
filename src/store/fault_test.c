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

/* --- a one-time ticket: its id and its user, as a redeem writes them --- */

static bool redeem(void)
{
    const struct write writes[] = {
        {.kind = WRITE_ONCE, .is_gate = true, .once = {.id = {.byte = {0x71}}, .bucket_s = 900}},
        {.kind = WRITE_USER,
         .is_gate = true,
         .user = {.user = {.id = {.byte = {1, 0x71}}, .project = shop, .kind = USER_EMBEDDED}}}};
    struct row rows[COUNT(writes)];
    enum err e = store_commit_wait(store, writes, COUNT(writes), rows, &arena);
    return e == ERR_OK && rows[0].state == ROW_WRITTEN;
}

/* What the next process makes of the ticket, on what the power cut has left. */
static void look_at_ticket(bool was_taken)
{
    const char *why;
    CHECK_INT(file_prepare(path, &why), ERR_OK);
    CHECK_INT(open_store(), ERR_OK);
    if (redeem()) CHECK(!was_taken);
    CHECK(!redeem());
    close_store();
    sqlite3 *handle = look_begin();
    CHECK_INT(ask_sql(handle, "SELECT (SELECT count(*) FROM once WHERE bucket_s = 900) * 10 + "
                              "(SELECT count(*) FROM users WHERE kind = 3)"),
              11);
    CHECK_INT(sqlite3_close(handle), SQLITE_OK);
}

/* False: the ticket was taken before so many changes; then the power goes after the answer. */
static bool cut_at(enum ground ground, unsigned at, enum disk_survival survival)
{
    lay(ground);
    fault_begin();
    CHECK_INT(open_store(), ERR_OK);
    fault_arm(&(struct fault){FAULT_CHANGES, FAULT_POWER, at, false});
    bool was_taken = redeem(), has_struck = fault_has_struck();
    CHECK(was_taken || has_struck);
    fault_power_off();
    fault_arm(NULL);
    close_store();
    fault_cut_power(survival, at);
    fault_end();
    look_at_ticket(was_taken);
    arena_release(&arena);
    return has_struck;
}

static void takes_a_ticket_once_over_a_power_cut_at_each_change(void)
{
    static const enum ground grounds_tried[] = {CLOSED, LOGGED};
    for (size_t i = 0; i < COUNT(grounds_tried); i++) {
        bool strikes = true;
        for (unsigned at = 1; strikes; at++)
            for (int survival = SURVIVES_SAFE; survival <= SURVIVES_SOME; survival++) {
                CHECK_NOTE("ticket: power %u, ground %zu, survival %d", at, i, survival);
                strikes = cut_at(grounds_tried[i], at, (enum disk_survival)survival);
                places++;
            }
    }
}

int main(void)
{
    fault_set_up(false);
    if (!begin_faults()) return EXIT_FAILURE;
    CHECK_RUN(survives_each_failing_call);
    CHECK_RUN(survives_a_power_cut_at_each_change);
    CHECK_RUN(takes_a_ticket_once_over_a_power_cut_at_each_change);
    return end_faults();
}
