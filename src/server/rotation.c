#include "server/rotation.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/deadline.h"
#include "server/watch.h"
#include "service/master.h"
#include "service/ring_wrap.h"

#define EVERY_MS 60000

struct rotation {
    struct node *node;
    struct deadline deadline;
    struct ring_ask own;                 /* the timetable's */
    struct ring_ask *first, *last, *now; /* who waits, and whose turn it is */
    size_t steps_taken;
    struct watch_ask seen; /* by every lane */
    void (*then)(struct rotation *rotation);
    struct errand errand;
    struct keyring *ring;  /* that the step under way was decided on */
    struct secret *master; /* the next one, while keys are rewrapped */
    int64_t now_ms;
    struct write writes[KEYRING_KEYS_MAX];
    struct row rows[KEYRING_KEYS_MAX];
    size_t write_count;
    struct arena arena; /* of the step; the store's while it commits */
    struct store_commit commit;
    enum err error;
    bool is_stopped;
};

struct ring_timetable rotation_timetable(const struct config *config)
{
    return (struct ring_timetable){.sign_days = config->signing_key_days,
                                   .seal_days = config->seal_key_days,
                                   .sign_algorithm = bytes_of_text(config->signing_alg)};
}

static struct loop *home_of(const struct rotation *rotation)
{
    return rotation->node->lanes[0]->loop;
}

static bool is_over(const struct rotation *rotation)
{
    return rotation->is_stopped || atomic_load(&rotation->node->is_stopping);
}

/* ---- one after the other ---- */

static void begin(struct rotation *rotation);

static void end(struct rotation *rotation, enum err error)
{
    struct ring_ask *ask = rotation->now;

    keyring_free(rotation->ring);
    secret_free(rotation->master);
    rotation->ring = NULL;
    rotation->master = NULL;
    rotation->now = NULL;
    ask->done(ask, error); /* may free it, or ask again */
    if (!rotation->now) begin(rotation);
}

/* Goes on when every lane decides by what is stored now. */
static void wait_for_lanes(struct rotation *rotation, void (*then)(struct rotation *rotation))
{
    rotation->then = then;
    watch_now(rotation->node->watch, &rotation->seen);
}

static void seen(struct watch_ask *ask, enum err error)
{
    struct rotation *rotation = (struct rotation *)(void *)((char *)ask - offsetof(struct rotation, seen));

    if (is_over(rotation)) return; /* rotation_free tells who waits */
    if (error)
        end(rotation, error);
    else
        rotation->then(rotation);
}

/* ---- a step ---- */

static enum err make_key(struct ring_key *made, struct rotation *rotation, enum ring_use use)
{
    struct node *node = rotation->node;
    struct ring_wrap wrap;
    enum err e = ring_wrap_open(&wrap, node->master);

    if (e) return e;
    e = ring_key_make(made, &wrap, keyring_view(rotation->ring), use,
                      alg_of_jose(bytes_of_text(node->config->signing_alg)), &node->host->dice,
                      &rotation->arena);
    ring_wrap_release(&wrap);
    crypto_rest();
    return e;
}

static void prepare_step(struct errand *errand) /* on a pool thread */
{
    struct rotation *rotation =
        (struct rotation *)(void *)((char *)errand - offsetof(struct rotation, errand));
    const struct ring_step *step = &rotation->now->plan.steps[rotation->steps_taken];
    struct ring_key made = {.id = BYTES_NONE};

    rotation->error = step->act == RING_PUBLISH ? make_key(&made, rotation, step->use) : ERR_OK;
    if (!rotation->error)
        ring_writes(rotation->writes, &rotation->write_count, keyring_view(rotation->ring), step, &made,
                    rotation->now_ms);
}

static void prepare_rewrap(struct errand *errand) /* on a pool thread */
{
    struct rotation *rotation =
        (struct rotation *)(void *)((char *)errand - offsetof(struct rotation, errand));
    const char **why = &rotation->now->because;

    rotation->error = rotation->master ? ERR_OK : ERR_NO_MEMORY;
    if (!rotation->error) rotation->error = master_load_next(rotation->master, rotation->node->folder, why);
    if (!rotation->error)
        rotation->error = keyring_rewrap(rotation->writes, &rotation->write_count, rotation->ring,
                                         rotation->master, &rotation->arena);
    crypto_rest();
}

