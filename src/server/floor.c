#include "server/floor.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/deadline.h"

#define EVERY_MS 1000

struct floor {
    struct node *node;
    struct deadline deadline;
    struct store_commit commit, last;
    bool is_stopped, has_failed;
};

static void due(struct deadline *deadline);

/* Its place in the heap is there since floor_start and never given up, so that this cannot fail. */
static void set_timer(struct floor *floor, int64_t at_ms)
{
    enum err e = deadline_set(floor->node->lanes[0]->loop, &floor->deadline, at_ms, due);
    (void)e;
}

static void committed(struct mail *mail)
{
    struct floor *floor = (struct floor *)(void *)((char *)mail - offsetof(struct floor, commit.mail));

    if (floor->commit.error && !floor->has_failed)
        log_warn("floor_not_kept", log_text("error", err_name(floor->commit.error)));
    floor->has_failed = floor->commit.error != ERR_OK;
    if (!floor->is_stopped) set_timer(floor, loop_tick_ms(floor->node->lanes[0]->loop) + EVERY_MS);
}

static void ask(struct floor *floor, struct store_commit *commit, void (*open)(struct mail *))
{
    struct store *store = floor->node->store;

    *commit = (struct store_commit){
        .mail = {.open = open}, .post = loop_post_to, .to = floor->node->lanes[0]->loop};
    store->ops->commit(store, commit);
}

static void due(struct deadline *deadline)
{
    struct floor *floor = (struct floor *)(void *)((char *)deadline - offsetof(struct floor, deadline));

    set_timer(floor, DEADLINE_NEVER); /* takes its place again, which has just become free */
    ask(floor, &floor->commit, committed);
}

enum err floor_begin(struct node *node)
{
    int64_t floor_ms;
    enum err e = node->store->ops->floor(node->store, &floor_ms);

    if (e) return e;
    clock_start(&node->clock, node->host, floor_ms);
    node->store->floor_state = &node->clock;
    node->store->floor = clock_floor;
    return ERR_OK;
}

enum err floor_start(struct floor **out, struct node *node)
{
    struct floor *floor = calloc(1, sizeof *floor);
    struct loop *loop = node->lanes[0]->loop;

    *out = floor;
    if (!floor) return ERR_NO_MEMORY;
    floor->node = node;
    return deadline_set(loop, &floor->deadline, loop_tick_ms(loop) + EVERY_MS, due);
}

void floor_stop(struct floor *floor)
{
    if (!floor) return;
    floor->is_stopped = true;
    deadline_clear(floor->node->lanes[0]->loop, &floor->deadline);
}

static void ended(struct mail *mail)
{
    struct floor *floor = (struct floor *)(void *)((char *)mail - offsetof(struct floor, last.mail));

    if (floor->last.error) log_warn("floor_not_kept", log_text("error", err_name(floor->last.error)));
}

void floor_end(struct node *node)
{
    clock_end(&node->clock);
    if (node->floor && node->store) ask(node->floor, &node->floor->last, ended);
}

void floor_free(struct floor *floor)
{
    free(floor);
}
