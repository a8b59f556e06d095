#include "cli/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/footprint.h"
#include "cli/log_out.h"
#include "cli/sandbox.h"
#include "server/loop.h"
#include "token/crypto_memory.h"

static int64_t log_clock(void *state)
{
    const struct host *host = state;

    return host->wall_ms(host->state);
}

static enum log_level level_of(const char *name)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    int i;

    for (i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) return (enum log_level)i;
    return LOG_INFO;
}

static void stop_signals(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGHUP);
}

void run_prepare(const struct config *config)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t signals;

    stop_signals(&signals);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* cannot fail with these arguments */
    (void)sigaction(SIGPIPE, &ignore, NULL);
    sandbox_renounce_privileges();
    log_open(log_out, log_clock, (void *)(uintptr_t)host_machine(), level_of(config->log_level));
    if (crypto_memory_guard()) log_error("keys_not_guarded", log_text("because", "the library is in use"));
}

int run_open_data(struct running *running)
{
    const struct host *host = host_machine();
    struct data data;
    struct uuid id;
    int code = data_open(&data, running->config.data, DATA_TO_SERVE);

    if (code) return code;
    running->folder = data.folder;
    running->node.store = data.store;
    running->node.ring = data.keys.ring;
    running->node.master = data.keys.master;
    running->node.master_is_given = data.keys.master_is_given;
    uuid_draw(&id, &host->dice);
    uuid_write(running->node_id, &id);
    running->node.id = bytes_of(running->node_id, UUID_TEXT_LEN);
    running->node.config = &running->config;
    running->node.folder = running->folder.path;
    running->node.host = host;
    return EXIT_OK;
}

enum err run_settle(const struct running *running, const char **why)
{
    *why = "the kernel refuses the system call filter: set sandbox = off if that is meant to be";
    footprint_shrink();
    if (strcmp(running->config.sandbox, "off") == 0) return ERR_OK;
    if (sandbox_is_possible()) return sandbox_close();
    log_warn("sandbox_not_possible", log_text("because", "of a build with sanitizers, or of the processor"));
    return ERR_OK;
}

/* The option whose port it was, for the remedy. */
static const char *option_of_port(const struct running *running, int port)
{
    if (port == (int)running->config.admin_port) return "--admin-port";
    return port == (int)running->config.tls_port && running->node.tls ? "--tls-port" : "--port";
}

int run_give_up(struct running *running, enum err error, const char *why)
{
    int port = running->node.refused_port;

    node_stop(&running->node);
    loop_end_all();
    folder_close(&running->folder);
    if (error == ERR_IO && port)
        (void)cli_fail(EXIT_LISTEN, "cannot listen on port %d: %s; choose another with %s", port, why,
                       option_of_port(running, port));
    else if (error == ERR_CONFIG)
        (void)cli_fail(EXIT_CONFIG, "%s", why);
    else
        (void)cli_fail(EXIT_FAILED, "%s (%s)", why, err_name(error));
    tls_free(running->node.tls);
    running->node.tls = NULL;
    if (error == ERR_IO && port) return EXIT_LISTEN;
    if (error == ERR_CONFIG) return EXIT_CONFIG;
    return error == ERR_CORRUPT ? EXIT_DATA : EXIT_FAILED;
}

int run_until_signal(struct running *running)
{
    sigset_t signals;
    int number = 0;

    stop_signals(&signals);
    while (number != SIGTERM && number != SIGINT)
        if (sigwait(&signals, &number)) break; /* fails only for an invalid set */
    log_info("stopping", log_number("signal", number));
    node_stop(&running->node);
    loop_end_all();
    tls_free(running->node.tls);
    folder_close(&running->folder);
    log_info("stopped", log_number("pid", getpid()));
    return EXIT_OK;
}
