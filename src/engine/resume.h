/* resume.h — a client comes to connect: does it get a new session, its old one, or none? The table of
 * docs/sessions.md, row by row.
 *
 * Decided in two steps, because the second needs the session itself and that may live on another loop: first
 * by what was presented (token, proof, sealed state), then by what became of the session that the state
 * names. In this order: token, proof, state, present socket; the first refusal wins. Pure. */
#ifndef COATCHECK_ENGINE_RESUME_H
#define COATCHECK_ENGINE_RESUME_H

#include "engine/outcome.h"

/* A resume state as it was sealed, opened again. */
struct resume_state {
    struct uuid session; /* 128 random bits: its hex is the session's name */
    struct uuid project, user;
    enum token_kind kind;
    struct uuid family; /* zero: of none */
    struct bytes parent_key;
    struct bytes jkt;   /* absent: the session is not bound */
    int64_t deadline_s; /* exp of the grant that the session had */
    int64_t gt_ms;      /* of that grant */
    int64_t age_ms;     /* of the project, when that grant was minted */
    uint32_t sequence;  /* the session's last two are good */
    uint32_t lane;      /* where the session was: a hint */
};

/* Of authorization_state and protocol together. */
enum resume_presented {
    RESUME_NOTHING,    /* neither, or both empty */
    RESUME_UNREADABLE, /* one of them alone, tampered with, another epoch's, or they name two sessions */
    RESUME_STATE
};

struct resume_facts {
    enum refusal token;          /* of the token, looked at alone: NONE; TOKEN_EXPIRED if that is all that
                                    speaks against it and the holder is whole; else why it is none */
    const struct holder *holder; /* of the token; meaningless if it is none */
    int64_t cutoff_ms;           /* greatest that applies to the holder; INT64_MIN: none */
    enum refusal proof;          /* of the proof that came, against the key that it had to be by (resume_key):
                                    NONE, PROOF_MISSING, PROOF_INVALID ...; NONE if no key is needed */
    enum resume_presented presented;
    const struct resume_state *state;
    int64_t state_now_ms; /* now, as the state's project has aged since the state's grant was minted */
};

enum resume_verdict {
    RESUME_NEW_SESSION,
    RESUME_LIVE,    /* go on with the named session, until the token's exp */
    RESUME_LAST,    /* go on with it, until the state's deadline: the token has expired */
    RESUME_UPGRADE, /* a new session, in the place of the named one (engine/upgrade.h) */
    RESUME_REFUSED  /* out->refusal: RESUME_IMPOSSIBLE, or what is wrong with token or proof */
};
struct resume_decision {
    enum resume_verdict verdict;
    enum refusal refusal;
};

/* Two keys, where each side has one, are the same. */
bool resume_keys_agree(struct bytes a, struct bytes b);

/* The thumbprint that a proof must be by: the token's, or else the state's; absent: none is needed. */
struct bytes resume_key(const struct holder *holder, const struct resume_state *state);
struct resume_decision resume_judge(const struct resume_facts *facts);

/* The second step, where the session is. */
enum resume_found {
    RESUME_FOUND_NONE,     /* ended, or never here */
    RESUME_FOUND_DETACHED, /* waits for its client */
    RESUME_FOUND_ATTACHED, /* another socket carries it: ask that one whether it lives, then ask again */
    RESUME_FOUND_SILENT    /* that socket did not answer within RESUME_ANSWER_MS */
};
#define RESUME_ANSWER_MS 1000

enum resume_act {
    RESUME_REFUSE, /* -32003; the session stays as it is */
    RESUME_PROBE,  /* ping the present socket */
    RESUME_ATTACH, /* give the session to the new socket */
    RESUME_REPLACE /* the same, and close the old socket with 4409 */
};
struct resume_session { /* the session as its lane knows it */
    const struct holder *holder;
    uint32_t sequence; /* the newest that was given out */
};
/* proved: the key that the first step saw a proof by (resume_key); absent: none was needed. */
enum resume_act resume_settle(const struct resume_session *session, enum resume_found found,
                              const struct resume_state *state, struct bytes proved);

/* May this token take the place of the one that a live session has? Same project, user and kind; an unbound
 * session may become bound, a bound one stays with its key. NONE, or why not. A proof by the token's own key
 * is another matter (engine/admit.h). */
enum refusal reauthenticate_check(const struct holder *present, const struct holder *next);

#endif
