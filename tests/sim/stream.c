/* stream.c — server/stream.h and server/listener.h without a kernel: bytes in memory, late and in pieces. */
#include <stdio.h>
#include <string.h>

#include "sim/client.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/node.h"

#define PATIENCE_MS     2000
#define PATIENCE_ROUNDS 15
#define UP_MAX          ((size_t)1 << 22)

struct link *links;
static unsigned link_count;

/* ---- going ---- */

static void unlist(struct stream *stream)
{
    struct stream **at = &stream->loop->streams;

    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
}

static void stream_free(struct stream *stream)
{
    agenda_remove(&stream->gone);
    buf_release(&stream->unsent);
    memory_free(stream);
}

static void on_gone(struct item *item)
{
    struct stream *stream = HOLDER(item, struct stream, gone);
    struct link *link = stream->link;
    struct listener *listener = stream->listener;
    struct loop *loop = stream->loop;
    enum memory_owner before;

    link->stream = NULL;
    link->down_ended = true;
    /* closing with bytes unread resets, and the reset may overtake what was sent (RFC 9112 §9.6) */
    if ((link->up.len || stream->unsent.len) && chance(50)) buf_reset(&link->down);
    tap_closed(link);
    if (stream->user) {
        before = memory_enter(MEMORY_NODE);
        stream->user->on_gone(stream->owner);
        memory_leave(before);
    }
    unlist(stream);
    stream_free(stream);
    if (!--listener->streams && listener->is_closed) memory_free(listener);
    link_stir(link);
    loop_look_if_ended(loop);
}

static void drop(struct stream *stream)
{
    if (stream->phase == STREAM_CLOSED) return;
    stream->phase = STREAM_CLOSED;
    deadline_clear(stream->loop, &stream->patience);
    agenda_put(&stream->gone, delay_us(50), on_gone);
}

void stream_close(struct stream *stream)
{
    (void)door_opens();
    if (stream->phase != STREAM_CLOSED) trace("server closes", "link %u", stream->link->number);
    drop(stream);
}

void streams_close_all(struct loop *loop)
{
    struct stream *stream;

    for (stream = loop->streams; stream; stream = stream->next)
        drop(stream);
}

void streams_vanish(struct loop *loop)
{
    while (loop->streams) {
        struct stream *stream = loop->streams;
        loop->streams = stream->next;
        stream->link->stream = NULL;
        link_lost_server(stream->link);
        stream_free(stream);
    }
}

/* ---- leaving politely ---- */

static void on_patience_over(struct deadline *deadline)
{
    struct stream *stream = HOLDER(deadline, struct stream, patience);
    size_t taken = stream->kept - stream->unsent.len;
    bool is_live = stream->phase == STREAM_LIVE;

    if (taken > stream->taken_before &&
        (is_live || (stream->phase == STREAM_LEAVING && stream->rounds_left-- > 0))) {
        int64_t again_ms = is_live ? STREAM_STALL_MS : PATIENCE_MS;
        stream->taken_before = taken;
        if (!deadline_set(stream->loop, deadline, loop_tick_ms(stream->loop) + again_ms, on_patience_over))
            return;
    }
    if (is_live) {
        stream->link->was_given_up = true;
        trace("server gives up", "link %u takes nothing", stream->link->number);
    }
    drop(stream);
}

static void be_patient(struct stream *stream)
{
    stream->taken_before = stream->kept - stream->unsent.len;
    stream->rounds_left = PATIENCE_ROUNDS;
    if (deadline_set(stream->loop, &stream->patience, loop_tick_ms(stream->loop) + PATIENCE_MS,
                     on_patience_over))
        drop(stream);
}

static void shut_our_side(struct stream *stream)
{
    stream->phase = STREAM_LINGERING;
    stream->link->down_ended = true;
    link_stir(stream->link);
    if (stream->has_ended || stream->link->is_reset)
        drop(stream);
    else
        be_patient(stream);
}

void stream_close_after_sending(struct stream *stream)
{
    (void)door_opens();
    if (stream->phase != STREAM_LIVE) return;
    if (memory_refuses()) {
        drop(stream);
        return;
    }
    trace("server leaves", "link %u", stream->link->number);
    stream->phase = STREAM_LEAVING;
    stream->may_read = true;
    if (!stream->unsent.len)
        shut_our_side(stream);
    else
        be_patient(stream);
    link_stir(stream->link);
}

/* ---- sending ---- */

static void fill_kernel(struct stream *stream)
{
    struct link *link = stream->link;
    size_t room = link->room > link->down.len ? link->room - link->down.len : 0;
    struct bytes piece = bytes_part(buf_bytes(&stream->unsent), 0, room);

    buf_append(&link->down, piece);
    buf_drop_front(&stream->unsent, piece.len);
    if (stream->unsent.len) stream->has_kept = true;
}

