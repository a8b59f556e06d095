/* What a credential's budget holds, through a whole service: sessions of guests and visitors, exchanges of a
 * click-to-call token. */
#include "harness/service_world.h"

#define COUNT(list)  (sizeof(list) / sizeof(list)[0])
#define HOUR_MS      3600000
#define UNTIL_DAY_MS (((int64_t)86400 - NOW_S % 86400) * 1000)

static struct buf room[16]; /* tokens of one test */
static size_t rooms;
static struct key_text click;
static struct uuid desk, desk_address;

static struct bytes keep(struct bytes token)
{
    struct buf *buf = &room[rooms++];

    buf_init(buf, JWS_MAX);
    buf_append(buf, token);
    return buf_bytes(buf);
}

static void forget_rooms(void)
{
    while (rooms)
        buf_release(&room[--rooms]);
}

/* ---- the world ---- */

static void publish(const struct write *write)
{
    world_write(write);
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
}

static void set(enum setting setting, int64_t value)
{
    publish(&(struct write){.kind = WRITE_SETTING,
                            .setting = {.project = world.test, .setting = setting, .value = value}});
}

static void set_desk(enum budget_part part, int64_t value)
{
    struct write write = {.kind = WRITE_RESOURCE,
                          .resource = {.id = desk,
                                       .project = world.test,
                                       .type = ADDRESS_CALL,
                                       .name = BYTES("test-desk"),
                                       .created_ms = NOW_MS}};

    write.resource.budget[part] = value;
    publish(&write);
}

static void begin(void)
{
    struct write write = {.kind = WRITE_KEY};
    const struct address *address;
    struct key_bench bench;

    world_open(64);
    world.seats = 1000;
    address = facts_address(service_facts(world.service), &world.test, BYTES("/public/test-desk"));
    desk_address = address->id;
    desk = address->resource;
    key_text_draw(&click, KEY_CLICK_TO_CALL, true, &world.dice);
    write.key.kind = KEY_CLICK_TO_CALL;
    write.key.project = world.test;
    write.key.public_id = bytes_of(click.id, click.id_len);
    write.key.resource = desk;
    world_check(key_bench_open(&bench, world.ring, 1));
    world_check(keyring_hash(write.key.hash, &bench, bytes_of(click.secret, click.secret_len)));
    key_bench_release(&bench);
    world_write(&write);
    set_desk(BUDGET_USES, 0);
}

static void end(void)
{
    forget_rooms();
    world_close();
}

/* ---- asking ---- */

static struct bytes guest(struct bytes *refresh_token)
{
    struct asked asked;
    struct bytes token;

    ask_init(&asked, ASK_MINT_GUEST);
    asked.run.ask.credential = basic(&world.test, TEST_TOKEN);
    asked.run.ask.guest.addresses[0] = desk_address;
    asked.run.ask.guest.address_count = asked.run.ask.guest.address_count_asked = 1;
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_MINTED);
    token = keep(asked.run.outcome.minted.token);
    if (refresh_token) *refresh_token = keep(asked.run.outcome.minted.refresh_token);
    ask_release(&asked);
    return token;
}

static struct bytes refresh(struct bytes refresh_token)
{
    struct asked asked;
    struct bytes token;

    ask_init(&asked, ASK_REFRESH);
    asked.run.ask.credential = basic(&world.test, TEST_TOKEN);
    asked.run.ask.refresh.refresh_token = refresh_token;
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_MINTED);
    token = keep(asked.run.outcome.minted.token);
    ask_release(&asked);
    return token;
}

static struct bytes wait_text(char text[32], int64_t retry_after_ms)
{
    (void)snprintf(text, 32, "%lld", (long long)retry_after_ms);
    return bytes_of_text(text);
}

