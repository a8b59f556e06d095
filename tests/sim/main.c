/* main.c — the simulator's runner.
 *
 *     sim --seeds A..B      every seed from A to B
 *     sim --seed N --trace  one, telling everything
 *     sim --fresh N         N seeds from a base that is new each day (printed)
 *     sim --file PATH       the seeds listed in a file, one a line, text behind them ignored
 *
 * Seeds run in child processes, so that a crash is a finding like any other. A seed that fails runs again
 * with its trace, of which the end is shown. The last line is "N passed, N failed". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "sim/client.h"
#include "sim/disk.h"
#include "sim/fault.h"
#include "sim/link.h"
#include "sim/memory.h"
#include "sim/model.h"
#include "sim/node.h"
#include "sim/operator.h"
#include "sim/sessions.h"
#include "sim/world.h"

#define SEEDS_MAX  ((size_t)1 << 20)
#define STEPS_MAX  30000
#define BATCH      200 /* seeds of one child */
#define TAIL_LINES 60
#define LINE_MAX_  700
#define TIME_S     120 /* of one child: a seed that does not end is a finding */
#define SHOWN_MAX_ 5   /* failures shown with their trace */

static uint64_t seeds[SEEDS_MAX];
static size_t seed_count;
static volatile size_t *current; /* shared with the child: which seed it is at */
static uint64_t *shared_steps;

static void log_to_trace(void *state, enum log_level level, const char *line, size_t len)
{
    (void)state;
    (void)level;
    trace("  log", "%.*s", (int)(len ? len - 1 : 0), line);
}

static int64_t log_clock(void *state)
{
    (void)state;
    return world_wall_ms();
}

/* ---- one seed ---- */

static void run_seed(uint64_t seed)
{
    world_begin(seed);
    model_reset();
    voided_have_causes();
    disk_begin();
    node_prepare();
    node_boot();
    clients_begin();
    faults_begin();
    sessions_begin();
    operator_begin();
    while (!clients_are_done()) {
        if (!world_step()) break;
        node_crash_if_dead();
        node_drop_buffers();
        if (node_wants_restart()) {
            node_stop_now();
            node_boot();
        }
        if (world.steps > STEPS_MAX) clients_hurry();
    }
    faults_end();
    sessions_end();
    operator_end();
    clients_hurry();
    node_end();
    clients_end();
    links_end();
    model_end();
    disk_end();
    *shared_steps += world.steps;
}

static void run_batch(size_t first, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        *current = first + i;
        alarm(TIME_S);
        run_seed(seeds[first + i]);
    }
    *current = first + count;
}

/* ---- children ---- */

static pid_t start_child(size_t first, size_t count, bool is_traced, int out)
{
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child) return child;
    if (out >= 0 && dup2(out, STDOUT_FILENO) < 0) _exit(EXIT_FAILURE);
    world_is_traced = is_traced;
    if (is_traced) setvbuf(stdout, NULL, _IOLBF, 0);
    log_open(log_to_trace, log_clock, NULL, is_traced ? LOG_DEBUG : LOG_ERROR);
    run_batch(first, count);
    exit(EXIT_SUCCESS); /* not _exit: the leak sanitizer has its say */
}

static bool wait_for(pid_t child, const char **how)
{
    static char text[64];
    int status = 0;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    if (WIFSIGNALED(status))
        (void)snprintf(text, sizeof text, "ended by signal %d", WTERMSIG(status));
    else
        (void)snprintf(text, sizeof text, "exit code %d", WEXITSTATUS(status));
    *how = text;
    return false;
}

/* Runs seed number i again and shows the end of what it tells. */
static void show_tail(size_t i)
{
    static char tail[TAIL_LINES][LINE_MAX_];
    size_t n = 0, line;
    int ends[2];
    pid_t child;
    FILE *told;
    const char *how;

    if (pipe(ends)) return;
    child = start_child(i, 1, true, ends[1]);
    close(ends[1]);
    told = fdopen(ends[0], "r");
    if (!told) return;
    while (fgets(tail[n % TAIL_LINES], LINE_MAX_, told))
        n++;
    fclose(told);
    (void)wait_for(child, &how);
    for (line = n > TAIL_LINES ? n - TAIL_LINES : 0; line < n; line++)
        printf("    %s", tail[line % TAIL_LINES]);
}

static int run_all(const char *program)
{
    size_t at = 0, failed = 0;

    while (at < seed_count) {
        size_t count = seed_count - at < BATCH ? seed_count - at : BATCH;
        const char *how = "";
        *current = at;
        if (wait_for(start_child(at, count, false, -1), &how)) {
            at += count;
            continue;
        }
        if (*current >= at + count) *current = at + count - 1; /* found at its exit: somewhere in the batch */
        failed++;
        printf("FAIL seed %" PRIu64 " (%s); replay: %s --seed %" PRIu64 " --trace\n", seeds[*current], how,
               program, seeds[*current]);
        if (failed <= SHOWN_MAX_) show_tail(*current);
        at = *current + 1;
    }
    printf("%" PRIu64 " steps in all\n", *shared_steps);
    printf("%zu passed, %zu failed\n", seed_count - failed, failed);
    return failed || !seed_count ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- which seeds ---- */

static void add_seeds(uint64_t first, uint64_t last)
{
    for (; first <= last && seed_count < SEEDS_MAX; first++)
        seeds[seed_count++] = first;
}

static bool add_file(const char *path)
{
    char line[256];
    FILE *file = fopen(path, "r");

    if (!file) return false;
    while (fgets(line, sizeof line, file)) {
        char *end;
        uint64_t seed = strtoull(line, &end, 10);
        if (end != line) add_seeds(seed, seed);
    }
    fclose(file);
    return true;
}

/* A million seeds a day, from where nobody has been; the day is real, all else is not. */
static void add_fresh(uint64_t count)
{
    uint64_t base = (uint64_t)time(NULL) / 86400 * 1000000;

    printf("seeds %" PRIu64 "..%" PRIu64 "\n", base, base + count - 1);
    add_seeds(base, base + count - 1);
}

static bool read_argument(const char *name, const char *value)
{
    char *end;
    uint64_t first = strtoull(value, &end, 10), last = first;

    if (strcmp(name, "--file") == 0) return add_file(value);
    if (end == value) return false;
    if (strncmp(end, "..", 2) == 0) last = strtoull(end + 2, &end, 10);
    if (*end || last < first) return false;
    if (strcmp(name, "--fresh") == 0)
        add_fresh(first);
    else if (strcmp(name, "--seeds") == 0 || strcmp(name, "--seed") == 0)
        add_seeds(first, last);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    bool is_traced = false;
    const char *how = "";
    int i;

    for (i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0)
            is_traced = true;
        else if (i + 1 == argc || !read_argument(argv[i], argv[i + 1])) {
            fprintf(stderr, "usage: %s [--file PATH] [--seeds A..B | --seed N [--trace] | --fresh N]...\n",
                    argv[0]);
            return 2;
        } else
            i++;
    }
    current = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if ((void *)current == MAP_FAILED) return EXIT_FAILURE;
    shared_steps = (uint64_t *)(uintptr_t)current + 8;
    memory_begin();
    model_begin();
    if (is_traced) {
        bool passed = wait_for(start_child(0, seed_count, true, -1), &how);
        printf("%d passed, %d failed\n", passed, !passed);
        return passed ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    return run_all(argv[0]);
}
