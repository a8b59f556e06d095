#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "harness/check.h"

static int told; /* where the child's log goes */
static pid_t parent;

static void to_pipe(void *state, enum log_level level, const char *line, size_t len)
{
    (void)state;
    (void)level;
    (void)!write(told, line, len);
}

/* Runs act in a child behind the closed list; gives its status and what it logged. */
static int behind(int (*act)(void), char *log, size_t log_size)
{
    int ends[2], status = -1;
    ssize_t len;
    pid_t child;

    log[0] = 0;
    if (!CHECK(pipe(ends) == 0)) return -1;
    child = fork();
    if (child == 0) {
        told = ends[1];
        log_open(to_pipe, NULL, NULL, LOG_INFO);
        if (sandbox_close() != ERR_OK) _exit(99);
        _exit(act());
    }
    (void)close(ends[1]);
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    len = read(ends[0], log, log_size - 1);
    if (len >= 0) log[len] = 0;
    (void)close(ends[0]);
    return status;
}

static int run_a_program(void)
{
    return execl("/bin/true", "true", (char *)NULL);
}

static int open_a_connection(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static int fork_a_process(void)
{
    pid_t child = fork();
    if (child == 0) _exit(0);
    return 0;
}

static int map_memory_that_runs(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == NULL;
}

static int make_memory_run(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int look_at_a_process(void)
{
    return (int)ptrace(PTRACE_ATTACH, parent, NULL, NULL);
}

static int read_of_a_process(void)
{
    return (int)syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0);
}

static int end_a_process(void)
{
    return kill(parent, 0);
}

static int end_a_thread_of_a_process(void)
{
    return (int)syscall(SYS_tgkill, parent, parent, 0);
}

static int become_another(void)
{
    return (int)syscall(SYS_setuid, 65534);
}

static int be_dumped(void)
{
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int rename_a_file(void)
{
    return rename("/nonexistent/a", "/nonexistent/b");
}

static int ignore_the_signal(void)
{
    return (int)syscall(SYS_rt_sigaction, SIGSYS, NULL, NULL, 8);
}

static int block_the_signal(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static void *on_a_thread(void *unused)
{
    (void)socket(AF_INET, SOCK_STREAM, 0);
    return unused;
}

static int ask_on_a_thread(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, on_a_thread, NULL) == 0) (void)pthread_join(thread, NULL);
    return 1;
}

static void ends_whoever_asks_for_more(void)
{
    static const struct {
        const char *name;
        int (*act)(void);
        int number; /* in the log; 0: the signal was blocked, nothing is told */
    } rows[] = {
        {"a program", run_a_program, SYS_execve},
        {"a connection", open_a_connection, SYS_socket},
        {"a process", fork_a_process, SYS_clone},
        {"new code", map_memory_that_runs, SYS_mmap},
        {"changed code", make_memory_run, SYS_mprotect},
        {"ptrace", look_at_a_process, SYS_ptrace},
        {"memory of others", read_of_a_process, SYS_process_vm_readv},
        {"kill", end_a_process, SYS_kill},
        {"tgkill", end_a_thread_of_a_process, SYS_tgkill},
        {"another user", become_another, SYS_setuid},
        {"core files", be_dumped, SYS_prctl},
        {"rename", rename_a_file, SYS_rename},
        {"no handler", ignore_the_signal, SYS_rt_sigaction},
        {"a thread's", ask_on_a_thread, SYS_socket},
        {"a blocked signal", block_the_signal, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char log[512], wanted[64];
        int status = behind(rows[i].act, log, sizeof log);
        CHECK_NOTE("%s: %.120s", rows[i].name, log);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
        (void)snprintf(wanted, sizeof wanted, "error forbidden_system_call number=%d\n", rows[i].number);
        CHECK(rows[i].number ? strstr(log, wanted) != NULL : log[0] == 0);
    }
}

static void *count_on_a_thread(void *number)
{
    ++*(int *)number;
    return NULL;
}

static int serve(void)
{
    char text[4];
    int file = open("/dev/null", O_RDWR | O_CLOEXEC), number = 0;
    struct timespec now;
    pthread_t thread;
    char *memory = malloc(4 << 20);

    if (file < 0 || write(file, "abcd", 4) != 4 || read(file, text, 4) != 0 || close(file) != 0) return 1;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || !memory) return 2;
    memset(memory, 1, 4 << 20);
    free(memory);
    if (pthread_create(&thread, NULL, count_on_a_thread, &number) != 0) return 3;
    if (pthread_join(thread, NULL) != 0 || number != 1) return 4;
    return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0); /* not in the list */
}

/* What serve() asks last is not allowed, so that its end also shows that all before was. */
static void lets_a_server_work(void)
{
    char log[512], wanted[64];
    int status = behind(serve, log, sizeof log);

    CHECK_NOTE("%.120s, status %x", log, status);
    (void)snprintf(wanted, sizeof wanted, "number=%d\n", SYS_prctl);
    CHECK(WIFSIGNALED(status) && strstr(log, wanted) != NULL);
}

static int leave(void)
{
    return 7;
}

static int break_an_invariant(void)
{
    abort();
}

static void lets_it_end(void)
{
    char log[512];
    int status = behind(leave, log, sizeof log);

    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    status = behind(break_an_invariant, log, sizeof log);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* The C library sets up signals of its own with the first thread; a server has threads before it
 * closes the list. */
static void start_a_thread(void)
{
    int number = 0;
    pthread_t thread;

    if (pthread_create(&thread, NULL, count_on_a_thread, &number) == 0) (void)pthread_join(thread, NULL);
}

int main(void)
{
    parent = getpid();
    start_a_thread();
    CHECK_RUN(ends_whoever_asks_for_more);
    CHECK_RUN(lets_a_server_work);
    CHECK_RUN(lets_it_end);
    return CHECK_END();
}
