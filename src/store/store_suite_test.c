/* One suite for every store: what is true of a commit, a look-up and a snapshot wherever they are kept. */
#include "store/clerk.h"
#include "store/store.h"

#include "harness/check.h"

#include <unistd.h>

#define TEXT(literal) bytes_of(literal, sizeof(literal) - 1)
#define COUNT(list)   (sizeof(list) / sizeof(list)[0])

static char folder[256], path[300];
static bool is_durable; /* the store of this round can be closed and opened again */
static struct store *store;
static struct arena arena;
static const struct uuid shop = {.byte = {0x50, 1}}, lab = {.byte = {0x50, 2}}, nobody = {.byte = {0x50, 3}};

static struct uuid id_of(uint8_t kind, uint32_t number)
{
    struct uuid id = {.byte = {kind}};
    for (size_t i = 0; i < 4; i++)
        id.byte[15 - i] = (uint8_t)(number >> 8 * i);
    return id;
}

/* --- opening, writing, reading --- */

static void forget_files(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    char name[320];
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        (void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        (void)unlink(name);
    }
}

static void open_store(void)
{
    const char *why = NULL;
    enum err e = is_durable ? store_sqlite_open(&store, path, &why) : store_memory_open(&store);
    CHECK_INT(e, ERR_OK);
    CHECK(why == NULL);
    if (e != ERR_OK) exit(EXIT_FAILURE);
}

static void reopen_store(void)
{
    if (!is_durable) return;
    store->ops->close(store);
    open_store();
}

static enum row_state write_one(struct row *row, const struct write *write)
{
    CHECK_INT(store_commit_wait(store, write, 1, row, &arena), ERR_OK);
    return row->state;
}

static enum row_state put_fact(const struct write *write)
{
    struct row row;
    return write_one(&row, write);
}

static enum row_state put_project(const struct uuid *id, bool is_test)
{
    return put_fact(&(struct write){.kind = WRITE_PROJECT,
                                    .project = {.id = *id,
                                                .name = TEXT("A shop"),
                                                .is_test = is_test,
                                                .sat_life_s = 7200,
                                                .sat_life_max_s = 86400,
                                                .family_max_age_s = 2592000}});
}

static void begin(void)
{
    arena_init(&arena, 16 << 20);
    forget_files();
    open_store();
    CHECK_INT(put_project(&shop, false), ROW_WRITTEN);
    CHECK_INT(put_project(&lab, true), ROW_WRITTEN);
}

static void end(void)
{
    store->ops->close(store);
    arena_release(&arena);
    forget_files();
}

/* The project, number and reference tell users apart; the address name is the wish "/private/<reference>". */
static struct write user_write(const struct uuid *project, uint32_t number, struct bytes reference,
                               struct bytes address_name)
{
    return (struct write){.kind = WRITE_USER,
                          .user = {.user = {.id = id_of(1, number),
                                            .project = *project,
                                            .kind = USER_SUBSCRIBER,
                                            .reference = reference,
                                            .created_ms = 1000 + number,
                                            .updated_ms = 2000 + number,
                                            .address = {.id = id_of(2, number),
                                                        .project = *project,
                                                        .resource = id_of(1, number),
                                                        .name = address_name,
                                                        .type = ADDRESS_SUBSCRIBER,
                                                        .created_ms = 1000}}}};
}

static void ring_bell(void *bell, struct mail *mail)
{
    (void)mail;
    (void)sem_post(bell);
}

static bool look_up(struct user *out, enum read_kind kind, const struct uuid *project, struct bytes text,
                    const struct uuid *id)
{
    sem_t bell;
    struct store_read read = {
        .post = ring_bell, .to = &bell, .kind = kind, .project = *project, .text = text, .arena = &arena};
    if (id != NULL) read.id = *id;
    (void)sem_init(&bell, 0, 0);
    store->ops->read(store, &read);
    bell_wait(&bell);
    (void)sem_destroy(&bell);
    CHECK_INT(read.error, ERR_OK);
    *out = read.user;
    return read.found;
}