static void log_step(const struct rotation *rotation)
{
    static const char *const events[] = {[RING_PUBLISHED] = "ring_key_published",
                                         [RING_SIGNING] = "ring_key_signs",
                                         [RING_RETIRED] = "ring_key_retired",
                                         [RING_GONE] = "ring_key_gone"};
    size_t i;

    for (i = 0; i < rotation->write_count; i++) {
        const struct ring_key *key = &rotation->writes[i].ring_key;
        log_info(events[key->state], log_bytes("id", key->id), log_text("use", ring_use_text(key->use)),
                 log_text("by", rotation->now == &rotation->own ? "timetable" : "operator"));
    }
}

static void next_step(struct rotation *rotation);

static void step_is_everywhere(struct rotation *rotation)
{
    if (rotation->now->job != RING_JOB_REWRAP) rotation->steps_taken++;
    next_step(rotation);
}

static void committed(struct mail *mail)
{
    struct rotation *rotation =
        (struct rotation *)(void *)((char *)mail - offsetof(struct rotation, commit.mail));

    if (is_over(rotation)) return;
    if (rotation->commit.error) {
        end(rotation, rotation->commit.error);
        return;
    }
    if (rotation->now->job != RING_JOB_REWRAP)
        log_step(rotation);
    else {
        /* Nobody reads it now: newer facts need it only for a key that this ring does not have, and such keys
         * come from here alone, one job after the other. */
        secret_copy(rotation->node->master, rotation->master);
        log_info("ring_rewrapped", log_number("keys", (int64_t)rotation->write_count));
        end(rotation, ERR_OK);
        return;
    }
    keyring_free(rotation->ring);
    rotation->ring = NULL;
    wait_for_lanes(rotation, step_is_everywhere);
}

static void prepared(struct errand *errand)
{
    struct rotation *rotation =
        (struct rotation *)(void *)((char *)errand - offsetof(struct rotation, errand));
    struct store *store = rotation->node->store;

    if (is_over(rotation)) return;
    if (rotation->error || !rotation->write_count) {
        end(rotation, rotation->error ? rotation->error : ERR_CORRUPT); /* a plan has no void step */
        return;
    }
    rotation->commit = (struct store_commit){.mail = {.open = committed},
                                             .post = loop_post_to,
                                             .to = home_of(rotation),
                                             .writes = rotation->writes,
                                             .write_count = rotation->write_count,
                                             .rows = rotation->rows,
                                             .arena = &rotation->arena};
    store->ops->commit(store, &rotation->commit);
}

static void prepare(struct rotation *rotation, void (*work)(struct errand *errand))
{
    enum err e;

    arena_reset(&rotation->arena);
    rotation->write_count = 0;
    rotation->now_ms = loop_now_ms(home_of(rotation));
    rotation->ring = keyring_hold(rotation->node->ring);
    rotation->errand = (struct errand){.work = work, .done = prepared};
    if ((e = loop_errand(home_of(rotation), &rotation->errand))) end(rotation, e);
}

static void next_step(struct rotation *rotation)
{
    if (rotation->steps_taken == rotation->now->plan.step_count)
        end(rotation, ERR_OK);
    else
        prepare(rotation, prepare_step);
}

/* ---- jobs ---- */

/* What was due when the timetable asked may have been done by an operator meanwhile. */
static void plan_due(struct rotation *rotation, int64_t now_ms)
{
    struct ring_timetable timetable = rotation_timetable(rotation->node->config);
    struct ring_due due = ring_due(keyring_view(rotation->node->ring), &timetable, now_ms);
    struct ring_plan *plan = &rotation->own.plan;

    memset(plan, 0, sizeof *plan);
    if (due.at_ms > now_ms) return;
    plan->steps[plan->step_count++] = due.step;
}

/* What a plan points to must outlive the ring it was made of. */
static void keep_ids(struct ring_ask *ask)
{
    size_t i;

    for (i = 0; i < ask->plan.step_count; i++) {
        struct bytes *id = &ask->plan.steps[i].id;
        if (bytes_is_absent(*id) || id->len != sizeof ask->id) continue;
        memcpy(ask->id, id->ptr, sizeof ask->id); /* one drop at most */
        *id = bytes_of(ask->id, sizeof ask->id);
    }
}

