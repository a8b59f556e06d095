/* Limited and client-bound tokens, through a whole service: guests, invites, embeds, and what a browser
 * binds and renews. */
#include "harness/service_world.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define ACTIVATE    "/devices/token"
#define RENEW       "/devices/refresh"

static struct buf room[8]; /* tokens that several tests use; a buffer each */
static size_t rooms;
static struct bytes ada_token, bound, guest_token, invite_token, embed_token;
static struct uuid ada, ada_address, desk_address, live_address, desk;
static struct key_text click;
static struct buf proof;

static struct bytes keep(struct bytes token)
{
    struct buf *buf = &room[rooms++];

    buf_init(buf, JWS_MAX);
    buf_append(buf, token);
    return buf_bytes(buf);
}

static void check_answer(struct asked *asked, enum refusal wanted, enum outcome_kind granted)
{
    const struct outcome *outcome = ask_run(asked);

    CHECK_INT(outcome->kind, wanted ? OUTCOME_REFUSED : granted);
    CHECK_INT(outcome->refused.refusal, wanted);
    if (!wanted) return;
    CHECK(uuid_is_zero(&outcome->holder.user));
    CHECK_INT(asked->run.finding.refusal, wanted);
    CHECK(asked->run.finding.check && asked->run.finding.expected[0] && asked->run.finding.seen[0]);
}

/* ---- guests ---- */

static void guest_init(struct asked *asked, const struct uuid *ids, size_t count)
{
    size_t i;

    ask_init(asked, ASK_MINT_GUEST);
    asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
    for (i = 0; i < count; i++)
        asked->run.ask.guest.addresses[i] = ids[i];
    asked->run.ask.guest.address_count = asked->run.ask.guest.address_count_asked = count;
}

static void refuses_guests(void)
{
    const struct uuid ids[] = {desk_address, live_address, {{0xee}}};
    struct asked asked;

    guest_init(&asked, ids, 1);
    asked.run.ask.credential = basic(&world.test, POWERLESS_TOKEN);
    check_answer(&asked, REFUSAL_KEY_PERMISSION, OUTCOME_MINTED);
    ask_release(&asked);
    guest_init(&asked, ids, 0);
    check_answer(&asked, REFUSAL_PARAMETER_MISSING, OUTCOME_MINTED);
    ask_release(&asked);
    guest_init(&asked, ids, 2); /* another project's, and nobody's, are refused alike */
    check_answer(&asked, REFUSAL_ADDRESS_FOREIGN, OUTCOME_MINTED);
    ask_release(&asked);
    guest_init(&asked, ids + 2, 1);
    check_answer(&asked, REFUSAL_ADDRESS_FOREIGN, OUTCOME_MINTED);
    ask_release(&asked);
    guest_init(&asked, ids, 1);
    asked.run.ask.guest.address_count_asked = ADDRESSES_MAX + 1;
    check_answer(&asked, REFUSAL_ADDRESSES_TOO_MANY, OUTCOME_MINTED);
    ask_release(&asked);
    guest_init(&asked, ids, 1);
    asked.run.ask.guest.has_expiry = true;
    check_answer(&asked, REFUSAL_PARAMETER_INVALID, OUTCOME_MINTED);
    ask_release(&asked);
    guest_init(&asked, ids, 1);
    asked.run.refused = (struct refused){REFUSAL_PARAMETER_INVALID, FIELD_ADDRESSES, "said the dialect"};
    check_answer(&asked, REFUSAL_PARAMETER_INVALID, OUTCOME_MINTED);
    ask_release(&asked);
}

static void lets_guests_in_to_resources_and_users(void)
{
    const struct uuid ids[] = {desk_address, ada_address};
    unsigned reads = world.spy.reads, commits = world.spy.commits;
    struct asked asked;

    guest_init(&asked, ids, 1);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_MINTED);
    CHECK_INT(world.spy.reads, reads); /* the snapshot knows resources */
    ask_release(&asked);
    guest_init(&asked, ids, 2);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_MINTED);
    CHECK_INT(world.spy.reads, reads + 1);
    CHECK_INT(world.spy.commits, commits); /* minting writes nothing */
    CHECK_INT(asked.run.outcome.minted.kind, TOKEN_GUEST);
    CHECK(asked.run.outcome.minted.refresh_token.len > 0);
    guest_token = keep(asked.run.outcome.minted.token);
    ask_release(&asked);
    world.spy.read_error = ERR_STORE_FAILED;
    guest_init(&asked, ids, 2);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.read_error = ERR_OK;
}

