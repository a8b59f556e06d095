/* client.h — who talks to the node: backends that mint, browsers that read, callers on sockets,
 * embedders that launch and redeem. Each thinks,
 * acts, waits, and thinks again; all of it under the seed. What goes wrong at their end (resets, silence,
 * half requests) is part of how they act. */
#ifndef COATCHECK_TESTS_SIM_CLIENT_H
#define COATCHECK_TESTS_SIM_CLIENT_H

#include "sim/tap.h"
#include "sim/world.h"

enum client_kind { CLIENT_BACKEND, CLIENT_BROWSER, CLIENT_CALLER, CLIENT_EMBEDDER, CLIENT_KINDS };

#define LEG_NAME_MAX 40

struct client {
    struct item think;
    enum client_kind kind;
    unsigned number, acts_left;
    struct link *link; /* NULL: not connected */
    struct buf rest;   /* of a request that was sent in part */
    /* a caller's */
    bool is_upgraded, answers_pings;
    unsigned calls;
    const struct sim_session *had;                  /* the last that it was given */
    char rang[LEG_NAME_MAX], dialled[LEG_NAME_MAX]; /* the newest of each; empty: none */
};

/* From a caller: one request of a session. */
void caller_send_call(struct client *client, enum call_kind kind, const char *method, struct bytes params);

void clients_begin(void);
void clients_end(void);
bool clients_are_done(void); /* nobody has anything left to do */
void clients_hurry(void);    /* the world has gone on for long enough */

/* From the link: bytes have arrived; the server's end is gone and all it sent has been taken. */
void client_took(struct link *link);
void client_lost(struct link *link);

/* What each kind does; one act. */
void http_act(struct client *client);
void caller_act(struct client *client);
void caller_heard(struct client *client, const struct said *said);
/* For callers: the request that opens a WebSocket. */
void http_send_upgrade(struct client *client);

#endif
