#include "server/session_index.h"

#include "harness/check.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 3000

struct session {
    struct holder holder;
    struct session_links links;
};

static struct uuid id_of(uint8_t room, unsigned number)
{
    struct uuid id = {{room}};

    memcpy(id.byte + 1, &number, sizeof number);
    return id;
}

/* Users share a family by tens, and a key by their last digit. */
static void fill(struct session *session, unsigned number)
{
    static const char keys[][3] = {"k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8", "k9"};

    memset(session, 0, sizeof *session);
    session->holder.project = id_of(1, number % 2);
    session->holder.user = id_of(2, number);
    session->holder.family = id_of(3, number / 10);
    session->holder.parent_key = bytes_of(keys[number % 10], 2);
    session->holder.gt_ms = 1000;
}

static unsigned close_all(struct session_index *index, const struct cutoff *cutoff)
{
    struct session_links *links;
    unsigned closed = 0;

    while ((links = session_index_find(index, cutoff))) {
        session_index_take(index, links);
        closed++;
    }
    return closed;
}

static struct cutoff cutoff_of(enum cutoff_of of, unsigned project, struct bytes id)
{
    return (struct cutoff){of, id_of(1, project), id, 1000};
}

static void finds_nothing_that_is_not_meant(void)
{
    struct session_index index;
    struct session one;
    struct uuid user = id_of(2, 4), project = id_of(1, 0);
    struct cutoff cutoff = cutoff_of(CUTOFF_USER, 0, uuid_bytes(&user));

    fill(&one, 4);
    CHECK_INT(session_index_init(&index, 9), ERR_OK);
    CHECK(!session_index_find(&index, &cutoff));
    session_index_put(&index, &one.links, &one.holder);
    cutoff.of = CUTOFF_FAMILY;
    CHECK(!session_index_find(&index, &cutoff));
    cutoff = cutoff_of(CUTOFF_USER, 1, uuid_bytes(&user)); /* the same name in another project */
    CHECK(!session_index_find(&index, &cutoff));
    cutoff = cutoff_of(CUTOFF_USER, 0, uuid_bytes(&user));
    cutoff.t_ms = 999; /* it was granted after this */
    CHECK(!session_index_find(&index, &cutoff));
    cutoff.t_ms = 1000;
    CHECK(session_index_find(&index, &cutoff) == &one.links);
    cutoff = cutoff_of(CUTOFF_PROJECT, 0, uuid_bytes(&project));
    CHECK(session_index_find(&index, &cutoff) == &one.links);
    session_index_take(&index, &one.links);
    session_index_take(&index, &one.links);
    CHECK(!session_index_find(&index, &cutoff) && !index.link_count);
    session_index_release(&index);
}

static void an_inviter_ends_who_was_invited(void)
{
    struct session_index index;
    struct session guest;
    struct uuid inviter = id_of(2, 77), resource = id_of(4, 5);
    struct cutoff cutoff = cutoff_of(CUTOFF_USER, 0, uuid_bytes(&inviter));

    fill(&guest, 8);
    guest.holder.inviter = inviter;
    guest.holder.resource = resource;
    CHECK_INT(session_index_init(&index, 9), ERR_OK);
    session_index_put(&index, &guest.links, &guest.holder);
    CHECK(session_index_find(&index, &cutoff) == &guest.links);
    cutoff = cutoff_of(CUTOFF_RESOURCE, 0, uuid_bytes(&resource));
    CHECK(session_index_find(&index, &cutoff) == &guest.links);
    session_index_release(&index);
}

static void count_visit(void *arg, struct session_links *links)
{
    struct session *session = (struct session *)(void *)((char *)links - offsetof(struct session, links));

    session->holder.exp_s++; /* seen */
    ++*(unsigned *)arg;
}

/* A call for an inviter rings at the inviter's, not at who was invited. */
static void visits_who_speaks_for_a_user(void)
{
    struct session_index index;
    struct session sessions[4];
    struct uuid user = id_of(2, 8), project = id_of(1, 0), other = id_of(1, 1);
    struct index_walk walk = {0};
    unsigned i, seen = 0, room = UINT_MAX;

    CHECK_INT(session_index_init(&index, 9), ERR_OK);
    for (i = 0; i < 4; i++) {
        fill(&sessions[i], 8);
        if (i == 2) sessions[i].holder.project = other;
        if (i == 3) {
            sessions[i].holder.user = id_of(2, 9);
            sessions[i].holder.inviter = user;
        }
        session_index_put(&index, &sessions[i].links, &sessions[i].holder);
    }
    CHECK(session_index_some_of_user(&index, &walk, &project, &user, count_visit, &seen, &room));
    CHECK_INT(seen, 2);
    for (i = 0; i < 4; i++)
        CHECK_INT(sessions[i].holder.exp_s, i < 2);
    user = id_of(2, 10);
    CHECK(session_index_some_of_user(&index, &walk, &project, &user, count_visit, &seen, &room));
    CHECK_INT(seen, 2);
    session_index_release(&index);
}

