/* sessions.h — what a world knows of live sessions: their names, the states their clients were given, who
 * carries them, and what is sent to them by letter.
 *
 * A session is one from its first welcome to its end: on one link at a time, resumed by the last two states
 * alone, by its own user and key, within its wait; and what came meanwhile comes then, once and in order
 * (design §5). */
#ifndef COATCHECK_TESTS_SIM_SESSIONS_H
#define COATCHECK_TESTS_SIM_SESSIONS_H

#include "sim/tap.h"

#define SIM_SESSIONS_MAX 96
#define SIM_STATES       4 /* remembered of each */

struct sim_session {
    char protocol[96];
    unsigned life; /* of the node */
    unsigned project, user, trouble;
    int browser;               /* it is bound to; -1: none */
    const struct token *token; /* of its grant */
    int64_t ends_s;
    bool is_registered, is_lost;
    bool may_be_followed;         /* somebody has asked for that */
    bool is_followed;             /* another has its place: */
    struct sim_session *follower; /* NULL: one that is not kept here */
    struct sim_session *former;   /* whose place it took; NULL: nobody's */
    bool is_heard, may_be_heard;  /* of its client, since its welcome: for sure, perhaps */
    struct link *link;            /* its last; see sessions_carried */
    int64_t free_us;              /* since when none carries it; -1: one does */
    unsigned moves;               /* so often a link took it on */
    struct sim_state states[SIM_STATES];
    unsigned state_count;
    unsigned unseen; /* further ones, lost with their sockets before anybody saw them */
    bool is_owed;    /* one, for a welcome or a renewal */
    /* letters */
    unsigned lane;          /* where it was first */
    unsigned said, heard;   /* serials */
    unsigned kept, kept_to; /* the first and last that wait for its client; 0: none */
};

void sessions_reset(void);
void sessions_begin(void); /* letters are written from time to time */
void sessions_end(void);   /* the seed is over */

struct sim_session *sessions_pick(void);     /* of this life, with a state; NULL: none */
struct sim_session *sessions_of_guest(void); /* the newest of this life; NULL: none */
unsigned sessions_followed(void);            /* so many have lost their place to another */
struct sim_session *sessions_known(const struct sim_session *session); /* the same, to be changed */
const struct sim_state *sessions_pick_state(const struct sim_session *session);
bool sessions_carried(const struct sim_session *session);
/* Whether this state could still be good, if nothing has gone wrong. */
bool sessions_is_recent(const struct sim_session *session, const struct sim_state *state);
bool sessions_may_be_old(const struct sim_session *session, const struct sim_state *state);
void sessions_renewed(struct sim_session *session);
/* Whom a connect would have: of an upgrade that was asked for before, the session that began by it. */
struct sim_session *sessions_wanted(const struct call *call);
/* It may have ended by now: its wait is over, something voids it, or it could not be kept. */
bool sessions_may_be_over(const struct sim_session *session);
void sessions_rotated(void); /* another key seals from now on; loops hear of it one by one */
bool sessions_may_not_open(void);

/* The server's words. */
struct sim_session *sessions_new(struct link *link, struct bytes protocol,
                                 const struct token *token); /* or NULL */
/* One that takes the place of another, which ends. */
void sessions_follow(struct link *link, struct bytes protocol, const struct token *token,
                     struct sim_session *old);
void sessions_upgraded(const struct link *link, struct bytes from, struct bytes to); /* is told */
void sessions_taken(struct sim_session *session, struct link *link);
void sessions_given_state(struct link *link, struct bytes text);
void sessions_heard(struct link *link, unsigned serial);
void sessions_check(void); /* after each step */

#endif
