/* Each allocation of a mint, a connect, a redeem and others fails in turn: the answer is then "try again",
 * never half a grant, nothing leaks, and the next ask is served as if nothing had been. The program is linked
 * with --wrap for malloc, calloc and realloc, so that this counts what our own code asks for; the JSON
 * library asks through the same door. */
#include "harness/ticket_world.h"

#include "base/hex.h"

static long left = -1; /* allocations until one fails; below zero: none does */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails_now(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __real_realloc(old, size);
}

static struct buf proof;
static char token_room[JWS_MAX];
static char refresh_room[SEAL_REFRESH_MAX];
static char guest_room[JWS_MAX];
static struct bytes token, refresh_token, guest_token;

/* One ask of each sort; each gives an outcome of its own when all is well. */
enum sort {
    MINT_NEW,
    MINT_KNOWN,
    MINT_CHANGED,
    MINT_PASSWORD,
    REFRESH_NEXT,
    REFRESH_AGAIN,
    CONNECT_BOUND,
    CONNECT_BUDGETED,
    WHO,
    WHO_READ,
    ADDRESSES_ALL,
    GUEST,
    INVITE_BOUND,
    RENEW,
    LAUNCH_KNOWN,
    BOOTSTRAP_NAMED,
    REDEEM_NEW,
    REDEEM_KNOWN,
    VISIT,
    STUDY,
    ANSWER,
    INTROSPECT_ACCESS,
    INTROSPECT_REFRESH,
    INTROSPECT_SIGNED,
    REVOCATIONS,
    SORTS
};

static struct ticket_text ticket;
static struct uuid known, interview;
static char session_room[JWS_MAX];
static struct bytes session;

static void prepare_door(struct asked *asked, enum sort sort, const char *text)
{
    ask_init(asked, sort == REVOCATIONS ? ASK_REVOCATIONS : ASK_INTROSPECT);
    asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
    if (sort != REVOCATIONS)
        asked->run.ask.introspect.token = sort == INTROSPECT_ACCESS ? token : refresh_token;
    if (sort != INTROSPECT_SIGNED) return;
    asked->run.takes_keys |= KEY_BIT(KEY_CLIENT);
    assert_client(&proof, text, NOW_S + 60);
    asked->run.ask.credential = asserted(&proof);
}

static void prepare_ticket(struct asked *asked, enum sort sort)
{
    switch ((int)sort) { /* the sorts that have to do with tickets */
    case LAUNCH_KNOWN:
        launch_init(asked);
        asked->run.ask.launch =
            (struct ask_launch){.has_user = true, .user = known, .payload = BYTES("{\"b\":2}")};
        return;
    case BOOTSTRAP_NAMED:
        bootstrap_init(asked, BYTES("u-1"));
        return;
    case REDEEM_NEW:
    case REDEEM_KNOWN:
        launch(&ticket, sort == REDEEM_KNOWN ? &known : NULL, BYTES("{\"a\":1}"));
        redeem_init(asked, TICKET_LAUNCH, &ticket);
        return;
    case VISIT:
        ask_init(asked, ASK_VISIT);
        asked->run.ask.visit = (struct ask_visit){.has_study = true, .study = study};
        return;
    case STUDY:
        ask_bearer_init(asked, ASK_STUDY, session);
        asked->run.ask.interview.study = study;
        return;
    default:
        ask_bearer_init(asked, ASK_INTERVIEW, session);
        asked->run.ask.interview = (struct ask_interview){
            .step = INTERVIEW_ANSWER, .id = interview, .question = BYTES("q1"), .answer = BYTES("because")};
        return;
    }
}

static void step(enum interview_step what)
{
    struct asked asked;

    ask_bearer_init(&asked, ASK_INTERVIEW, session);
    asked.run.ask.interview = (struct ask_interview){.step = what, .study = study, .id = interview};
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_INTERVIEW);
    interview = asked.run.outcome.interview.id;
    ask_release(&asked);
}

