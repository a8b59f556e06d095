/* One suite for every store: what is true of a commit, a look-up and a snapshot wherever they are kept. */
#include "engine/age.h"
#include "harness/check.h"
#include "harness/store_round.h"

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
        {.kind = WRITE_SETTING, .setting = {.project = nobody, .setting = SETTING_SAT_LIFE, .value = 600}},
        {.kind = WRITE_SETTING, .setting = {.project = shop, .setting = SETTING_SAT_LIFE, .value = 59}},
        {.kind = WRITE_SETTING, .setting = {.project = shop, .setting = SETTING_SAT_LIFE, .value = 86401}},
        {.kind = WRITE_SETTING,
         .setting = {.project = shop, .setting = SETTING_REFRESH_GRACE, .value = INT64_MIN}},
        {.kind = WRITE_PROJECT, .project = {.id = nobody, .setting = {[SETTING_SAT_LIFE] = 600}}},
        {.kind = WRITE_ORIGIN_GONE, .origin = {.project = nobody, .origin = TEXT("https://a.example")}},
        {.kind = WRITE_ORIGIN_GONE, .origin = {.project = shop, .origin = TEXT("https://a.example")}},
        {.kind = WRITE_RESOURCE,
         .resource = {.id = id_of(5, 1), .project = nobody, .type = ADDRESS_APP, .name = TEXT("a")}},
        {.kind = WRITE_RESOURCE_GONE, .resource = {.id = id_of(5, 1), .project = shop}},
        {.kind = WRITE_RESOURCE_GONE, .resource = {.id = id_of(5, 1), .project = nobody}},
        {.kind = WRITE_KEY_USED, .key_used = {.public_id = TEXT("k"), .used_ms = 5}},
        {.kind = WRITE_PAYLOAD, .payload = {.project = shop, .user = id_of(1, 1), .payload = TEXT("{}")}},
        {.kind = WRITE_PAYLOAD, .payload = {.project = nobody, .user = id_of(1, 1)}},
        {.kind = WRITE_USER_GONE, .user_gone = {.project = shop, .user = id_of(1, 1)}},
        {.kind = WRITE_USER_GONE, .user_gone = {.project = nobody, .user = id_of(1, 1)}},
        {.kind = WRITE_INTERVIEW,
         .interview = {.id = id_of(9, 1), .project = nobody, .state = INTERVIEW_OPEN}},
        {.kind = WRITE_INTERVIEW_STEP,
         .interview_step = {.project = shop, .id = id_of(9, 1), .from = 14, .to = INTERVIEW_DONE}},
        {.kind = WRITE_ANSWER, .answer = {.project = shop, .interview = id_of(9, 1)}},
        {.kind = WRITE_AGE, .age = {.project = nobody, .by_ms = 1000}},
        {.kind = WRITE_AGE, .age = {.project = shop, .by_ms = 1000}}, /* live: its time is real */
        {.kind = WRITE_AGE, .age = {.project = lab, .by_ms = 0}},
        {.kind = WRITE_AGE, .age = {.project = lab, .by_ms = -1}},
        {.kind = WRITE_AGE, .age = {.project = lab, .by_ms = INT64_MIN}},
        {.kind = WRITE_AGE, .age = {.project = lab, .by_ms = AGE_STEP_MAX_MS + 1}},
        {.kind = WRITE_AGE, .age = {.project = lab, .by_ms = INT64_MAX}},
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

static int64_t age_of(const struct uuid *project)
{
    struct facts *facts;
    int64_t age_ms;
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    age_ms = facts_project(facts, project)->age_ms;
    facts_free(facts);
    return age_ms;
}

