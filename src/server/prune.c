#include "server/prune.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/deadline.h"

#define EVERY_MS 60000
/* A bucket is over by its own second; a clock that is set back a little must still find the
 * proofs of its past. */
#define SLACK_S 600

/* A bucket is of proofs, so the wall clock's; but not of one that was set forward and is not confirmed. */
static int64_t through_s(struct loop *loop)
{
    int64_t wall_ms = loop_wall_ms(loop), step_ms = loop_step_ms(loop);

    return (wall_ms - step_ms) / 1000 - SLACK_S;
}

struct prune {
    struct node *node;
    struct deadline deadline;
    struct store_commit commit;
    struct write write;
    struct row row;
    struct arena arena; /* of the commit; nothing is put into it */
    bool is_stopped;
};

static void due(struct deadline *deadline);

/* Its place in the heap is there since prune_start and never given up, so that this cannot fail. */
static void set_timer(struct prune *prune, int64_t at_ms)
{
    enum err e = deadline_set(prune->node->lanes[0]->loop, &prune->deadline, at_ms, due);
    (void)e;
}

static void wait_for_next(struct prune *prune, int64_t ms)
{
    if (!prune->is_stopped) set_timer(prune, loop_tick_ms(prune->node->lanes[0]->loop) + ms);
}

/* While a write finds something there may be more: the next one follows at once, but behind whoever
 * waits meanwhile. */
static void pruned(struct mail *mail)
{
    struct prune *prune = (struct prune *)(void *)((char *)mail - offsetof(struct prune, commit.mail));

    if (prune->commit.error) log_warn("not_pruned", log_text("error", err_name(prune->commit.error)));
    wait_for_next(prune, !prune->commit.error && prune->row.state == ROW_WRITTEN ? 1 : EVERY_MS);
}

static void due(struct deadline *deadline)
{
    struct prune *prune = (struct prune *)(void *)((char *)deadline - offsetof(struct prune, deadline));
    struct store *store = prune->node->store;
    struct loop *loop = prune->node->lanes[0]->loop;

    set_timer(prune, DEADLINE_NEVER); /* takes its place again, which has just become free */
    prune->write = (struct write){.kind = WRITE_PRUNE, .prune = {through_s(loop)}};
    prune->commit = (struct store_commit){.mail = {.open = pruned},
                                          .post = loop_post_to,
                                          .to = loop,
                                          .writes = &prune->write,
                                          .write_count = 1,
                                          .rows = &prune->row,
                                          .arena = &prune->arena};
    store->ops->commit(store, &prune->commit);
}

enum err prune_start(struct prune **out, struct node *node)
{
    struct prune *prune = calloc(1, sizeof *prune);
    struct loop *loop = node->lanes[0]->loop;

    *out = prune;
    if (!prune) return ERR_NO_MEMORY;
    prune->node = node;
    arena_init(&prune->arena, 1024);
    /* soon: what ended while the server was down */
    return deadline_set(loop, &prune->deadline, loop_tick_ms(loop) + 1, due);
}

void prune_stop(struct prune *prune)
{
    if (!prune) return;
    prune->is_stopped = true;
    deadline_clear(prune->node->lanes[0]->loop, &prune->deadline);
}

void prune_free(struct prune *prune)
{
    if (prune) arena_release(&prune->arena);
    free(prune);
}
