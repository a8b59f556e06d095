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

void answer_welcome(const struct link *link, struct json holder)
{
    struct json scope = json_member(holder, "scope");
    bool is_scoped = bytes_equal(json_text(json_item(scope, 0)), BYTES("sat:refresh"));
    int64_t ends_s = 0;

    if (is_scoped != link->tap.token->may_self_refresh || json_count(scope) != is_scoped)
        world_fail("a welcome tells its token's scope", "link %u", link->number);
    if (!json_int64(&ends_s, json_member(json_member(holder, "fabric_subscriber"), "expires_at")) ||
        ends_s != link->tap.ends_s)
        world_fail("a welcome tells its session's end", "link %u: %lld, not %lld", link->number,
                   (long long)ends_s, (long long)link->tap.ends_s);
}

/* "...; come back in N ms", or in N s for who takes no slots. Without memory nothing was read yet. */
void answer_away(struct link *link, unsigned code, struct bytes reason)
{
    static const char before[] = "; come back in ";
    const char *found = reason.len ? memmem(reason.ptr, reason.len, before, sizeof before - 1) : NULL;
    struct bytes wait, unit;
    uint64_t time = 0;
    bool is_slot;

    if ((code != 1012 && code != 1013 && code != 4429) || link->tap.is_wild) return;
    wait = found ? bytes_from(reason, (size_t)(found - (const char *)reason.ptr) + sizeof before - 1)
                 : BYTES_NONE;
    is_slot = wait.len > 3 && bytes_equal(bytes_from(wait, wait.len - 3), BYTES(" ms"));
    unit = is_slot ? BYTES(" ms") : BYTES(" s");
    if (wait.len <= unit.len || !bytes_equal(bytes_from(wait, wait.len - unit.len), unit) ||
        !bytes_to_u64(&time, bytes_part(wait, 0, wait.len - unit.len), 600000) || time < (is_slot ? 1000 : 1))
        world_fail("who is sent away is told for how long", "link %u: %u %.*s", link->number, code,
                   (int)reason.len, (const char *)reason.ptr);
    link->tap.away_ms = (int64_t)time * (is_slot ? 1 : 1000);
    link->tap.is_away_slot = is_slot;
    if (is_slot && !link->tap.takes_slots)
        world_fail("slots are for who takes them", "link %u: %u", link->number, code);
    if (!is_slot && link->tap.takes_slots && link->tap.session != TAP_OPENING && code != 1013)
        world_fail("who takes slots is told one", "link %u: %u", link->number, code);
}
