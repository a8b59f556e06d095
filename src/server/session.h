/* session.h — somebody who is connected: an identity with a deadline, reached through a socket that
 * may come and go.
 *
 * Attached, a session has a socket and what is sent goes out there; detached, it waits session_lapse_s for
 * its client and keeps what is sent meanwhile. It never outlives its grant by more than that wait, and while
 * its grant has ended it has no rights: it can be resumed by a fresh token, nothing else. A cutoff ends it,
 * attached or not.
 *
 * One lane owns it: the one whose socket carries it, or carried it last. A resume on another lane takes
 * the session along, index, timers, calls and all (session_fetch); letters that still come to the old
 * place are sent on. What another lane wants of a session it says by letter; a struct session is never
 * touched from elsewhere. */
#ifndef COATCHECK_SERVER_SESSION_H
#define COATCHECK_SERVER_SESSION_H

#include "base/buf.h"
#include "dialect/dialect.h"
#include "engine/resume.h"
#include "server/lane.h"
#include "server/session_seats.h"

#define SESSION_KEPT_MAX 65536 /* bytes queued for a detached session; more of them end it */
#define SESSION_LEGS_MAX 8     /* calls at once */

struct leg; /* its part of a call: server/phone.h */
struct trace;

struct session {
    struct lane *lane;
    struct socket *socket;  /* NULL: detached */
    struct name_link named; /* in its lane's table */
    struct trace *traces;   /* where it was before */
    struct trace *formers;  /* names of those whose place it took */
    char name[SESSION_NAME_LEN];
    char first_jti[UUID_TEXT_LEN]; /* of the token it began with: part of what its client calls it */
    char jti[UUID_TEXT_LEN], jkt[JKT_LEN], parent_key[KEY_PUBLIC_ID_MAX];
    struct holder holder;       /* its strings are the three above */
    struct session_links links; /* in the lane's index from its first grant to its end */
    struct deadline deadline;   /* the grant's end while attached; the wait's end while detached */
    int64_t age_ms;             /* of its project, as the deadline knows it */
    int64_t over_tick_ms;       /* when its grant ends, on the monotonic clock */
    int64_t detached_ms;        /* monotonic; 0: attached */
    uint32_t sequence;          /* of the newest resume state given out */
    bool is_registered;         /* wants to be called; kept over a resume */
    bool is_undisturbed;        /* registered, but not to be rung now */
    bool is_away;           /* its socket was closed by its client on purpose: not rung until it is back */
    bool is_expired;        /* its grant has ended: nothing is sent, nothing may be asked */
    bool is_heard;          /* something has come from its client since its welcome */
    bool is_lost;           /* its client missed a message: it ends in the next turn */
    bool is_warned;         /* of its grant's end; or that was near already when it was told of */
    bool is_presence_noted; /* its user's presence will be counted: server/presence.h */
    enum presence presence_told; /* what it knows of that */
    bool is_presence_sent;       /* by its present socket, which it may be lost with */
    bool is_presence_unsure;     /* it was, perhaps: it is told once more */
    struct session_seats seats;  /* where sessions at once are bounded */
    struct buf kept;             /* whole messages, each behind its length, while detached */
    struct leg *legs;
    unsigned leg_count;
};

/* One whole message of the dialect: to the socket, or kept for the client's return. A client that must not
 * miss it and cannot be told (no memory, too much kept) loses its session instead, in a later turn. */
void session_send(struct session *session, const struct buf *text);
struct dialect_session session_words(const struct session *session); /* what the dialect says it with */

/* A message that it may miss goes only where it does not crowd out what it must hear: what waits for a client
 * that is slow, or away, has an end, and whoever passes it ends the session. No stranger shall. */
bool session_has_room(const struct session *session, const struct buf *text);

void session_set_registered(struct session *session, bool is_registered, bool is_undisturbed);
/* Whether a call for its user may ring here. */
bool session_is_reachable(const struct session *session);
/* The sessions of this user on this lane, *room of them at most (of a turn's: lane->looks_per_turn):
 * visit(arg, session) for each; visit must not end one, and may lower *room, too. True: done. Else again in a
 * later turn, or session_index_walk_end. */
bool sessions_some_of_user(struct lane *lane, struct index_walk *walk, const struct uuid *project,
                           const struct uuid *user, void (*visit)(void *arg, struct session *session),
                           void *arg, unsigned *room);

/* ---- letters to a session, wherever it is by now ---- */
struct session_place { /* how another lane remembers a session */
    unsigned lane;
    char name[SESSION_NAME_LEN];
};
struct session_place session_place(const struct session *session);
/* False: that one's place was taken by this one. */
bool session_is_named(const struct session *session, const struct session_place *place);

