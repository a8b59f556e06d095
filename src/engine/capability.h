/* capability.h — what each kind of access token may do, as one table: a reviewer audits one screen, and a
 * kind that is not listed for something may not do it. Limits to some addresses come on top, from the
 * token itself. Pure. */
#ifndef COATCHECK_ENGINE_CAPABILITY_H
#define COATCHECK_ENGINE_CAPABILITY_H

#include "engine/facts.h"

enum capability {
    MAY_CONNECT,        /* open a session on a socket */
    MAY_REGISTER,       /* be reachable there, and be called */
    MAY_DIAL_ANY,       /* whatever its user can reach */
    MAY_DIAL_LISTED,    /* the addresses or the resource it carries, nothing else */
    MAY_INVITE,         /* let one other person reach its user */
    MAY_REFRESH,        /* comes with a refresh token */
    MAY_BIND,           /* be tied to a key that a browser holds, and renewed by it */
    MAY_ASK_WHO,        /* who am I, whom can I reach */
    MAY_BE_INTERVIEWED, /* the participant's calls */
    CAPABILITIES
};
bool capability_has(enum token_kind kind, enum capability capability);

#endif
