/* loop.c — server/loop.h without threads: a turn of a loop is an item on the world's agenda. */
#include "sim/loop_sim.h"

#include "sim/link.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/times.h"

#define DUE_PER_TURN 500
#define ERRANDS_MAX  64

/* ---- time ---- */

static const struct loop_time *time_of(const struct loop *loop)
{
    struct loop_time *time = loop->time;
    const struct host *host = loop->clock->host;
    struct clock_reading reading;
    int64_t tick_ms = host->monotonic_ms(host->state);

    clock_look(&reading, loop->clock);
    times_told(reading.now_ms);
    time->now_ms = reading.now_ms;
    time->wall_ms = reading.wall_ms;
    time->step_ms = reading.step_ms;
    if (tick_ms > time->tick_ms) time->tick_ms = tick_ms;
    return time;
}

int64_t loop_now_ms(const struct loop *loop)
{
    int64_t now_ms = time_of(loop)->now_ms;

    clock_use(loop->clock, now_ms);
    times_used(now_ms);
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

/* ---- deadlines ---- */

static void on_timer(struct item *item);

static void arm(struct loop *loop)
{
    int64_t first_ms = deadline_heap_first_ms(&loop->deadlines), wait_ms;

    if (first_ms == DEADLINE_NEVER || loop->is_winding_down) {
        agenda_remove(&loop->timer);
        return;
    }
    wait_ms = first_ms - loop_tick_ms(loop);
    if (wait_ms < 0) wait_ms = 0;
    if (wait_ms > 3600000) wait_ms = 3600000;
    agenda_put(&loop->timer, wait_ms * 1000 + between(0, 3000), on_timer);
}

static void on_timer(struct item *item)
{
    struct loop *loop = HOLDER(item, struct loop, timer);
    enum memory_owner before = memory_enter(MEMORY_NODE);
    struct deadline *due;
    int n;

    for (n = 0; n < DUE_PER_TURN; n++) {
        due = deadline_heap_take_due(&loop->deadlines, loop_tick_ms(loop));
        if (!due) break;
        due->due(due);
    }
    memory_leave(before);
    arm(loop);
}

bool loop_is_late(const struct loop *loop)
{
    return deadline_heap_first_ms(&loop->deadlines) <= loop_tick_ms(loop);
}

enum err deadline_set(struct loop *loop, struct deadline *deadline, int64_t at_ms,
                      void (*due)(struct deadline *))
{
    bool must_grow = !deadline->place && loop->deadlines.count == loop->deadlines_most;
    enum err e = ERR_OK;

    /* as if the heap grew by one each time: more chances to fail than the real one has */
    if (must_grow && memory_refuses()) return ERR_NO_MEMORY;
    loop->deadlines_most += must_grow;
    e = deadline_heap_put(&loop->deadlines, deadline, at_ms);
    if (e) return e;
    deadline->due = due;
    arm(loop);
    return ERR_OK;
}

void deadline_clear(struct loop *loop, struct deadline *deadline)
{
    deadline_heap_remove(&loop->deadlines, deadline);
}

/* ---- mail ---- */

static void open_all(struct mailbox *box)
{
    enum memory_owner before = memory_enter(MEMORY_NODE);
    struct mail *mail, *next;

    for (mail = mailbox_take(box); mail; mail = next) {
        next = mail->next;
        mail->open(mail);
    }
    memory_leave(before);
}

void loop_open_mail(struct loop *loop)
{
    open_all(&loop->mailbox);
}

static void wind_down(struct loop *loop)
{
    if (loop->is_winding_down) return;
    loop->is_winding_down = true;
    streams_close_all(loop);
    while (loop->listeners)
        listener_close(loop->listeners);
    arm(loop);
}

void loop_look_if_ended(struct loop *loop)
{
    if (loop->is_winding_down && !loop->streams && !loop->errands) loop->has_ended = true;
}

static void on_turn(struct item *item)
{
    struct loop *loop = HOLDER(item, struct loop, turn);
    bool must_stop = loop->must_stop;

    loop_drain(loop);
    if (must_stop) wind_down(loop);
    loop_look_if_ended(loop);
}

static void wake(struct loop *loop)
{
    if (loop->is_running && !loop->has_ended && !loop->turn.place)
        agenda_put(&loop->turn, delay_us(100), on_turn);
}

void loop_post_later(struct loop *loop, struct mail *mail)
{
    if (mailbox_post(&loop->later, mail)) wake(loop);
}

void loop_post(struct loop *loop, struct mail *mail)
{
    (void)mailbox_post(&loop->mailbox, mail);
    wake(loop);
}

void loop_post_to(void *loop, struct mail *mail)
{
    loop_post(loop, mail);
}

/* ---- errands ---- */

struct sim_errand {
    struct item item;
    struct sim_errand *next;
    struct errand *errand; /* of the node */
    struct loop *loop;
};

static void unlist(struct sim_errand *one)
{
    struct sim_errand **at = &one->loop->errand_list;

    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    one->loop->errands--;
}

static void on_done(struct item *item)
{
    struct sim_errand *one = HOLDER(item, struct sim_errand, item);
    struct loop *loop = one->loop;
    struct errand *errand = one->errand;
    enum memory_owner before;

    unlist(one);
    memory_free(one);
    before = memory_enter(MEMORY_NODE);
    errand->done(errand);
    memory_leave(before);
    loop_look_if_ended(loop);
}

static void on_work(struct item *item)
{
    struct sim_errand *one = HOLDER(item, struct sim_errand, item);
    enum memory_owner before = memory_enter(MEMORY_NODE);

    one->errand->work(one->errand);
    memory_leave(before);
    agenda_put(&one->item, delay_us(200), on_done);
}

enum err loop_errand(struct loop *loop, struct errand *errand)
{
    struct sim_errand *one;

    if (loop->is_winding_down) return ERR_STOPPING;
    if (loop->errands >= ERRANDS_MAX) return ERR_LIMIT;
    if (memory_refuses()) return ERR_NO_MEMORY;
    one = memory_new(sizeof *one);
    one->errand = errand;
    one->loop = loop;
    one->next = loop->errand_list;
    loop->errand_list = one;
    loop->errands++;
    errand->uv = one;
    agenda_put(&one->item, delay_us(500), on_work);
    return ERR_OK;
}

/* ---- life ---- */

enum err loop_new(struct loop **out, unsigned index, struct clock *clock)
{
    struct loop *loop;

    *out = NULL;
    if (memory_refuses()) return ERR_NO_MEMORY;
    loop = memory_new(sizeof *loop);
    loop->index = index;
    loop->clock = clock;
    loop->time = &loop->time_read;
    loop->time_read.tick_ms = INT64_MIN;
    *out = loop;
    return ERR_OK;
}

enum err loop_start(struct loop *loop)
{
    if (memory_refuses()) return ERR_LIMIT;
    loop->is_running = true;
    wake(loop);
    arm(loop);
    return ERR_OK;
}

void loop_stop(struct loop *loop)
{
    loop->must_stop = true;
    wake(loop);
}

/* The other "threads" go on while somebody waits here. */
void loop_join(struct loop *loop)
{
    enum memory_owner before = memory_enter(MEMORY_SIM);

    while (loop->is_running && !loop->has_ended)
        if (!world_step()) world_fail("a loop that is told to stop ends", "loop %u", loop->index);
    loop->is_running = false;
    memory_leave(before);
}

static void forget(struct loop *loop)
{
    agenda_remove(&loop->turn);
    agenda_remove(&loop->timer);
    while (loop->errand_list) {
        struct sim_errand *one = loop->errand_list;
        agenda_remove(&one->item);
        unlist(one);
        memory_free(one);
    }
    memory_free(loop);
}

void loop_drain(struct loop *loop)
{
    loop_open_mail(loop);
    open_all(&loop->later);
}

void loop_free(struct loop *loop)
{
    if (!loop) return;
    loop_drain(loop);
    wind_down(loop);
    loop_drain(loop);
    deadline_heap_release(&loop->deadlines);
    forget(loop);
}

/* What the node owned goes with its memory (memory_sweep). */
void loop_vanish(struct loop *loop)
{
    streams_vanish(loop);
    while (loop->listeners) {
        struct listener *listener = loop->listeners;
        loop->listeners = listener->next;
        memory_free(listener);
    }
    forget(loop);
}

unsigned loop_index(const struct loop *loop)
{
    return loop->index;
}

const struct host *loop_host(const struct loop *loop)
{
    return loop->clock->host;
}

const char *loop_library(void)
{
    return "none";
}
