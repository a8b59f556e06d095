#include "server/watch.h"

#include <stdlib.h>

#include "base/log.h"

#define POLL_MS 1000

struct watch {
    struct node *node;
    struct deadline deadline;
    struct errand errand;
    struct facts *fresh; /* read by the errand, published on the lane */
    uint64_t version;    /* of what is published */
    enum err error;
    bool is_stopped;
};

struct facts_mail {
    struct mail mail;
    struct lane *lane;
    struct publication *facts;
};

static void open_facts(struct mail *mail)
{
    struct facts_mail *facts = (struct facts_mail *)mail;

    lane_take_facts(facts->lane, facts->facts);
    free(facts);
}

static void publish(struct watch *watch)
{
    struct node *node = watch->node;
    struct facts_mail *letters[NODE_LANES_MAX];
    struct publication *publication = NULL;
    unsigned i, written = 0;

    /* all letters first: either every lane learns of the new facts, or none does and the next poll tries
     * again */
    for (; written < node->lane_count; written++)
        if (!(letters[written] = calloc(1, sizeof **letters))) break;
    if (written < node->lane_count || publication_new(&publication, watch->fresh, node->lane_count)) {
        for (i = 0; i < written; i++)
            free(letters[i]);
        facts_free(watch->fresh);
        watch->fresh = NULL;
        return;
    }
    watch->version = watch->fresh->version;
    watch->fresh = NULL;
    log_info("facts_published", log_number("version", (int64_t)watch->version));
    for (i = 0; i < node->lane_count; i++) {
        letters[i]->mail.open = open_facts;
        letters[i]->lane = node->lanes[i];
        letters[i]->facts = publication;
        loop_post(node->lanes[i]->loop, &letters[i]->mail);
    }
}

static void poll(struct errand *errand) /* on a pool thread */
{
    struct watch *watch = (struct watch *)(void *)((char *)errand - offsetof(struct watch, errand));
    struct store *store = watch->node->store;
    uint64_t version;

    watch->error = store->ops->facts_version(store, &version);
    if (!watch->error && version != watch->version) watch->error = store->ops->facts(store, &watch->fresh);
}

static void due(struct deadline *deadline);

static void wait_for_next(struct watch *watch)
{
    struct loop *loop = watch->node->lanes[0]->loop;

    if (!watch->is_stopped && deadline_set(loop, &watch->deadline, loop_tick_ms(loop) + POLL_MS, due))
        log_error("facts_watch_stopped", log_text("why", "no memory for its timer"));
}

static void polled(struct errand *errand)
{
    struct watch *watch = (struct watch *)(void *)((char *)errand - offsetof(struct watch, errand));

    if (watch->error)
        log_warn("facts_not_read", log_text("error", err_name(watch->error)));
    else if (watch->fresh)
        publish(watch);
    wait_for_next(watch);
}

static void due(struct deadline *deadline)
{
    struct watch *watch = (struct watch *)(void *)((char *)deadline - offsetof(struct watch, deadline));

    watch->errand = (struct errand){.work = poll, .done = polled};
    if (loop_errand(watch->node->lanes[0]->loop, &watch->errand)) wait_for_next(watch);
}

enum err watch_start(struct watch **out, struct node *node)
{
    struct watch *watch = calloc(1, sizeof *watch);

    *out = watch;
    if (!watch) return ERR_NO_MEMORY;
    watch->node = node;
    watch->version = node->facts->facts->version;
    wait_for_next(watch);
    return ERR_OK;
}

void watch_stop(struct watch *watch)
{
    if (!watch) return;
    watch->is_stopped = true;
    deadline_clear(watch->node->lanes[0]->loop, &watch->deadline);
}

void watch_free(struct watch *watch)
{
    if (watch) facts_free(watch->fresh);
    free(watch);
}
