#include "engine/once.h"

bool once_was_used(const struct plan *plan, const struct row *rows)
{
    size_t i;

    for (i = 0; i < plan->write_count; i++)
        if (plan->writes[i].kind == WRITE_ONCE && rows[i].state != ROW_WRITTEN) return true;
    return false;
}
