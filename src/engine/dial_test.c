#include "engine/dial.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* A project with a button that rings bob, a switched-off one, a room that rings nobody, and ada's own
 * address; and a stranger's project with an address of the same name. */
enum { DESK, OFF, ROOM, ADA, FOREIGN, ADDRESSES };
static const struct address addresses[ADDRESSES] = {
    [DESK] = {{{0xa1}}, {{1}}, {{0xe1}}, {(const uint8_t *)"/public/desk", 12}, {0}, ADDRESS_CALL, 0},
    [OFF] = {{{0xa2}}, {{1}}, {{0xe2}}, {(const uint8_t *)"/public/off", 11}, {0}, ADDRESS_CALL, 0},
    [ROOM] = {{{0xa3}}, {{1}}, {{0xe3}}, {(const uint8_t *)"/public/room", 12}, {0}, ADDRESS_ROOM, 0},
    [ADA] = {{{0xa4}}, {{1}}, {{0xe4}}, {(const uint8_t *)"/private/ada", 12}, {0}, ADDRESS_SUBSCRIBER, 0},
    [FOREIGN] = {{{0xa5}}, {{9}}, {{0xe1}}, {(const uint8_t *)"/public/desk", 12}, {0}, ADDRESS_CALL, 0},
};
static const struct resource resources[] = {
    [DESK] = {.id = {{0xe1}}, .project = {{1}}, .type = ADDRESS_CALL, .user = {{0xb0}}},
    [OFF] = {.id = {{0xe2}}, .project = {{1}}, .type = ADDRESS_CALL, .user = {{0xb0}}, .is_disabled = true},
    [ROOM] = {.id = {{0xe3}}, .project = {{1}}, .type = ADDRESS_ROOM},
};
static struct user ada, bob;
static struct holder subscriber, guest, invite, embed, participant;

static void people(void)
{
    ada = (struct user){.id = {{0xad}}, .project = {{1}}, .kind = USER_SUBSCRIBER, .address = addresses[ADA]};
    bob = (struct user){.id = {{0xb0}}, .project = {{1}}, .kind = USER_SUBSCRIBER};
    subscriber = (struct holder){.project = {{1}}, .user = {{0xad}}, .kind = TOKEN_SUBSCRIBER};
    guest = (struct holder){.project = {{1}},
                            .kind = TOKEN_GUEST,
                            .addresses = {addresses[DESK].id, addresses[ROOM].id},
                            .address_count = 2};
    invite = (struct holder){.project = {{1}},
                             .kind = TOKEN_INVITE,
                             .addresses = {addresses[ADA].id},
                             .address_count = 1,
                             .inviter = {{0xad}}};
    embed = (struct holder){.project = {{1}}, .kind = TOKEN_EMBED, .resource = resources[DESK].id};
    participant = (struct holder){.project = {{1}}, .kind = TOKEN_PARTICIPANT};
}

/* As the service gathers them. */
static struct dial_facts facts_for(const struct holder *holder, int which)
{
    struct dial_facts facts = {.holder = holder, .name = addresses[which].name, .address = &addresses[which]};

    if (which == FOREIGN)
        facts.resource = &resources[DESK];
    else if (which != ADA)
        facts.resource = &resources[which];
    facts.user = which == ADA ? &ada : which == ROOM ? NULL : &bob;
    return facts;
}

static void check_unknown(const struct dial_facts *facts)
{
    struct dial_decision decision = dial_decide(facts);

    CHECK_INT(decision.refused.refusal, REFUSAL_DESTINATION_UNKNOWN);
    CHECK_INT(decision.refused.field, FIELD_ADDRESS_NAME);
    CHECK(decision.refused.because != NULL);
    CHECK(uuid_is_zero(&decision.callee));
}

static void refuses_what_is_off_the_list(void)
{
    const struct {
        const char *what;
        const struct holder *holder;
        int which;
    } rows[] = {
        {"guest, another's address", &guest, ADA},
        {"guest, another button", &guest, OFF},
        {"invite, a button", &invite, DESK},
        {"invite, a room", &invite, ROOM},
        {"embed, a subscriber", &embed, ADA},
        {"embed, another resource", &embed, ROOM},
        {"subscriber, another project", &subscriber, FOREIGN},
        {"embed, its resource's id elsewhere", &embed, FOREIGN},
        {"guest, another project", &guest, FOREIGN},
        {"participant", &participant, DESK},
    };
    size_t i;

    people();
    for (i = 0; i < COUNT(rows); i++) {
        struct dial_facts facts = facts_for(rows[i].holder, rows[i].which);
        CHECK_NOTE("%s", rows[i].what);
        check_unknown(&facts);
        CHECK(!dial_may_reach(rows[i].holder, &addresses[rows[i].which]));
    }
}

/* Without a pin a limited token reaches nothing: an empty list is not every address. */
static void refuses_limited_tokens_without_a_pin(void)
{
    struct holder *holders[] = {&guest, &invite, &embed};
    size_t i;
    int which;

    people();
    guest.address_count = invite.address_count = 0;
    embed.resource = (struct uuid){{0}};
    for (i = 0; i < COUNT(holders); i++)
        for (which = 0; which < ADDRESSES; which++) {
            struct dial_facts facts = facts_for(holders[i], which);
            CHECK_NOTE("holder %zu, address %d", i, which);
            check_unknown(&facts);
        }
}

