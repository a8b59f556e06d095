/* rotate.h — a refresh token comes in, the next pair goes out, and nobody can use the old one for long.
 *
 * rotate_plan checks what needs no row: times, cutoffs, user, who asks. Any failure there refuses, writes
 * nothing and kills nothing. What passes is planned as one conditional write of the family's row, in the hope
 * that the presented generation is the present one; the row's answer is all that is ever read of it.
 * rotate_settle compares the presented generation with the row that was met (the table in rotate.c):
 *
 *   present          the successor
 *   one behind       the same successor again, for whoever lost the answer; else it was stolen
 *   further behind   it was stolen: the family dies, and a cutoff voids all that descends from its mint
 *   ahead, or later than a row that is lost: a store that was rolled back; refused, the family dies
 *
 * A successor is a function of the presented token's fixed fields, generation + 1 and the row, never of now:
 * whoever asks again gets the same refresh token byte for byte, and an access token of the same jti, iat and
 * exp. The jti is given from outside, because it must be a hash of family and generation that nobody can make
 * collide, and the engine knows no cryptography. Pure. */
#ifndef COATCHECK_ENGINE_ROTATE_H
#define COATCHECK_ENGINE_ROTATE_H

#include "engine/decision.h"

struct rotate_facts {
    struct grant presented;             /* the opened refresh token */
    const struct fact_project *project; /* of whoever asks */
    const struct fact_key *key;         /* authenticated; NULL: by proof alone */
    struct bytes proof_jkt;             /* thumbprint of the key that made a fresh proof; absent: none */
    struct bytes seal_key;              /* id of the key that seals at present */
    struct uuid jti;                    /* of the successor's access token: a hash of family and generation */
    int64_t cutoff_ms;                  /* greatest that applies; INT64_MIN: none */
    int64_t pruned_through_s;           /* rows of families over by then are forgotten; INT64_MIN: none */
    bool has_user;                      /* guests have no row: always true for them */
};

struct refused rotate_check_key(const struct fact_key *key); /* whether this key may ask at all */
/* The checks that need no user: kind, project, times, cutoffs, in this order; rotate_plan makes them too.
 * Called first so that nothing is read for a token that will be refused anyway, and last, before anything is
 * signed, for a cutoff that came meanwhile. */
struct refused rotate_check(const struct rotate_facts *facts, int64_t now_ms);

void rotate_plan(struct plan *out, const struct rotate_facts *facts, int64_t now_ms);

/* With out->has_further, plan holds the next writes: commit them and settle again, at most
 * PLAN_FURTHER_MAX times. */
void rotate_settle(struct decision *out, struct plan *plan, const struct rotate_facts *facts,
                   const struct row *rows, int64_t now_ms);

/* Second to which a row is kept: what finds it, beside its id. */
int64_t rotate_bucket_s(const struct grant *presented);
/* Whether this refresh token is the one its family goes on with. found: the row; NULL: there is none. */
bool rotate_is_present(const struct rotate_facts *facts, const struct family *found);

/* For a commit of which nobody knows whether it happened: whether this row, read since, gives the presented
 * token its successor without another write. False: ask again later. */
bool rotate_recall(struct decision *out, const struct rotate_facts *facts, const struct family *found,
                   int64_t now_ms);

#endif
