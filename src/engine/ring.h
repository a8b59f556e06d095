/* ring.h — the life of the keys that sign and seal: which step is safe now, from when, and which is due.
 *
 * A key is *published* until everybody who verifies knows it, *signing* until another takes over, *retired*
 * until the last credential under it has expired, and then gone. A step before its time is refused with the
 * moment from which it is safe; in an emergency it is done nevertheless, and the plan says what it breaks.
 * The key of stored secrets (RING_HASH) takes no step at all: nobody could make the API keys anew but their
 * owners. Pure: stored keys and now in, steps out. */
#ifndef COATCHECK_ENGINE_RING_H
#define COATCHECK_ENGINE_RING_H

#include "engine/decision.h"
#include "engine/limits.h"

/* Verifiers keep the key set for JWKS_AGE_S; a minute for those who fetch slowly. What is sealed is opened by
 * ourselves alone: the minute is for the loops. */
#define RING_SIGN_WAIT_MS (INT64_C(1000) * (JWKS_AGE_S + 60))
#define RING_SEAL_WAIT_MS INT64_C(60000)
/* After its last signature or seal a key stays for the longest life of what is under it, and a minute for
 * asks that were under way. A refresh token outlives an access token, and no ticket lives longer. */
#define RING_SIGN_KEPT_MS (INT64_C(1000) * (INVITE_LIFE_MAX_S + 60))
#define RING_SEAL_KEPT_MS (INT64_C(1000) * (INVITE_LIFE_MAX_S + REFRESH_OUTLIVES_S + 60))
#define RING_USE_MAX      16 /* keys of one use: more than a daily rotation keeps */

struct ring_view { /* borrowed */
    const struct ring_key *keys;
    size_t count;
};

enum ring_want {
    RING_WANT_ROTATE = 1, /* of a use: its next step, be that a new key or the turn of the published one */
    RING_WANT_RETIRE,     /* by id: it signs no more, and the published one does */
    RING_WANT_REMOVE      /* by id */
};
struct ring_order {
    enum ring_want want;
    enum ring_use use; /* RING_WANT_ROTATE */
    struct bytes id;   /* the others */
    bool is_emergency;
};

enum ring_no {
    RING_MAY,
    RING_NO_SUCH_KEY,
    RING_IS_HASH,
    RING_IS_FULL,
    RING_TOO_YOUNG,    /* the key whose turn it would be */
    RING_NO_OTHER,     /* none is published that could take over */
    RING_NEVER_SIGNED, /* so there is nothing to retire */
    RING_IS_RETIRED,   /* already */
    RING_STILL_SIGNS,  /* so it cannot go */
    RING_STILL_NEEDED  /* credentials under it live */
};
const char *ring_no_text(enum ring_no no); /* one clause for whoever asked */

enum ring_harm_of {
    RING_HARM_NEW = 1, /* what is signed or sealed by the next key is refused where that is not known yet */
    RING_HARM_OLD      /* what is under the key that goes is refused */
};
struct ring_harm {
    enum ring_harm_of of;
    enum ring_use use;
    int64_t for_s; /* at most */
};
#define RING_HARM_TEXT_MAX 256
void ring_harm_write(char out[RING_HARM_TEXT_MAX], const struct ring_harm *harm); /* one sentence */

enum ring_act {
    RING_PUBLISH = 1, /* a new key */
    RING_TURN,        /* the published one signs, the signing one is retired: both at once */
    RING_DROP         /* this one is gone */
};
struct ring_step {
    enum ring_act act;
    enum ring_use use;
    struct bytes id; /* RING_DROP; borrowed */
};

#define RING_STEPS_MAX 3
struct ring_plan {
    enum ring_no no;
    int64_t from_ms; /* refused: from when it would be safe; 0: never, or not without another step first */
    bool may_force;  /* refused: an emergency would do it */
    struct ring_harm harms[2];
    size_t harm_count;
    struct ring_step steps[RING_STEPS_MAX]; /* one durable commit each, known everywhere before the next */
    size_t step_count;
};
struct ring_plan ring_plan(struct ring_view ring, const struct ring_order *order, int64_t now_ms);

struct ring_timetable {
    int64_t sign_days, seal_days; /* 0: only when asked */
    struct bytes sign_algorithm;  /* JOSE name: another one brings a new key at once */
};
struct ring_due {
    struct ring_step step;
    int64_t at_ms; /* INT64_MAX: nothing will ever be due */
};
/* What has to be done next, past or future. */
struct ring_due ring_due(struct ring_view ring, const struct ring_timetable *timetable, int64_t now_ms);

enum ring_next { RING_NEXT_NONE, RING_NEXT_SIGNS, RING_NEXT_RETIRED, RING_NEXT_GONE };
/* What becomes of this key by the timetable alone, and when. */
enum ring_next ring_next(int64_t *at_ms, struct ring_view ring, const struct ring_key *key,
                         const struct ring_timetable *timetable);

/* The writes of a step. made: the new key of RING_PUBLISH with id, use, algorithm and wrapped set. A turn
 * without a published key, or a drop of none, writes nothing: *count is 0. */
#define RING_WRITES_MAX 2
void ring_writes(struct write out[RING_WRITES_MAX], size_t *count, struct ring_view ring,
                 const struct ring_step *step, const struct ring_key *made, int64_t now_ms);

const struct ring_key *ring_find(struct ring_view ring, struct bytes id); /* NULL: none */
const char *ring_use_text(enum ring_use use);                             /* "sign" */
const char *ring_state_text(enum ring_state state);                       /* "published" */
bool ring_use_of_text(enum ring_use *out, struct bytes text);

#endif