static void check_same_address(const struct address *a, const struct address *b)
{
    CHECK(uuid_equal(&a->id, &b->id));
    CHECK(uuid_equal(&a->project, &b->project));
    CHECK(uuid_equal(&a->resource, &b->resource));
    CHECK_BYTES(a->name, b->name);
    CHECK_BYTES(a->display_name, b->display_name);
    CHECK(bytes_is_absent(a->display_name) == bytes_is_absent(b->display_name));
    CHECK_INT(a->type, b->type);
    CHECK_INT(a->created_ms, b->created_ms);
}

static void check_same_user(const struct user *a, const struct user *b)
{
    CHECK(uuid_equal(&a->id, &b->id));
    CHECK(uuid_equal(&a->project, &b->project));
    CHECK_INT(a->kind, b->kind);
    CHECK_BYTES(a->reference, b->reference);
    CHECK_INT(a->created_ms, b->created_ms);
    CHECK_INT(a->updated_ms, b->updated_ms);
    check_same_address(&a->address, &b->address);
    for (size_t i = 0; i < PROFILE_COUNT; i++) {
        CHECK_NOTE("profile %zu", i);
        CHECK_BYTES(a->profile.value[i], b->profile.value[i]);
        CHECK(bytes_is_absent(a->profile.value[i]) == bytes_is_absent(b->profile.value[i]));
    }
    CHECK_NOTE("%s", "");
}

/* --- what is refused or left alone --- */

static void writes_nothing_without_its_project(void)
{
    struct row row;
    struct user found;
    struct write writes[] = {
        user_write(&nobody, 1, TEXT("ada"), TEXT("/private/ada")),
        {.kind = WRITE_PROFILE, .profile = {.project = nobody, .user = id_of(1, 1)}},
        {.kind = WRITE_KEY, .key = {.project = nobody, .kind = KEY_SECRET, .public_id = TEXT("k")}},
        {.kind = WRITE_ORIGIN, .origin = {.project = nobody, .origin = TEXT("https://a.example")}},
        {.kind = WRITE_ADDRESS,
         .address = {.id = id_of(3, 1), .project = nobody, .name = TEXT("/public/a"), .type = ADDRESS_APP}},
        {.kind = WRITE_STUDY, .study = {.id = id_of(4, 1), .project = nobody}},
    };
    uint64_t before, after;
    begin();
    CHECK_INT(store->ops->facts_version(store, &before), ERR_OK);
    for (size_t i = 0; i < COUNT(writes); i++) {
        CHECK_NOTE("write %zu", i);
        CHECK_INT(write_one(&row, &writes[i]), ROW_ABSENT);
        CHECK(uuid_is_zero(&row.user.id));
    }
    CHECK_INT(store->ops->facts_version(store, &after), ERR_OK);
    CHECK_INT(after, before);
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &nobody, TEXT("ada"), NULL));
    end();
}

static void leaves_fixed_things_as_they_are(void)
{
    struct write key = {
        .kind = WRITE_KEY,
        .key = {.project = shop, .kind = KEY_SECRET, .public_id = TEXT("k1"), .hash = {1}, .permissions = 3}};
    struct write study = {.kind = WRITE_STUDY,
                          .study = {.id = id_of(4, 1), .project = shop, .title = TEXT("one")}};
    struct facts *facts;
    begin();
    CHECK_INT(put_project(&lab, false), ROW_EXISTS); /* test or live is fixed at creation */
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    CHECK_INT(put_fact(&study), ROW_WRITTEN);
    struct write foreign = key, other_kind = key, other_hash = key;
    foreign.key.project = lab;
    other_kind.key.kind = KEY_API_TOKEN;
    other_hash.key.hash[31] = 1;
    study.study.project = lab;
    CHECK_INT(put_fact(&foreign), ROW_EXISTS);
    CHECK_INT(put_fact(&other_kind), ROW_EXISTS);
    CHECK_INT(put_fact(&other_hash), ROW_EXISTS);
    CHECK_INT(put_fact(&study), ROW_EXISTS);
    key.key.is_retired = true;
    key.key.permissions = 1;
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK(facts_project(facts, &lab)->is_test);
    CHECK_INT(facts->key_count, 1);
    const struct fact_key *kept = facts_key(facts, TEXT("k1"));
    CHECK(uuid_equal(&kept->project, &shop) && kept->kind == KEY_SECRET && kept->hash[31] == 0);
    CHECK(kept->is_retired && kept->permissions == 1);
    facts_free(facts);
    end();
}

