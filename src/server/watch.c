#include "server/watch.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/deadline.h"
#include "server/session.h"

#define POLL_MS 1000

struct watch {
    struct node *node;
    struct deadline deadline;
    struct errand errand;
    struct facts *fresh;  /* read by the errand, published on the lane */
    struct keyring *ring; /* the same */
    uint64_t version;     /* of what is published; 0: not everywhere */
    enum err error;
    struct watch_ask *waiting; /* for a poll that begins from now on */
    struct watch_ask *reading; /* for the one under way */
    bool is_polling, is_stopped;
};

struct round;

struct facts_mail { /* goes to a lane, stays while its sessions are looked through, and comes home to lane 0
                     */
    struct mail mail;
    struct lane *lane;
    struct round *round;
    struct session_walk walk;
    bool has_aged;
    enum err error;
};

struct round { /* one publication on its way; freed when all its letters are home */
    struct watch *watch;
    struct publication *facts;
    struct keyring *ring; /* held until the letters are home */
    struct watch_ask *asks;
    enum err error;
    unsigned letters_out;
    struct facts_mail letters[];
};

static void answer(struct watch_ask *asks, enum err error)
{
    while (asks) {
        struct watch_ask *ask = asks;
        asks = ask->next; /* done may free it */
        ask->done(ask, error);
    }
}

/* ---- a letter's way ---- */

static void come_home(struct mail *mail)
{
    struct facts_mail *letter = (struct facts_mail *)mail;
    struct round *round = letter->round;

    if (letter->error) {
        round->error = letter->error;
        round->watch->version = 0; /* so that the next poll publishes once more */
    }
    if (--round->letters_out) return;
    answer(round->asks, round->error);
    keyring_free(round->ring);
    free(round);
}

static void move_sessions(struct mail *mail)
{
    struct facts_mail *letter = (struct facts_mail *)mail;
    struct loop *home = letter->round->watch->node->lanes[0]->loop;

    if (!letter->has_aged || sessions_age_some(letter->lane, &letter->walk)) {
        letter->mail.open = come_home;
        loop_post(home, mail);
    } else
        loop_post_later(letter->lane->loop, mail); /* the rest in another turn */
}

static void open_facts(struct mail *mail)
{
    struct facts_mail *letter = (struct facts_mail *)mail;

    letter->error =
        lane_take_facts(letter->lane, letter->round->facts, letter->round->ring, &letter->has_aged);
    letter->mail.open = move_sessions;
    move_sessions(mail);
}

/* ---- publishing ---- */

/* The letters are part of the round: either every lane learns of the new facts, or none does. */
static enum err round_new(struct round **out, struct watch *watch)
{
    struct node *node = watch->node;
    struct round *round = calloc(1, sizeof *round + node->lane_count * sizeof round->letters[0]);
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!round) return e;
    TRY(e = publication_new(&round->facts, watch->fresh, node->lane_count), done);
    round->watch = watch;
    round->letters_out = node->lane_count;
    *out = round;
    round = NULL;
done:
    free(round);
    return e;
}

static void forget_read(struct watch *watch)
{
    facts_free(watch->fresh);
    keyring_free(watch->ring);
    watch->fresh = NULL;
    watch->ring = NULL;
}

static enum err publish(struct watch *watch)
{
    struct node *node = watch->node;
    struct round *round;
    enum err e = round_new(&round, watch);

    if (e) {
        forget_read(watch);
        return e;
    }
    watch->version = watch->fresh->version;
    watch->fresh = NULL;
    keyring_free(node->ring);
    node->ring = watch->ring;
    watch->ring = NULL;
    round->ring = keyring_hold(node->ring);
    round->asks = watch->reading;
    watch->reading = NULL;
    log_info("facts_published", log_number("version", (int64_t)watch->version));
    for (unsigned i = 0; i < node->lane_count; i++) {
        struct facts_mail *letter = &round->letters[i];
        letter->mail.open = open_facts;
        letter->lane = node->lanes[i];
        letter->round = round;
        loop_post(letter->lane->loop, &letter->mail);
    }
    return ERR_OK;
}

/* ---- polling ---- */

