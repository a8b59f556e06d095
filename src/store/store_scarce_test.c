/* One suite for every store: memory that gives out. An asker whose arena is too small is told so, and what it
 * asked for has not happened; it may ask again with more room and finds all as it was. Then each allocation
 * of our own fails in turn while a question is answered. (store_allocation_test.c does that to commits.) */
#include "harness/failing_memory.h"
#include "harness/store_round.h"

#define ROOM_STEP 24   /* of a growing arena; no divisor of what is copied */
#define ROOM_MAX  8192 /* enough for any one row */
#define BUCKET_S  90000

/* --- a shop with one of each --- */

static struct write embedded(uint32_t number)
{
    return (struct write){.kind = WRITE_USER,
                          .user.user = {.id = id_of(1, number),
                                        .project = shop,
                                        .kind = USER_EMBEDDED,
                                        .external_id = TEXT("a customer's own id"),
                                        .payload = TEXT("{\"plan\":\"gold\"}"),
                                        .updated_ms = 5}};
}

static struct write family(uint32_t generation, uint32_t from)
{
    return (struct write){.kind = WRITE_FAMILY,
                          .family = {.family = {.id = id_of(8, 1),
                                                .project = shop,
                                                .user = id_of(1, 1),
                                                .state = FAMILY_LIVE,
                                                .generation = generation,
                                                .bucket_s = BUCKET_S,
                                                .holder = TEXT("a thumbprint of the holder's key"),
                                                .seal_key = TEXT("0000000a")},
                                     .from_generation = from}};
}

static struct write interview(void)
{
    return (struct write){.kind = WRITE_INTERVIEW,
                          .interview = {.id = id_of(9, 1),
                                        .project = shop,
                                        .study = id_of(4, 1),
                                        .user = id_of(1, 1),
                                        .state = INTERVIEW_AGREED}};
}

static void furnish(void)
{
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada")), guest = embedded(2);
    struct write bob = user_write(&shop, 3, TEXT("bob"), TEXT("/private/bob"));
    struct write step = family(1, 0), talk = interview();
    struct write key = {
        .kind = WRITE_KEY,
        .key = {.project = shop, .kind = KEY_SECRET, .public_id = TEXT("k1"), .name = TEXT("Till")}};
    struct write cutoff = {.kind = WRITE_CUTOFF,
                           .cutoff = {.cutoff = {.of = CUTOFF_KEY, .project = shop, .id = TEXT("k1")},
                                      .now_ms = 1000,
                                      .keep_s = 1000000}};
    struct write resource = {
        .kind = WRITE_RESOURCE,
        .resource = {.id = id_of(5, 1), .project = shop, .type = ADDRESS_CALL, .name = TEXT("Desk")}};
    struct write study = {.kind = WRITE_STUDY,
                          .study = {.id = id_of(4, 1), .project = shop, .title = TEXT("T")}};
    struct write origin = {.kind = WRITE_ORIGIN,
                           .origin = {.project = shop, .origin = TEXT("https://a.example")}};
    struct write setting = {.kind = WRITE_SETTING,
                            .setting = {.project = shop, .setting = SETTING_SAT_LIFE, .value = 90}};
    struct write ring = {
        .kind = WRITE_RING_KEY,
        .ring_key = {.id = TEXT("0000000a"), .use = RING_SEAL, .state = RING_SIGNING, .wrapped = TEXT("w")}};
    const struct write *all[] = {&ada,    &guest,    &bob,   &step,   &talk,    &key,
                                 &cutoff, &resource, &study, &origin, &setting, &ring};
    for (size_t i = 0; i < COUNT(all); i++)
        CHECK_INT(put_fact(all[i]), ROW_WRITTEN);
}

/* --- writes --- */

/* The write comes behind one that is good on its own: what fails takes that along. The number is of the
 * ticket: a burnt one would say so. */