/* An embedded user with a payload; a participant in an interview that takes answers. */
static void make_people(void)
{
    size_t len = 0;

    launch(&ticket, NULL, BYTES("{\"a\":0}"));
    known = redeem(NULL, NULL, TICKET_LAUNCH, &ticket);
    bootstrap(&ticket, BYTES("u-1"));
    redeem(session_room, &len, TICKET_BOOTSTRAP, &ticket);
    session = bytes_of(session_room, len);
    step(INTERVIEW_BEGIN);
    step(INTERVIEW_CONSENT);
}

static struct uuid desk_address, ada_address;

static void prepare_limited(struct asked *asked, enum sort sort, const char *text)
{
    struct ask *ask = &asked->run.ask;

    if (sort == GUEST) {
        ask_init(asked, ASK_MINT_GUEST);
        ask->credential = basic(&world.test, TEST_TOKEN);
        ask->guest.addresses[0] = desk_address;
        ask->guest.addresses[1] = ada_address;
        ask->guest.address_count = ask->guest.address_count_asked = 2;
        return;
    }
    prove_http(&proof, text, "/here", token, NOW_S);
    ask_bearer_init(asked, sort == RENEW ? ASK_BIND : ASK_MINT_INVITE, token);
    asked->run.http_method = BYTES("POST");
    asked->run.http_path = BYTES("/here");
    if (sort == RENEW)
        ask->bind = (struct ask_bind){.proof = buf_bytes(&proof), .renews = true};
    else
        ask->invite = (struct ask_invite){.proof = buf_bytes(&proof), .address = ada_address};
}

static void prepare(struct asked *asked, enum sort sort, unsigned round)
{
    static char text[32];

    (void)snprintf(text, sizeof text, "u%u-%d", round, sort);
    if (sort >= INTROSPECT_ACCESS) {
        prepare_door(asked, sort, text);
        return;
    }
    if (sort >= LAUNCH_KNOWN) {
        prepare_ticket(asked, sort);
        return;
    }
    ask_mint_init(asked, sort == MINT_KNOWN || sort == MINT_CHANGED ? "ada" : text);
    if (sort == MINT_CHANGED) asked->run.ask.mint.profile.value[PROFILE_COUNTRY] = bytes_of_text(text);
    if (sort == MINT_PASSWORD) asked->run.ask.mint.password = BYTES("a password");
    if (sort < REFRESH_NEXT) return;
    if (sort == REFRESH_NEXT || sort == REFRESH_AGAIN) {
        ask_init(asked, ASK_REFRESH);
        asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
        asked->run.ask.refresh.refresh_token = refresh_token;
        return;
    }
    if (sort >= GUEST) {
        prepare_limited(asked, sort, text);
        return;
    }
    if (sort == CONNECT_BOUND) {
        prove(&proof, text, "open", NOW_S);
        ask_connect_init(asked, token, buf_bytes(&proof));
        return;
    }
    if (sort == CONNECT_BUDGETED) {
        ask_connect_init(asked, guest_token, BYTES_NONE);
        return;
    }
    ask_bearer_init(asked, sort == ADDRESSES_ALL ? ASK_ADDRESSES : ASK_WHO_AM_I, token);
    asked->run.takes_bound_as_bearer = true;
}

static enum outcome_kind granted(enum sort sort)
{
    static const enum outcome_kind kinds[SORTS] = {
        OUTCOME_MINTED,     OUTCOME_MINTED,       OUTCOME_MINTED,       OUTCOME_MINTED,
        OUTCOME_MINTED,     OUTCOME_MINTED,       OUTCOME_CONNECTED,    OUTCOME_CONNECTED,
        OUTCOME_WHO,        OUTCOME_WHO,          OUTCOME_ADDRESSES,    OUTCOME_MINTED,
        OUTCOME_MINTED,     OUTCOME_MINTED,       OUTCOME_TICKET,       OUTCOME_TICKET,
        OUTCOME_MINTED,     OUTCOME_MINTED,       OUTCOME_MINTED,       OUTCOME_STUDY,
        OUTCOME_INTERVIEW,  OUTCOME_INTROSPECTED, OUTCOME_INTROSPECTED, OUTCOME_INTROSPECTED,
        OUTCOME_REVOCATIONS};
    return kinds[sort];
}

