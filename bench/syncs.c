/* syncs.c — counts how often a program waits for the disk. Preloaded (LD_PRELOAD), it counts the calls of
 * fsync and fdatasync into the file that BENCH_SYNCS names: a number of 8 bytes, which others may read
 * meanwhile. The server commits what waits in one transaction and syncs once for it, so requests by syncs is
 * how many share one. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic uint64_t unread, *syncs = &unread;

/* Before main, as the server may open no file once it has renounced that. */
__attribute__((constructor)) static void open_count(void)
{
    const char *path = getenv("BENCH_SYNCS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof *syncs) == 0) {
        void *shared = mmap(NULL, sizeof *syncs, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) syncs = shared;
    }
    close(file);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved one */
int fsync(int file)
{
    atomic_fetch_add_explicit(syncs, 1, memory_order_relaxed);
    return (int)syscall(SYS_fsync, file);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): theirs is a reserved one */
int fdatasync(int file)
{
    atomic_fetch_add_explicit(syncs, 1, memory_order_relaxed);
    return (int)syscall(SYS_fdatasync, file);
}
