/* listener.h — accepts connections on one loop. Each loop has its own socket on the same port
 * (SO_REUSEPORT), so the kernel spreads the load and no loop waits for another. A local socket (unix(7))
 * belongs to one loop. */
#ifndef COATCHECK_SERVER_LISTENER_H
#define COATCHECK_SERVER_LISTENER_H

#include "server/stream.h"
#include "server/tls.h"

struct listener;
typedef void listener_accept_fn(void *state, struct stream *stream); /* attach an owner, or stream_close it */

struct listener_options {
    const char *host;     /* "127.0.0.1", "::", ... */
    int port;             /* 0: any free one; listener_port tells */
    struct tls *tls;      /* NULL: plain; borrowed */
    unsigned streams_max; /* at most so many at once on this loop; further ones wait in the kernel's queue */
    listener_accept_fn *accept;
    void *state;
    bool must_be_free;  /* the first on its port: refused if anybody listens there already */
    const char *folder; /* instead of host and port: a local socket in this folder, named ... */
    const char *name;   /* ... so, for its owner only; one that is there already is replaced */
};

/* Before loop_start, or on the loop's own thread. *why (static string) says what the system refused. Running
 * out of descriptors pauses accepting for 100 ms instead of spinning. */
MUST_USE enum err listener_open(struct listener **out, struct loop *loop,
                                const struct listener_options *options, const char **why);
int listener_port(const struct listener *listener);
/* on the loop: accepts no more; frees itself. loop_stop does it for all */
void listener_close(struct listener *listener);

#endif