/* ---- invites ---- */

static void invite_init(struct asked *asked, struct bytes token, const struct uuid *address)
{
    ask_bearer_init(asked, ASK_MINT_INVITE, token);
    asked->run.ask.invite.address = *address;
    asked->run.http_method = BYTES("POST");
    asked->run.http_path = BYTES("/invites");
}

static void refuses_invites(void)
{
    struct asked asked;

    invite_init(&asked, guest_token, &ada_address);
    check_answer(&asked, REFUSAL_TOKEN_KIND, OUTCOME_MINTED);
    ask_release(&asked);
    invite_init(&asked, ada_token, &desk_address);
    check_answer(&asked, REFUSAL_PARAMETER_INVALID, OUTCOME_MINTED);
    ask_release(&asked);
    invite_init(&asked, bound, &ada_address);
    check_answer(&asked, REFUSAL_PROOF_MISSING, OUTCOME_MINTED);
    ask_release(&asked);
    invite_init(&asked, ada_token, &ada_address);
    asked.run.ask.origin = BYTES("https://evil.test");
    check_answer(&asked, REFUSAL_ORIGIN_NOT_LISTED, OUTCOME_MINTED);
    ask_release(&asked);
    invite_init(&asked, ada_token, &ada_address);
    asked.run.unreadable = ERR_MALFORMED;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.error, ERR_MALFORMED);
    ask_release(&asked);
}

static void a_subscriber_invites(void)
{
    struct asked asked;
    unsigned reads;

    invite_init(&asked, ada_token, &ada_address);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_MINTED);
    CHECK_INT(asked.run.outcome.minted.kind, TOKEN_INVITE);
    CHECK(bytes_is_absent(asked.run.outcome.minted.refresh_token));
    invite_token = keep(asked.run.outcome.minted.token);
    ask_release(&asked);
    service_forget_user(world.service, &world.test, &ada);
    reads = world.spy.reads;
    invite_init(&asked, ada_token, &ada_address);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_MINTED);
    CHECK_INT(world.spy.reads, reads + 1);
    ask_release(&asked);
}

/* ---- embeds ---- */

static void embed_init(struct asked *asked, struct bytes token)
{
    ask_init(asked, ASK_MINT_EMBED);
    asked->run.ask.embed.token = token;
}

static void refuses_embeds(void)
{
    const struct bytes good = bytes_of(click.secret, click.secret_len);
    char altered[KEY_TEXT_MAX];
    const struct {
        struct bytes token;
        const char *origin;
        enum refusal wanted;
    } rows[] = {
        {BYTES("x"), NULL, REFUSAL_TOKEN_PREFIX},
        {bytes_of(world.keys[TEST_TOKEN].secret, world.keys[TEST_TOKEN].secret_len), NULL,
         REFUSAL_TOKEN_PREFIX},
        {BYTES("c2c_"), NULL, REFUSAL_NOT_FOUND},
        {BYTES("c2c_00112233445566778899aabbccddeeff"), NULL, REFUSAL_NOT_FOUND},
        {bytes_of(altered, click.secret_len), NULL, REFUSAL_NOT_FOUND},
        {good, "https://evil.test", REFUSAL_ORIGIN_NOT_LISTED},
        {BYTES("a.b.c"), NULL, REFUSAL_TOKEN_MALFORMED},
        {ada_token, NULL, REFUSAL_TOKEN_KIND},
        {guest_token, NULL, REFUSAL_TOKEN_KIND},
        {good, "https://shop.test", REFUSAL_NONE},
    };
    struct asked asked;
    size_t i;

    memcpy(altered, click.secret, click.secret_len);
    altered[click.secret_len - 1] = altered[click.secret_len - 1] == '0' ? '1' : '0';
    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("row %zu", i);
        embed_init(&asked, rows[i].token);
        asked.run.ask.origin = bytes_of_text(rows[i].origin);
        check_answer(&asked, rows[i].wanted, OUTCOME_MINTED);
        ask_release(&asked);
    }
}