static void ages_test_projects_only_forward(void)
{
    struct write age = {.kind = WRITE_AGE, .age = {.project = lab, .by_ms = 7200000}};
    struct write young = {.kind = WRITE_PROJECT,
                          .project = {.id = id_of(0x50, 9), .is_test = true, .age_ms = 5}};
    uint64_t before, after;
    settings_standard(young.project.setting);
    begin();
    CHECK_INT(store->ops->facts_version(store, &before), ERR_OK);
    CHECK_INT(age_of(&lab), 0);
    CHECK_INT(put_fact(&age), ROW_WRITTEN);
    CHECK_INT(age_of(&lab), 7200000);
    CHECK_INT(store->ops->facts_version(store, &after), ERR_OK);
    CHECK(after > before);
    age.age.by_ms = 1;
    CHECK_INT(put_fact(&age), ROW_WRITTEN);
    reopen_store();
    CHECK_INT(age_of(&lab), 7200001);
    CHECK_INT(age_of(&shop), 0);
    CHECK_INT(put_project(&lab, true), ROW_WRITTEN); /* settings may change; the age stays */
    CHECK_INT(age_of(&lab), 7200001);
    CHECK_INT(put_fact(&young), ROW_WRITTEN);
    CHECK_INT(age_of(&young.project.id), 0);
    age.age.by_ms = AGE_STEP_MAX_MS;
    for (int i = 0; i < 9; i++)
        CHECK_INT(put_fact(&age), ROW_WRITTEN);
    CHECK_INT(put_fact(&age), ROW_ABSENT); /* it would be too old */
    CHECK_INT(age_of(&lab), 9 * AGE_STEP_MAX_MS + 7200001);
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

static void binds_a_token_to_its_first_key(void)
{
    struct row row;
    struct write one = {.kind = WRITE_BOUND,
                        .bound = {.id = id_of(6, 1), .jkt = BYTES("one"), .bucket_s = 600}};
    struct write other = one, prune = {.kind = WRITE_PRUNE, .prune = {.through_s = 600}};
    other.bound.jkt = BYTES("other");
    begin();
    CHECK_INT(write_one(&row, &one), ROW_WRITTEN);
    CHECK_BYTES(row.jkt, BYTES("one"));
    CHECK_INT(write_one(&row, &other), ROW_EXISTS);
    CHECK_BYTES(row.jkt, BYTES("one"));
    reopen_store();
    if (is_durable) {
        CHECK_INT(write_one(&row, &other), ROW_EXISTS);
        CHECK_BYTES(row.jkt, BYTES("one"));
        CHECK_INT(write_one(&row, &one), ROW_EXISTS);
    }
    other.bound.id = id_of(6, 2);
    CHECK_INT(write_one(&row, &other), ROW_WRITTEN);
    CHECK_BYTES(row.jkt, BYTES("other"));
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &other), ROW_EXISTS); /* forgotten: nobody is the first any more */
    CHECK(bytes_is_absent(row.jkt));
    end();
}

static void forgets_buckets_that_are_over(void)
{
    struct row row;
    struct write once = {.kind = WRITE_ONCE, .once = {.bucket_s = 60}};
    struct write prune = {.kind = WRITE_PRUNE, .prune = {.through_s = 60}};
    begin();
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT);
    for (unsigned i = 0; i < PRUNE_ROWS_MAX + 5; i++) {
        once.once.id = id_of(7, i);
        CHECK_INT(write_one(&row, &once), ROW_WRITTEN);
    }
    once.once.bucket_s = 61;
    CHECK_INT(write_one(&row, &once), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN); /* as many as one write may take */
    CHECK_INT(write_one(&row, &prune), ROW_WRITTEN); /* the rest */
    CHECK_INT(write_one(&row, &prune), ROW_ABSENT);
    CHECK_INT(write_one(&row, &once), ROW_EXISTS); /* a later bucket is not touched */
    end();
}

/* --- what comes back --- */

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
    CHECK_INT(project->setting[SETTING_SAT_LIFE], 7200);
    CHECK_INT(project->setting[SETTING_SAT_LIFE_MAX], 86400);
    CHECK_INT(project->setting[SETTING_FAMILY_MAX_AGE], 2592000);
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

static void suite(void)
{
    CHECK_RUN(writes_nothing_without_its_project);
    CHECK_RUN(leaves_fixed_things_as_they_are);
    CHECK_RUN(ages_test_projects_only_forward);
    CHECK_RUN(gives_each_address_name_once);
    CHECK_RUN(undoes_all_of_a_failed_commit);
    CHECK_RUN(undoes_what_its_asker_cannot_hold);
    CHECK_RUN(finds_nobody_else);
    CHECK_RUN(changes_no_profile_of_another);
    CHECK_RUN(lets_a_thing_happen_once);
    CHECK_RUN(binds_a_token_to_its_first_key);
    CHECK_RUN(forgets_buckets_that_are_over);
    CHECK_RUN(keeps_every_field_of_a_user);
    CHECK_RUN(updates_only_the_given_fields);
    CHECK_RUN(keeps_composed_and_decomposed_apart);
    CHECK_RUN(keeps_every_fact);
    CHECK_RUN(lists_origins_per_project);
}

int main(void)
{
    return run_rounds(suite);
}
