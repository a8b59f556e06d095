/* local_name.h — which names mean this machine by definition (RFC 6761 §6.3), whatever a resolver says. */
#ifndef COATCHECK_SERVER_LOCAL_NAME_H
#define COATCHECK_SERVER_LOCAL_NAME_H

#include "base/bytes.h"

/* authority: a Host field, or what stands behind "//" in a URL; with or without a port. */
bool local_name(struct bytes authority);
/* peer: an address as stream_peer tells it. */
bool local_peer(const char *peer);

#endif