static void plan(struct rotation *rotation)
{
    struct ring_ask *ask = rotation->now;
    int64_t now_ms = loop_now_ms(home_of(rotation));

    rotation->steps_taken = 0;
    if (ask->job == RING_JOB_REWRAP) {
        rotation->master = secret_new();
        prepare(rotation, prepare_rewrap);
        return;
    }
    if (ask == &rotation->own)
        plan_due(rotation, now_ms);
    else
        ask->plan = ring_plan(keyring_view(rotation->node->ring), &ask->order, now_ms);
    keep_ids(ask);
    if (ask->job == RING_JOB_LOOK || ask->plan.no)
        end(rotation, ERR_OK);
    else
        next_step(rotation);
}

static void begin(struct rotation *rotation)
{
    struct ring_ask *ask = rotation->first;

    if (!ask || is_over(rotation)) return;
    rotation->first = ask->next;
    if (!rotation->first) rotation->last = NULL;
    rotation->now = ask;
    wait_for_lanes(rotation, plan);
}

void rotation_ask(struct rotation *rotation, struct ring_ask *ask)
{
    ask->next = NULL;
    ask->because = NULL;
    memset(&ask->plan, 0, sizeof ask->plan);
    if (rotation->last)
        rotation->last->next = ask;
    else
        rotation->first = ask;
    rotation->last = ask;
    if (!rotation->now) begin(rotation);
}

/* ---- the timetable ---- */

static void due(struct deadline *deadline);

/* Its place in the heap is there since rotation_start and never given up, so that this cannot fail. */
static void set_timer(struct rotation *rotation, int64_t at_ms)
{
    enum err e = deadline_set(home_of(rotation), &rotation->deadline, at_ms, due);
    (void)e;
}

static void wait_for_next(struct rotation *rotation, int64_t ms)
{
    if (!rotation->is_stopped) set_timer(rotation, loop_tick_ms(home_of(rotation)) + ms);
}

/* One step may make the next one due, as when several keys have outlived their time. */
static void own_done(struct ring_ask *ask, enum err error)
{
    struct rotation *rotation = (struct rotation *)(void *)((char *)ask - offsetof(struct rotation, own));

    if (error) log_warn("ring_step_failed", log_text("error", err_name(error)));
    wait_for_next(rotation, error || !ask->plan.step_count ? EVERY_MS : 1);
}

static void due(struct deadline *deadline)
{
    struct rotation *rotation =
        (struct rotation *)(void *)((char *)deadline - offsetof(struct rotation, deadline));
    struct clock_reading reading;

    set_timer(rotation, DEADLINE_NEVER);          /* takes its place again, which has just become free */
    clock_look(&reading, &rotation->node->clock); /* only a step that is due decides by it */
    plan_due(rotation, reading.now_ms);
    if (!rotation->own.plan.step_count)
        wait_for_next(rotation, EVERY_MS);
    else
        rotation_ask(rotation, &rotation->own);
}

/* ---- life ---- */

enum err rotation_start(struct rotation **out, struct node *node)
{
    struct rotation *rotation = calloc(1, sizeof *rotation);
    struct loop *loop = node->lanes[0]->loop;

    *out = rotation;
    if (!rotation) return ERR_NO_MEMORY;
    rotation->node = node;
    rotation->own.job = RING_JOB_STEPS;
    rotation->own.done = own_done;
    rotation->seen.done = seen;
    arena_init(&rotation->arena, 65536);
    /* soon: what became due while the server was down */
    return deadline_set(loop, &rotation->deadline, loop_tick_ms(loop) + 1, due);
}

void rotation_stop(struct rotation *rotation)
{
    if (!rotation) return;
    rotation->is_stopped = true;
    deadline_clear(home_of(rotation), &rotation->deadline);
}

static void end_all(struct rotation *rotation)
{
    struct ring_ask *ask = rotation->now;

    if (ask && ask != &rotation->own) ask->done(ask, ERR_STOPPING);
    while ((ask = rotation->first)) {
        rotation->first = ask->next;
        if (ask != &rotation->own) ask->done(ask, ERR_STOPPING);
    }
}

void rotation_free(struct rotation *rotation)
{
    if (!rotation) return;
    end_all(rotation);
    keyring_free(rotation->ring);
    secret_free(rotation->master);
    arena_release(&rotation->arena);
    free(rotation);
}