/* A family of its own for each: one that is refreshed twice within the grace time gets the same answer. */
static void mint_to_refresh(void)
{
    struct asked asked;

    ask_mint_init(&asked, "ada");
    ask_run(&asked);
    refresh_token = asked.run.outcome.minted.refresh_token;
    memcpy(refresh_room, refresh_token.ptr, refresh_token.len);
    refresh_token.ptr = (const uint8_t *)refresh_room;
    ask_release(&asked);
}

/* True: this ask needed fewer allocations than n, so that none failed. */
static bool fail_one(enum sort sort, long n, unsigned round)
{
    struct asked asked;
    const struct outcome *outcome = &asked.run.outcome;
    bool all_went_well;

    if (sort == REFRESH_NEXT || (sort == REFRESH_AGAIN && !refresh_token.len)) mint_to_refresh();
    if (sort == WHO_READ) {
        struct asked who;
        prepare(&who, WHO, round);
        ask_run(&who);
        service_forget_user(world.service, &world.test, &who.run.outcome.holder.user);
        ask_release(&who);
    }
    prepare(&asked, sort, round);
    left = n;
    ask_start(&asked);
    drain();
    all_went_well = left >= 0;
    left = -1;
    CHECK_INT(asked.answers, 1);
    if (all_went_well || outcome->kind == granted(sort)) /* a cache that could not remember is no failure */
        CHECK_INT(outcome->kind, granted(sort));
    else {
        CHECK_INT(outcome->kind, OUTCOME_FAILED);
        CHECK_INT(outcome->error, ERR_NO_MEMORY);
    }
    ask_release(&asked);
    return all_went_well;
}

static void fails_cleanly_at_every_allocation(void)
{
    unsigned round = 0;
    int sort;

    for (sort = 0; sort < SORTS; sort++) {
        long n = 0;
        bool done = false;
        for (; !done && n < 2000; n++) {
            CHECK_NOTE("sort %d, allocation %ld", sort, n);
            done = fail_one((enum sort)sort, n, round++);
        }
        CHECK(done);
        CHECK(n > 1);
        CHECK_NOTE("sort %d, afterwards", sort);
        CHECK(fail_one((enum sort)sort, 1000000, round++));
    }
}

/* The session's name and the former one's are drawn last of all, 32 bytes each: memory may end between them
 * only where a block of the arena does, so each place in it is tried. */
static bool resume_once(const struct buf *sealed, struct bytes name, size_t filled, long n)
{
    struct asked asked;
    const struct outcome *outcome = &asked.run.outcome;
    bool all_went_well;

    ask_connect_init(&asked, guest_token, BYTES_NONE);
    asked.run.ask.connect.wants_resume = true;
    asked.run.ask.connect.state = buf_bytes(sealed);
    asked.run.ask.connect.session = name;
    CHECK(arena_alloc(&asked.arena, filled) != NULL);
    left = n;
    ask_start(&asked);
    drain();
    all_went_well = left >= 0;
    left = -1;
    if (outcome->kind == OUTCOME_CONNECTED) {
        CHECK(outcome->connected.state != NULL);
        CHECK_INT(outcome->connected.session.len, 32);
        CHECK_INT(outcome->connected.former.len, 32);
    } else {
        CHECK(!all_went_well);
        CHECK_INT(outcome->kind, OUTCOME_FAILED);
        CHECK_INT(outcome->error, ERR_NO_MEMORY);
    }
    ask_release(&asked);
    return all_went_well;
}

