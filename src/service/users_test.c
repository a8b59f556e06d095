#include "service/users.h"

#include <stdio.h>

#include "base/dice.h"
#include "harness/check.h"

#define IDS                                                                                                  \
    40 /* different users that the random walk knows of; one in five has its like in another project */

static struct user user_of(unsigned number, char reference[32], unsigned version)
{
    struct user user = {.id = {{(uint8_t)number, 1}}, .project = {{(uint8_t)(number % 5)}}};

    (void)snprintf(reference, 32, "user-%u", number / 5); /* the same reference in five projects */
    user.reference = bytes_of_text(reference);
    user.updated_ms = version;
    return user;
}

/* The plainest thing that could be right: a list, newest use last. */
struct model {
    unsigned number[IDS], version[IDS];
    size_t count, max;
};

static size_t model_find(const struct model *model, unsigned number)
{
    size_t i;

    for (i = 0; i < model->count; i++)
        if (model->number[i] == number) break;
    return i;
}

static void model_remove(struct model *model, size_t at)
{
    for (model->count--; at < model->count; at++) {
        model->number[at] = model->number[at + 1];
        model->version[at] = model->version[at + 1];
    }
}

static void model_append(struct model *model, unsigned number, unsigned version)
{
    model->number[model->count] = number;
    model->version[model->count++] = version;
}

static void model_put(struct model *model, unsigned number, unsigned version)
{
    size_t at = model_find(model, number);

    if (at < model->count) model_remove(model, at);
    if (model->count == model->max) model_remove(model, 0);
    model_append(model, number, version);
}

static void check_look_up(struct users *users, struct model *model, unsigned number, bool by_id)
{
    char reference[32];
    struct user wanted = user_of(number, reference, 0);
    size_t at = model_find(model, number);
    const struct user *found = by_id ? users_by_id(users, &wanted.project, &wanted.id)
                                     : users_by_reference(users, &wanted.project, wanted.reference);

    if (!CHECK((found != NULL) == (at < model->count)) || !found) return;
    CHECK(uuid_equal(&found->id, &wanted.id) && uuid_equal(&found->project, &wanted.project));
    CHECK(bytes_equal(found->reference, wanted.reference));
    CHECK(found->reference.ptr != wanted.reference.ptr);
    CHECK_INT(found->updated_ms, model->version[at]);
    {
        unsigned version = model->version[at];
        model_remove(model, at);
        model_append(model, number, version);
    }
}

static void walk(size_t max, uint64_t seed)
{
    struct model model = {.max = max};
    struct dice_seeded storage;
    struct dice dice = dice_from_seed(&storage, seed);
    struct users *users;
    unsigned step;

    CHECK_INT(users_new(&users, max, seed), ERR_OK);
    for (step = 1; step <= 5000; step++) {
        unsigned number = (unsigned)dice_below(&dice, IDS);
        unsigned what = (unsigned)dice_below(&dice, 8);
        char reference[32];
        struct user user = user_of(number, reference, step);

        CHECK_NOTE("max %zu, step %u, user %u", max, step, number);
        if (what < 3) {
            users_put(users, &user);
            model_put(&model, number, step);
        } else if (what == 3) {
            size_t at = model_find(&model, number);
            users_forget(users, &user.project, &user.id);
            if (at < model.count) model_remove(&model, at);
        } else
            check_look_up(users, &model, number, what & 1);
        CHECK_INT(users_count(users), model.count);
        CHECK(users_count(users) <= max);
    }
    users_free(users);
}