static void gives_each_address_name_once(void)
{
    struct write front = {.kind = WRITE_ADDRESS,
                          .address = {.id = id_of(3, 1),
                                      .project = shop,
                                      .resource = id_of(5, 1),
                                      .name = TEXT("/private/ada"),
                                      .type = ADDRESS_ROOM}};
    struct row row;
    begin();
    CHECK_INT(put_fact(&front), ROW_WRITTEN);
    CHECK_INT(put_fact(&front), ROW_EXISTS);
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    ada.user.address_name_alt = TEXT("/private/ada-7");
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    CHECK_BYTES(row.user.address.name, TEXT("/private/ada-7"));
    struct write bob = user_write(&shop, 2, TEXT("bob"), TEXT("/private/ada-7"));
    bob.user.address_name_alt = TEXT("/private/ada");
    CHECK_INT(store_commit_wait(store, &bob, 1, &row, &arena), ERR_STORE_FAILED); /* both are taken */
    CHECK(uuid_is_zero(&row.user.id));
    bob.user.address_name_alt = TEXT("/private/bob");
    CHECK_INT(write_one(&row, &bob), ROW_WRITTEN);
    CHECK_BYTES(row.user.address.name, TEXT("/private/bob"));
    front.address.id = id_of(3, 2);
    front.address.name = TEXT("/private/bob"); /* a user's name is not free for a resource */
    CHECK_INT(put_fact(&front), ROW_EXISTS);
    front.address.project = lab; /* but it is in another project */
    CHECK_INT(put_fact(&front), ROW_WRITTEN);
    end();
}

static void undoes_all_of_a_failed_commit(void)
{
    struct row rows[3];
    struct user found;
    uint64_t before, after;
    begin();
    struct write first = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    CHECK_INT(write_one(rows, &first), ROW_WRITTEN);
    CHECK_INT(store->ops->facts_version(store, &before), ERR_OK);
    struct write writes[] = {
        {.kind = WRITE_ONCE, .once = {.id = id_of(6, 1), .bucket_s = 60}},
        {.kind = WRITE_ORIGIN, .origin = {.project = shop, .origin = TEXT("https://a.example")}},
        user_write(&shop, 2, TEXT("bob"), TEXT("/private/ada")), /* taken, and no other is given */
    };
    writes[2].user.address_name_alt = TEXT("/private/ada");
    CHECK_INT(store_commit_wait(store, writes, COUNT(writes), rows, &arena), ERR_STORE_FAILED);
    CHECK_INT(rows[0].state, 0);
    CHECK(uuid_is_zero(&rows[2].user.id));
    CHECK_INT(store->ops->facts_version(store, &after), ERR_OK);
    CHECK_INT(after, before);
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("bob"), NULL));
    writes[2].user.address_name_alt = TEXT("/private/bob");
    CHECK_INT(store_commit_wait(store, writes, COUNT(writes), rows, &arena),
              ERR_OK); /* none of it was there */
    for (size_t i = 0; i < COUNT(writes); i++)
        CHECK_INT(rows[i].state, ROW_WRITTEN);
    end();
}

static void undoes_what_its_asker_cannot_hold(void)
{
    struct arena tiny;
    struct row row;
    struct user found;
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    begin();
    arena_init(&tiny, 4);
    CHECK_INT(store_commit_wait(store, &ada, 1, &row, &tiny), ERR_NO_MEMORY);
    CHECK(uuid_is_zero(&row.user.id));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL));
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    struct write rename = {.kind = WRITE_PROFILE,
                           .profile = {.project = shop, .user = id_of(1, 1), .now_ms = 9}};
    CHECK_INT(store_commit_wait(store, &rename, 1, &row, &tiny), ERR_NO_MEMORY);
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL));
    CHECK_INT(found.updated_ms, 2001);
    arena_release(&tiny);
    end();
}

