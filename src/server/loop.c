#include "server/loop_inside.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "base/secret.h"

#define DUE_PER_TURN 500 /* deadlines; the sockets get a turn in between */
#define LATE_MS      100 /* a deadline that comes so late lets the sockets go first */
/* The timer wakes at least hourly while a deadline is set: no sum can overflow. */
#define TIMER_MAX_MS 3600000
#define ERRANDS_MAX  64 /* per loop; the pool has a few threads, scrypt takes tens of ms each */

/* ---- time ---- */

static const struct loop_time *time_of(const struct loop *loop)
{
    struct loop_time *time = loop->time;
    uint64_t uv_ms = uv_now(&loop->uv);
    if (time->is_fresh && time->uv_ms == uv_ms) return time;
    const struct host *host = loop->clock->host;
    struct clock_reading reading;
    int64_t tick_ms = host->monotonic_ms(host->state);
    clock_look(&reading, loop->clock);
    time->now_ms = reading.now_ms;
    time->wall_ms = reading.wall_ms;
    time->step_ms = reading.step_ms;
    if (tick_ms > time->tick_ms) time->tick_ms = tick_ms;
    time->uv_ms = uv_ms;
    time->is_fresh = true;
    return time;
}

int64_t loop_now_ms(const struct loop *loop)
{
    int64_t now_ms = time_of(loop)->now_ms;
    clock_use(loop->clock, now_ms);
    return now_ms;
}

int64_t loop_wall_ms(const struct loop *loop)
{
    return time_of(loop)->wall_ms;
}

int64_t loop_step_ms(const struct loop *loop)
{
    return time_of(loop)->step_ms;
}

int64_t loop_tick_ms(const struct loop *loop)
{
    return time_of(loop)->tick_ms;
}

static void on_turn(uv_prepare_t *turn) /* before each wait */
{
    loop_of((uv_handle_t *)turn)->time->is_fresh = false;
}

/* ---- deadlines ---- */

static void on_timer(uv_timer_t *timer);

static void arm(struct loop *loop, int64_t least_ms)
{
    int64_t first_ms = deadline_heap_first_ms(&loop->deadlines);
    if (first_ms >= loop->timer_at_ms || loop->is_winding_down) return;
    int64_t tick_ms = loop_tick_ms(loop), wait_ms = least_ms;
    if (first_ms > tick_ms + least_ms)
        wait_ms = first_ms < tick_ms + TIMER_MAX_MS ? first_ms - tick_ms : TIMER_MAX_MS;
    int refused = uv_timer_start(&loop->timer, on_timer, (uint64_t)wait_ms, 0);
    assert(!refused); /* it fails only while closing */
    (void)refused;
    loop->timer_at_ms = tick_ms + wait_ms;
}

static void ring(struct loop *loop, int64_t tick_ms)
{
    struct deadline *due;
    loop->timer_at_ms = INT64_MIN; /* nothing that is set meanwhile arms it */
    for (int n = 0; n < DUE_PER_TURN && (due = deadline_heap_take_due(&loop->deadlines, tick_ms)); n++)
        due->due(due);
}

/* May come early, as libuv's clock and the host's are read at different times, or as the first deadline has
 * moved: then it is only armed again. After the process stood still, libuv brings timers before what the peers
 * have said meanwhile: they are heard first, once, so that nobody who has answered counts as silent. The next
 * turn is a millisecond away, as libuv runs a timer without a wait again before it looks at any socket. */
static void on_timer(uv_timer_t *timer)
{
    struct loop *loop = loop_of((uv_handle_t *)timer);
    loop->time->is_fresh = false;
    int64_t tick_ms = loop_tick_ms(loop);
    if (!loop->is_late && deadline_heap_first_ms(&loop->deadlines) <= tick_ms - LATE_MS) {
        loop->is_late = true;
    } else {
        loop->is_late = false;
        ring(loop, tick_ms);
    }
    loop->timer_at_ms = DEADLINE_NEVER;
    arm(loop, 1);
}

enum err deadline_set(struct loop *loop, struct deadline *deadline, int64_t at_ms,
                      void (*due)(struct deadline *))
{
    enum err e = ERR_OK;
    TRY(e = deadline_heap_put(&loop->deadlines, deadline, at_ms), done);
    deadline->due = due;
    arm(loop, 0);
done:
    return e;
}

void deadline_clear(struct loop *loop, struct deadline *deadline)
{
    deadline_heap_remove(&loop->deadlines, deadline); /* the timer may then come for nothing, once */
}

/* ---- mail ---- */

static void open_all(struct mailbox *box)
{
    if (!atomic_load_explicit(&box->newest, memory_order_acquire)) return; /* cheaper than to take */
    for (struct mail *mail = mailbox_take(box), *next; mail; mail = next) {
        next = mail->next; /* opening may free or repost it */
        mail->open(mail);
    }
}

void loop_open_mail(struct loop *loop)
{
    open_all(&loop->mailbox);
}

static void close_part(uv_handle_t *handle, void *unused)
{
    (void)unused;
    struct loop_part *part = handle->data;
    if (!uv_is_closing(handle) && part) part->close(handle);
}

/* Everything but the wake-up, which no longer keeps the loop running: uv_run returns once the last stream is
 * gone and the last errand done. */
static void wind_down(struct loop *loop)
{
    if (loop->is_winding_down) return;
    loop->is_winding_down = true;
    uv_walk(&loop->uv, close_part, NULL);
    uv_close((uv_handle_t *)&loop->timer, NULL);
    uv_close((uv_handle_t *)&loop->turn, NULL);
    uv_unref((uv_handle_t *)&loop->wake);
}

