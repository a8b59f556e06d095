#include <stdio.h>
#include <string.h>

#include "sim/answer.h"
#include "sim/link.h"
#include "sim/node.h"
#include "sim/times.h"
#include "sim/world.h"
#include "wire/json_read.h"

/* A number of whole milliseconds there, or the law is broken. */
static int64_t told_ms(const struct link *link, struct json slots, const char *name)
{
    int64_t ms = -1;

    if (!json_int64(&ms, json_member(slots, name)) || ms < 0)
        world_fail("a slot is a number", "link %u: no %s", link->number, name);
    return ms;
}

void answer_slots(const struct link *link, struct json result)
{
    struct json slots = json_member(result, "slots");
    bool is_told = json_type_of(slots) != JSON_IS_ABSENT;
    int64_t left_ms = link->tap.ends_s * 1000 - times_now_ms(), refresh_ms;

    if (is_told != link->tap.takes_slots)
        world_fail("slots are for who takes them", "link %u: %s", link->number,
                   is_told ? "told" : "not told");
    if (!is_told) return;
    refresh_ms = told_ms(link, slots, "refresh_in_ms");
    if (refresh_ms > (left_ms > 0 ? left_ms : 0))
        world_fail("no slot is after the end", "link %u: in %lld ms of %lld", link->number,
                   (long long)refresh_ms, (long long)left_ms);
    if (told_ms(link, slots, "return_within_ms") < 1000)
        world_fail("nobody comes back at once", "link %u", link->number);
}

/* "...; come back in N ms", or in N s for who takes no slots. Without memory nothing was read yet. */
void answer_away(const struct link *link, unsigned code, struct bytes reason)
{
    char text[124] = "", unit[3] = "";
    const char *found;
    long long wait = -1;
    bool is_slot;

    if ((code != 1012 && code != 1013 && code != 4429) || link->tap.is_wild) return;
    if (reason.len < sizeof text) memcpy(text, reason.ptr, reason.len);
    found = strstr(text, "; come back in ");
    if (!found || sscanf(found, "; come back in %lld %2s", &wait, unit) != 2)
        world_fail("who is sent away is told for how long", "link %u: %u %s", link->number, code, text);
    is_slot = strcmp(unit, "ms") == 0;
    if (wait < (is_slot ? 1000 : 1) || wait > (is_slot ? 600000 : 60))
        world_fail("a wait can be waited for", "link %u: %s", link->number, text);
    if (is_slot && !link->tap.takes_slots)
        world_fail("slots are for who takes them", "link %u: %s", link->number, text);
    if (!is_slot && link->tap.takes_slots && link->tap.session != TAP_OPENING && code != 1013)
        world_fail("who takes slots is told one", "link %u: %s", link->number, text);
}