static void exchanges_and_exchanges_again(void)
{
    unsigned commits = world.spy.commits;
    struct asked asked;

    embed_init(&asked, bytes_of(click.secret, click.secret_len));
    check_answer(&asked, REFUSAL_NONE, OUTCOME_MINTED);
    CHECK_INT(asked.run.outcome.minted.kind, TOKEN_EMBED);
    embed_token = keep(asked.run.outcome.minted.token);
    ask_release(&asked);
    embed_init(&asked, embed_token);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_MINTED);
    ask_release(&asked);
    CHECK_INT(world.spy.commits, commits);
    embed_init(&asked, embed_token);
    asked.run.now_ms += 3600000;
    check_answer(&asked, REFUSAL_TOKEN_EXPIRED, OUTCOME_MINTED);
    ask_release(&asked);
}

static struct resource the_desk(bool is_disabled)
{
    struct resource resource = {
        .id = desk, .project = world.test, .type = ADDRESS_CALL, .is_disabled = is_disabled};

    resource.name = BYTES("test-desk");
    resource.display_name = BYTES("Desk");
    resource.created_ms = resource.updated_ms = NOW_MS;
    return resource;
}

static void publish(const struct write *write)
{
    world_write(write);
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
}

static void refuses_what_is_switched_off(void)
{
    struct write write = {.kind = WRITE_RESOURCE};
    struct asked asked;

    write.resource = the_desk(true);
    publish(&write);
    embed_init(&asked, bytes_of(click.secret, click.secret_len));
    check_answer(&asked, REFUSAL_RESOURCE_DISABLED, OUTCOME_MINTED);
    ask_release(&asked);
    embed_init(&asked, embed_token);
    check_answer(&asked, REFUSAL_RESOURCE_DISABLED, OUTCOME_MINTED);
    ask_release(&asked);
    write.resource = the_desk(false);
    publish(&write);
}

/* ---- what they see ---- */

static void each_sees_what_it_may_reach(void)
{
    const struct {
        const char *name;
        struct bytes token;
        bool sees_desk, sees_ada;
    } rows[] = {{"subscriber", ada_token, true, true},
                {"guest", guest_token, true, true},
                {"invite", invite_token, false, true},
                {"embed", embed_token, true, false}};
    struct asked asked;
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("%s", rows[i].name);
        ask_bearer_init(&asked, ASK_ADDRESS, rows[i].token);
        asked.run.ask.address = desk_address;
        check_answer(&asked, rows[i].sees_desk ? REFUSAL_NONE : REFUSAL_NOT_FOUND, OUTCOME_ADDRESSES);
        ask_release(&asked);
        ask_bearer_init(&asked, ASK_ADDRESS, rows[i].token);
        asked.run.ask.address = ada_address;
        check_answer(&asked, rows[i].sees_ada ? REFUSAL_NONE : REFUSAL_NOT_FOUND, OUTCOME_ADDRESSES);
        ask_release(&asked);
        ask_bearer_init(&asked, ASK_ADDRESS, rows[i].token);
        asked.run.ask.address = live_address;
        check_answer(&asked, REFUSAL_NOT_FOUND, OUTCOME_ADDRESSES);
        ask_release(&asked);
        ask_bearer_init(&asked, ASK_ADDRESSES, rows[i].token);
        asked.run.ask.addresses.name = BYTES("/private/ada");
        check_answer(&asked, REFUSAL_NONE, OUTCOME_ADDRESSES);
        CHECK_INT(asked.run.outcome.addresses.count, rows[i].sees_ada);
        ask_release(&asked);
    }
}

