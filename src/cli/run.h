/* run.h — what dev and serve share: open the data, build the node, wait for a signal, stop. */
#ifndef COATCHECK_CLI_RUN_H
#define COATCHECK_CLI_RUN_H

#include "cli/folder.h"
#include "server/node.h"

struct running {
    struct config config;
    struct folder folder;
    struct node node;
    char node_id[37];
};

/* Logging to stderr, SIGPIPE ignored, stop signals blocked for every thread: first of all. */
void run_prepare(const struct config *config);
/* Folder, lock, store, master key, key ring. Returns an exit code and has said why. */
int run_open_data(struct running *running);
/* Once the node has started: gives back memory, and system calls unless the configuration keeps them. */
MUST_USE enum err run_settle(const struct running *running, const char **why);
/* For a failed node_listen or node_start: says why and releases everything. */
int run_give_up(struct running *running, enum err error, const char *why);
/* Until SIGTERM or SIGINT; then stops cleanly. Returns the exit code. */
int run_until_signal(struct running *running);

#endif
