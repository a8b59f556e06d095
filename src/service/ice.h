/* ice.h — the ice_servers that a session is told: those of the configuration, and the TURN servers that share
 * a secret with us, with a password of its own that lasts a while. */
#ifndef COATCHECK_SERVICE_ICE_H
#define COATCHECK_SERVICE_ICE_H

#include "base/buf.h"

struct service;

struct ice_options {      /* borrowed from the configuration */
    struct bytes servers; /* a JSON array, handed on as it is */
    struct bytes urls;    /* of the TURN servers, separated by spaces; empty: none */
    struct bytes secret;  /* shared with them */
    int64_t life_s;
};

#define ICE_TURN_URLS_MAX 8
/* Takes the next one from the front of a list of such URLs; false: there is none. */
bool ice_next_url(struct bytes *url, struct bytes *urls);

/* Appends the JSON array. whom: at most 32 characters, for the TURN server's log. wall_ms: the machine's
 * clock, as the TURN server has no other. A failure is the buffer's sticky error. */
void ice_servers_write(struct buf *out, struct service *service, struct bytes whom, int64_t wall_ms);

#endif