static bool may_stall(struct stream *stream)
{
    int64_t until_ms = loop_tick_ms(stream->loop) + STREAM_STALL_MS;

    if (!stream->unsent.len || stream->patience.place) return true;
    stream->taken_before = stream->kept - stream->unsent.len;
    return !deadline_set(stream->loop, &stream->patience, until_ms, on_patience_over);
}

static void write_inside(struct stream *stream, struct bytes b)
{
    struct link *link = stream->link;

    tap_written(link, b);
    if (link->is_reset) {
        drop(stream); /* the kernel says so on a write */
        return;
    }
    buf_append(&stream->unsent, b);
    stream->kept += b.len;
    fill_kernel(stream);
    if (stream->unsent.len > STREAM_UNSENT_MAX || (stream->unsent.len && memory_refuses()) ||
        !may_stall(stream)) {
        trace("server gives up", "link %u does not read", link->number);
        drop(stream);
        return;
    }
    link_stir(link);
}

void stream_write(struct stream *stream, struct bytes b)
{
    enum memory_owner before;

    if (stream->phase != STREAM_LIVE || !b.len || !door_opens()) return;
    before = memory_enter(MEMORY_SIM);
    write_inside(stream, b);
    memory_leave(before);
}

size_t stream_unsent(const struct stream *stream)
{
    return stream->unsent.len;
}

static void sent_more(struct stream *stream)
{
    enum memory_owner before;

    fill_kernel(stream);
    if (stream->unsent.len) return;
    if (stream->phase == STREAM_LEAVING) {
        shut_our_side(stream);
    } else if (stream->phase == STREAM_LIVE && stream->has_kept) {
        stream->has_kept = false;
        stream->kept = stream->taken_before = 0;
        deadline_clear(stream->loop, &stream->patience);
        before = memory_enter(MEMORY_NODE);
        stream->user->on_sent(stream->owner);
        memory_leave(before);
    }
}

static void on_down(struct item *item)
{
    struct link *link = HOLDER(item, struct link, down_pump);
    size_t len = link->down.len ? (size_t)between(1, (int64_t)link->down.len) : 0;

    if (link->is_deaf || !link->client) return;
    if (chance(60)) len = link->down.len;
    buf_drop_front(&link->down, len);
    link->down_taken += len;
    if (link->stream) sent_more(link->stream);
    client_took(link);
    if (link->client && link->down_ended && !link->down.len) {
        trace("client sees end", "link %u", link->number);
        client_lost(link);
    }
    link_stir(link);
}

/* ---- receiving ---- */

static void end_of_peer(struct stream *stream)
{
    enum memory_owner before;

    if (stream->has_ended) return;
    stream->has_ended = true;
    if (stream->phase == STREAM_LIVE) {
        trace("end arrives", "link %u", stream->link->number);
        before = memory_enter(MEMORY_NODE);
        stream->user->on_end(stream->owner);
        memory_leave(before);
    } else if (stream->phase == STREAM_LINGERING)
        drop(stream);
}

static void receive(struct stream *stream, size_t len)
{
    struct link *link = stream->link;
    struct loop *loop = stream->loop;
    enum memory_owner before;

    memcpy(loop->read_bytes, link->up.ptr, len);
    buf_drop_front(&link->up, len);
    link->up_taken += len;
    tap_delivered(link);
    loop_open_mail(loop); /* as the real one does */
    if (stream->phase != STREAM_LIVE) return;
    trace("bytes arrive", "link %u: %zu", link->number, len);
    before = memory_enter(MEMORY_NODE);
    stream->user->on_bytes(stream->owner, loop->read_bytes, len);
    memory_leave(before);
    memset(loop->read_bytes, 0xdd, len); /* the buffer is the loop's: who kept a pointer reads this */
}

static void on_up(struct item *item)
{
    struct link *link = HOLDER(item, struct link, up_pump);
    struct stream *stream = link->stream;
    size_t most = link->up.len < LOOP_READ_BYTES ? link->up.len : LOOP_READ_BYTES;

    if (!stream || !stream->may_read || stream->has_ended || stream->phase == STREAM_CLOSED) return;
    if (link->is_reset)
        drop(stream);
    else if (most)
        receive(stream, chance(60) ? most : (size_t)between(1, (int64_t)most));
    else if (link->up_ended)
        end_of_peer(stream);
    link_stir(link);
}

void stream_stop_reading(struct stream *stream)
{
    if (stream->phase == STREAM_LIVE) stream->may_read = false;
}

void stream_start_reading(struct stream *stream)
{
    if (stream->phase != STREAM_LIVE) return;
    stream->may_read = true;
    link_stir(stream->link);
}

void link_stir(struct link *link)
{
    struct stream *stream = link->stream;
    bool is_up = link->up.len || link->up_ended || link->is_reset;

    if (is_up && stream && stream->may_read && !stream->has_ended && stream->phase != STREAM_CLOSED &&
        !link->up_pump.place)
        agenda_put(&link->up_pump, delay_us(world.temper.net_us), on_up);
    if (link->client && !link->is_deaf && (link->down.len || link->down_ended) && !link->down_pump.place)
        agenda_put(&link->down_pump, delay_us(world.temper.net_us), on_down);
}

