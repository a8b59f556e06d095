#include "service/service.h"

#include "harness/service_world.h"

static void check_refused(struct asked *asked, enum refusal refusal)
{
    ask_run(asked);
    CHECK_INT(asked->run.outcome.kind, OUTCOME_REFUSED);
    CHECK_INT(asked->run.outcome.refused.refusal, refusal);
    CHECK(asked->run.finding.check && asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    ask_release(asked);
}

static void begin(struct asked *asked, enum ask_kind kind)
{
    ask_init(asked, kind);
    asked->run.ask.credential = basic(&world.test, TEST_TOKEN);
}

static void begin_user(struct asked *asked, enum object_step step, const char *email)
{
    begin(asked, ASK_USER);
    asked->run.ask.user.step = step;
    asked->run.ask.user.reference = bytes_of_text(email);
}

static struct uuid make_user(const char *email)
{
    struct asked asked;
    struct uuid id;

    begin_user(&asked, OBJECT_CREATE, email);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_WHO);
    id = asked.run.outcome.who.id;
    ask_release(&asked);
    return id;
}

static void refuses_before_anything_is_read(void)
{
    static const enum ask_kind kinds[] = {ASK_USER, ASK_USERS, ASK_RESOURCE, ASK_RESOURCES, ASK_MAKE_KEY};
    struct asked asked;
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        unsigned reads, commits;
        world_open(10);
        reads = world.spy.reads;
        commits = world.spy.commits;
        CHECK_NOTE("kind %d", (int)kinds[i]);
        begin(&asked, kinds[i]);
        asked.run.ask.credential = basic(&world.test, POWERLESS_TOKEN);
        check_refused(&asked, REFUSAL_KEY_PERMISSION);
        begin(&asked, kinds[i]);
        asked.run.ask.credential = basic(&world.test, RETIRED_TOKEN);
        check_refused(&asked, REFUSAL_KEY_RETIRED);
        begin(&asked, kinds[i]);
        asked.run.ask.credential = basic(&world.live, TEST_TOKEN);
        check_refused(&asked, REFUSAL_KEY_UNKNOWN);
        begin(&asked, kinds[i]);
        asked.run.refused = (struct refused){REFUSAL_NOT_FOUND, FIELD_NONE, "no such id"};
        check_refused(&asked, REFUSAL_NOT_FOUND);
        begin(&asked, kinds[i]);
        asked.run.unreadable = ERR_MALFORMED;
        CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
        ask_release(&asked);
        CHECK_INT(world.spy.reads, reads);
        CHECK_INT(world.spy.commits, commits);
        world_close();
    }
}

static void keeps_subscribers(void)
{
    struct asked asked;
    struct uuid id;

    world_open(10);
    id = make_user("ada@example.com");
    begin_user(&asked, OBJECT_CREATE, "ada@example.com");
    check_refused(&asked, REFUSAL_PARAMETER_TAKEN);
    begin_user(&asked, OBJECT_READ, NULL);
    asked.run.ask.user.id = id;
    asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
    check_refused(&asked, REFUSAL_NOT_FOUND);
    begin_user(&asked, OBJECT_UPDATE, "ada@example.com");
    asked.run.ask.user.id = id;
    asked.run.ask.user.password = BYTES("correct horse");
    asked.run.ask.user.profile.value[PROFILE_COUNTRY] = BYTES("GB");
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_WHO);
    CHECK_BYTES(asked.run.outcome.who.profile.value[PROFILE_COUNTRY], BYTES("GB"));
    CHECK_INT(world.errands, 1);
    ask_release(&asked);
    begin_user(&asked, OBJECT_DELETE, NULL);
    asked.run.ask.user.id = id;
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_GONE);
    CHECK_INT(world.changed, 3);
    ask_release(&asked);
    begin_user(&asked, OBJECT_DELETE, NULL);
    asked.run.ask.user.id = id;
    check_refused(&asked, REFUSAL_NOT_FOUND);
    world_close();
}

static void voids_the_tokens_of_who_is_gone(void)
{
    struct asked minted, asked, anew;
    struct uuid id;

    world_open(10);
    ask_mint_init(&minted, "ada@example.com");
    CHECK_INT(ask_run(&minted)->kind, OUTCOME_MINTED);
    id = minted.run.outcome.minted.user;
    begin_user(&asked, OBJECT_DELETE, NULL);
    asked.run.ask.user.id = id;
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_GONE);
    ask_release(&asked);
    ask_bearer_init(&asked, ASK_WHO_AM_I, minted.run.outcome.minted.token);
    check_refused(&asked, REFUSAL_TOKEN_CUT_OFF);
    ask_mint_init(&anew, "ada@example.com");
    CHECK_INT(ask_run(&anew)->kind, OUTCOME_MINTED);
    ask_bearer_init(&asked, ASK_WHO_AM_I, anew.run.outcome.minted.token);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_WHO);
    ask_release(&asked);
    ask_release(&anew);
    ask_release(&minted);
    world_close();
}

