/* records.h — the refusals a lane remembers, so that an operator can ask why. In memory, bounded, and made so
 * that no flood drives out the evidence of anything else.
 *
 * The room is divided twice. By class: refusals to strangers who presented nothing, refusals of a credential,
 * refusals to an authenticated project; whose project was merely claimed counts as a stranger. Within a class
 * by who it was, into RECORDS_SLOTS rings: the project, or the peer's address (IPv6: its /64), under a seed
 * of the lane's, so that nobody can aim at another's ring. A ring that is full forgets its oldest record; two
 * who share a ring share its room. Used from its lane's thread only. */
#ifndef COATCHECK_SERVER_RECORDS_H
#define COATCHECK_SERVER_RECORDS_H

#include "service/finding.h"

#define RECORD_ID_LEN    16 /* base64url of 96 random bits */
#define RECORD_ROUTE_MAX 128
#define RECORD_PEER_MAX  46
#define RECORDS_SLOTS    16

struct record {
    char id[RECORD_ID_LEN]; /* zero: unused */
    int64_t at_ms;          /* ms since 1970 */
    int status;             /* HTTP; 0 on a socket */
    char route[RECORD_ROUTE_MAX];
    char peer[RECORD_PEER_MAX]; /* "": not known any more */
    struct finding finding;
};

struct records;
/* records_max: for all classes together, at least one a ring. Memory is taken from the system as it fills. */
MUST_USE enum err records_new(struct records **out, size_t records_max, uint64_t seed);
void records_free(struct records *records);
/* Room for one more, zeroed but for finding and peer, which were used to choose its ring. */
struct record *records_add(struct records *records, const struct finding *finding, const char *peer);
const struct record *records_find(const struct records *records, struct bytes id); /* NULL: not here */

#endif