static void write_with_little_room(const struct write *write, uint32_t number, bool is_in_arena)
{
    struct write writes[2] = {{.kind = WRITE_ONCE, .once = {.id = id_of(6, number), .bucket_s = 60}}, *write};
    struct row rows[2];
    struct arena tiny;
    unsigned failures = 0;
    enum err e = ERR_NO_MEMORY;
    for (size_t room = 1; room < ROOM_MAX && e == ERR_NO_MEMORY; room += ROOM_STEP) {
        arena_init(&tiny, room);
        e = store_commit_wait(store, writes, 2, rows, &tiny);
        if (e != ERR_OK) {
            failures++;
            CHECK_INT(e, ERR_NO_MEMORY);
            CHECK(rows[0].state == 0 && uuid_is_zero(&rows[1].user.id) && uuid_is_zero(&rows[1].family.id));
        }
        arena_release(&tiny);
    }
    CHECK_INT(e, ERR_OK);
    CHECK(is_in_arena == (failures > 0));
    CHECK_INT(rows[0].state, ROW_WRITTEN);
    CHECK_INT(rows[1].state, ROW_WRITTEN); /* from what it expected: no attempt before has changed that */
}

static void writes_nothing_its_asker_cannot_hold(void)
{
    struct write user = user_write(&shop, 10, TEXT("carol"), TEXT("/private/carol"));
    struct write guest = embedded(11), step = family(2, 1), dead = family(2, FAMILY_ANY_GENERATION);
    struct write profile = {.kind = WRITE_PROFILE,
                            .profile = {.project = shop, .user = id_of(1, 1), .now_ms = 9}};
    struct write payload = {.kind = WRITE_PAYLOAD,
                            .payload = {.project = shop,
                                        .user = id_of(1, 2),
                                        .payload = TEXT("{\"plan\":\"silver\"}"),
                                        .if_updated_ms = 5,
                                        .now_ms = 6}};
    struct write answer = {.kind = WRITE_ANSWER,
                           .answer = {.project = shop,
                                      .interview = id_of(9, 1),
                                      .user = id_of(1, 1),
                                      .question = TEXT("q1"),
                                      .answer = TEXT("yes")}};
    struct write step_on = {.kind = WRITE_INTERVIEW_STEP,
                            .interview_step = {.project = shop,
                                               .id = id_of(9, 1),
                                               .user = id_of(1, 1),
                                               .from = 1u << INTERVIEW_AGREED,
                                               .to = INTERVIEW_DONE}};
    struct write cutoff = {
        .kind = WRITE_CUTOFF,
        .cutoff = {.cutoff = {.of = CUTOFF_PROJECT, .project = shop, .id = uuid_bytes(&shop)}}};
    struct write gone = {.kind = WRITE_USER_GONE, .user_gone = {.project = shop, .user = id_of(1, 3)}};
    struct write desk_gone = {.kind = WRITE_RESOURCE_GONE, .resource = {.id = id_of(5, 1), .project = shop}};
    const struct {
        const char *name;
        const struct write *write;
        bool is_in_arena; /* its row has strings */
    } rows[] = {
        {"user", &user, true},       {"embedded user", &guest, true},     {"profile", &profile, true},
        {"payload", &payload, true}, {"family, a step", &step, true},     {"family, its end", &dead, true},
        {"answer", &answer, false},  {"interview", &step_on, false},      {"cutoff", &cutoff, false},
        {"user gone", &gone, false}, {"resource gone", &desk_gone, false}};
    profile.profile.profile.value[PROFILE_COUNTRY] = TEXT("Iceland");
    dead.family.family.state = FAMILY_DEAD;
    begin();
    furnish();
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("%s", rows[i].name);
        write_with_little_room(rows[i].write, (uint32_t)i + 1, rows[i].is_in_arena);
    }
    CHECK_NOTE("%s", "");
    end();
}

/* --- reads --- */

static enum err read_into(struct store_read *read, struct arena *room)
{
    sem_t bell;
    (void)sem_init(&bell, 0, 0);
    read->post = ring_bell;
    read->to = &bell;
    read->arena = room;
    store->ops->read(store, read);
    bell_wait(&bell);
    read->to = NULL;
    (void)sem_destroy(&bell);
    return read->error;
}

static void check_nothing_read(const struct store_read *read)
{
    CHECK(!read->found && read->users == NULL && read->user_count == 0 && read->addresses == NULL &&
          read->address_count == 0);
    CHECK(bytes_is_absent(read->next) && uuid_is_zero(&read->user.id) && uuid_is_zero(&read->family.id));
}