static void finds_nobody_else(void)
{
    struct row row;
    struct user found;
    struct uuid ada_id = id_of(1, 1), other_id = id_of(1, 2), zero = {0};
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write quiet = user_write(&shop, 3, TEXT("quiet"), BYTES_NONE);
    begin();
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &quiet), ROW_WRITTEN);
    CHECK(bytes_is_absent(row.user.address.name));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &lab, TEXT("ada"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("Ada"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada "), NULL));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada\0"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("' OR 1=1 --"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, BYTES_NONE, NULL));
    CHECK(!look_up(&found, READ_USER_BY_ID, &lab, BYTES_NONE, &ada_id));
    CHECK(!look_up(&found, READ_USER_BY_ID, &shop, BYTES_NONE, &other_id));
    CHECK(!look_up(&found, READ_USER_BY_ID, &shop, BYTES_NONE, &zero));
    CHECK(!look_up(&found, READ_USER_BY_ADDRESS, &lab, TEXT("/private/ada"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_ADDRESS, &shop, TEXT("/private/"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_ADDRESS, &shop, BYTES_NONE, NULL));
    CHECK(uuid_is_zero(&found.id));
    CHECK(look_up(&found, READ_USER_BY_ID, &shop, BYTES_NONE, &ada_id));
    CHECK(look_up(&found, READ_USER_BY_ADDRESS, &shop, TEXT("/private/ada"), NULL));
    end();
}

static void changes_no_profile_of_another(void)
{
    struct row row;
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write rename = {.kind = WRITE_PROFILE,
                           .profile = {.project = shop, .user = id_of(1, 2), .now_ms = 5}};
    begin();
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &rename), ROW_ABSENT);
    rename.profile.project = lab;
    rename.profile.user = id_of(1, 1);
    CHECK_INT(write_one(&row, &rename), ROW_ABSENT);
    CHECK(uuid_is_zero(&row.user.id));
    end();
}

static void lets_a_thing_happen_once(void)
{
    struct row rows[2];
    struct write once = {.kind = WRITE_ONCE, .once = {.id = id_of(6, 1), .bucket_s = 600}};
    begin();
    CHECK_INT(write_one(rows, &once), ROW_WRITTEN);
    CHECK_INT(write_one(rows, &once), ROW_EXISTS);
    reopen_store();
    if (is_durable) CHECK_INT(write_one(rows, &once), ROW_EXISTS);
    once.once.id = (struct uuid){0};
    CHECK_INT(write_one(rows, &once), ROW_WRITTEN);
    struct write twice[] = {once, once};
    twice[0].once.bucket_s = twice[1].once.bucket_s = 660;
    CHECK_INT(store_commit_wait(store, twice, 2, rows, &arena), ERR_OK);
    CHECK_INT(rows[0].state, ROW_WRITTEN);
    CHECK_INT(rows[1].state, ROW_EXISTS);
    CHECK_INT(store_commit_wait(store, NULL, 0, NULL, &arena), ERR_OK); /* nothing to write is no failure */
    end();
}

/* --- what comes back --- */