static void behaves_like_a_list(void)
{
    static const size_t sizes[] = {1, 2, 3, 7, 8, 31, IDS};
    size_t i;

    for (i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        walk(sizes[i], 100 + i);
}

static void finds_nothing_where_there_is_nothing(void)
{
    struct uuid project = {{1}}, id = {{2}};
    struct users *users;

    CHECK_INT(users_new(&users, 0, 1), ERR_OK); /* none is taken for one */
    CHECK(users_by_id(users, &project, &id) == NULL);
    CHECK(users_by_reference(users, &project, BYTES("ada")) == NULL);
    CHECK(users_by_reference(users, &project, BYTES_NONE) == NULL);
    users_forget(users, &project, &id);
    CHECK_INT(users_count(users), 0);
    users_free(users);
    users_free(NULL);
}

/* All of them would hang in one chain: participants and embedded users are read when they are needed. */
static void keeps_nobody_without_a_reference(void)
{
    struct user user = {.id = {{7}}, .project = {{1}}, .kind = USER_EMBEDDED};
    struct users *users;

    CHECK_INT(users_new(&users, 4, 1), ERR_OK);
    users_put(users, &user);
    CHECK_INT(users_count(users), 0);
    CHECK(!users_by_id(users, &user.project, &user.id));
    CHECK(!users_by_reference(users, &user.project, BYTES_NONE));
    users_free(users);
}

static void keeps_projects_apart(void)
{
    struct uuid other = {{9}};
    char reference[32];
    struct user user = user_of(1, reference, 1);
    struct users *users;

    CHECK_INT(users_new(&users, 4, 1), ERR_OK);
    users_put(users, &user);
    CHECK(users_by_id(users, &other, &user.id) == NULL);
    CHECK(users_by_reference(users, &other, user.reference) == NULL);
    users_forget(users, &other, &user.id);
    CHECK_INT(users_count(users), 1);
    users_free(users);
}

static void copies_every_text(void)
{
    char texts[PROFILE_COUNT + 5][4];
    struct user user = {.id = {{1}}, .project = {{2}}};
    const struct user *found;
    struct users *users;
    size_t i;

    for (i = 0; i < PROFILE_COUNT + 5; i++)
        (void)snprintf(texts[i], sizeof texts[i], "t%zu", i);
    for (i = 0; i < PROFILE_COUNT; i++)
        user.profile.value[i] = i == 2 ? BYTES_NONE : bytes_of_text(texts[i]);
    user.reference = bytes_of_text(texts[PROFILE_COUNT]);
    user.address.name = bytes_of_text(texts[PROFILE_COUNT + 1]);
    user.address.display_name = bytes_of_text(texts[PROFILE_COUNT + 2]);
    user.external_id = bytes_of_text(texts[PROFILE_COUNT + 3]);
    user.payload = bytes_of_text(texts[PROFILE_COUNT + 4]);
    CHECK_INT(users_new(&users, 4, 1), ERR_OK);
    users_put(users, &user);
    memset(texts, 'x', sizeof texts); /* what was put in is the asker's and goes away */
    found = users_by_id(users, &user.project, &user.id);
    if (CHECK(found != NULL)) {
        CHECK_BYTES(found->reference, BYTES("t8"));
        CHECK_BYTES(found->address.name, BYTES("t9"));
        CHECK_BYTES(found->address.display_name, BYTES("t10"));
        CHECK_BYTES(found->external_id, BYTES("t11"));
        CHECK_BYTES(found->payload, BYTES("t12"));
        CHECK_BYTES(found->profile.value[0], BYTES("t0"));
        CHECK(bytes_is_absent(found->profile.value[2]));
        users_put(users, found); /* out of its own entry */
        found = users_by_id(users, &user.project, &user.id);
        CHECK(found != NULL && bytes_equal(found->profile.value[7], BYTES("t7")));
    }
    users_free(users);
}

/* Two users of one reference cannot both live; whoever was put last is the one that counts. */
static void believes_the_newest(void)
{
    struct user first = {.id = {{1}}, .project = {{2}}, .reference = BYTES("ada")};
    struct user second = {.id = {{3}}, .project = {{2}}, .reference = BYTES("ada")};
    const struct user *found;
    struct users *users;

    CHECK_INT(users_new(&users, 4, 1), ERR_OK);
    users_put(users, &first);
    users_put(users, &second);
    found = users_by_reference(users, &first.project, first.reference);
    CHECK(found != NULL && uuid_equal(&found->id, &second.id));
    users_free(users);
}

int main(void)
{
    CHECK_RUN(finds_nothing_where_there_is_nothing);
    CHECK_RUN(keeps_nobody_without_a_reference);
    CHECK_RUN(keeps_projects_apart);
    CHECK_RUN(copies_every_text);
    CHECK_RUN(believes_the_newest);
    CHECK_RUN(behaves_like_a_list);
    return CHECK_END();
}
