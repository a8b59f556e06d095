/* keyring_folder.c — the key ring of a data folder that no server runs on: the same plans as the server's,
 * the steps one after the other, each durable before the next. */
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/clock.h"
#include "cli/keyring.h"
#include "cli/unlock.h"
#include "server/host.h"
#include "server/rotation.h"
#include "service/ring_answer.h"
#include "service/ring_wrap.h"

struct folder_job {
    struct json *answer;
    const char *folder;
    const struct keyring_order *order;
    struct config config;
};

static int read_back(struct json *answer, struct buf *text)
{
    enum err e = buf_error(text);

    if (!e) e = json_read(answer, buf_bytes(text));
    buf_release(text);
    return e ? cli_fail(EXIT_FAILED, "not enough memory for the answer (%s)", err_name(e)) : -1;
}

/* What a server on this folder would go by, as far as it is known here. */
static struct ring_timetable timetable_of(struct folder_job *job)
{
    struct config_error ignored;

    config_defaults(&job->config);
    if (config_read_environment(&job->config, &ignored)) config_defaults(&job->config);
    return rotation_timetable(&job->config);
}

static int list(void *state, struct store *store)
{
    struct folder_job *job = state;
    struct ring_timetable timetable = timetable_of(job);
    struct store_ring *ring;
    struct json_writer w;
    struct buf text;
    enum err e = store->ops->ring(store, &ring);

    if (e) return cli_fail(EXIT_FAILED, "the key ring cannot be read (%s)", err_name(e));
    buf_init(&text, ASK_ANSWER_MAX);
    w = json_writer_on(&text);
    json_object_begin(&w);
    json_key(&w, "keys");
    ring_list(&w, (struct ring_view){ring->keys, ring->count}, &timetable);
    json_object_end(&w);
    store_ring_free(ring);
    return read_back(job->answer, &text);
}

int keyring_list_in_folder(struct json *answer, const char *folder)
{
    static struct folder_job job; /* large */

    job = (struct folder_job){.answer = answer, .folder = folder};
    return data_with_store(folder, list, &job);
}

static enum err make_key(struct ring_key *made, const struct unlocked *unlocked, enum ring_use use,
                         struct bytes algorithm, struct arena *arena)
{
    struct ring_wrap wrap;
    enum err e = ring_wrap_open(&wrap, unlocked->master);

    if (e) return e;
    e = ring_key_make(made, &wrap, keyring_view(unlocked->ring), use, alg_of_jose(algorithm),
                      &host_machine()->dice, arena);
    ring_wrap_release(&wrap);
    return e;
}

static enum err take_step(struct unlocked *unlocked, struct store *store, const struct ring_step *step,
                          const struct ring_timetable *timetable, int64_t now_ms)
{
    struct write writes[RING_WRITES_MAX];
    struct row rows[RING_WRITES_MAX];
    struct ring_key made = {.id = BYTES_NONE};
    struct keyring *fresh;
    struct arena arena;
    size_t count;
    enum err e = ERR_OK;

    arena_init(&arena, 65536);
    if (step->act == RING_PUBLISH)
        TRY(e = make_key(&made, unlocked, step->use, timetable->sign_algorithm, &arena), done);
    ring_writes(writes, &count, keyring_view(unlocked->ring), step, &made, now_ms);
    TRY(e = store_commit_wait(store, writes, count, rows, &arena), done);
    TRY(e = keyring_refresh(&fresh, unlocked->ring, store, unlocked->master), done);
    keyring_free(unlocked->ring);
    unlocked->ring = fresh;
done:
    arena_release(&arena);
    return e;
}

static enum err obey(struct ring_plan *plan, struct unlocked *unlocked, struct store *store,
                     struct folder_job *job, const struct ring_timetable *timetable)
{
    int64_t now_ms;
    size_t i;
    enum err e = data_now_ms(&now_ms, store);

    if (e) return e;
    *plan = ring_plan(keyring_view(unlocked->ring), &job->order->order, now_ms);
    for (i = 0; !e && !plan->no && !job->order->is_look && i < plan->step_count; i++) {
        struct ring_step step = plan->steps[i];
        if (step.act == RING_DROP) step.id = job->order->order.id; /* the ring it was found in is gone */
        e = take_step(unlocked, store, &step, timetable, now_ms);
    }
    return e;
}

static int order(void *state, struct store *store)
{
    struct folder_job *job = state;
    struct ring_timetable timetable = timetable_of(job);
    struct unlocked unlocked = {.ring = NULL};
    const char *why = "the store did not take it";
    struct ring_plan plan;
    struct json_writer w;
    struct buf text;
    enum err e = unlock(&unlocked, job->folder, store, false, &why);

    if (!e) e = obey(&plan, &unlocked, store, job, &timetable);
    if (e) {
        lock(&unlocked);
        return cli_fail(e == ERR_CONFIG    ? EXIT_CONFIG
                        : e == ERR_CORRUPT ? EXIT_DATA
                                           : EXIT_FAILED,
                        "%.200s: %s (%s)", job->folder, why, err_name(e));
    }
    buf_init(&text, ASK_ANSWER_MAX);
    w = json_writer_on(&text);
    ring_answer_write(&w, &plan, keyring_view(unlocked.ring), &timetable);
    lock(&unlocked);
    return read_back(job->answer, &text);
}

int keyring_order_in_folder(struct json *answer, const char *folder, const struct keyring_order *asked)
{
    static struct folder_job job; /* large */

    job = (struct folder_job){.answer = answer, .folder = folder, .order = asked};
    return data_with_store(folder, order, &job);
}
