#include "engine/capability.h"

#include "harness/check.h"

static void a_token_of_no_kind_may_nothing(void)
{
    for (enum capability c = MAY_CONNECT; c < CAPABILITIES; c++)
        CHECK(!capability_has(TOKEN_NONE, c));
}

/* Who is called must be somebody; who was let in by another lets nobody in. */
static void only_subscribers_are_called_and_invite(void)
{
    for (enum token_kind kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        CHECK(capability_has(kind, MAY_REGISTER) == (kind == TOKEN_SUBSCRIBER));
        CHECK(capability_has(kind, MAY_INVITE) == (kind == TOKEN_SUBSCRIBER));
        CHECK(capability_has(kind, MAY_BIND) == (kind == TOKEN_SUBSCRIBER));
        CHECK(capability_has(kind, MAY_DIAL_ANY) == (kind == TOKEN_SUBSCRIBER));
        CHECK(!capability_has(kind, MAY_DIAL_ANY) || !capability_has(kind, MAY_DIAL_LISTED));
    }
}

static void only_participants_are_interviewed_and_they_open_no_socket(void)
{
    for (enum token_kind kind = TOKEN_NONE; kind < TOKEN_KINDS; kind++) {
        CHECK(capability_has(kind, MAY_BE_INTERVIEWED) == (kind == TOKEN_PARTICIPANT));
        CHECK(!capability_has(kind, MAY_BE_INTERVIEWED) || !capability_has(kind, MAY_CONNECT));
    }
}

static void invites_and_embeds_are_not_refreshed(void)
{
    CHECK(capability_has(TOKEN_SUBSCRIBER, MAY_REFRESH) && capability_has(TOKEN_GUEST, MAY_REFRESH));
    CHECK(!capability_has(TOKEN_INVITE, MAY_REFRESH) && !capability_has(TOKEN_EMBED, MAY_REFRESH));
    CHECK(!capability_has(TOKEN_PARTICIPANT, MAY_REFRESH) && !capability_has(TOKEN_EMBEDDED, MAY_REFRESH));
}

int main(void)
{
    CHECK_RUN(a_token_of_no_kind_may_nothing);
    CHECK_RUN(only_subscribers_are_called_and_invite);
    CHECK_RUN(only_participants_are_interviewed_and_they_open_no_socket);
    CHECK_RUN(invites_and_embeds_are_not_refreshed);
    return CHECK_END();
}