static void guests_are_nobody_in_particular(void)
{
    const struct bytes tokens[] = {guest_token, invite_token, embed_token};
    unsigned reads = world.spy.reads;
    struct asked asked;
    size_t i;

    for (i = 0; i < COUNT(tokens); i++) {
        ask_bearer_init(&asked, ASK_WHO_AM_I, tokens[i]);
        check_answer(&asked, REFUSAL_NONE, OUTCOME_WHO);
        CHECK(uuid_equal(&asked.run.outcome.who.id, &asked.run.outcome.holder.user));
        CHECK_BYTES(asked.run.outcome.who.profile.value[PROFILE_DISPLAY_NAME], BYTES("Guest"));
        CHECK_INT(asked.run.outcome.who.kind, USER_GUEST);
        CHECK(!asked.run.outcome.holder.is_full_subscriber);
        ask_release(&asked);
    }
    CHECK_INT(world.spy.reads, reads); /* there is no row to look for */
}

/* ---- binding ---- */

static void bind_init(struct asked *asked, struct bytes token, struct bytes dpop, bool renews)
{
    ask_bearer_init(asked, ASK_BIND, token);
    asked->run.ask.bind = (struct ask_bind){.proof = dpop, .renews = renews};
    asked->run.http_method = BYTES("POST");
    asked->run.http_path = renews ? BYTES(RENEW) : BYTES(ACTIVATE);
}

static void check_bind(struct bytes token, bool renews, enum refusal wanted)
{
    struct asked asked;

    bind_init(&asked, token, buf_bytes(&proof), renews);
    check_answer(&asked, wanted, OUTCOME_MINTED);
    if (!wanted) CHECK(bytes_is_absent(asked.run.outcome.minted.refresh_token));
    ask_release(&asked);
}

static void refuses_to_bind(void)
{
    unsigned commits = world.spy.commits;
    struct asked asked;

    prove_http(&proof, "b1", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(ada_token, false, REFUSAL_TOKEN_SCOPE);
    check_bind(guest_token, false, REFUSAL_TOKEN_KIND);
    check_bind(embed_token, false, REFUSAL_TOKEN_KIND);
    check_bind(bound, true, REFUSAL_PROOF_INVALID); /* made for the other path */
    bind_init(&asked, bound, BYTES_NONE, false);
    check_answer(&asked, REFUSAL_PROOF_MISSING, OUTCOME_MINTED);
    ask_release(&asked);
    bind_init(&asked, bound, BYTES_NONE, false);
    asked.run.unreadable = ERR_UNSUPPORTED;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.error, ERR_UNSUPPORTED);
    ask_release(&asked);
    prove_http(&proof, "b2", RENEW, BYTES_NONE, NOW_S);
    check_bind(bound, true, REFUSAL_PROOF_INVALID); /* names no token */
    prove_http(&proof, "b3", RENEW, ada_token, NOW_S);
    check_bind(bound, true, REFUSAL_PROOF_INVALID); /* names another */
    prove_http(&proof, "b4", ACTIVATE, ada_token, NOW_S);
    check_bind(bound, false, REFUSAL_PROOF_INVALID);
    prove_http(&proof, "b5", ACTIVATE, BYTES_NONE, NOW_S - 301);
    check_bind(bound, false, REFUSAL_PROOF_INVALID);
    CHECK_INT(world.spy.commits, commits); /* none was used up */
}

