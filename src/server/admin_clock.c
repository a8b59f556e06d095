#include "server/admin_clock.h"

#include <stdlib.h>

#include "server/advance.h"
#include "wire/json_write.h"

struct admin_advance {
    struct advance advance; /* first */
    uint64_t serial;
};

static void tell_moved(const struct advance *advance, uint64_t serial)
{
    struct buf *line = lane_body(advance->home);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    json_key(&w, "project");
    json_put_uuid(&w, &advance->project);
    json_key(&w, "advanced_ms");
    json_put_number(&w, advance->by_ms);
    json_key(&w, "age_ms");
    json_put_number(&w, advance->age_ms);
    json_object_end(&w);
    admin_answer(advance->home, serial, line);
}

static void advanced(struct advance *advance)
{
    struct admin_advance *asked = (struct admin_advance *)(void *)advance;

    if (advance->error == ERR_STOPPING) { /* nobody is left to be told */
        free(asked);
        return;
    }
    if (advance->refused)
        admin_refuse(advance->home, asked->serial, advance->refused);
    else
        tell_moved(advance, asked->serial);
    free(asked);
}

void admin_clock(struct lane *lane, uint64_t serial, const struct admin_ask *ask)
{
    const char *refused = advance_refusal(lane, &ask->project, ask->by_ms);
    struct admin_advance *asked = refused ? NULL : calloc(1, sizeof *asked);

    if (!asked) {
        admin_refuse(lane, serial, refused ? refused : "not enough memory");
        return;
    }
    asked->serial = serial;
    asked->advance.home = lane;
    asked->advance.project = ask->project;
    asked->advance.by_ms = ask->by_ms;
    asked->advance.done = advanced;
    advance_begin(&asked->advance);
}
