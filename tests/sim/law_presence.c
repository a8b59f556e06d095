#include "sim/law_presence.h"

#include <limits.h>

#include "server/node.h"
#include "server/presence.h"
#include "server/session_inside.h"
#include "server/socket.h"
#include "sim/loop_sim.h"
#include "sim/node.h"
#include "sim/world.h"

#define PATIENCE_US 3000000 /* a round waits 200 ms, and letters take their time */

static int64_t wrong_since_us;

void law_presence_begin(void)
{
    wrong_since_us = -1;
}

struct counting {
    const struct session *of;
    unsigned online, undisturbed;
};

static void count(void *arg, struct session *session)
{
    struct counting *counting = arg;

    counting->online += presence_of(session) == PRESENCE_ONLINE;
    counting->undisturbed += presence_of(session) == PRESENCE_UNDISTURBED;
}

static bool knows(const struct node *node, const struct session *session)
{
    struct counting counting = {.of = session};
    unsigned i;

    for (i = 0; i < node->lane_count; i++) {
        struct index_walk walk = {0};
        unsigned room = UINT_MAX;
        (void)sessions_some_of_user(node->lanes[i], &walk, &session->holder.project, &session->holder.user,
                                    count, &counting, &room);
    }
    return session->presence_told == (counting.online        ? PRESENCE_ONLINE
                                      : counting.undisturbed ? PRESENCE_UNDISTURBED
                                                             : PRESENCE_OFFLINE);
}

static const struct session *find_wrong(const struct node *node)
{
    const struct name_link *link;
    unsigned i;
    size_t b;

    for (i = 0; i < node->lane_count; i++)
        for (b = 0; b < node->lanes[i]->names.bucket_count; b++)
            for (link = node->lanes[i]->names.buckets[b]; link; link = link->next)
                if (session_owns_name(link) && link->session->socket &&
                    !socket_unsent(link->session->socket) && !knows(node, link->session))
                    return link->session;
    return NULL;
}

void law_check_presence(const struct node *node)
{
    const struct session *wrong = world.trouble || node_is_stopping() ? NULL : find_wrong(node);
    bool is_late = false;
    unsigned i;

    for (i = 0; i < node->lane_count; i++)
        is_late = is_late || loop_is_late(node->lanes[i]->loop);
    if (!wrong || is_late)
        wrong_since_us = -1;
    else if (wrong_since_us < 0)
        wrong_since_us = world.mono_us;
    else if (world.mono_us - wrong_since_us > PATIENCE_US)
        world_fail("presence is told to whom it concerns", "%.8s was told %d", wrong->name,
                   (int)wrong->presence_told);
}