static void keeps_every_field_of_a_user(void)
{
    struct row row;
    struct user found;
    struct write write = user_write(&shop, 7, TEXT("o'brien\"; DROP TABLE users; --\0\xff\xc3\xa9"),
                                    TEXT("/private/\xe6\x97\xa5\xe6\x9c\xac %_'"));
    struct user *user = &write.user.user;
    uint8_t hash[PASSWORD_HASH_LEN] = {0, 1, 2};
    begin();
    user->kind = USER_EMBEDDED;
    user->created_ms = INT64_MAX;
    user->updated_ms = INT64_MIN;
    user->address.display_name = TEXT("");
    user->address.type = ADDRESS_CALL;
    for (size_t i = 0; i < PROFILE_COUNT; i++)
        user->profile.value[i] = bytes_of_text(profile_member((enum profile_field)i));
    user->profile.value[PROFILE_REGION] = BYTES_NONE;
    user->profile.value[PROFILE_COUNTRY] = TEXT("");
    write.user.password_hash = bytes_of(hash, sizeof hash);
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    check_same_user(&row.user, user);
    CHECK(row.user.reference.ptr != user->reference.ptr); /* a copy, in the asker's arena */
    reopen_store();
    if (!is_durable) CHECK_INT(write_one(&row, &write), ROW_EXISTS);
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, user->reference, NULL));
    check_same_user(&found, user);
    CHECK(look_up(&found, READ_USER_BY_ADDRESS, &shop, user->address.name, NULL));
    check_same_user(&found, user);
    CHECK(look_up(&found, READ_USER_BY_ID, &shop, BYTES_NONE, &user->id));
    check_same_user(&found, user);
    struct write again = write;
    again.user.user.id = id_of(1, 8);
    again.user.user.profile.value[0] = TEXT("other");
    CHECK_INT(write_one(&row, &again), ROW_EXISTS); /* and the one that exists comes back */
    check_same_user(&row.user, user);
    end();
}

static void updates_only_the_given_fields(void)
{
    struct row row;
    struct user found;
    struct write write = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write rename = {
        .kind = WRITE_PROFILE,
        .profile = {
            .project = shop,
            .user = id_of(1, 1),
            .now_ms = 5000,
            .profile = {
                .value = {[PROFILE_FIRST_NAME] = TEXT("Ad\xc3\xa9la"), [PROFILE_COMPANY_NAME] = TEXT("")}}}};
    begin();
    write.user.user.profile.value[PROFILE_FIRST_NAME] = TEXT("Ada");
    write.user.user.profile.value[PROFILE_LAST_NAME] = TEXT("Lovelace");
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &rename), ROW_WRITTEN);
    struct user expected = write.user.user;
    expected.profile.value[PROFILE_FIRST_NAME] = TEXT("Ad\xc3\xa9la");
    expected.profile.value[PROFILE_COMPANY_NAME] = TEXT("");
    expected.updated_ms = 5000;
    check_same_user(&row.user, &expected);
    reopen_store();
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL) == true);
    check_same_user(&found, &expected);
    end();
}

/* A reference is bytes: the store must not fold what looks the same. */
static void keeps_composed_and_decomposed_apart(void)
{
    struct row row;
    struct user found;
    struct bytes composed = TEXT("ren\xc3\xa9"), decomposed = TEXT("rene\xcc\x81");
    struct write one = user_write(&shop, 1, composed, TEXT("/private/1")),
                 two = user_write(&shop, 2, decomposed, TEXT("/private/2"));
    begin();
    CHECK_INT(write_one(&row, &one), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &two), ROW_WRITTEN);
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, composed, NULL));
    CHECK(uuid_equal(&found.id, &one.user.user.id));
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, decomposed, NULL));
    CHECK(uuid_equal(&found.id, &two.user.user.id));
    end();
}