static void check_answer(struct asked *asked, enum outcome_kind granted, enum refusal wanted,
                         const char *check, int64_t retry_after_ms)
{
    const struct outcome *outcome = ask_run(asked);
    char got[32], expected[32];

    CHECK_INT(outcome->kind, wanted ? OUTCOME_REFUSED : granted);
    CHECK_INT(outcome->refused.refusal, wanted);
    CHECK_BYTES(wait_text(got, outcome->retry_after_ms), wait_text(expected, retry_after_ms));
    if (!wanted) return;
    CHECK(uuid_is_zero(&outcome->holder.user));
    CHECK_BYTES(bytes_of_text(asked->run.finding.check), bytes_of_text(check));
    CHECK(asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    CHECK(uuid_equal(&asked->run.finding.project, &world.test));
}

static void check_connect(struct bytes token, int64_t later_ms, enum refusal wanted, const char *check,
                          int64_t retry_after_ms)
{
    struct asked asked;

    ask_connect_init(&asked, token, BYTES_NONE);
    asked.run.now_ms += later_ms;
    check_answer(&asked, OUTCOME_CONNECTED, wanted, check, retry_after_ms);
    ask_release(&asked);
}

static struct bytes check_exchange(struct bytes text, int64_t later_ms, enum refusal wanted,
                                   const char *check, int64_t retry_after_ms)
{
    struct bytes token = BYTES_NONE;
    struct asked asked;

    ask_init(&asked, ASK_MINT_EMBED);
    asked.run.ask.embed.token = text;
    asked.run.now_ms += later_ms;
    check_answer(&asked, OUTCOME_MINTED, wanted, check, retry_after_ms);
    if (!wanted) token = keep(asked.run.outcome.minted.token);
    ask_release(&asked);
    return token;
}

static struct bytes click_text(void)
{
    return bytes_of(click.secret, click.secret_len);
}

/* ---- sessions ---- */

static void refuses_a_session_beyond_the_uses(void)
{
    struct bytes refresh_token, token;

    begin();
    set(SETTING_GUEST_USES, 2);
    token = guest(&refresh_token);
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 0, REFUSAL_BUDGET_SPENT, "budget.uses", 0);
    check_connect(refresh(refresh_token), 0, REFUSAL_BUDGET_SPENT, "budget.uses", 0); /* the family's */
    check_connect(guest(NULL), 0, REFUSAL_NONE, NULL, 0);
    set(SETTING_GUEST_USES, 3); /* what is out there follows the setting */
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 0, REFUSAL_BUDGET_SPENT, "budget.uses", 0);
    end();
}

static void refuses_a_session_beyond_the_hour(void)
{
    struct bytes token;

    begin();
    set(SETTING_GUEST_USES_HOUR, 1);
    token = guest(NULL);
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 1000, REFUSAL_BUDGET_WAITS, "budget.hour", HOUR_MS - 1000);
    check_connect(token, HOUR_MS - 1, REFUSAL_BUDGET_WAITS, "budget.hour", 1000);
    check_connect(token, HOUR_MS, REFUSAL_NONE, NULL, 0);
    end();
}

static void refuses_a_session_beyond_the_seats(void)
{
    unsigned commits;
    struct bytes token;
    struct asked asked;

    begin();
    set(SETTING_GUEST_USES, 5);
    set(SETTING_GUEST_SESSIONS, 1);
    token = guest(NULL);
    commits = world.spy.commits;
    world.seats = 0;
    check_connect(token, 0, REFUSAL_SESSIONS_FULL, "budget.sessions", 10000);
    world.seat_error = ERR_NO_MEMORY;
    ask_connect_init(&asked, token, BYTES_NONE);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_NO_MEMORY);
    ask_release(&asked);
    CHECK_INT(world.spy.commits, commits); /* no use was counted */
    world.seat_error = ERR_OK;
    world.seats = 1;
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    CHECK_INT(world.seats_taken, 1);
    end();
}

static void counts_no_use_of_a_connect_that_is_refused_for_its_form(void)
{
    struct bytes token;
    struct asked asked;
    int i;

    begin();
    set(SETTING_GUEST_USES, 1);
    token = guest(NULL);
    for (i = 0; i < 2; i++) {
        ask_connect_init(&asked, token, BYTES_NONE);
        if (i == 0)
            asked.run.ask.connect.wants_resume = true;
        else
            asked.run.refused = (struct refused){REFUSAL_PARAMETER_MISSING, FIELD_NONE, "said the dialect"};
        CHECK_INT(ask_run(&asked)->kind, OUTCOME_REFUSED);
        CHECK(asked.run.outcome.refused.refusal != REFUSAL_BUDGET_SPENT);
        ask_release(&asked);
    }
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    end();
}

static void opens_no_session_that_was_not_counted(void)
{
    struct bytes token;
    struct asked asked;

    begin();
    set(SETTING_GUEST_USES, 1);
    token = guest(NULL);
    world.spy.commit_error = ERR_STORE_FAILED;
    ask_connect_init(&asked, token, BYTES_NONE);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_FAILED);
    ask_release(&asked);
    world.spy.commit_error = ERR_OK;
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    end();
}

/* All at once, before the store has answered any. */
static void lets_exactly_as_many_through_as_are_left(void)
{
    static struct asked asked[20];
    struct bytes token;
    int opened = 0;
    size_t i;

    begin();
    set(SETTING_GUEST_USES, 5);
    token = guest(NULL);
    for (i = 0; i < COUNT(asked); i++) {
        ask_connect_init(&asked[i], token, BYTES_NONE);
        ask_start(&asked[i]);
    }
    drain();
    for (i = 0; i < COUNT(asked); i++) {
        CHECK_INT(asked[i].answers, 1);
        opened += asked[i].run.outcome.kind == OUTCOME_CONNECTED;
        ask_release(&asked[i]);
    }
    CHECK_INT(opened, 5);
    end();
}

