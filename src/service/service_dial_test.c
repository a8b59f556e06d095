/* Dialling through a whole service: who may reach what, with everything looked up where it really is. */
#include "harness/service_world.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define BOB_ADDRESS "/private/bob"

static struct holder ada, guest, invite, embed;
static struct uuid bob, ada_address, bob_address, desk, desk_address;

static void dial_init(struct asked *asked, const struct holder *holder, const char *destination)
{
    ask_init(asked, ASK_DIAL);
    asked->run.ask.dial.holder = holder;
    asked->run.ask.dial.destination = bytes_of_text(destination);
}

static void check_refused(const struct holder *holder, const char *destination, enum refusal refusal)
{
    struct asked asked;

    CHECK_NOTE("%s", destination);
    dial_init(&asked, holder, destination);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked.run.outcome.refused.refusal, refusal);
    CHECK_INT(asked.run.finding.refusal, refusal);
    CHECK(asked.run.finding.check && asked.run.finding.expected[0] && asked.run.finding.seen[0]);
    CHECK(uuid_is_zero(&asked.run.outcome.holder.user));
    ask_release(&asked);
}

static void check_rings(const struct holder *holder, const char *destination, const struct uuid *callee,
                        const char *caller_number, const char *callee_number)
{
    struct asked asked;
    const struct outcome *outcome;

    CHECK_NOTE("%s", destination);
    dial_init(&asked, holder, destination);
    outcome = ask_run(&asked);
    CHECK_INT(outcome->kind, OUTCOME_DIALLED);
    CHECK(uuid_equal(&outcome->dialled.callee, callee));
    CHECK(bytes_equal(outcome->dialled.caller_number, bytes_of_text(caller_number)));
    CHECK(bytes_equal(outcome->dialled.callee_number, bytes_of_text(callee_number)));
    CHECK(outcome->dialled.caller_name.len && outcome->dialled.callee_name.len);
    ask_release(&asked);
}

static void write_desk(bool is_disabled, const struct uuid *user)
{
    struct write write = {.kind = WRITE_RESOURCE};

    write.resource = (struct resource){.id = desk,
                                       .project = world.test,
                                       .type = ADDRESS_CALL,
                                       .name = BYTES("desk"),
                                       .user = *user,
                                       .is_disabled = is_disabled};
    world_write(&write);
    world_check(service_take_facts(world.service, world_publish()));
}

static void refuses_what_is_not_for_them(void)
{
    static const char *const names[] = {"/public/nobody",
                                        "/private/Bob",
                                        BOB_ADDRESS " ",
                                        " " BOB_ADDRESS,
                                        BOB_ADDRESS "/",
                                        "/private/b",
                                        "private/bob",
                                        "",
                                        "?",
                                        "/",
                                        "/public/live-desk",
                                        "+15551234567"};
    size_t i;

    for (i = 0; i < COUNT(names); i++) {
        check_refused(&ada, names[i], REFUSAL_DESTINATION_UNKNOWN);
        check_refused(&guest, names[i], REFUSAL_DESTINATION_UNKNOWN);
        check_refused(&invite, names[i], REFUSAL_DESTINATION_UNKNOWN);
        check_refused(&embed, names[i], REFUSAL_DESTINATION_UNKNOWN);
    }
    check_refused(&guest, "/private/ada", REFUSAL_DESTINATION_UNKNOWN);
    check_refused(&invite, BOB_ADDRESS, REFUSAL_DESTINATION_UNKNOWN);
    check_refused(&invite, "/public/test-desk", REFUSAL_DESTINATION_UNKNOWN);
    check_refused(&embed, BOB_ADDRESS, REFUSAL_DESTINATION_UNKNOWN);
    check_refused(&embed, "/private/ada", REFUSAL_DESTINATION_UNKNOWN);
}

/* Whether a name that a limited token may not reach is somebody's shows in no look-up. */
static void looks_up_the_same_for_any_name(void)
{
    static const char *const names[] = {"/private/ada", "/private/nobody", "/public/nobody",
                                        "/public/live-desk"};
    const struct holder *holders[] = {&guest, &invite, &embed};
    size_t h, i;

    for (h = 0; h < COUNT(holders); h++) {
        unsigned first = 0;
        for (i = 0; i < COUNT(names); i++) {
            unsigned before = world.spy.reads;
            if (holders[h] == &invite && i == 0) continue; /* its own */
            check_refused(holders[h], names[i], REFUSAL_DESTINATION_UNKNOWN);
            if (i <= 1) first = world.spy.reads - before;
            CHECK_INT(world.spy.reads - before, first);
        }
    }
}

static void refuses_other_holders(void)
{
    struct holder other = ada;

    other.project = (struct uuid){{0xee}};
    check_refused(&other, BOB_ADDRESS, REFUSAL_TOKEN_FOREIGN);
    other = ada;
    other.kind = TOKEN_PARTICIPANT;
    check_refused(&other, BOB_ADDRESS, REFUSAL_TOKEN_KIND);
    other = ada;
    other.user = (struct uuid){{0xdd}};
    check_refused(&other, BOB_ADDRESS, REFUSAL_USER_GONE);
    other = ada;
    other.project = world.live;
    check_refused(&other, BOB_ADDRESS, REFUSAL_USER_GONE);
}

