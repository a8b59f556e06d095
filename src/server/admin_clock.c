#include "server/admin_clock.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/age.h"
#include "server/node.h"
#include "server/watch.h"
#include "wire/json_write.h"

struct advance { /* from the ask to its answer; the store and the watch each hold it for a while */
    struct store_commit commit; /* first member */
    struct watch_ask published;
    struct lane *lane;
    uint64_t serial;
    struct write write;
    struct row row;
};

static void tell_refused(struct lane *lane, uint64_t serial, const char *because)
{
    struct buf *line = lane_body(lane);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    json_key(&w, "refused");
    json_put_string(&w, bytes_of_text(because));
    json_object_end(&w);
    admin_answer(lane, serial, line);
}

static void tell_moved(const struct advance *advance, int64_t age_ms)
{
    struct buf *line = lane_body(advance->lane);
    struct json_writer w = json_writer_on(line);
    char project[UUID_TEXT_LEN];

    uuid_write(project, &advance->write.age.project);
    json_object_begin(&w);
    json_key(&w, "project");
    json_put_string(&w, bytes_of(project, sizeof project));
    json_key(&w, "advanced_ms");
    json_put_number(&w, advance->write.age.by_ms);
    json_key(&w, "age_ms");
    json_put_number(&w, age_ms);
    json_object_end(&w);
    admin_answer(advance->lane, advance->serial, line);
}

#define NOT_EVERYWHERE "the clock was moved, but not every loop knows yet; they will within seconds"

static void published(struct watch_ask *ask, enum err error)
{
    struct advance *advance = (struct advance *)(void *)((char *)ask - offsetof(struct advance, published));
    const struct fact_project *project =
        facts_project(service_facts(advance->lane->service), &advance->write.age.project);

    if (error || !project)
        tell_refused(advance->lane, advance->serial, NOT_EVERYWHERE);
    else
        tell_moved(advance, project->age_ms);
    free(advance);
}

static void committed(struct mail *mail)
{
    struct advance *advance = (struct advance *)(void *)mail;
    struct node *node = advance->lane->node;
    enum err e = advance->commit.error;

    if (atomic_load(&node->is_stopping)) { /* nobody is left to be told */
        free(advance);
        return;
    }
    if (!e && advance->row.state == ROW_WRITTEN) {
        log_info("clock_advanced", log_number("by_ms", advance->write.age.by_ms));
        if (node->watch)
            watch_now(node->watch, &advance->published);
        else
            published(&advance->published, ERR_NO_MEMORY); /* there was none for a watch */
        return;
    }
    /* the project was there a moment ago, and a test project: somebody else has moved its clock meanwhile */
    tell_refused(advance->lane, advance->serial,
                 e ? "the store did not take it; the server's log says why" : age_step_text(AGE_TOO_OLD));
    free(advance);
}

void admin_clock(struct lane *lane, uint64_t serial, const struct admin_ask *ask)
{
    const struct node *node = lane->node;
    enum age_step step =
        age_step_check(facts_project(service_facts(lane->service), &ask->project), ask->by_ms);
    struct advance *advance = step == AGE_MAY_STEP ? calloc(1, sizeof *advance) : NULL;

    if (!advance) {
        tell_refused(lane, serial, step == AGE_MAY_STEP ? "not enough memory" : age_step_text(step));
        return;
    }
    advance->lane = lane;
    advance->serial = serial;
    advance->published.done = published;
    advance->write = (struct write){.kind = WRITE_AGE, .age = {.project = ask->project, .by_ms = ask->by_ms}};
    advance->commit = (struct store_commit){.mail = {.open = committed},
                                            .post = loop_post_to,
                                            .to = lane->loop,
                                            .writes = &advance->write,
                                            .write_count = 1,
                                            .rows = &advance->row}; /* no arena: an age's row has no text */
    node->store->ops->commit(node->store, &advance->commit);
}
