#include "server/advance.h"

#include "base/log.h"
#include "engine/age.h"
#include "server/node.h"

#define NOT_EVERYWHERE "the clock was moved, but not every loop knows yet; they will within seconds"

static struct advance *of_commit(struct mail *mail)
{
    return (struct advance *)(void *)((char *)mail - offsetof(struct advance, commit.mail));
}

static void open_home(struct mail *mail)
{
    struct advance *advance = of_commit(mail);

    advance->done(advance);
}

/* The letter that the store has sent has done its work and carries the answer. On lane 0 already it needs
 * none: whoever waits there is answered before the lane's own stop begins. */
static void come_home(struct advance *advance)
{
    if (advance->home == advance->home->node->lanes[0]) {
        advance->done(advance);
        return;
    }
    advance->commit.mail.open = open_home;
    loop_post(advance->home->loop, &advance->commit.mail);
}

static void published(struct watch_ask *ask, enum err error)
{
    struct advance *advance = (struct advance *)(void *)((char *)ask - offsetof(struct advance, published));
    const struct lane *lane = advance->home->node->lanes[0];
    const struct fact_project *project = facts_project(service_facts(lane->service), &advance->project);

    if (error || !project) advance->refused = NOT_EVERYWHERE;
    if (project) advance->age_ms = project->age_ms;
    come_home(advance);
}

static void committed(struct mail *mail)
{
    struct advance *advance = of_commit(mail);
    const struct node *node = advance->home->node;
    enum err e = advance->commit.error;

    if (atomic_load(&node->is_stopping)) {
        advance->error = ERR_STOPPING;
        advance->refused = "the server is stopping";
        come_home(advance);
        return;
    }
    if (!e && advance->row.state == ROW_WRITTEN) {
        log_info("clock_advanced", log_number("by_ms", advance->by_ms));
        if (node->watch)
            watch_now(node->watch, &advance->published);
        else
            published(&advance->published, ERR_NO_MEMORY); /* there was none for a watch */
        return;
    }
    /* the project was there a moment ago, and a test project: somebody else has moved its clock meanwhile */
    advance->error = e;
    advance->refused =
        e ? "the store did not take it; the server's log says why" : age_step_text(AGE_TOO_OLD);
    come_home(advance);
}

const char *advance_refusal(const struct lane *lane, const struct uuid *project, int64_t by_ms)
{
    enum age_step step = age_step_check(facts_project(service_facts(lane->service), project), by_ms);

    return step == AGE_MAY_STEP ? NULL : age_step_text(step);
}

/* The watch is lane 0's: the store's answer goes there. */
void advance_begin(struct advance *advance)
{
    struct node *node = advance->home->node;

    advance->refused = NULL;
    advance->error = ERR_OK;
    advance->published.done = published;
    advance->write =
        (struct write){.kind = WRITE_AGE, .age = {.project = advance->project, .by_ms = advance->by_ms}};
    advance->commit = (struct store_commit){.mail = {.open = committed},
                                            .post = loop_post_to,
                                            .to = node->lanes[0]->loop,
                                            .writes = &advance->write,
                                            .write_count = 1,
                                            .rows = &advance->row}; /* no arena: an age's row has no text */
    node->store->ops->commit(node->store, &advance->commit);
}