/* Whoever asked gets a publication of their own, though the version be the published one: that one may still
 * be on its way to some lanes. */
static void poll(struct errand *errand) /* on a pool thread */
{
    struct watch *watch = (struct watch *)(void *)((char *)errand - offsetof(struct watch, errand));
    struct store *store = watch->node->store;
    uint64_t version;

    watch->error = store->ops->facts_version(store, &version);
    if (!watch->error && (watch->reading || version != watch->version))
        watch->error = store->ops->facts(store, &watch->fresh);
    if (!watch->error && watch->fresh)
        watch->error = keyring_refresh(&watch->ring, watch->node->ring, store, watch->node->master);
    if (watch->error) forget_read(watch);
    if (watch->fresh) crypto_rest();
}

static void due(struct deadline *deadline);

/* Its place in the heap is there since watch_start and never given up, so that this cannot fail: facts must
 * not stand still for want of memory. */
static void set_timer(struct watch *watch, int64_t at_ms)
{
    enum err e = deadline_set(watch->node->lanes[0]->loop, &watch->deadline, at_ms, due);
    (void)e;
}

static void wait_for_next(struct watch *watch)
{
    if (!watch->is_stopped) set_timer(watch, loop_tick_ms(watch->node->lanes[0]->loop) + POLL_MS);
}

static void begin_poll(struct watch *watch);

static void polled(struct errand *errand)
{
    struct watch *watch = (struct watch *)(void *)((char *)errand - offsetof(struct watch, errand));
    enum err e = watch->error;
    struct watch_ask *failed;

    watch->is_polling = false;
    if (!e && watch->fresh) e = publish(watch);
    if (e) log_warn("facts_not_read", log_text("error", err_name(e)));
    failed = watch->reading; /* none, if they are published */
    watch->reading = NULL;
    answer(failed, e);
    if (watch->is_polling) return; /* an answered one asked again */
    if (watch->waiting && !watch->is_stopped)
        begin_poll(watch);
    else
        wait_for_next(watch);
}

static void begin_poll(struct watch *watch)
{
    watch->errand = (struct errand){.work = poll, .done = polled};
    watch->reading = watch->waiting;
    watch->waiting = NULL;
    watch->is_polling = loop_errand(watch->node->lanes[0]->loop, &watch->errand) == ERR_OK;
    if (watch->is_polling) return;
    watch->waiting = watch->reading;
    watch->reading = NULL;
    wait_for_next(watch);
}

static void due(struct deadline *deadline)
{
    struct watch *watch = (struct watch *)(void *)((char *)deadline - offsetof(struct watch, deadline));

    set_timer(watch, DEADLINE_NEVER); /* takes its place again, which has just become free */
    begin_poll(watch);
}

void watch_now(struct watch *watch, struct watch_ask *ask)
{
    if (watch->is_stopped) {
        ask->done(ask, ERR_STOPPING);
        return;
    }
    ask->next = watch->waiting;
    watch->waiting = ask;
    if (watch->is_polling) return; /* its end begins the next */
    set_timer(watch, DEADLINE_NEVER);
    begin_poll(watch);
}

/* ---- life ---- */

enum err watch_start(struct watch **out, struct node *node)
{
    struct watch *watch = calloc(1, sizeof *watch);
    struct loop *loop = node->lanes[0]->loop;

    *out = watch;
    if (!watch) return ERR_NO_MEMORY;
    watch->node = node;
    watch->version = node->facts->facts->version;
    return deadline_set(loop, &watch->deadline, loop_tick_ms(loop) + POLL_MS, due);
}

void watch_stop(struct watch *watch)
{
    struct watch_ask *waiting;

    if (!watch) return;
    watch->is_stopped = true;
    deadline_clear(watch->node->lanes[0]->loop, &watch->deadline);
    waiting = watch->waiting; /* nobody will poll for them: requests must not wait for that */
    watch->waiting = NULL;
    answer(waiting, ERR_STOPPING);
}

void watch_free(struct watch *watch)
{
    if (!watch) return;
    answer(watch->reading, ERR_STOPPING);
    answer(watch->waiting, ERR_STOPPING);
    forget_read(watch);
    free(watch);
}
