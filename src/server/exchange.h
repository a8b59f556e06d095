/* exchange.h — one request and its reply on their way: what conn, pipeline and builtin share. Not for other
 * folders. Pooled per lane; the arena, the JSON document and the run live until the reply is written. */
#ifndef COATCHECK_SERVER_EXCHANGE_H
#define COATCHECK_SERVER_EXCHANGE_H

#include "dialect/dialect.h"
#include "server/lane.h"
#include "server/node.h"
#include "wire/http_request.h"
#include "wire/url.h"

enum exchange_state { EXCHANGE_READING, EXCHANGE_WAITING, EXCHANGE_ANSWERED, EXCHANGE_UPGRADED };

/* Whose time is running while bytes are missing. */
enum exchange_clock { CLOCK_NONE, CLOCK_HEAD, CLOCK_BODY };

struct conn {
    struct lane *lane;
    struct stream *stream;     /* NULL once it is gone */
    struct exchange *exchange; /* NULL while idle */
    struct deadline deadline;
    struct conn *next, *prev; /* lane->conns */
    bool is_admin, is_closing;
    bool has_ended; /* the peer sends nothing more; what it sent before is still answered */
};

struct exchange {
    struct exchange *next; /* in the lane's spare list */
    struct conn *conn;
    struct http_request request;
    uint8_t *bytes;  /* the request's bytes: the loop's read buffer, or `kept` */
    struct buf kept; /* bytes that had to wait */
    struct arena arena;
    struct json body;
    struct run run;
    enum exchange_state state;
    enum exchange_clock clock;

    /* from the head on; spans of the request, valid until the service waits */
    struct url_target target;
    const uint8_t *target_bytes;     /* `bytes` when target was read: they may move while a body comes */
    const struct dialect *dialect;   /* whose path it is; NULL: nobody's */
    const struct dialect_route *row; /* NULL: no such route */
    struct route_params params;
    enum route_match match;
    struct bytes origin; /* in the arena; absent: no Origin */
    bool may_read_reply; /* the Origin may see the answer: Access-Control-Allow-Origin */
    bool closes;         /* Connection: close after this reply */
};

/* pipeline.c: the way of a request */
void pipeline_head(struct exchange *x); /* after HTTP_HEAD: finds the row, sets body_max */
void pipeline_run(struct exchange *x);  /* after HTTP_DONE: answers now, or state is EXCHANGE_WAITING */
void pipeline_refuse_bytes(struct exchange *x); /* after HTTP_REFUSED */
void pipeline_refuse_slow(struct exchange *x);  /* a clock ran out: 408 */
/* A refusal in ready words: draws its id, remembers the finding, adds the two fields every refusal
 * has to `headers`. */
void pipeline_refuse_plainly(struct exchange *x, const struct finding *finding, int status, struct bytes body,
                             struct bytes headers);
/* Writes one reply and ends the exchange. headers: more field lines, ready made; absent: none. */
void pipeline_reply(struct exchange *x, int status, struct bytes type, struct bytes body,
                    struct bytes headers);

/* conn.c: an answer came after a wait */
void conn_answered(struct exchange *x);

/* builtin.c: what is no vendor's. False: not a path of ours. */
bool builtin_answer(struct exchange *x);
bool builtin_answer_admin(struct exchange *x);

#endif