static void keeps_every_fact(void)
{
    struct write key = {.kind = WRITE_KEY,
                        .key = {.project = lab,
                                .kind = KEY_CLICK_TO_CALL,
                                .public_id = TEXT("c2c_1"),
                                .permissions = PERMISSION_ALL,
                                .is_retired = true,
                                .resource = id_of(5, 9)}};
    struct write address = {.kind = WRITE_ADDRESS,
                            .address = {.id = id_of(3, 1),
                                        .project = lab,
                                        .resource = id_of(5, 9),
                                        .name = TEXT("/public/front-desk"),
                                        .display_name = TEXT("Front; desk"),
                                        .type = ADDRESS_APP,
                                        .created_ms = 77}};
    struct facts *facts;
    uint64_t version;
    begin();
    for (size_t i = 0; i < KEY_HASH_LEN; i++)
        key.key.hash[i] = (uint8_t)(255 - i);
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    CHECK_INT(put_fact(&address), ROW_WRITTEN);
    reopen_store();
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK_INT(store->ops->facts_version(store, &version), ERR_OK);
    CHECK_INT(facts->version, version);
    CHECK_INT(version, 5); /* an empty store is 1; two projects, a key, an address */
    CHECK_INT(facts->epoch, 1);
    CHECK_INT(facts->project_count, 2);
    const struct fact_project *project = facts_project(facts, &lab);
    CHECK_BYTES(project->name, TEXT("A shop"));
    CHECK(project->is_test && !facts_project(facts, &shop)->is_test);
    CHECK_INT(project->sat_life_s, 7200);
    CHECK_INT(project->sat_life_max_s, 86400);
    CHECK_INT(project->family_max_age_s, 2592000);
    const struct fact_key *kept = facts_key(facts, TEXT("c2c_1"));
    CHECK(uuid_equal(&kept->project, &lab) && uuid_equal(&kept->resource, &key.key.resource));
    CHECK(memcmp(kept->hash, key.key.hash, KEY_HASH_LEN) == 0);
    CHECK(kept->kind == KEY_CLICK_TO_CALL && kept->permissions == PERMISSION_ALL && kept->is_retired);
    check_same_address(facts_address(facts, &lab, TEXT("/public/front-desk")), &address.address);
    facts_free(facts);
    end();
}

static void lists_origins_per_project(void)
{
    static const struct {
        const struct uuid *project;
        const char *origin;
    } rows[] = {{&shop, "https://shop.example"},
                {&lab, "null"},
                {&shop, "https://both.example"},
                {&lab, "https://both.example"},
                {&lab, "http://localhost:3000"}};
    struct facts *facts;
    begin();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct write write = {
            .kind = WRITE_ORIGIN,
            .origin = {.project = *rows[i].project, .origin = bytes_of_text(rows[i].origin)}};
        CHECK_INT(put_fact(&write), ROW_WRITTEN);
        CHECK_INT(put_fact(&write), ROW_EXISTS);
    }
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    CHECK_INT(facts_project(facts, &shop)->origin_count, 2);
    CHECK_INT(facts_project(facts, &lab)->origin_count, 3);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("origin %zu", i);
        struct bytes origin = bytes_of_text(rows[i].origin);
        CHECK(facts_project_lists(facts_project(facts, rows[i].project), origin));
        CHECK(facts_any_lists(facts, origin));
        CHECK(facts_any_test_lists(facts, origin) == (i != 0));
    }
    CHECK(!facts_project_lists(facts_project(facts, &shop), TEXT("null")));
    CHECK(!facts_any_lists(facts, TEXT("https://evil.example")));
    facts_free(facts);
    end();
}

static void keeps_the_ring_in_order(void)
{
    struct write keys[] = {
        {.kind = WRITE_RING_KEY,
         .ring_key = {.id = TEXT("0000000b"),
                      .use = RING_SIGN,
                      .state = RING_PUBLISHED,
                      .algorithm = TEXT("ES256"),
                      .wrapped = TEXT("w\0rapped"),
                      .created_ms = 20}},
        {.kind = WRITE_RING_KEY,
         .ring_key = {.id = TEXT("0000000a"),
                      .use = RING_SEAL,
                      .state = RING_SIGNING,
                      .wrapped = TEXT("x"),
                      .created_ms = 10}},
    };
    struct store_ring *ring;
    begin();
    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    CHECK_INT(ring->count, 0);
    store_ring_free(ring);
    for (size_t i = 0; i < COUNT(keys); i++)
        CHECK_INT(put_fact(&keys[i]), ROW_WRITTEN);
    keys[0].ring_key.state = RING_SIGNING;
    keys[0].ring_key.wrapped = TEXT("rewrapped");
    CHECK_INT(put_fact(&keys[0]), ROW_WRITTEN);
    keys[0].ring_key.use = RING_HASH;
    CHECK_INT(put_fact(&keys[0]), ROW_EXISTS);
    reopen_store();
    CHECK_INT(store->ops->ring(store, &ring), ERR_OK);
    CHECK_INT(ring->count, 2);
    CHECK_BYTES(ring->keys[0].id, TEXT("0000000a"));
    CHECK(bytes_is_absent(ring->keys[0].algorithm) && ring->keys[0].use == RING_SEAL);
    CHECK_BYTES(ring->keys[1].id, TEXT("0000000b"));
    CHECK_BYTES(ring->keys[1].algorithm, TEXT("ES256"));
    CHECK_BYTES(ring->keys[1].wrapped, TEXT("rewrapped"));
    CHECK(ring->keys[1].use == RING_SIGN && ring->keys[1].state == RING_SIGNING);
    CHECK_INT(ring->keys[1].created_ms, 20);
    store_ring_free(ring);
    end();
}