static void counts_nothing_where_nothing_is_bounded(void)
{
    unsigned commits;

    begin();
    commits = world.spy.commits;
    check_connect(guest(NULL), 0, REFUSAL_NONE, NULL, 0);
    check_connect(check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0), 0, REFUSAL_NONE, NULL, 0);
    CHECK_INT(world.spy.commits, commits);
    CHECK_INT(world.seats_taken, 0);
    end();
}

/* ---- exchanges ---- */

static void refuses_an_exchange_beyond_the_day(void)
{
    struct bytes token;

    begin();
    set(SETTING_CLICK_USES_DAY, 2);
    token = check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    (void)check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    (void)check_exchange(click_text(), 0, REFUSAL_BUDGET_WAITS, "budget.day", UNTIL_DAY_MS);
    (void)check_exchange(token, 0, REFUSAL_NONE, NULL, 0); /* the visitor goes on */
    (void)check_exchange(click_text(), UNTIL_DAY_MS - 1, REFUSAL_BUDGET_WAITS, "budget.day", 1000);
    (void)check_exchange(click_text(), UNTIL_DAY_MS, REFUSAL_NONE, NULL, 0);
    end();
}

static void takes_a_buttons_own_bounds_first(void)
{
    begin();
    set(SETTING_CLICK_USES_HOUR, 100);
    set_desk(BUDGET_HOUR, 1);
    (void)check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    (void)check_exchange(click_text(), 0, REFUSAL_BUDGET_WAITS, "budget.hour", HOUR_MS);
    set_desk(BUDGET_HOUR, 0);
    (void)check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    set_desk(BUDGET_USES, 1);
    (void)check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    (void)check_exchange(click_text(), 10 * (int64_t)HOUR_MS, REFUSAL_BUDGET_SPENT, "budget.uses", 0);
    end();
}

static void counts_a_visitor_and_his_renewals_as_one(void)
{
    struct bytes token;

    begin();
    set(SETTING_EMBED_USES, 1);
    token = check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 0, REFUSAL_BUDGET_SPENT, "budget.uses", 0);
    token = check_exchange(token, 0, REFUSAL_NONE, NULL, 0);
    check_connect(token, 0, REFUSAL_BUDGET_SPENT, "budget.uses", 0);
    token = check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0); /* another visitor */
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    end();
}

static void seats_a_visitor_for_himself_and_by_his_button(void)
{
    struct bytes token;

    begin();
    set(SETTING_EMBED_SESSIONS, 1);
    set(SETTING_CLICK_SESSIONS, 1);
    token = check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    world.seats = 1;
    check_connect(token, 0, REFUSAL_SESSIONS_FULL, "budget.sessions", 10000);
    world.seats = 3; /* one of the first try: here nobody gives it back */
    check_connect(token, 0, REFUSAL_NONE, NULL, 0);
    CHECK_INT(world.seats_taken, 3);
    end();
}

static void gives_no_token_for_an_exchange_that_was_not_counted(void)
{
    struct asked asked;

    begin();
    set(SETTING_CLICK_USES_DAY, 1);
    world.spy.commit_error = ERR_STORE_BUSY;
    ask_init(&asked, ASK_MINT_EMBED);
    asked.run.ask.embed.token = click_text();
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    CHECK_INT(asked.run.outcome.error, ERR_STORE_BUSY);
    ask_release(&asked);
    world.spy.commit_error = ERR_OK;
    (void)check_exchange(click_text(), 0, REFUSAL_NONE, NULL, 0);
    end();
}

int main(void)
{
    CHECK_RUN(refuses_a_session_beyond_the_uses);
    CHECK_RUN(refuses_a_session_beyond_the_hour);
    CHECK_RUN(refuses_a_session_beyond_the_seats);
    CHECK_RUN(counts_no_use_of_a_connect_that_is_refused_for_its_form);
    CHECK_RUN(opens_no_session_that_was_not_counted);
    CHECK_RUN(refuses_an_exchange_beyond_the_day);
    CHECK_RUN(takes_a_buttons_own_bounds_first);
    CHECK_RUN(gives_no_token_for_an_exchange_that_was_not_counted);
    CHECK_RUN(lets_exactly_as_many_through_as_are_left);
    CHECK_RUN(counts_nothing_where_nothing_is_bounded);
    CHECK_RUN(counts_a_visitor_and_his_renewals_as_one);
    CHECK_RUN(seats_a_visitor_for_himself_and_by_his_button);
    return CHECK_END();
}