#define ROOM 100

static unsigned walk_some(struct session_index *index, struct index_walk *walk, bool *is_done)
{
    struct uuid user = id_of(2, 8), project = id_of(1, 0);
    unsigned room = ROOM, seen = 0;

    *is_done = session_index_some_of_user(index, walk, &project, &user, count_visit, &seen, &room);
    CHECK(seen <= ROOM && room + seen <= ROOM);
    return seen;
}

/* A user of many sessions is looked at in slices: the table grows between them, some of the sessions end,
 * come, and are renewed. */
static void walks_a_user_of_many_in_slices(void)
{
    struct session *sessions = calloc(SESSIONS, sizeof *sessions);
    struct session_index index;
    struct index_walk walk = {0}, other = {0};
    struct uuid user = id_of(2, 8);
    struct cutoff cutoff = cutoff_of(CUTOFF_USER, 0, uuid_bytes(&user));
    unsigned i, turns = 1, came = SESSIONS / 2, gone = 0, both, twice = 0;
    size_t size_before;
    bool is_done;

    CHECK(sessions != NULL);
    if (!sessions) return;
    CHECK_INT(session_index_init(&index, 5), ERR_OK);
    for (i = 0; i < SESSIONS; i++)
        fill(&sessions[i], 8);
    for (i = 0; i < SESSIONS / 2; i++)
        session_index_put(&index, &sessions[i].links, &sessions[i].holder);
    both = walk_some(&index, &other, &is_done);
    CHECK(!is_done);
    size_before = index.bucket_count;
    for (walk_some(&index, &walk, &is_done); !is_done; turns++) {
        CHECK(session_index_find(&index, &cutoff) != NULL); /* whatever stands in between */
        for (i = 0; i < 60 && came < SESSIONS; i++, came++)
            session_index_put(&index, &sessions[came].links, &sessions[came].holder);
        for (i = 0; i < 9; i++, gone++)
            session_index_take(&index, &sessions[gone].links);
        for (i = 200; i < SESSIONS / 2; i += 7) { /* another sign-in, the same user */
            sessions[i].holder.family = id_of(3, turns);
            session_index_put(&index, &sessions[i].links, &sessions[i].holder);
        }
        walk_some(&index, &walk, &is_done);
    }
    CHECK(turns > 5 && gone < 200);
    CHECK(index.bucket_count > size_before);
    for (i = gone; i < SESSIONS / 2; i++) {
        CHECK(sessions[i].holder.exp_s >= 1);
        twice += sessions[i].holder.exp_s == 2;
    }
    CHECK_INT(twice, both);
    session_index_walk_end(&other);
    session_index_walk_end(&other);
    for (i = 0; i < SESSIONS; i++)
        session_index_take(&index, &sessions[i].links);
    CHECK_INT(index.link_count, 0);
    session_index_release(&index);
    free(sessions);
}

static void finds_each_among_many(void)
{
    struct session *sessions = calloc(SESSIONS, sizeof *sessions);
    struct session_index index;
    struct uuid project = id_of(1, 1), family = id_of(3, 100);
    struct cutoff cutoff;
    unsigned i;

    CHECK(sessions != NULL);
    if (!sessions) return;
    CHECK_INT(session_index_init(&index, 3), ERR_OK);
    for (i = 0; i < SESSIONS; i++) {
        fill(&sessions[i], i);
        session_index_put(&index, &sessions[i].links, &sessions[i].holder);
    }
    CHECK_INT(index.link_count, 4 * SESSIONS);
    cutoff = cutoff_of(CUTOFF_FAMILY, 1, uuid_bytes(&family)); /* 1000..1009, the odd ones are of project 1 */
    CHECK_INT(close_all(&index, &cutoff), 5);
    cutoff = cutoff_of(CUTOFF_KEY, 0, BYTES("k2"));
    CHECK_INT(close_all(&index, &cutoff), SESSIONS / 10);
    cutoff = cutoff_of(CUTOFF_PROJECT, 1, uuid_bytes(&project));
    CHECK_INT(close_all(&index, &cutoff), SESSIONS / 2 - 5);
    for (i = 0; i < SESSIONS; i++)
        session_index_take(&index, &sessions[i].links);
    CHECK_INT(index.link_count, 0);
    session_index_release(&index);
    free(sessions);
}

int main(void)
{
    CHECK_RUN(finds_nothing_that_is_not_meant);
    CHECK_RUN(an_inviter_ends_who_was_invited);
    CHECK_RUN(visits_who_speaks_for_a_user);
    CHECK_RUN(finds_each_among_many);
    CHECK_RUN(walks_a_user_of_many_in_slices);
    return CHECK_END();
}
