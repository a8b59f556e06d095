#include "engine/dial.h"

#include "engine/capability.h"

struct bytes dial_name(struct bytes destination)
{
    struct bytes name = bytes_part(destination, 0, bytes_index(destination, '?'));

    if (!name.len || name.len > ADDRESS_NAME_MAX || name.ptr[0] != '/') return BYTES_NONE;
    return name;
}

bool dial_may_reach(const struct holder *holder, const struct address *address)
{
    size_t i;

    if (!uuid_equal(&holder->project, &address->project)) return false;
    if (capability_has(holder->kind, MAY_DIAL_ANY)) return true;
    if (!capability_has(holder->kind, MAY_DIAL_LISTED)) return false;
    if (!uuid_is_zero(&holder->resource)) return uuid_equal(&holder->resource, &address->resource);
    for (i = 0; i < holder->address_count; i++)
        if (uuid_equal(&holder->addresses[i], &address->id)) return true;
    return false;
}

static struct dial_decision refuse(const char *because)
{
    return (struct dial_decision){.refused = {REFUSAL_DESTINATION_UNKNOWN, FIELD_ADDRESS_NAME, because}};
}

static struct dial_decision ring(const struct dial_facts *facts, const struct uuid *callee)
{
    const struct user *user = facts->user;

    if (!user || !uuid_equal(&user->id, callee) || !uuid_equal(&user->project, &facts->holder->project))
        return refuse("its user is no more");
    if (user->kind != USER_SUBSCRIBER) return refuse("its user is none who can be called");
    return (struct dial_decision){.callee = *callee};
}

static struct dial_decision ring_resource(const struct dial_facts *facts)
{
    const struct resource *resource = facts->resource;

    if (!resource || !uuid_equal(&resource->id, &facts->address->resource) ||
        !uuid_equal(&resource->project, &facts->holder->project))
        return refuse("its resource is no more");
    if (resource->is_disabled) return refuse("its resource is switched off");
    if (uuid_is_zero(&resource->user)) return (struct dial_decision){.callee = resource->user};
    return ring(facts, &resource->user);
}

struct dial_decision dial_decide(const struct dial_facts *facts)
{
    const struct address *address = facts->address;

    if (bytes_is_absent(facts->name)) return refuse("it is no name of an address");
    if (!address || !bytes_equal(address->name, facts->name)) return refuse("there is none of that name");
    if (!dial_may_reach(facts->holder, address)) return refuse("the token was not made to reach it");
    if (address->type != ADDRESS_SUBSCRIBER) return ring_resource(facts);
    /* an address can be given to somebody else once its user is gone */
    if (!facts->user || !uuid_equal(&facts->user->address.id, &address->id))
        return refuse("its user is no more");
    return ring(facts, &facts->user->id);
}