static void refuses_other_spellings(void)
{
    static const struct bytes names[] = {
        BYTES("/public/Desk"),
        BYTES("/public/desk "),
        BYTES(" /public/desk"),
        BYTES("/public/des"),
        BYTES("/public/desk/"),
        BYTES("/public//desk"),
        BYTES("/public/../public/desk"),
        BYTES("/public/desk\0"),
        BYTES("public/desk"),
        BYTES("/public/desk#x"),
        BYTES("/public/desk%20"),
        BYTES("/public%2fdesk"),
        BYTES("//public/desk"),
        BYTES("/"),
        BYTES("/private/desk"),
    };
    size_t i;

    people();
    for (i = 0; i < COUNT(names); i++) {
        struct dial_facts facts = facts_for(&subscriber, DESK);
        CHECK_NOTE("%.*s", (int)names[i].len, (const char *)names[i].ptr);
        facts.name = dial_name(names[i]);
        check_unknown(&facts);
        facts.address = NULL;
        check_unknown(&facts);
    }
}

static void refuses_what_is_gone(void)
{
    struct user other;
    struct dial_facts facts;

    people();
    CHECK_NOTE("switched off");
    facts = facts_for(&subscriber, OFF);
    check_unknown(&facts);
    CHECK_NOTE("resource gone");
    facts = facts_for(&embed, DESK);
    facts.resource = NULL;
    check_unknown(&facts);
    CHECK_NOTE("another resource");
    facts.resource = &resources[ROOM];
    check_unknown(&facts);
    CHECK_NOTE("its user gone");
    facts = facts_for(&embed, DESK);
    facts.user = NULL;
    check_unknown(&facts);
    CHECK_NOTE("another user in its place");
    facts.user = &ada;
    check_unknown(&facts);
    CHECK_NOTE("a user of another project");
    other = bob;
    other.project = (struct uuid){{9}};
    facts.user = &other;
    check_unknown(&facts);
    CHECK_NOTE("a user who cannot be called");
    other = bob;
    other.kind = USER_EMBEDDED;
    check_unknown(&facts);
    CHECK_NOTE("a subscriber gone");
    facts = facts_for(&subscriber, ADA);
    facts.user = NULL;
    check_unknown(&facts);
    CHECK_NOTE("the name is another user's by now");
    other = ada;
    other.address.id = (struct uuid){{0x77}};
    facts.user = &other;
    check_unknown(&facts);
}

static void rings_whom_it_may(void)
{
    const struct {
        const char *what;
        const struct holder *holder;
        int which;
        struct uuid callee;
    } rows[] = {
        {"subscriber, a button", &subscriber, DESK, {{0xb0}}},
        {"subscriber, an address", &subscriber, ADA, {{0xad}}},
        {"guest, its list", &guest, DESK, {{0xb0}}},
        {"guest, a room without a user", &guest, ROOM, {{0}}},
        {"invite, its inviter", &invite, ADA, {{0xad}}},
        {"embed, its resource", &embed, DESK, {{0xb0}}},
    };
    size_t i;

    people();
    for (i = 0; i < COUNT(rows); i++) {
        struct dial_facts facts = facts_for(rows[i].holder, rows[i].which);
        struct dial_decision decision = dial_decide(&facts);
        CHECK_NOTE("%s", rows[i].what);
        CHECK_INT(decision.refused.refusal, REFUSAL_NONE);
        CHECK(uuid_equal(&decision.callee, &rows[i].callee));
        CHECK(dial_may_reach(rows[i].holder, &addresses[rows[i].which]));
    }
}

static void cuts_names_at_the_query(void)
{
    static char longest[ADDRESS_NAME_MAX + 2];
    static const struct {
        struct bytes destination, name;
    } rows[] = {
        {BYTES("/private/ada"), BYTES("/private/ada")},
        {BYTES("/private/ada?channel=audio"), BYTES("/private/ada")},
        {BYTES("/private/ada?"), BYTES("/private/ada")},
        {BYTES("/a?b?c"), BYTES("/a")},
    };
    static const struct bytes none[] = {BYTES(""),
                                        BYTES("?"),
                                        BYTES("?/private/ada"),
                                        BYTES("ada"),
                                        BYTES("sip:ada@example.com"),
                                        BYTES("+15551234567")};
    size_t i;

    CHECK(bytes_is_absent(dial_name(BYTES_NONE)));
    for (i = 0; i < COUNT(none); i++)
        CHECK(bytes_is_absent(dial_name(none[i])));
    for (i = 0; i < COUNT(rows); i++)
        CHECK(bytes_equal(dial_name(rows[i].destination), rows[i].name));
    memset(longest, '/', sizeof longest);
    CHECK_INT(dial_name(bytes_of(longest, ADDRESS_NAME_MAX)).len, ADDRESS_NAME_MAX);
    CHECK(bytes_is_absent(dial_name(bytes_of(longest, ADDRESS_NAME_MAX + 1))));
}

int main(void)
{
    CHECK_RUN(refuses_what_is_off_the_list);
    CHECK_RUN(refuses_limited_tokens_without_a_pin);
    CHECK_RUN(refuses_other_spellings);
    CHECK_RUN(refuses_what_is_gone);
    CHECK_RUN(rings_whom_it_may);
    CHECK_RUN(cuts_names_at_the_query);
    return CHECK_END();
}