static void read_with_little_room(struct store_read *read)
{
    struct arena tiny;
    unsigned failures = 0;
    enum err e = ERR_NO_MEMORY;
    for (size_t room = 1; room < ROOM_MAX && e == ERR_NO_MEMORY; room += ROOM_STEP) {
        arena_init(&tiny, room);
        e = read_into(read, &tiny);
        if (e != ERR_OK) {
            failures++;
            check_nothing_read(read);
        }
        arena_release(&tiny);
    }
    CHECK_INT(e, ERR_OK);
    CHECK(failures > 0);
    CHECK(read->found || read->user_count > 0 || read->address_count > 0);
}

static void reads_nothing_its_asker_cannot_hold(void)
{
    struct uuid ids[] = {id_of(2, 1), id_of(2, 3)};
    struct store_read reads[] = {
        {.kind = READ_USER_BY_REFERENCE, .text = TEXT("ada")},
        {.kind = READ_USER_BY_ID, .id = id_of(1, 2)},
        {.kind = READ_USER_BY_ADDRESS, .text = TEXT("/private/ada")},
        {.kind = READ_USER_BY_RESOURCE, .id = id_of(1, 1)},
        {.kind = READ_USERS_BY_EXTERNAL_ID, .text = TEXT("a customer's own id"), .limit = 5},
        {.kind = READ_USERS, .limit = 1},
        {.kind = READ_USERS, .limit = 5},
        {.kind = READ_ADDRESSES, .ids = ids, .id_count = COUNT(ids)},
        {.kind = READ_FAMILY, .id = id_of(8, 1), .bucket_s = BUCKET_S}};
    begin();
    furnish();
    for (size_t i = 0; i < COUNT(reads); i++) {
        CHECK_NOTE("read %zu", i);
        reads[i].project = shop;
        read_with_little_room(&reads[i]);
    }
    CHECK_NOTE("%s", "");
    end();
}

/* --- questions --- */

static enum err ask_facts(size_t *count)
{
    struct facts *facts;
    enum err e = store->ops->facts(store, &facts);
    CHECK((e == ERR_OK) == (facts != NULL));
    *count = facts == NULL
                 ? 0
                 : facts->key_count + facts->resource_count + facts->study_count + facts->origin_count;
    facts_free(facts);
    return e;
}

static enum err ask_ring(size_t *count)
{
    struct store_ring *ring;
    enum err e = store->ops->ring(store, &ring);
    CHECK((e == ERR_OK) == (ring != NULL));
    *count = ring == NULL ? 0 : ring->count;
    store_ring_free(ring);
    return e;
}

static enum err ask_cutoffs(size_t *count)
{
    struct store_cutoffs *cutoffs;
    enum err e = store->ops->cutoffs(store, &cutoffs);
    CHECK((e == ERR_OK) == (cutoffs != NULL));
    *count = cutoffs == NULL ? 0 : cutoffs->count;
    store_cutoffs_free(cutoffs);
    return e;
}

static enum err ask_key_uses(size_t *count)
{
    struct store_key_uses *uses;
    enum err e = store->ops->key_uses(store, &shop, &uses);
    CHECK((e == ERR_OK) == (uses != NULL));
    *count = uses == NULL ? 0 : uses->count;
    store_key_uses_free(uses);
    return e;
}

static void answers_nothing_by_halves(void)
{
    static const struct {
        const char *name;
        enum err (*ask)(size_t *count);
        size_t count;
    } questions[] = {{"facts", ask_facts, 4},
                     {"ring", ask_ring, 1},
                     {"cutoffs", ask_cutoffs, 1},
                     {"key uses", ask_key_uses, 1}};
    begin();
    furnish();
    for (size_t i = 0; i < COUNT(questions); i++) {
        long n = 0;
        size_t count;
        for (bool is_over = false; !is_over; n++) {
            CHECK_NOTE("%s, allocation %ld", questions[i].name, n);
            memory_fail(n, 1);
            enum err e = questions[i].ask(&count);
            is_over = !memory_relent();
            CHECK_INT(e, is_over ? ERR_OK : ERR_NO_MEMORY);
            CHECK_INT(count, is_over ? questions[i].count : 0);
        }
        CHECK(n > 2); /* the struct and its arena, at least */
        CHECK_INT(questions[i].ask(&count), ERR_OK);
    }
    CHECK_NOTE("%s", "");
    end();
}

static void suite(void)
{
    CHECK_RUN(writes_nothing_its_asker_cannot_hold);
    CHECK_RUN(reads_nothing_its_asker_cannot_hold);
    CHECK_RUN(answers_nothing_by_halves);
}

int main(void)
{
    return run_rounds(suite);
}