static void pages_through_both_lists(void)
{
    struct asked asked;
    struct bytes cursor = BYTES_NONE;
    char room[64];
    size_t seen = 0, pages = 0;

    world_open(10);
    make_user("a@example.com");
    make_user("b@example.com");
    make_user("c@example.com");
    do {
        begin(&asked, ASK_RESOURCES);
        asked.run.ask.page = (struct ask_page){.size = 1, .cursor = cursor};
        CHECK_INT(ask_run(&asked)->kind, OUTCOME_RESOURCES);
        seen += asked.run.outcome.resources.count + asked.run.outcome.resources.user_count;
        cursor = asked.run.outcome.resources.page.next;
        CHECK(cursor.len < sizeof room);
        if (cursor.len) memcpy(room, cursor.ptr, cursor.len);
        cursor = bytes_is_absent(cursor) ? BYTES_NONE : bytes_of(room, cursor.len);
        ask_release(&asked);
    } while (!bytes_is_absent(cursor) && ++pages < 10);
    CHECK_INT(seen, 3);
    begin(&asked, ASK_RESOURCES);
    asked.run.ask.page = (struct ask_page){.size = 1, .cursor = BYTES("rubbish")};
    check_refused(&asked, REFUSAL_PARAMETER_INVALID);
    begin(&asked, ASK_USERS);
    asked.run.ask.page = (struct ask_page){.size = 1, .cursor = BYTES("rubbish")};
    check_refused(&asked, REFUSAL_PARAMETER_INVALID);
    world_close();
}

static void makes_rooms_and_keys(void)
{
    struct asked asked;

    world_open(10);
    begin(&asked, ASK_RESOURCE);
    asked.run.ask.resource =
        (struct ask_resource){.step = OBJECT_CREATE, .type = ADDRESS_ROOM, .name = BYTES("Board room")};
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_RESOURCE);
    CHECK_BYTES(asked.run.outcome.resource.name, BYTES("Board room"));
    ask_release(&asked);
    begin(&asked, ASK_RESOURCE);
    asked.run.ask.resource =
        (struct ask_resource){.step = OBJECT_CREATE, .type = ADDRESS_ROOM, .name = BYTES("board ROOM")};
    check_refused(&asked, REFUSAL_PARAMETER_TAKEN);
    begin(&asked, ASK_MAKE_KEY);
    asked.run.ask.make_key = (struct ask_make_key){.name = BYTES("backend"), .permissions = PERMISSION_FAX};
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_KEY_MADE);
    CHECK_INT(asked.run.outcome.key_made.secret.len, 58);
    CHECK_INT(asked.run.outcome.key_made.key->permissions, PERMISSION_FAX);
    ask_release(&asked);
    begin(&asked, ASK_MAKE_KEY);
    asked.run.ask.make_key = (struct ask_make_key){.name = BYTES("backend"), .permissions = PERMISSION_FAX};
    world.spy.absent = 3; /* whatever was drawn is not written */
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    ask_release(&asked);
    world_close();
}

static void passes_on_that_the_store_fails(void)
{
    struct asked asked;

    world_open(10);
    world.spy.commit_error = ERR_STORE_FAILED;
    begin_user(&asked, OBJECT_CREATE, "a@example.com");
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_FAILED);
    ask_release(&asked);
    world.spy.read_error = ERR_STORE_BUSY;
    begin(&asked, ASK_USERS);
    asked.run.ask.page.size = 1;
    CHECK_INT(ask_run(&asked)->error, ERR_STORE_BUSY);
    ask_release(&asked);
    world_close();
}

int main(void)
{
    CHECK_RUN(refuses_before_anything_is_read);
    CHECK_RUN(keeps_subscribers);
    CHECK_RUN(voids_the_tokens_of_who_is_gone);
    CHECK_RUN(pages_through_both_lists);
    CHECK_RUN(makes_rooms_and_keys);
    CHECK_RUN(passes_on_that_the_store_fails);
    return CHECK_END();
}