static void binds_and_renews_by_one_proof_each(void)
{
    prove_http(&proof, "g1", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(bound, false, REFUSAL_NONE);
    check_bind(bound, false, REFUSAL_PROOF_REPLAYED);
    prove_http(&proof, "g2", RENEW, bound, NOW_S);
    check_bind(bound, true, REFUSAL_NONE);
    check_bind(bound, true, REFUSAL_PROOF_REPLAYED);
    prove_http(&proof, "g2", RENEW, bound, NOW_S - 1);
    check_bind(bound, true, REFUSAL_PROOF_REPLAYED);
}

static void mints_nothing_that_the_store_does_not_know(void)
{
    struct asked asked;

    prove_http(&proof, "f1", RENEW, bound, NOW_S);
    world.spy.commit_error = ERR_STORE_FAILED;
    bind_init(&asked, bound, buf_bytes(&proof), true);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.commit_error = ERR_OK;
    check_bind(bound, true, REFUSAL_NONE); /* it was not used up */
}

static void binds_a_loose_token_to_the_first_key(void)
{
    struct asked mint;
    struct bytes loose;

    ask_mint_init(&mint, "ada");
    mint.run.ask.mint.may_self_refresh = true;
    check_answer(&mint, REFUSAL_NONE, OUTCOME_MINTED);
    loose = mint.run.outcome.minted.token;
    prove_http(&proof, "l1", RENEW, loose, NOW_S);
    check_bind(loose, true, REFUSAL_TOKEN_UNBOUND);
    prove_http(&proof, "l2", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(loose, false, REFUSAL_NONE);
    check_bind(loose, false, REFUSAL_PROOF_REPLAYED);
    prove_http(&proof, "l3", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(loose, false, REFUSAL_NONE); /* the same key again */
    crypto_sign_free(world.browser.sign);
    crypto_free(world.browser.crypto);
    world_browser(); /* another browser from here on */
    prove_http(&proof, "l4", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(loose, false, REFUSAL_BOUND_ELSEWHERE);
    prove_http(&proof, "l5", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(loose, false, REFUSAL_TOKEN_CUT_OFF); /* and the family has ended */
    prove_http(&proof, "l6", ACTIVATE, BYTES_NONE, NOW_S);
    check_bind(bound, false, REFUSAL_PROOF_INVALID); /* another family's is as it was */
    ask_release(&mint);
}

/* ---- the world ---- */

static struct bytes mint_ada(bool is_bound)
{
    struct asked asked;
    struct bytes token;

    ask_mint_init(&asked, "ada");
    if (is_bound) asked.run.ask.mint.fingerprint = bytes_of(world.browser.jkt, JWK_THUMBPRINT_LEN);
    asked.run.ask.mint.may_self_refresh = is_bound;
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    ada = asked.run.outcome.minted.user;
    token = keep(asked.run.outcome.minted.token);
    ask_release(&asked);
    return token;
}

static void found_button(void)
{
    const struct facts *facts = service_facts(world.service);
    struct write write = {.kind = WRITE_RESOURCE};
    struct key_bench bench;

    desk_address = facts_address(facts, &world.test, BYTES("/public/test-desk"))->id;
    desk = facts_address(facts, &world.test, BYTES("/public/test-desk"))->resource;
    live_address = facts_address(facts, &world.live, BYTES("/public/live-desk"))->id;
    write.resource = the_desk(false);
    world_write(&write);
    key_text_draw(&click, KEY_CLICK_TO_CALL, true, &world.dice);
    write = (struct write){.kind = WRITE_KEY};
    write.key.kind = KEY_CLICK_TO_CALL;
    write.key.project = world.test;
    write.key.public_id = bytes_of(click.id, click.id_len);
    write.key.resource = desk;
    world_check(key_bench_open(&bench, world.ring, 1));
    world_check(keyring_hash(write.key.hash, &bench, bytes_of(click.secret, click.secret_len)));
    key_bench_release(&bench);
    publish(&write);
}

static void find_ada(void)
{
    struct asked asked;

    ask_bearer_init(&asked, ASK_WHO_AM_I, ada_token);
    check_answer(&asked, REFUSAL_NONE, OUTCOME_WHO);
    ada_address = asked.run.outcome.who.address.id;
    ask_release(&asked);
}

int main(void)
{
    size_t i;

    world_open(64);
    buf_init(&proof, JWS_MAX);
    found_button();
    ada_token = mint_ada(false);
    bound = mint_ada(true);
    find_ada();
    CHECK_RUN(refuses_guests);
    CHECK_RUN(lets_guests_in_to_resources_and_users);
    CHECK_RUN(refuses_invites);
    CHECK_RUN(a_subscriber_invites);
    CHECK_RUN(refuses_embeds);
    CHECK_RUN(exchanges_and_exchanges_again);
    CHECK_RUN(refuses_what_is_switched_off);
    CHECK_RUN(each_sees_what_it_may_reach);
    CHECK_RUN(guests_are_nobody_in_particular);
    CHECK_RUN(refuses_to_bind);
    CHECK_RUN(binds_and_renews_by_one_proof_each);
    CHECK_RUN(mints_nothing_that_the_store_does_not_know);
    CHECK_RUN(binds_a_loose_token_to_the_first_key);
    for (i = 0; i < rooms; i++)
        buf_release(&room[i]);
    buf_release(&proof);
    world_close();
    return CHECK_END();
}
