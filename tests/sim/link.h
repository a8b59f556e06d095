/* link.h — one TCP connection of the world: bytes on their way in both directions, and what either end did.
 *
 * Bytes arrive late and in pieces, in order. What the server writes goes through the tap first (tap.h), so
 * laws see an answer in the step it was given, whether it ever arrives or not. The server's end is a struct
 * stream (stream.c), the client's end is the functions below. A link is kept until its seed ends. */
#ifndef COATCHECK_TESTS_SIM_LINK_H
#define COATCHECK_TESTS_SIM_LINK_H

#include "server/listener.h"
#include "sim/tap.h"
#include "sim/world.h"

struct client;

enum stream_phase { STREAM_LIVE, STREAM_LEAVING, STREAM_LINGERING, STREAM_CLOSED };

struct stream { /* the server's end */
    struct link *link;
    struct loop *loop;
    struct listener *listener;
    struct stream *next; /* of its loop */
    const struct stream_user *user;
    void *owner;
    enum stream_phase phase;
    bool may_read, has_ended, has_kept;
    struct buf unsent;
    struct item gone;
    struct deadline patience;
    size_t kept, taken_before;
    int rounds_left;
};

struct link {
    struct link *next;
    struct client *client; /* NULL once it has let go */
    struct stream *stream; /* NULL before it is accepted and after it has gone */
    struct item arrival, up_pump, down_pump;
    struct tap tap;
    struct buf up, down;         /* on their way */
    size_t up_taken, down_taken; /* bytes that have arrived, in all */
    size_t up_sent;
    size_t room; /* bytes of down the kernels hold */
    unsigned number;
    char peer[46];
    bool up_ended, is_reset; /* by the client */
    bool down_ended;         /* by the server, or by its death */
    bool was_given_up;       /* by the server: its client took nothing for too long */
    bool is_deaf;            /* the client does not read */
    bool is_refused;         /* nobody listened */
};
extern struct link *links;

/* The client's end. */
struct link *link_open(struct client *client, const char *peer);
void link_send(struct link *link, struct bytes b);
void link_end(struct link *link);
void link_reset(struct link *link);
void link_listen(struct link *link, bool listens);

void links_end(void); /* the seed is over */

/* The server's end. */
void link_stir(struct link *link);         /* something may move again */
void link_lost_server(struct link *link);  /* the node's process is gone */
void streams_close_all(struct loop *loop); /* the loop winds down */
void streams_vanish(struct loop *loop);    /* the loop has crashed */

#endif
