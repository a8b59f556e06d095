#include "server/admin_keyring.h"

#include <stdlib.h>
#include <string.h>

#include "server/rotation.h"
#include "service/ring_answer.h"

_Static_assert(ADMIN_RING_ID_LEN == SEAL_KEY_ID_LEN, "ids of keys");

struct keyring_ask {     /* from the ask to its answer */
    struct ring_ask ask; /* first member */
    struct lane *lane;
    uint64_t serial;
};

static void done(struct ring_ask *ask, enum err error)
{
    struct keyring_ask *asked = (struct keyring_ask *)(void *)ask;
    struct lane *lane = asked->lane;
    const struct node *node = lane->node;
    const struct ring_timetable timetable = rotation_timetable(node->config);

    if (error && error != ERR_STOPPING)
        admin_refuse(lane, asked->serial,
                     ask->because
                         ? ask->because
                         : "not done, or not in every loop yet; the server's log says why: try again");
    else if (!error) {
        struct buf *line = lane_body(lane);
        struct json_writer w = json_writer_on(line);
        ring_answer_write(&w, &ask->plan, keyring_view(node->ring), &timetable);
        admin_answer(lane, asked->serial, line);
    }
    free(asked);
}

void admin_keyring(struct lane *lane, uint64_t serial, const struct admin_ask *ask)
{
    struct rotation *rotation = lane->node->rotation;
    struct keyring_ask *asked = rotation ? calloc(1, sizeof *asked) : NULL;

    if (!asked) {
        admin_refuse(lane, serial, "not enough memory");
        return;
    }
    asked->lane = lane;
    asked->serial = serial;
    asked->ask.done = done;
    asked->ask.job = ask->ring.is_look ? RING_JOB_LOOK : ask->ring.want ? RING_JOB_STEPS : RING_JOB_REWRAP;
    memcpy(asked->ask.id, ask->ring.id, sizeof asked->ask.id);
    asked->ask.order = (struct ring_order){
        ask->ring.want, ask->ring.use, bytes_of(asked->ask.id, sizeof asked->ask.id), ask->ring.is_emergency};
    rotation_ask(rotation, &asked->ask);
}