static void names_a_session_that_is_resumed_or_fails(void)
{
    struct resume_state state = {
        .session = {{7, 7, 7}}, .kind = TOKEN_GUEST, .parent_key = BYTES("0123456789abcdef"), .sequence = 1};
    struct asked asked;
    struct buf sealed;
    char name[32];
    size_t filled;

    ask_connect_init(&asked, guest_token, BYTES_NONE);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_CONNECTED);
    state.project = asked.run.outcome.holder.project;
    state.user = asked.run.outcome.holder.user;
    state.deadline_s = asked.run.outcome.holder.exp_s;
    ask_release(&asked);
    buf_init(&sealed, JWS_MAX);
    CHECK_INT(service_seal_resume(world.service, &sealed, &state), ERR_OK);
    hex_write(name, uuid_bytes(&state.session));
    for (filled = 16; filled < 4096; filled += 16) {
        long n = 0;
        CHECK_NOTE("%zu bytes in use before", filled);
        while (!resume_once(&sealed, bytes_of(name, sizeof name), filled, n) && n < 2000)
            n++;
        CHECK(n < 2000);
    }
    buf_release(&sealed);
}

/* A lane that cannot take newer facts for want of memory stays on those it has. */
static void stays_on_its_facts_without_memory(void)
{
    const struct facts *before = service_facts(world.service);
    struct publication *fresh = world_publish();

    left = 0;
    CHECK_INT(service_take_facts(world.service, fresh), ERR_NO_MEMORY);
    left = -1;
    CHECK(service_facts(world.service) == before);
    CHECK_INT(before->project_count, 2);
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
    CHECK(service_facts(world.service) != before);
}

static void opens_whole_or_not_at_all(void)
{
    struct service_options options = {
        .epoch = 1, .url = BYTES(URL), .users_max = 4, .dice = world.dice, .ring = world.ring};
    struct publication *publication = world_publish();
    struct service *service = NULL;
    enum err e = ERR_NO_MEMORY;
    long n;

    for (n = 0; e && n < 2000; n++) {
        CHECK_NOTE("allocation %ld", n);
        left = n;
        e = service_new(&service, &options, publication);
        left = -1;
        CHECK(e == ERR_OK || e == ERR_NO_MEMORY);
        CHECK((e == ERR_OK) == (service != NULL));
    }
    CHECK_INT(e, ERR_OK);
    service_free(service);
}

/* A guest whose uses and sessions are counted, with room for all that is tried here. */
static void make_guest(void)
{
    static const enum setting settings[] = {SETTING_GUEST_USES, SETTING_GUEST_USES_HOUR,
                                            SETTING_GUEST_SESSIONS};
    struct write write = {.kind = WRITE_SETTING, .setting = {.project = world.test, .value = 1000000}};
    struct asked asked;
    size_t i;

    for (i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        write.setting.setting = settings[i];
        world_write(&write);
    }
    CHECK_INT(service_take_facts(world.service, world_publish()), ERR_OK);
    world.seats = 1000000;
    prepare_limited(&asked, GUEST, "");
    guest_token = ask_run(&asked)->minted.token;
    memcpy(guest_room, guest_token.ptr, guest_token.len);
    guest_token.ptr = (const uint8_t *)guest_room;
    ask_release(&asked);
}

int main(void)
{
    struct asked asked;

    open_all();
    make_people();
    buf_init(&proof, JWS_MAX);
    ask_mint_init(&asked, "ada");
    asked.run.ask.mint.fingerprint = bytes_of(world.browser.jkt, JWK_THUMBPRINT_LEN);
    asked.run.ask.mint.may_self_refresh = true;
    ask_run(&asked);
    token = asked.run.outcome.minted.token;
    memcpy(token_room, token.ptr, token.len);
    token.ptr = (const uint8_t *)token_room;
    ask_release(&asked);
    ask_bearer_init(&asked, ASK_WHO_AM_I, token);
    asked.run.takes_bound_as_bearer = true;
    ada_address = ask_run(&asked)->who.address.id;
    ask_release(&asked);
    desk_address = facts_address(service_facts(world.service), &world.test, BYTES("/public/test-desk"))->id;
    make_guest();
    CHECK_RUN(fails_cleanly_at_every_allocation);
    CHECK_RUN(names_a_session_that_is_resumed_or_fails);
    CHECK_RUN(stays_on_its_facts_without_memory);
    CHECK_RUN(opens_whole_or_not_at_all);
    buf_release(&proof);
    world_close();
    return CHECK_END();
}
