#include "server/lane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/instant.h"
#include "base/log.h"
#include "base/secret.h"
#include "server/admin.h"
#include "server/conn.h"
#include "server/cut.h"
#include "server/limits.h"
#include "server/node.h"
#include "server/phone.h"
#include "server/presence.h"
#include "server/session.h"
#include "server/socket.h"
#include "server/watch.h"
#include "wire/http_request.h"

#define SCRATCH_MAX (HTTP_BODY_MAX + 65536)
#define FIELDS_MAX  4096 /* field lines of one reply beyond those every reply has */

struct errand_of_run { /* lives in run->errand */
    struct errand errand;
    struct lane *lane;
    void (*work)(struct run *);
    void (*done)(struct run *);
};
_Static_assert(sizeof(struct errand_of_run) <= sizeof(((struct run *)NULL)->errand),
               "run->errand holds a lane's errand");

static struct run *run_of(struct errand *errand)
{
    return (struct run *)(void *)((char *)errand - offsetof(struct run, errand));
}

static void work_for_run(struct errand *errand)
{
    struct errand_of_run *of_run = (struct errand_of_run *)errand;

    if (atomic_load_explicit(&of_run->lane->is_out_of_time, memory_order_relaxed))
        run_of(errand)->error = ERR_STOPPING;
    else
        of_run->work(run_of(errand));
}

static void done_for_run(struct errand *errand)
{
    ((struct errand_of_run *)errand)->done(run_of(errand));
}

static enum err lane_errand(void *lane, struct run *run, void (*work)(struct run *),
                            void (*done)(struct run *))
{
    struct errand_of_run *errand = (struct errand_of_run *)run->errand;

    errand->errand = (struct errand){.work = work_for_run, .done = done_for_run};
    errand->lane = lane;
    errand->work = work;
    errand->done = done;
    return loop_errand(((struct lane *)lane)->loop, &errand->errand);
}

static void post_to_lane(void *lane, struct mail *mail)
{
    loop_post(((struct lane *)lane)->loop, mail);
}

struct forget_mail {
    struct mail mail;
    struct lane *lane;
    struct uuid project, id;
};

static void open_forget(struct mail *mail)
{
    struct forget_mail *forget = (struct forget_mail *)mail;

    service_forget_user(forget->lane->service, &forget->project, &forget->id);
    free(forget);
}

/* Without memory for the letter another lane keeps an older profile until it ages out of its cache; what it
 * decides on that is checked again by the store's precondition. */
static void tell_others(void *state, const struct uuid *project, const struct uuid *id)
{
    struct lane *lane = state;
    unsigned i;

    for (i = 0; i < lane->node->lane_count; i++) {
        struct forget_mail *forget;
        if (lane->node->lanes[i] == lane) continue;
        forget = calloc(1, sizeof *forget);
        if (!forget) return;
        forget->mail.open = open_forget;
        forget->lane = lane->node->lanes[i];
        forget->project = *project;
        forget->id = *id;
        loop_post(forget->lane->loop, &forget->mail);
    }
}

struct cut_of_run { /* lives in run->errand, as an errand does: a run has one of them under way at most */
    struct cut cut;
    void (*done)(struct run *, size_t);
};
_Static_assert(sizeof(struct cut_of_run) <= sizeof(((struct run *)NULL)->errand),
               "run->errand holds a cutoff on its way");

static void cut_is_known(struct cut *cut)
{
    struct run *run = (struct run *)(void *)((char *)cut - offsetof(struct run, errand));

    ((struct cut_of_run *)(void *)cut)->done(run, atomic_load(&cut->closed));
}

static void cut_for_run(void *state, struct run *run, const struct cutoff *cutoff,
                        void (*done)(struct run *run, size_t sessions_closed))
{
    struct lane *lane = state;
    struct cut_of_run *of_run = (struct cut_of_run *)(void *)run->errand;

    of_run->done = done;
    cut_tell(lane->cuts, &of_run->cut, cutoff, cut_is_known);
}

static bool lane_may(void *state, int64_t *wait_ms, enum limit limit, struct bytes of)
{
    struct lane *lane = state;

    return !limits_know(lane->node->limits, limit) ||
           limits_take(lane->node->limits, wait_ms, limit, of, loop_tick_ms(lane->loop) * 1000);
}

void lane_forget_user(struct lane *lane, const struct uuid *project, const struct uuid *id)
{
    service_forget_user(lane->service, project, id);
    tell_others(lane, project, id);
}

/* ---- facts that a run has changed: to the watch on lane 0, and home ---- */

struct change_of_run { /* lives in run->errand, when no errand is under way */
    struct mail mail;
    struct watch_ask published;
    struct lane *lane;
    void (*done)(struct run *);
};
_Static_assert(sizeof(struct change_of_run) <= sizeof(((struct run *)NULL)->errand),
               "run->errand holds the letter of a change");

