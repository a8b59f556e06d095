/* fault_vfs.h — a disk that fails on command, under SQLite and under the store's own file calls.
 *
 *     fault_begin();                        SQLite's default from now on; the files opened are modelled too
 *     fault_arm(&(struct fault){...});      the n-th call of these kinds goes wrong
 *     open the store, work, look what it says
 *     fault_arm(NULL);
 *     fault_power_off();                    from now on nothing reaches the disk
 *     close the store
 *     fault_cut_power(SURVIVES_SOME, 7);    what a power cut leaves is on the real disk
 *     fault_end();                          the ordinary disk again: open the store from what survived
 *
 * A shim around SQLite's own VFS. The program is linked with --wrap for open, unlink, rename and fsync, so
 * that the calls the store makes itself count and fail with the rest (FAULT_FOLDER), and for the allocating
 * functions, through which SQLite's memory comes, too, if it is to count. Any thread may call; the n-th call
 * is counted over all of them. */
#ifndef COATCHECK_TESTS_FAULT_VFS_H
#define COATCHECK_TESTS_FAULT_VFS_H

#include "harness/fault_disk.h"

enum fault_call {
    FAULT_OPEN = 1,
    FAULT_READ = 2,
    FAULT_WRITE = 4,
    FAULT_SYNC = 8,
    FAULT_TRUNCATE = 16,
    FAULT_DELETE = 32,
    FAULT_SIZE = 64,   /* of a file, and whether it is there */
    FAULT_LOCK = 128,  /* also of the shared index */
    FAULT_SHARE = 256, /* the shared index is mapped, or made larger */
    FAULT_FOLDER = 512,
    FAULT_MEMORY = 1024, /* an allocation, ours or SQLite's; with FAULT_ERROR, alone and once */
};
#define FAULT_CHANGES (FAULT_OPEN | FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE | FAULT_DELETE | FAULT_FOLDER)
#define FAULT_DISK    1023u

enum fault_effect {
    FAULT_ERROR,   /* EIO: nothing was done. A sync that fails also loses what it was to make safe. */
    FAULT_FULL,    /* ENOSPC: nothing was done */
    FAULT_SHORT,   /* ENOSPC after half of a write */
    FAULT_GARBAGE, /* a read succeeds with bytes that are no page's */
    FAULT_POWER,   /* the power goes: half of a write may be done, and this and every later call fails */
};

struct fault {
    unsigned calls; /* enum fault_call, or'ed */
    enum fault_effect effect;
    unsigned at; /* 1: the next such call */
    bool stays;  /* that call and every later one */
};

void fault_set_up(bool counts_memory); /* once, before anything else */
void fault_begin(void);
void fault_end(void);
void fault_arm(const struct fault *fault); /* NULL: nothing goes wrong */
bool fault_has_struck(void);               /* since it was armed */
void fault_power_off(void);
void fault_cut_power(enum disk_survival survival, uint64_t seed); /* the store is closed */

#endif