static void rings_who_is_behind_it(void)
{
    char guest_text[UUID_TEXT_LEN + 1] = {0};

    uuid_write(guest_text, &guest.user);
    check_rings(&ada, BOB_ADDRESS, &bob, "/private/ada", BOB_ADDRESS);
    check_rings(&ada, BOB_ADDRESS "?channel=audio", &bob, "/private/ada", BOB_ADDRESS);
    check_rings(&ada, "/private/ada", &ada.user, "/private/ada", "/private/ada");
    check_rings(&ada, "/public/test-desk", &bob, "/private/ada", "/public/test-desk");
    check_rings(&guest, BOB_ADDRESS, &bob, guest_text, BOB_ADDRESS);
    check_rings(&guest, "/public/test-desk", &bob, guest_text, "/public/test-desk");
    check_rings(&invite, "/private/ada?x", &ada.user, guest_text, "/private/ada");
    check_rings(&embed, "/public/test-desk", &bob, guest_text, "/public/test-desk");
}

static void rings_nobody_at_a_resource_without_a_user(void)
{
    const struct uuid nobody = {{0}};

    write_desk(false, &nobody);
    check_rings(&ada, "/public/test-desk", &nobody, "/private/ada", "/public/test-desk");
    write_desk(false, &bob);
}

static void refuses_what_is_switched_off_or_gone(void)
{
    const struct uuid stranger = {{0xcc}};

    write_desk(true, &bob);
    check_refused(&embed, "/public/test-desk", REFUSAL_DESTINATION_UNKNOWN);
    check_refused(&ada, "/public/test-desk", REFUSAL_DESTINATION_UNKNOWN);
    write_desk(false, &stranger);
    check_refused(&embed, "/public/test-desk", REFUSAL_DESTINATION_UNKNOWN);
    write_desk(false, &bob);
    check_rings(&ada, "/public/test-desk", &bob, "/private/ada", "/public/test-desk");
}

static void fails_when_the_store_does(void)
{
    struct asked asked;

    service_forget_user(world.service, &world.test, &ada.user);
    world.spy.read_error = ERR_STORE_FAILED;
    dial_init(&asked, &ada, BOB_ADDRESS);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.read_error = ERR_OK;
}

/* A cutoff that comes while the store is asked. */
static void refuses_who_was_cut_meanwhile(void)
{
    struct cutoff cutoff = {CUTOFF_USER, world.test, {0}, NOW_MS};
    struct asked asked;

    cutoff.id = uuid_bytes(&ada.user);
    service_forget_user(world.service, &world.test, &ada.user);
    dial_init(&asked, &ada, BOB_ADDRESS);
    ask_start(&asked);
    world_check(service_take_cutoff(world.service, &cutoff));
    drain();
    CHECK_INT(asked.answers, 1);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked.run.outcome.refused.refusal, REFUSAL_TOKEN_CUT_OFF);
    ask_release(&asked);
    check_refused(&ada, BOB_ADDRESS, REFUSAL_TOKEN_CUT_OFF);
}

static struct uuid mint(const char *reference)
{
    struct asked asked;
    struct uuid user;

    ask_mint_init(&asked, reference);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    user = asked.run.outcome.minted.user;
    ask_release(&asked);
    return user;
}

static struct uuid address_of(const struct uuid *user)
{
    struct store_read read = {.kind = READ_USER_BY_ID, .project = world.test, .id = *user};
    struct arena arena;

    arena_init(&arena, 65536);
    read.arena = &arena;
    world_check(store_read_wait(world.spy.real, &read));
    arena_release(&arena);
    return read.user.address.id;
}

static void people(void)
{
    const struct facts *facts = service_facts(world.service);
    const struct address *address = facts_address(facts, &world.test, BYTES("/public/test-desk"));
    const struct holder limited = {
        .project = world.test, .user = {{0x99}}, .user_kind = USER_GUEST, .gt_ms = NOW_MS};

    desk = address->resource;
    desk_address = address->id;
    ada = (struct holder){.project = world.test,
                          .user = mint("ada"),
                          .user_kind = USER_SUBSCRIBER,
                          .kind = TOKEN_SUBSCRIBER,
                          .gt_ms = NOW_MS};
    bob = mint("bob");
    ada_address = address_of(&ada.user);
    bob_address = address_of(&bob);
    guest = invite = embed = limited;
    guest.kind = TOKEN_GUEST;
    guest.addresses[0] = bob_address;
    guest.addresses[1] = desk_address;
    guest.address_count = 2;
    invite.kind = TOKEN_INVITE;
    invite.addresses[0] = ada_address;
    invite.address_count = 1;
    invite.inviter = ada.user;
    embed.kind = TOKEN_EMBED;
    embed.resource = desk;
    write_desk(false, &bob);
}

int main(void)
{
    world_open(64);
    people();
    CHECK_RUN(refuses_what_is_not_for_them);
    CHECK_RUN(looks_up_the_same_for_any_name);
    CHECK_RUN(refuses_other_holders);
    CHECK_RUN(rings_who_is_behind_it);
    CHECK_RUN(rings_nobody_at_a_resource_without_a_user);
    CHECK_RUN(refuses_what_is_switched_off_or_gone);
    CHECK_RUN(fails_when_the_store_does);
    CHECK_RUN(refuses_who_was_cut_meanwhile);
    world_close();
    return CHECK_END();
}