static void open_known(struct mail *mail)
{
    struct change_of_run *change = (struct change_of_run *)(void *)mail;

    change->done(run_of((struct errand *)(void *)change)); /* both lie at the beginning of run->errand */
}

static void come_home(struct change_of_run *change)
{
    change->mail.open = open_known;
    loop_post(change->lane->loop, &change->mail);
}

/* Whatever went wrong, the change is stored, and the next poll publishes it. */
static void change_published(struct watch_ask *ask, enum err error)
{
    (void)error;
    come_home((struct change_of_run *)(void *)((char *)ask - offsetof(struct change_of_run, published)));
}

static void open_change(struct mail *mail)
{
    struct change_of_run *change = (struct change_of_run *)(void *)mail;
    const struct node *node = change->lane->node;

    if (atomic_load(&node->is_stopping) || !node->watch)
        come_home(change);
    else
        watch_now(node->watch, &change->published);
}

static void lane_facts_changed(void *state, struct run *run, void (*done)(struct run *))
{
    struct lane *lane = state;
    struct change_of_run *change = (struct change_of_run *)(void *)run->errand;

    *change = (struct change_of_run){
        .mail = {.open = open_change}, .published = {.done = change_published}, .lane = lane, .done = done};
    loop_post(lane->node->lanes[0]->loop, &change->mail);
}

enum err lane_new(struct lane **out, struct node *node, unsigned index)
{
    struct lane *lane = calloc(1, sizeof *lane);
    enum err e;

    *out = NULL;
    if (!lane) return ERR_NO_MEMORY;
    lane->node = node;
    lane->wave_end = &lane->wave;
    lane->wave_most = CONNECTS_PER_TURN;
    lane->looks_per_turn = SESSIONS_PER_TURN;
    buf_init(&lane->out, SCRATCH_MAX);
    buf_init(&lane->body, SCRATCH_MAX);
    buf_init(&lane->fields, FIELDS_MAX);
    e = session_index_init(&lane->index, dice_u64(&node->host->dice));
    if (!e) e = session_names_init(&lane->names, dice_u64(&node->host->dice));
    if (!e) e = records_new(&lane->records, (size_t)node->config->records_max, dice_u64(&node->host->dice));
    if (!e) e = loop_new(&lane->loop, index, &node->clock);
    if (e)
        lane_free(lane);
    else
        *out = lane;
    return e;
}

enum err lane_open_service(struct lane *lane)
{
    const struct node *node = lane->node;
    struct service_options options = {
        .store = node->store,
        .ring = node->ring,
        .epoch = node->facts->facts->epoch,
        .url = bytes_of_text(node->config->public_url),
        .ch = *node->config->ch ? bytes_of_text(node->config->ch) : BYTES_NONE,
        .ice = {.servers = bytes_of_text(node->config->ice_servers),
                .urls = bytes_of_text(node->config->turn_urls),
                .secret = bytes_of_text(node->config->turn_secret),
                .life_s = node->config->turn_life_s},
        .dice = node->host->dice,
        .users_max = (size_t)node->config->users_cached_max,
        .post = post_to_lane,
        .lane = lane,
        .errand = lane_errand,
        .user_changed = tell_others,
        .cut = cut_for_run,
        .may = lane_may,
        .seat = socket_take_seat,
        .facts_changed = lane_facts_changed,
        .wants_nonces = !strcmp(node->config->dpop_nonces, "on"),
    };
    enum err e = cuts_new(&lane->cuts, lane, node->lane_count);

    return e ? e : service_new(&lane->service, &options, node->facts);
}

void lane_free(struct lane *lane)
{
    if (!lane) return;
    /* first: connections still open end here, and what they held goes back to the lane */
    loop_free(lane->loop);
    sessions_free(lane);
    exchange_free_spare(lane);
    service_free(lane->service);
    buf_release(&lane->out);
    buf_release(&lane->body);
    buf_release(&lane->fields);
    records_free(lane->records);
    session_index_release(&lane->index);
    calls_free(lane);
    presence_free(lane);
    cuts_free(lane->cuts);
    free(lane);
}

void lane_count(struct lane *lane, enum lane_counter counter, int change)
{
    atomic_fetch_add_explicit(&lane->counters[counter], change, memory_order_relaxed);
}

static void time_over(struct deadline *deadline)
{
    struct lane *lane = (struct lane *)(void *)((char *)deadline - offsetof(struct lane, stop_deadline));

    log_warn("stop_timeout", log_number("lane", loop_index(lane->loop)));
    atomic_store(&lane->is_out_of_time, true);
    loop_stop(lane->loop);
}