static void on_wake(uv_async_t *wake)
{
    struct loop *loop = loop_of((uv_handle_t *)wake);
    bool must_stop = atomic_load_explicit(&loop->must_stop, memory_order_acquire);
    loop_open_mail(loop); /* what was posted before loop_stop is seen here, as the flag was read first */
    open_all(&loop->later);
    if (must_stop) wind_down(loop);
}

void loop_post(struct loop *loop, struct mail *mail)
{
    if (mailbox_post(&loop->mailbox, mail))
        (void)uv_async_send(&loop->wake); /* fails only if it is no handle */
}

void loop_post_later(struct loop *loop, struct mail *mail)
{
    if (mailbox_post(&loop->later, mail)) (void)uv_async_send(&loop->wake); /* as above */
}

void loop_post_to(void *loop, struct mail *mail)
{
    loop_post(loop, mail);
}

/* ---- errands ---- */

struct loop_work {
    uv_work_t uv; /* first member */
    struct errand *errand;
};

static void on_work(uv_work_t *uv) /* on a pool thread */
{
    struct errand *errand = ((struct loop_work *)uv)->errand;
    errand->work(errand);
}

static void on_worked(uv_work_t *uv, int status)
{
    struct loop *loop = uv->loop->data;
    struct errand *errand = ((struct loop_work *)uv)->errand;
    (void)status; /* would be UV_ECANCELED, and nothing cancels */
    loop->errands--;
    errand->uv = NULL;
    free(uv);
    errand->done(errand);
}

enum err loop_errand(struct loop *loop, struct errand *errand)
{
    if (loop->is_winding_down) return ERR_STOPPING;
    if (loop->errands >= ERRANDS_MAX) return ERR_LIMIT;
    struct loop_work *work = calloc(1, sizeof *work);
    if (!work) return ERR_NO_MEMORY;
    work->errand = errand;
    if (uv_queue_work(&loop->uv, &work->uv, on_work, on_worked) != 0) {
        free(work);
        return ERR_NO_MEMORY;
    }
    errand->uv = work;
    loop->errands++;
    return ERR_OK;
}

/* ---- life ---- */

static enum err init_handles(struct loop *loop)
{
    if (uv_loop_init(&loop->uv) != 0) return ERR_IO;
    loop->uv.data = loop;
    if (uv_async_init(&loop->uv, &loop->wake, on_wake) != 0) {
        (void)uv_loop_close(&loop->uv); /* nothing is open in it */
        return ERR_IO;
    }
    (void)uv_timer_init(&loop->uv, &loop->timer); /* these two only fill in a struct */
    (void)uv_prepare_init(&loop->uv, &loop->turn);
    (void)uv_prepare_start(&loop->turn, on_turn);
    return ERR_OK;
}

enum err loop_new(struct loop **out, unsigned index, struct clock *clock)
{
    enum err e = ERR_OK;
    *out = NULL;
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop) return ERR_NO_MEMORY;
    loop->index = index;
    loop->clock = clock;
    loop->time = &loop->time_read;
    loop->time_read.tick_ms = INT64_MIN;
    loop->timer_at_ms = DEADLINE_NEVER;
    buf_init(&loop->plain, LOOP_SCRATCH_BYTES);
    buf_init(&loop->cipher, LOOP_SCRATCH_BYTES);
    /* a peer that went away is an error of write(), not the end of the process */
    (void)signal(SIGPIPE, SIG_IGN);
    TRY(e = init_handles(loop), done);
    *out = loop;
    loop = NULL;
done:
    free(loop);
    return e;
}

static void run(void *argument)
{
    struct loop *loop = argument;
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* what is left over shows in loop_free */
}

enum err loop_start(struct loop *loop)
{
    sigset_t all, before;
    sigfillset(&all);
    (void)sigdelset(&all, SIGSYS); /* about a call of the thread itself: see cli/sandbox.h */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    int refused = uv_thread_create(&loop->thread, run, loop);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (refused) return ERR_LIMIT;
    loop->has_thread = true;
    return ERR_OK;
}

void loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->must_stop, true, memory_order_release);
    (void)uv_async_send(&loop->wake);
}

void loop_join(struct loop *loop)
{
    if (!loop->has_thread) return;
    (void)uv_thread_join(&loop->thread); /* the thread is ours and joined once */
    loop->has_thread = false;
}

void loop_drain(struct loop *loop)
{
    assert(!loop->has_thread);
    loop_open_mail(loop);
    open_all(&loop->later);
}

/* Also for a loop that never ran. The wake-up stays open until here, so that a late answer (the store's, say)
 * may still be posted while the loop's thread has ended already; it is opened now. */
void loop_free(struct loop *loop)
{
    if (!loop) return;
    loop_drain(loop);
    wind_down(loop);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop_drain(loop);
    uv_close((uv_handle_t *)&loop->wake, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    int left_open = uv_loop_close(&loop->uv);
    assert(!left_open);
    (void)left_open;
    deadline_heap_release(&loop->deadlines);
    buf_wipe(&loop->plain);
    buf_wipe(&loop->cipher);
    secret_wipe(loop->read_bytes, sizeof loop->read_bytes); /* requests held credentials */
    free(loop);
}

unsigned loop_index(const struct loop *loop)
{
    return loop->index;
}

const struct host *loop_host(const struct loop *loop)
{
    return loop->clock->host;
}

void loop_end_all(void)
{
    uv_library_shutdown();
}

const char *loop_library(void)
{
    return uv_version_string();
}