/* --- many at once --- */

#define THREADS          4
#define COMMITS          1500 /* of each thread: in flight all together */
#define REFERENCE_LENGTH 9

struct burst {
    pthread_t thread;
    uint32_t number;
    sem_t bell;
    struct arena arenas[COMMITS];
    struct store_commit commits[COMMITS];
    struct write writes[COMMITS];
    struct row rows[COMMITS];
    char references[COMMITS][REFERENCE_LENGTH + 1], names[COMMITS][32], others[COMMITS][32];
};

/* All threads write the same references, with address names that collide between neighbours. */
static void *burst_run(void *state)
{
    struct burst *burst = state;
    for (uint32_t i = 0; i < COMMITS; i++) {
        uint32_t number = burst->number * COMMITS + i;
        (void)snprintf(burst->references[i], sizeof burst->references[i], "user-%04u", i);
        (void)snprintf(burst->names[i], sizeof burst->names[i], "/private/%u", i / 2);
        (void)snprintf(burst->others[i], sizeof burst->others[i], "/private/%u-%u", i, number);
        arena_init(&burst->arenas[i], 4096);
        burst->writes[i] =
            user_write(&shop, number, bytes_of_text(burst->references[i]), bytes_of_text(burst->names[i]));
        burst->writes[i].user.address_name_alt = bytes_of_text(burst->others[i]);
        burst->commits[i] = (struct store_commit){.post = ring_bell,
                                                  .to = &burst->bell,
                                                  .writes = &burst->writes[i],
                                                  .write_count = 1,
                                                  .rows = &burst->rows[i],
                                                  .arena = &burst->arenas[i]};
        store->ops->commit(store, &burst->commits[i]);
    }
    for (uint32_t i = 0; i < COMMITS; i++)
        bell_wait(&burst->bell);
    return NULL;
}

static void check_burst(struct burst *bursts, uint32_t i)
{
    int written = 0;
    for (size_t t = 0; t < THREADS; t++) {
        CHECK_INT(bursts[t].commits[i].error, ERR_OK);
        CHECK(uuid_equal(&bursts[t].rows[i].user.id, &bursts[0].rows[i].user.id)); /* all meet the same one */
        if (bursts[t].rows[i].state == ROW_WRITTEN) written++;
        arena_release(&bursts[t].arenas[i]);
    }
    CHECK_INT(written, 1);
}

static void writes_each_reference_once_whoever_asks(void)
{
    struct burst *bursts = calloc(THREADS, sizeof *bursts);
    if (!CHECK(bursts != NULL)) return;
    begin();
    for (uint32_t t = 0; t < THREADS; t++) {
        bursts[t].number = t;
        (void)sem_init(&bursts[t].bell, 0, 0);
        CHECK_INT(pthread_create(&bursts[t].thread, NULL, burst_run, &bursts[t]), 0);
    }
    for (uint32_t t = 0; t < THREADS; t++)
        (void)pthread_join(bursts[t].thread, NULL);
    for (uint32_t i = 0; i < COMMITS; i++) {
        CHECK_NOTE("reference %u", (unsigned)i);
        check_burst(bursts, i);
    }
    for (uint32_t t = 0; t < THREADS; t++)
        (void)sem_destroy(&bursts[t].bell);
    free(bursts);
    end();
}

