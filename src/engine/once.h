/* once.h — what may happen once: a proof's id, put down in the same commit as what it was shown for. Pure. */
#ifndef COATCHECK_ENGINE_ONCE_H
#define COATCHECK_ENGINE_ONCE_H

#include "engine/decision.h"

/* One proof may be put down under more than one id; it is new only if all of them are. */
bool once_was_used(const struct plan *plan, const struct row *rows);

#endif
