/* phone_inside.h — what the files of calls share: phone.c (legs, in their sessions), phone_call.c (calls, at
 * home), phone_ring.c (ringing, in every lane). Not for other files. */
#ifndef COATCHECK_SERVER_PHONE_INSIDE_H
#define COATCHECK_SERVER_PHONE_INSIDE_H

#include <stddef.h>

#include "dialect/dialect.h"
#include "server/node.h"
#include "server/phone.h"
#include "server/session.h"

/* ---- a leg: the session's lane ---- */

struct leg {
    struct leg *next;
    struct lane *home;
    struct end *end; /* of its call: home's to look into, but for which call that is */
    uint64_t key;    /* names it in letters; never used twice */
    bool is_caller, is_talking;
    struct uuid address, resource; /* of a caller's: what was dialled; zero: not known yet */
    struct call_letter *closing;   /* says that it is gone */
    size_t name_len;
    char name[PHONE_LEG_MAX]; /* as its client calls it */
};

struct leg_letter { /* from home; heap, freed by who opens it */
    struct session_letter base;
    uint64_t key;
    enum phone_news_kind kind; /* ANSWERED, ENDED */
    enum call_cause cause;
    size_t sdp_len;
    uint8_t sdp[];
};

/* The answer to a dial. */
struct reply_letter {
    struct session_letter base;
    uint64_t key;
    struct refused refused; /* or error: the call will not be, and its leg goes */
    enum err error;
    struct finding finding;
    struct uuid address, resource; /* what was dialled */
    size_t id_len, inner_len, leg_len;
    bool has_inner;
    char id[RPC_ID_MAX], inner[RPC_ID_MAX], leg[PHONE_LEG_MAX];
};

/* A leg with all that it takes to end it, not in a session yet, and its call's end of it. NULL: no memory. */
struct leg *leg_new(struct call *call, struct lane *home, const struct session *session);
void leg_free(struct leg *leg); /* with its end, when no call knows it */
void leg_enter(struct leg *leg, struct session *session, struct bytes name);
void leg_opens(struct session_letter *base, struct session *session);
void reply_opens(struct session_letter *base, struct session *session);

/* ---- a call: its home lane ---- */

struct end { /* of a call: its view of a leg */
    struct end *next;
    struct call *call;
    struct session_place at;
    uint64_t key;
    bool is_gone, is_told;       /* told, or has said itself, that it is over */
    struct leg_letter *farewell; /* until it was said */
};
void end_free(struct end *end);

struct call_letter { /* from a leg; heap, freed by who opens it */
    struct mail mail;
    struct end *end;
    bool is_answer; /* else: it is gone */
    bool is_lost;   /* not hung up: its session ended */
    enum call_cause cause;
    size_t sdp_len;
    uint8_t sdp[];
};
void call_opens(struct mail *mail);

struct call {
    struct lane *home;
    struct call *next, *prev;
    enum call_state state;
    struct deadline deadline;
    struct end *caller, *callees;
    struct end *talking; /* one of the callees */
    struct dial *dial;   /* until everybody rings who shall */
    bool is_busy;        /* somebody could have been rung, but for too many calls at once */
    uint16_t slot;       /* where it is counted */
};

/* To a lane and home again, after each slice of the lane's work, with the legs that it made: home hears of
 * them before it hears from them, and sends the letter back until the lane is done. */
struct ring_letter {
    struct mail mail;
    struct dial *dial;
    struct lane *lane;
    struct index_walk walk; /* there */
    struct end *rung;       /* on this lane, since it was at home */
    unsigned room;          /* of this turn */
    bool is_busy;
    bool is_enough; /* home's word: nobody else shall ring */
    bool is_done; /* the lane's: it has been through, or left off, and knows nothing of the letter any more */
};

struct dial { /* what a call needs before it rings: heap */
    struct call *call;
    struct run run;
    struct arena arena;
    struct buf offer; /* as those who are called shall have it */
    struct reply_letter *reply;
    char caller[SESSION_NAME_LEN]; /* does not ring */
    _Atomic int room;              /* legs that may still ring */
    unsigned letters_out;          /* whose lanes are not done */
    unsigned walks;                /* through all lanes */
    uint64_t journeys;             /* the node's, when the present one began */
    struct ring_letter letters[];  /* one a lane */
};
void dial_free(struct dial *dial);
void ring_begin(struct dial *dial); /* run has been granted */

/* A letter is home: takes over letter->rung. True: more may ring. */
bool call_rang(struct call *call, struct ring_letter *letter);
void call_all_rang(struct call *call); /* all lanes are done: frees its dial */

/* phone_call.c: a new call, its caller's leg made but not in the session yet. ERR_LIMIT: too
 * many of them. */
MUST_USE enum err call_begin(struct leg **leg, const struct session *session, const struct phone_ask *ask);
void call_go(struct call *call); /* looks up whom it is for; after its leg has entered the session */

#endif