/* One that fails stands among many that do not, all in the same transaction if the store has any. */
static void spoils_nobody_elses_commit(void)
{
    enum { COUNT_OF = 200, BAD = 77 };
    static struct burst burst;
    struct user found;
    begin();
    (void)sem_init(&burst.bell, 0, 0);
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        (void)snprintf(burst.references[i], sizeof burst.references[i], "user-%04u", i);
        arena_init(&burst.arenas[i], 4096);
        burst.writes[i] = user_write(&shop, i, bytes_of_text(burst.references[i]), BYTES_NONE);
        if (i == BAD) burst.writes[i].user.user.id = id_of(1, BAD - 1); /* taken: the insert itself fails */
        burst.commits[i] = (struct store_commit){.post = ring_bell,
                                                 .to = &burst.bell,
                                                 .writes = &burst.writes[i],
                                                 .write_count = 1,
                                                 .rows = &burst.rows[i],
                                                 .arena = &burst.arenas[i]};
        store->ops->commit(store, &burst.commits[i]);
    }
    for (uint32_t i = 0; i < COUNT_OF; i++)
        bell_wait(&burst.bell);
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        CHECK_NOTE("commit %u", (unsigned)i);
        CHECK_INT(burst.commits[i].error, i == BAD ? ERR_STORE_FAILED : ERR_OK);
        CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, bytes_of_text(burst.references[i]), NULL) ==
              (i != BAD));
        arena_release(&burst.arenas[i]);
    }
    (void)sem_destroy(&burst.bell);
    end();
}

static void ring_nothing(void *counter, struct mail *mail)
{
    (void)mail;
    atomic_fetch_add((atomic_int *)counter, 1);
}

static void finishes_what_waits_before_it_closes(void)
{
    enum { COUNT_OF = 300 };
    static struct store_commit commits[COUNT_OF];
    static struct write writes[COUNT_OF];
    static struct row rows[COUNT_OF];
    atomic_int answered = 0;
    begin();
    for (uint32_t i = 0; i < COUNT_OF; i++) {
        writes[i] = (struct write){.kind = WRITE_ONCE, .once = {.id = id_of(6, i), .bucket_s = 60}};
        commits[i] = (struct store_commit){.post = ring_nothing,
                                           .to = &answered,
                                           .writes = &writes[i],
                                           .write_count = 1,
                                           .rows = &rows[i],
                                           .arena = &arena};
        store->ops->commit(store, &commits[i]);
    }
    store->ops->close(store);
    CHECK_INT(atomic_load(&answered), COUNT_OF);
    for (uint32_t i = 0; i < COUNT_OF; i++)
        CHECK(commits[i].error == ERR_OK && rows[i].state == ROW_WRITTEN);
    open_store();
    if (is_durable) CHECK_INT(put_fact(&writes[COUNT_OF - 1]), ROW_EXISTS);
    end();
}

static void run_suite(void)
{
    CHECK_RUN(writes_nothing_without_its_project);
    CHECK_RUN(leaves_fixed_things_as_they_are);
    CHECK_RUN(gives_each_address_name_once);
    CHECK_RUN(undoes_all_of_a_failed_commit);
    CHECK_RUN(undoes_what_its_asker_cannot_hold);
    CHECK_RUN(finds_nobody_else);
    CHECK_RUN(changes_no_profile_of_another);
    CHECK_RUN(lets_a_thing_happen_once);
    CHECK_RUN(keeps_every_field_of_a_user);
    CHECK_RUN(updates_only_the_given_fields);
    CHECK_RUN(keeps_composed_and_decomposed_apart);
    CHECK_RUN(keeps_every_fact);
    CHECK_RUN(lists_origins_per_project);
    CHECK_RUN(keeps_the_ring_in_order);
    CHECK_RUN(writes_each_reference_once_whoever_asks);
    CHECK_RUN(spoils_nobody_elses_commit);
    CHECK_RUN(finishes_what_waits_before_it_closes);
}

int main(void)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/store-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/coatcheck.db", folder);
    printf("memory\n");
    run_suite();
    printf("sqlite\n");
    is_durable = true;
    run_suite();
    (void)rmdir(folder);
    return CHECK_END();
}
