/* ticket_world.h — the world of service_world.h with what tickets need: a client, publishable keys, a
 * study in each project, and tickets asked for and redeemed in a line. For test programs alone; each
 * includes it once. */
#ifndef COATCHECK_TESTS_TICKET_WORLD_H
#define COATCHECK_TESTS_TICKET_WORLD_H

#include "harness/service_world.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define ORIGIN      "https://shop.test"
#define TICKET_MAX  4096

enum more_key { CLIENT, PUBLISHABLE, LIVE_PUBLISHABLE, RETIRED_PUBLISHABLE, MORE_KEYS };
static struct key_text more[MORE_KEYS];
static struct uuid study, live_study;

struct ticket_text {
    char text[TICKET_MAX];
    size_t len;
    struct uuid user;
};

static inline void add_key(enum more_key which, enum key_kind kind, const struct uuid *project)
{
    struct write write = {.kind = WRITE_KEY};
    struct key_text *text = &more[which];
    struct key_bench bench;

    key_text_draw(text, kind, true, &world.dice);
    write.key = (struct fact_key){.kind = kind,
                                  .project = *project,
                                  .public_id = bytes_of(text->id, text->id_len),
                                  .is_retired = which == RETIRED_PUBLISHABLE};
    world_check(key_bench_open(&bench, world.ring, 1));
    if (text->secret_len)
        world_check(keyring_hash(write.key.hash, &bench, bytes_of(text->secret, text->secret_len)));
    key_bench_release(&bench);
    world_write(&write);
}

static inline void add_study(struct uuid *id, const struct uuid *project)
{
    struct write write = {.kind = WRITE_STUDY};

    uuid_draw(id, &world.dice);
    write.study = (struct study){.id = *id,
                                 .project = *project,
                                 .title = BYTES("A study"),
                                 .questions_json = BYTES("[{\"id\":\"q1\",\"text\":\"Why?\"},\"How?\"]")};
    world_write(&write);
}

static inline void set_standard(const struct uuid *project, bool is_test)
{
    struct write write = {.kind = WRITE_PROJECT};

    write.project = (struct fact_project){.id = *project, .name = BYTES("p"), .is_test = is_test};
    settings_standard(write.project.setting);
    world_write(&write);
}

static inline void open_all(void)
{
    world_open(64);
    set_standard(&world.test, true);
    set_standard(&world.live, false);
    add_key(CLIENT, KEY_CLIENT, &world.test);
    add_key(PUBLISHABLE, KEY_PUBLISHABLE, &world.test);
    add_key(LIVE_PUBLISHABLE, KEY_PUBLISHABLE, &world.live);
    add_key(RETIRED_PUBLISHABLE, KEY_PUBLISHABLE, &world.test);
    add_study(&study, &world.test);
    add_study(&live_study, &world.live);
    world_check(service_take_facts(world.service, world_publish()));
}

static inline struct bytes public_id(enum more_key key)
{
    return bytes_of(more[key].id, more[key].id_len);
}

/* --- asking --- */

static inline void launch_init(struct asked *asked)
{
    ask_init(asked, ASK_LAUNCH);
    asked->run.takes_keys = KEY_BIT(KEY_CLIENT);
    asked->run.ask.credential =
        (struct credential){.kind = CREDENTIAL_BASIC,
                            .user = public_id(CLIENT),
                            .password = bytes_of(more[CLIENT].secret, more[CLIENT].secret_len)};
}

static inline void bootstrap_init(struct asked *asked, struct bytes external_id)
{
    ask_init(asked, ASK_BOOTSTRAP);
    asked->run.takes_keys = KEY_BIT(KEY_SECRET);
    asked->run.ask.credential = (struct credential){
        .kind = CREDENTIAL_BEARER,
        .token = bytes_of(world.keys[SECRET_KEY].secret, world.keys[SECRET_KEY].secret_len)};
    asked->run.ask.bootstrap.external_id = external_id;
}

static inline void keep_ticket(struct ticket_text *out, struct asked *asked)
{
    const struct outcome *outcome;
    unsigned commits = world.spy.commits;

    memset(out, 0, sizeof *out);
    outcome = ask_run(asked);
    CHECK_INT(world.spy.commits, commits); /* a ticket writes nothing */
    if (CHECK(outcome->kind == OUTCOME_TICKET && outcome->ticket.text.len <= TICKET_MAX)) {
        memcpy(out->text, outcome->ticket.text.ptr, outcome->ticket.text.len);
        out->len = outcome->ticket.text.len;
        out->user = outcome->ticket.user;
        CHECK_INT(outcome->ticket.exp_s - outcome->ticket.iat_s, 300);
    }
    ask_release(asked);
}

static inline void launch(struct ticket_text *out, const struct uuid *user, struct bytes payload)
{
    struct asked asked;

    launch_init(&asked);
    if (user) {
        asked.run.ask.launch.has_user = true;
        asked.run.ask.launch.user = *user;
    }
    asked.run.ask.launch.payload = payload;
    keep_ticket(out, &asked);
}

static inline void bootstrap(struct ticket_text *out, struct bytes external_id)
{
    struct asked asked;

    bootstrap_init(&asked, external_id);
    keep_ticket(out, &asked);
}

static inline void redeem_init(struct asked *asked, enum ticket_kind kind, const struct ticket_text *ticket)
{
    ask_init(asked, ASK_REDEEM);
    asked->run.takes_keys = 0;
    asked->run.ask.redeem = (struct ask_redeem){.kind = kind, .ticket = bytes_of(ticket->text, ticket->len)};
    if (kind == TICKET_BOOTSTRAP) return;
    asked->run.ask.redeem.needs_publishable_key = true;
    asked->run.ask.redeem.publishable_key = public_id(PUBLISHABLE);
}

static inline void check_refused(const struct asked *asked, enum refusal refusal)
{
    CHECK_INT(asked->run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked->run.outcome.refused.refusal, refusal);
    CHECK_INT(asked->run.finding.refusal, refusal);
    CHECK(asked->run.finding.check && asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    CHECK(uuid_is_zero(&asked->run.outcome.holder.user));
}

static inline void redeem_refused(enum ticket_kind kind, const struct ticket_text *ticket,
                                  enum refusal refusal)
{
    struct asked asked;

    redeem_init(&asked, kind, ticket);
    ask_run(&asked);
    check_refused(&asked, refusal);
    CHECK(asked.run.finding.has_credential);
    ask_release(&asked);
}

/* Redeems, and keeps the token if told where. */
static inline struct uuid redeem(char token[JWS_MAX], size_t *len, enum ticket_kind kind,
                                 const struct ticket_text *ticket)
{
    struct asked asked;
    const struct outcome *outcome;
    struct uuid user = {{0}};

    redeem_init(&asked, kind, ticket);
    asked.run.ask.origin = BYTES(ORIGIN);
    outcome = ask_run(&asked);
    if (CHECK(outcome->kind == OUTCOME_MINTED)) {
        user = outcome->minted.user;
        CHECK_INT(outcome->minted.kind, kind == TICKET_LAUNCH ? TOKEN_EMBEDDED : TOKEN_PARTICIPANT);
        CHECK_INT(outcome->minted.exp_s - outcome->minted.iat_s, kind == TICKET_LAUNCH ? 3600 : 900);
        CHECK(uuid_equal(&user, &ticket->user) && bytes_is_absent(outcome->minted.refresh_token));
        if (token) memcpy(token, outcome->minted.token.ptr, *len = outcome->minted.token.len);
    }
    ask_release(&asked);
    return user;
}

#endif
