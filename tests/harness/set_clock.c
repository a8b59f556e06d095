/* set_clock.c — loaded into a server under test (LD_PRELOAD): its wall clock is ahead of the machine's by
 * so many ms as the file says that COATCHECK_TEST_CLOCK names, eight bytes, at any moment. Its other
 * clocks are real. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *ahead_ms;

__attribute__((constructor)) static void open_file(void)
{
    const char *path = getenv("COATCHECK_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *seen = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *ahead_ms, PROT_READ, MAP_SHARED, fd, 0);

    if (seen != MAP_FAILED) ahead_ms = seen;
    if (fd >= 0) close(fd);
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the library calls them otherwise */
int clock_gettime(clockid_t id, struct timespec *out)
{
    long refused = syscall(SYS_clock_gettime, id, out);
    int64_t ms;

    if (refused || id != CLOCK_REALTIME || !ahead_ms) return (int)refused;
    ms = (int64_t)out->tv_sec * 1000 + out->tv_nsec / 1000000 + *ahead_ms;
    out->tv_sec = ms / 1000;
    out->tv_nsec = ms % 1000 * 1000000;
    return 0;
}