void lane_stopped_if_idle(struct lane *lane)
{
    if (lane->is_stopping && !lane->conns && !lane->sockets && !lane->admins) {
        deadline_clear(lane->loop, &lane->stop_deadline);
        deadline_clear(lane->loop, &lane->drain_deadline);
        loop_stop(lane->loop);
    }
}

void lane_begin_stop(struct lane *lane)
{
    int64_t until_ms = loop_tick_ms(lane->loop) + lane->node->config->stop_timeout_s * 1000;
    size_t i;

    lane->is_stopping = true;
    for (i = 0; i < LANE_DOORS; i++) {
        if (lane->listeners[i]) listener_close(lane->listeners[i]);
        lane->listeners[i] = NULL;
    }
    sockets_stop(lane);
    sessions_stop(lane);
    conns_stop(lane);
    admins_stop(lane);
    /* without memory for a timer there is no waiting for slow peers */
    if (deadline_set(lane->loop, &lane->stop_deadline, until_ms, time_over)) loop_stop(lane->loop);
    lane_stopped_if_idle(lane);
}

enum err lane_take_facts(struct lane *lane, struct publication *facts, struct keyring *ring, bool *has_aged)
{
    uint64_t total_ms = service_facts(lane->service)->age_total_ms;
    enum err e = service_take_ring(lane->service, ring, facts->facts->epoch);

    if (e)
        publication_let_go(facts);
    else
        e = service_take_facts(lane->service, facts);

    *has_aged = !e && service_facts(lane->service)->age_total_ms != total_ms;
    return e;
}

struct buf *lane_out(struct lane *lane)
{
    buf_reset(&lane->out);
    return &lane->out;
}

struct buf *lane_body(struct lane *lane)
{
    buf_reset(&lane->body);
    return &lane->body;
}

struct buf *lane_fields(struct lane *lane)
{
    buf_reset(&lane->fields);
    return &lane->fields;
}

static void wipe(struct buf *buf)
{
    if (buf->len) secret_wipe(buf->ptr, buf->len);
    buf_reset(buf);
}

void lane_wipe_scratch(struct lane *lane)
{
    wipe(&lane->out);
    wipe(&lane->body);
    wipe(&lane->fields);
}

struct bytes lane_date(struct lane *lane)
{
    int64_t now_s = loop_wall_ms(lane->loop) / 1000;

    if (now_s != lane->date_s) {
        instant_write_http(lane->date, now_s * 1000);
        lane->date_s = now_s;
    }
    return bytes_of(lane->date, INSTANT_HTTP_LEN);
}

void lane_refused(struct lane *lane, char out[LANE_ERROR_ID_LEN], const struct finding *finding, int status,
                  const char *route, const char *peer)
{
    struct record *record = records_add(lane->records, finding, peer);
    uint8_t random[RECORD_ID_LEN / 4 * 3];

    dice_fill(&lane->node->host->dice, random, sizeof random);
    (void)base64url_write(record->id, bytes_of(random, sizeof random)); /* always RECORD_ID_LEN characters */
    record->at_ms = loop_wall_ms(lane->loop);
    record->status = status;
    (void)snprintf(record->route, sizeof record->route, "%s", route); /* cut if need be */
    memcpy(out, record->id, RECORD_ID_LEN);
    log_debug("refused", log_bytes("error_id", bytes_of(record->id, RECORD_ID_LEN)),
              log_text("refusal", finding_name(finding)), log_number("status", status));
}

static size_t slot_of(const struct lane *lane, const char *peer)
{
    return bytes_hash(bytes_of_text(peer), lane->node->parking_seed) % PARKING_SLOTS;
}

bool lane_may_park(const struct lane *lane, const char *peer)
{
    struct node *node = lane->node;

    return atomic_load_explicit(&node->parked, memory_order_relaxed) < node->config->parked_max &&
           atomic_load_explicit(&node->parked_by_address[slot_of(lane, peer)], memory_order_relaxed) <
               node->config->parked_per_address_max;
}

/* Asked again when a connect is refused: sockets that were upgraded together all found room then. */
bool lane_park(uint16_t *slot, struct lane *lane, const char *peer)
{
    struct node *node = lane->node;
    int64_t in_all, of_peer;

    *slot = (uint16_t)slot_of(lane, peer);
    in_all = atomic_fetch_add(&node->parked, 1);
    of_peer = atomic_fetch_add(&node->parked_by_address[*slot], 1);
    lane_count(lane, COUNT_PARKED, 1);
    if (in_all < node->config->parked_max && of_peer < node->config->parked_per_address_max) return true;
    lane_unpark(lane, *slot);
    return false;
}

void lane_unpark(struct lane *lane, uint16_t slot)
{
    atomic_fetch_sub(&lane->node->parked, 1);
    atomic_fetch_sub(&lane->node->parked_by_address[slot], 1);
    lane_count(lane, COUNT_PARKED, -1);
}
