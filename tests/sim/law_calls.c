#include "sim/law_calls.h"

#include <inttypes.h>

#include "server/phone_inside.h"
#include "sim/world.h"

static size_t ends_of(const struct call *call)
{
    const struct end *end;
    size_t talking = 0, count = 0;

    for (end = call->callees; end; end = end->next) {
        count++;
        talking += end == call->talking;
        if (end->call != call) world_fail("a leg is of one call", "%p", (const void *)end);
    }
    if (talking != (call->talking != NULL)) world_fail("one of those who rang talks", "%zu", talking);
    return count;
}

static void check_call(const struct call *call, const struct lane *lane)
{
    if (call->home != lane)
        world_fail("a call lives where it was dialled", "%s", call_state_name(call->state));
    if (call->state != CALL_OVER && !call->deadline.place)
        world_fail("a call's life is bounded", "%s", call_state_name(call->state));
    if (ends_of(call) > CALL_LEGS_MAX) world_fail("so many ring, and no more", "%zu", ends_of(call));
    if (call->state == CALL_TALKING && !call->talking) world_fail("two talk", "one of them is nobody");
    if (call->state == CALL_ASKED && !call->dial)
        world_fail("a call that is asked for is looked up", "it is not");
}

void law_check_calls(const struct lane *lane)
{
    int64_t told = atomic_load(&lane->counters[COUNT_CALLS]), count = 0;
    const struct call *call;

    for (call = lane->calls; call; call = call->next, count++)
        check_call(call, lane);
    if (told != count) world_fail("counters are right", "%" PRId64 " calls, told %" PRId64, count, told);
}

void law_check_legs(const struct session *session)
{
    const struct leg *leg, *other;
    unsigned count = 0;

    for (leg = session->legs; leg; leg = leg->next, count++) {
        if (leg->end->is_gone || leg->end->key != leg->key)
            world_fail("a call knows its legs", "%.8s: %.*s", session->name, (int)leg->name_len, leg->name);
        for (other = leg->next; other; other = other->next)
            if (other->end->call == leg->end->call)
                world_fail("a session has one part in a call", "%.8s", session->name);
    }
    if (count != session->leg_count || count > SESSION_LEGS_MAX)
        world_fail("a session has so many calls, and no more", "%.8s: %u, told %u", session->name, count,
                   session->leg_count);
}

void law_check_all_calls(const struct node *node)
{
    int64_t sum = 0, by_caller = 0;
    unsigned i;

    for (i = 0; i < node->lane_count; i++)
        sum += atomic_load(&node->lanes[i]->counters[COUNT_CALLS]);
    for (i = 0; i < CALL_SLOTS && sum; i++)
        by_caller += atomic_load(&node->calls_by_caller[i]);
    if (atomic_load(&node->calls) != sum || by_caller != sum)
        world_fail("counters are right", "%" PRId64 " calls, %" PRId64 " by caller", sum, by_caller);
}
