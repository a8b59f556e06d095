#include "cli/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define OUR_ARCHITECTURE 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

struct allowed {
    int number;
    int argument; /* ANY, or: only if (argument & mask) == wanted */
    uint32_t mask, wanted;
};
#define ANY (-1)
#define ALLOW(name)                                                                                          \
    {                                                                                                        \
        __NR_##name, ANY, 0, 0                                                                               \
    }
#define ALLOW_IF(name, argument, mask, wanted)                                                               \
    {                                                                                                        \
        __NR_##name, argument, mask, wanted                                                                  \
    }
#define WHOLE 0xFFFFFFFFu

/* The busiest first. Older kernels walk through this at every call; newer ones keep a bitmap of the calls
 * that are allowed whatever their arguments. */
/* clang-format off */
static const struct allowed list[] = {
    /* sockets that are open, or come in */
    ALLOW(read), ALLOW(write), ALLOW(epoll_pwait), ALLOW(epoll_ctl), ALLOW(futex), ALLOW(getpid), ALLOW(accept4),
    ALLOW(close), ALLOW(readv), ALLOW(writev), ALLOW(recvmsg), ALLOW(sendmsg), ALLOW(recvfrom), ALLOW(sendto),
    ALLOW(setsockopt), ALLOW(getsockopt), ALLOW(getsockname), ALLOW(getpeername), ALLOW(shutdown),
    ALLOW_IF(ioctl, 1, WHOLE, FIONBIO), ALLOW_IF(ioctl, 1, WHOLE, FIONREAD),
    ALLOW_IF(ioctl, 1, WHOLE, TCGETS), /* the C library asks of its output whether it is a terminal */
    /* time and dice */
    ALLOW(ppoll), ALLOW(clock_gettime), ALLOW(clock_nanosleep), ALLOW(nanosleep), ALLOW(getrandom),
    /* memory, but none that could be run */
    ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise), ALLOW(mlock2),
    ALLOW_IF(mmap, 2, PROT_EXEC, 0), ALLOW_IF(mprotect, 2, PROT_EXEC, 0),
    /* the database: which files is for the service file to say (packaging/coatcheck.service) */
    ALLOW(pread64), ALLOW(pwrite64), ALLOW(lseek), ALLOW(fsync), ALLOW(fdatasync), ALLOW(ftruncate), ALLOW(fallocate),
    ALLOW(fcntl), ALLOW(openat), ALLOW(fstat), ALLOW(newfstatat), ALLOW(statx), ALLOW(readlinkat), ALLOW(unlinkat),
    ALLOW(faccessat), ALLOW(fchmod), ALLOW(fchown), ALLOW(getcwd), ALLOW(geteuid),
    /* threads, but no process; its own limits; signals, but only to itself (write_program) */
    ALLOW_IF(clone, 0, CLONE_THREAD, CLONE_THREAD), ALLOW(set_robust_list), ALLOW(rseq), ALLOW(gettid),
    ALLOW(sched_yield), ALLOW(sched_getaffinity), ALLOW(exit), ALLOW(exit_group),
    ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(rt_sigtimedwait), ALLOW(sigaltstack), ALLOW(restart_syscall),
    ALLOW_IF(prctl, 0, WHOLE, PR_SET_NAME), ALLOW_IF(prlimit64, 0, WHOLE, 0),
    /* older forms that a C library may still use where the processor has them */
#ifdef __NR_open
    ALLOW(open), ALLOW(stat), ALLOW(lstat), ALLOW(access), ALLOW(readlink), ALLOW(unlink), ALLOW(epoll_wait),
    ALLOW(poll), ALLOW(gettimeofday), ALLOW(time),
#endif
};
/* clang-format on */
#define LIST_LEN  (sizeof list / sizeof list[0])
#define LINES_MAX (8 * LIST_LEN + 32)

/* ---- the kernel's program ---- */

struct program {
    struct sock_filter lines[LINES_MAX];
    unsigned short len;
};

static void put(struct program *program, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false)
{
    program->lines[program->len++] =
        (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = value};
}

static void put_load(struct program *program, size_t offset)
{
    put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_return(struct program *program, uint32_t verdict)
{
    put(program, BPF_RET | BPF_K, verdict, 0, 0);
}

/* The low half of an argument is enough: all that are compared are ints to the kernel. Both processors are
 * little-endian. */
static void put_row(struct program *program, const struct allowed *row)
{
    bool is_conditional = row->argument != ANY;

    put(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)row->number, 0, is_conditional ? 5 : 1);
    if (is_conditional) {
        put_load(program, offsetof(struct seccomp_data, args) + 8 * (size_t)row->argument);
        put(program, BPF_ALU | BPF_AND | BPF_K, row->mask, 0, 0);
        put(program, BPF_JMP | BPF_JEQ | BPF_K, row->wanted, 0, 1);
    }
    put_return(program, SECCOMP_RET_ALLOW);
    if (is_conditional) put_load(program, offsetof(struct seccomp_data, nr)); /* for the next row */
}

static void write_program(struct program *program)
{
    const struct allowed to_ourselves = ALLOW_IF(tgkill, 0, WHOLE, (uint32_t)getpid());
    size_t i;

    put_load(program, offsetof(struct seccomp_data, arch));
    put(program, BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0);
    put_return(program, SECCOMP_RET_KILL_PROCESS); /* numbers would mean other calls */
    put_load(program, offsetof(struct seccomp_data, nr));
    for (i = 0; i < LIST_LEN; i++)
        put_row(program, &list[i]);
    put_row(program, &to_ourselves);
    /* The flags of clone3 lie in memory, where a filter cannot see them. Told that there is no such call, the
     * C library takes clone. */
    put(program, BPF_JMP | BPF_JEQ | BPF_K, __NR_clone3, 0, 1);
    put_return(program, SECCOMP_RET_ERRNO | ENOSYS);
    put_return(program, SECCOMP_RET_TRAP);
}

/* ---- the end of a process that asked for more ---- */

/* On the thread that asked, in place of the call. The log neither locks nor allocates.
 * SA_RESETHAND: the second SIGSYS finds no handler and ends the process. If the signal is blocked,
 * the kernel ends it at once. */
static void on_forbidden(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    log_error("forbidden_system_call", log_number("number", info->si_syscall));
    (void)raise(signal_number);
}

bool sandbox_is_possible(void)
{
    return OUR_ARCHITECTURE != 0 && !IS_SANITIZED;
}

void sandbox_renounce_privileges(void)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* cannot fail on kernels that know it (3.5) */
}

enum err sandbox_close(void)
{
    struct sigaction forbidden = {.sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO | (int)SA_RESETHAND};
    struct program program = {.len = 0};
    struct sock_fprog kernels;

    write_program(&program);
    kernels = (struct sock_fprog){.len = program.len, .filter = program.lines};
    sandbox_renounce_privileges(); /* without which only root may close the list */
    if (sigaction(SIGSYS, &forbidden, NULL) < 0) return ERR_CONFIG;
    /* TSYNC: also the threads that run already. A positive result is the id of one that could not. */
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &kernels) == 0
               ? ERR_OK
               : ERR_CONFIG;
}