/* ---- coming ---- */

static void accept_on(struct listener *listener, struct link *link)
{
    struct stream *stream = memory_new(sizeof *stream);
    enum memory_owner before;

    stream->link = link;
    stream->loop = listener->loop;
    stream->listener = listener;
    stream->may_read = true;
    buf_init(&stream->unsent, 4 * STREAM_UNSENT_MAX);
    stream->next = listener->loop->streams;
    listener->loop->streams = stream;
    listener->streams++;
    link->stream = stream;
    before = memory_enter(MEMORY_NODE);
    listener->accept(listener->state, stream);
    memory_leave(before);
    if (!stream->user) drop(stream);
    link_stir(link);
}

static void on_arrival(struct item *item)
{
    struct link *link = HOLDER(item, struct link, arrival);
    struct listener *listener = node_listener();

    if (link->is_reset) return;
    if (!listener) {
        link->down_ended = link->is_refused = true;
        link_stir(link);
    } else if (listener->streams >= listener->streams_max || memory_refuses())
        agenda_put(&link->arrival, 100000, on_arrival); /* waits in the kernel's queue */
    else {
        trace("accepted", "link %u by loop %u", link->number, listener->loop->index);
        accept_on(listener, link);
    }
}

void stream_end_with(struct stream *stream, struct bytes last)
{
    stream_write(stream, last);
    stream_close_after_sending(stream);
}

void stream_attach(struct stream *stream, const struct stream_user *user, void *owner)
{
    stream->user = user;
    stream->owner = owner;
}

struct loop *stream_loop(const struct stream *stream)
{
    return stream->loop;
}

bool stream_is_tls(const struct stream *stream)
{
    (void)stream;
    return false;
}

void stream_peer(const struct stream *stream, char out[46])
{
    memcpy(out, stream->link->peer, 46);
}

/* ---- listeners ---- */

enum err listener_open(struct listener **out, struct loop *loop, const struct listener_options *options,
                       const char **why)
{
    struct listener *listener;

    *out = NULL;
    *why = "no memory is left";
    if (memory_refuses()) return ERR_NO_MEMORY;
    listener = memory_new(sizeof *listener);
    *listener = (struct listener){.next = loop->listeners,
                                  .loop = loop,
                                  .port = options->port ? options->port : 1,
                                  .streams_max = options->streams_max,
                                  .accept = options->accept,
                                  .state = options->state};
    loop->listeners = listener;
    *out = listener;
    return ERR_OK;
}

int listener_port(const struct listener *listener)
{
    return listener->port;
}

void listener_close(struct listener *listener)
{
    struct listener **at = &listener->loop->listeners;

    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    listener->is_closed = true;
    if (!listener->streams) memory_free(listener);
}

/* ---- the client's end ---- */

struct link *link_open(struct client *client, const char *peer)
{
    struct link *link = memory_new(sizeof *link);

    link->client = client;
    link->number = ++link_count;
    (void)snprintf(link->peer, sizeof link->peer, "%s", peer);
    buf_init(&link->up, UP_MAX);
    buf_init(&link->down, UP_MAX);
    link->room = chance(80) ? 65536 : (size_t)between(200, 4000);
    tap_init(&link->tap);
    link->next = links;
    links = link;
    agenda_put(&link->arrival, delay_us(world.temper.net_us), on_arrival);
    return link;
}

void link_send(struct link *link, struct bytes b)
{
    if (link->up_ended || link->is_reset) return;
    buf_append(&link->up, b);
    link->up_sent += b.len;
    link_stir(link);
}

void link_end(struct link *link)
{
    trace("client half-closes", "link %u", link->number);
    link->up_ended = true;
    link_stir(link);
}

void link_reset(struct link *link)
{
    trace("client resets", "link %u", link->number);
    link->is_reset = true;
    if (link->client) link->client->link = NULL;
    link->client = NULL;
    buf_reset(&link->down);
    link_stir(link);
}

void link_listen(struct link *link, bool listens)
{
    link->is_deaf = !listens;
    link_stir(link);
}

/* The kernel of a dead process still sends what it has, or resets. */
void link_lost_server(struct link *link)
{
    if (chance(50)) buf_reset(&link->down);
    link->down_ended = true;
    tap_closed(link);
    link_stir(link);
}

void links_end(void)
{
    while (links) {
        struct link *link = links;
        links = link->next;
        agenda_remove(&link->arrival);
        agenda_remove(&link->up_pump);
        agenda_remove(&link->down_pump);
        tap_release(&link->tap);
        buf_release(&link->up);
        buf_release(&link->down);
        memory_free(link);
    }
    link_count = 0;
}
