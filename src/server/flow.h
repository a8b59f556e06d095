/* flow.h — what passes through a server of `coatcheck dev`, for the picture on its start page:
 * secret, ticket, token, session. In `serve` there is none of it: a lane's `flow` is NULL, and that
 * is all a request pays.
 *
 * Each lane notes what it answered into a ring of its own, which any thread may read (board.h): no lock,
 * no letter. A happening holds no credential: the route's pattern, a status, the public slug and id of a
 * refusal, and whose it was. Of another project than the test project nothing is noted. What is
 * forgotten still counts. */
#ifndef COATCHECK_SERVER_FLOW_H
#define COATCHECK_SERVER_FLOW_H

#include "base/uuid.h"
#include "engine/ask.h"
#include "server/board.h"
#include "wire/json_write.h"

#define FLOW_KEPT      32 /* happenings a lane remembers; so many are told */
#define FLOW_WHO_MAX   64 /* bytes of a user's reference; the rest is cut */
#define FLOW_ROUTE_MAX 72
#define FLOW_ID_LEN    16 /* of a refusal: RECORD_ID_LEN */

enum flow_station { FLOW_SECRET, FLOW_TICKET, FLOW_TOKEN, FLOW_SESSION, FLOW_STATIONS };
#define FLOW_BIT(station) (1u << (station))

struct happening {
    uint64_t number;    /* the node's, from 1 on */
    int64_t at_ms;      /* since 1970 */
    const char *what;   /* a literal: what was asked, or what happened to a session */
    const char *format; /* the dialect's name */
    const char *slug;   /* a literal; NULL: granted */
    int32_t status;     /* HTTP; 0: on a socket */
    uint32_t stations;  /* that it passed; of a refusal the one where it was refused */
    struct uuid user;   /* zero: none is known */
    char who[FLOW_WHO_MAX + 1], route[FLOW_ROUTE_MAX + 1];
    char error_id[FLOW_ID_LEN + 1]; /* of a refusal */
};

struct flow_slot {
    _Atomic uint64_t mark, words[BOARD_WORDS(struct happening)];
};

struct flow { /* a lane's */
    _Atomic uint64_t passed[FLOW_STATIONS], refused[FLOW_STATIONS];
    _Atomic uint64_t *numbers;                  /* the node's latest */
    uint64_t noted;                             /* the lane's own count */
    struct flow_slot slots[FLOW_KEPT], refusal; /* the last one, however much has happened since */
};

/* On the lane's thread; gives the happening its number. counts: it passed its stations, or was refused there;
 * the end of a session is told of, and passes nothing. */
void flow_note(struct flow *flow, struct happening *happening, bool counts);
/* What an ask of this kind is called, and which stations it passes besides the secret. */
const char *flow_what(enum ask_kind kind);
uint32_t flow_stations(enum ask_kind kind);
/* The one station at which a refused ask ended: the secret if that was refused, else where
 * it was bound to. */
uint32_t flow_refused_at(enum ask_kind kind, bool takes_key, int status);
/* Texts of a happening, cut at a whole character. */
void flow_put(char *out, size_t room, struct bytes text);

/* From any thread: the members "stations", "happenings" and "last_refusal" of all these lanes: the latest
 * FLOW_KEPT of them, oldest first, and the latest that was refused, or null. */
void flow_write(struct json_writer *w, const struct flow *const *flows, unsigned count);

#endif