struct session_letter { /* embed it in what it carries, and keep it until it was opened */
    struct mail mail;   /* the post's */
    struct session_place to;
    struct lane *at;
    /* On the session's lane. session NULL: it is gone; then it is opened on the lane that knew it last. */
    void (*open)(struct session_letter *letter, struct session *session);
};
void session_post(struct lane *from, struct session_letter *letter); /* any lane, its own too; cannot fail */

/* ---- life: for the socket that carries it, and for those who end many ---- */

/* Until this holder's token ends, by the lane's facts; <= 0: it has. */
int64_t session_left_ms(const struct lane *lane, const struct holder *holder);
/* Its grant has ended, though its deadline may not have come yet. */
bool session_is_over(const struct session *session);

/* A session that has not begun yet: nobody can find it. */
MUST_USE enum err session_new(struct session **out, struct lane *lane, const struct holder *holder,
                              struct bytes name);
void session_discard(struct session *session); /* it shall not begin */
void session_begin(struct session *session, struct socket *socket);
/* From now on by this grant of the same user's: deadline and index follow. */
void session_renew(struct session *session, const struct holder *holder);
enum session_leave {
    SESSION_LEFT_LOST,   /* the connection broke, or its peer fell silent */
    SESSION_LEFT_AWAY,   /* its client said goodbye */
    SESSION_LEFT_EXPIRED /* the grant has ended */
};
void session_detach(struct session *session, enum session_leave why);
/* What a client comes back to; the session's messages meanwhile go out behind the welcome. */
void session_attach(struct session *session, struct socket *socket);
void session_send_kept(struct session *session);
/* Before this one begins; then nothing can fail any more. */
MUST_USE enum err session_prepare_upgrade(struct session *session, const struct session *old);
/* It has begun: takes the place of the old one, which is detached and on the same lane, and ends. Its client
 * and the others of its user are told. Without memory to tell it (is_told false) nothing is taken: the old
 * one waits on for its client, which knows of no other. */
void session_follow(struct session *session, struct session *old, bool is_told);
void session_give_state(struct session *session); /* to its socket, another one each time */
void session_end(struct session *session);        /* frees it; its socket goes on without */

/* ---- another socket asks for it ---- */
struct session_fetch {
    struct session_letter letter; /* first */
    struct lane *home;
    struct bytes proved;              /* yours, as the first step saw it (engine/resume.h) */
    const struct resume_state *state; /* the same; both are kept until done */
    const struct holder *holder;      /* the newcomer, by its token; kept too */
    /* Whether its token still grants, asked before a present socket has to go. Any lane: what the two
     * lanes share of the asking does not change meanwhile. */
    bool (*stands)(const struct session_fetch *fetch, const struct lane *lane, const struct session *session);
    bool is_upgrade;                           /* for a new session that takes its place */
    void (*done)(struct session_fetch *fetch); /* at home */
    /* the answer */
    struct session *session; /* NULL: refused, or it failed; else it is detached and lives at home now */
    enum err error;
    enum resume_found found;
    bool is_again;   /* of an upgrade: it has been, and the session is the new one, whose welcome was lost */
    bool has_lapsed; /* it does not stand any more: nothing was taken */
    /* its own */
    struct session_fetch *next, **at; /* of those that wait on a lane */
    struct deadline deadline;
    struct lane *asked_on; /* NULL: nobody was asked yet */
    int64_t asked_ms;
    uint64_t probe;            /* of that socket */
    struct resume_state again; /* in the place of `state`, for the new one */
};
/* Finds the session wherever it is, asks its present socket whether it lives, and brings it home
 * unless it does. */
void session_fetch(struct lane *home, struct session_fetch *fetch);

/* ends those that wait for their clients, and lets go who waits for one */
void sessions_stop(struct lane *lane);

#define SESSIONS_PER_TURN 500 /* looked through or ended at once, before others get their turn */
/* Ends the sessions that the cutoff voids, at most *room of them, and lowers it; returns how many. */
size_t sessions_cut(struct lane *lane, const struct cutoff *cutoff, unsigned *room);

/* After clocks of projects were moved: the deadlines of their sessions follow, some each turn. Those that
 * come meanwhile know the newer facts; whoever is met twice is right already. */
struct session_walk { /* zeroed: to begin */
    size_t bucket, bucket_count;
};
bool sessions_age_some(struct lane *lane, struct session_walk *walk); /* true: done */

void sessions_free(struct lane *lane); /* whatever is left of them when the lane's loop is gone */

#endif
