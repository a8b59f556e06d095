/* parties.c — who the actions are done by: links, what is held back, and how bytes leave. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"
#include "sim/node.h"
#include "sim/sequence/action.h"

#define MESSAGE_MAX 262144
#define STEPS_MAX   3000 /* of one wait */

static struct party parties[PARTIES];
static struct request no_request;
static struct call no_call;

void run_for(int64_t us)
{
    int64_t until_us = world.mono_us + us;
    unsigned steps;

    for (steps = 0; steps < STEPS_MAX && world.mono_us < until_us; steps++) {
        if (!world_step()) return;
        node_crash_if_dead();
    }
}

static void run_steps(unsigned count)
{
    while (count-- && world_step())
        node_crash_if_dead();
}

const char *origin_of(uint8_t letter)
{
    switch (letter & 7) {
    case 4:
    case 5:
        return model.projects[letter & 1].origin;
    case 6:
        return "https://evil.test";
    case 7:
        return "null";
    default:
        return NULL;
    }
}

/* ---- the client's end of links ---- */

static struct party *party_of(struct client *client)
{
    return HOLDER(client, struct party, client);
}

static void let_go(struct link *link)
{
    if (link->client && link->client->link == link) link->client->link = NULL;
    link->client = NULL;
}

void client_took(struct link *link)
{
    while (link->tap.said && link->tap.said->down_end <= link->down_taken) {
        struct said *said = link->tap.said;
        link->tap.said = said->next;
        if (said->request && said->request->minted) said->request->minted->is_known = true;
        if (link->client) party_heard(party_of(link->client), said);
        memory_free(said);
    }
}

void client_lost(struct link *link)
{
    link->is_reset = true;
    let_go(link);
}

static void open_link(struct party *party, uint8_t peer, bool answers_pings)
{
    char text[46];

    (void)snprintf(text, sizeof text, "10.0.0.%u", peer & 3u);
    buf_reset(&party->rest);
    party->has_upgraded = party->is_tampering = false;
    party->answers_pings = answers_pings;
    party->client.link = link_open(&party->client, text);
}

struct link *party_link(struct party *party)
{
    if (!party->client.link) open_link(party, 0, true);
    return party->client.link->up_ended ? NULL : party->client.link;
}

void party_goes_wild(struct party *party)
{
    if (party->client.link) party->client.link->tap.is_wild = true;
}

struct request *party_ask(struct party *party, enum request_kind kind)
{
    if (party->has_upgraded) party_goes_wild(party);
    if (!party->client.link->tap.is_wild) return tap_ask(party->client.link, kind);
    memset(&no_request, 0, sizeof no_request);
    no_request.browser = -1;
    return &no_request;
}

struct call *party_call(struct party *party, enum call_kind kind)
{
    if (!party->has_upgraded) party_goes_wild(party);
    if (!party->client.link->tap.is_wild) return tap_call(party->client.link, kind);
    memset(&no_call, 0, sizeof no_call);
    return &no_call;
}

/* ---- how bytes leave ---- */

static void flush(struct party *party)
{
    if (!party->client.link) return;
    link_send(party->client.link, buf_bytes(&party->rest));
    buf_reset(&party->rest);
}

/* One byte changed, taken out, put in, or a part sent twice. */
static void change(struct buf *message, const struct action *tamper)
{
    size_t at = (size_t)(tamper->a << 8 | tamper->b) % message->len;

    switch (tamper->c & 3) {
    case 0:
        message->ptr[at] = tamper->d;
        return;
    case 1:
        memmove(message->ptr + at, message->ptr + at + 1, message->len - at - 1);
        message->len--;
        return;
    case 2:
        buf_append_byte(message, 0);
        memmove(message->ptr + at + 1, message->ptr + at, message->len - at - 1);
        message->ptr[at] = tamper->d;
        return;
    default:
        message->len = at;
        return;
    }
}

static void drip(struct link *link, struct bytes message)
{
    size_t i;

    for (i = 0; i < message.len && i < 24; i++) {
        link_send(link, bytes_part(message, i, 1));
        run_steps(2);
        if (!link->client || link->up_ended) return;
    }
    link_send(link, bytes_from(message, i));
}

static void send_parts(struct party *party, struct bytes message, uint8_t send)
{
    struct link *link = party->client.link;
    size_t cut = message.len * (send >> 3) / 32;

    switch (send & 7) {
    case 3:
    case 4:
        link_send(link, bytes_part(message, 0, cut));
        run_steps(send & 4 ? 40 : 6);
        if (link->client) link_send(link, bytes_from(message, cut));
        return;
    case 5: /* the rest comes with whatever this link does next */
        link_send(link, bytes_part(message, 0, cut));
        buf_append(&party->rest, bytes_from(message, cut));
        return;
    case 6:
        drip(link, message);
        return;
    default:
        link_send(link, message);
        return;
    }
}

/* Nobody puts another message into the middle of one. */
static void send_now(struct party *party, struct bytes message, uint8_t send)
{
    party->is_sending = true;
    send_parts(party, message, send);
    party->is_sending = false;
}

void party_send(struct party *party, struct bytes message, uint8_t send)
{
    struct buf changed;

    flush(party);
    if (!party->is_tampering) {
        send_now(party, message, send);
        return;
    }
    party->is_tampering = false;
    buf_init(&changed, MESSAGE_MAX);
    buf_append(&changed, message);
    if (changed.len) change(&changed, &party->tamper);
    send_now(party, buf_bytes(&changed), send);
    buf_release(&changed);
}

/* ---- actions of the link itself ---- */

static void act_tamper(struct party *party, const struct action *action)
{
    if (!party_link(party)) return;
    party_goes_wild(party);
    party->is_tampering = true;
    party->tamper = *action;
}

static void act_raw(struct party *party, const struct action *action)
{
    const uint8_t letters[] = {action->a, action->b, action->c, action->d};

    if (!party_link(party)) return;
    party_goes_wild(party);
    party_send(party, bytes_of(letters, sizeof letters), action->send);
}

static void act_on_link(struct party *party, const struct action *action)
{
    struct link *link = party->client.link;

    if (action->verb == VERB_OPEN && link) let_go(link); /* it vanishes without a word */
    if (action->verb == VERB_OPEN) open_link(party, action->a, action->b & 1);
    if (!link) return;
    if (action->verb == VERB_FLUSH) flush(party);
    if (action->verb == VERB_END && !link->up_ended) link_end(link);
    if (action->verb == VERB_RESET) link_reset(link);
    if (action->verb == VERB_LISTEN) link_listen(link, link->is_deaf);
}

static void act(struct party *party, const struct action *action)
{
    switch ((enum verb)action->verb) {
    case VERB_MINT:
        act_mint(party, action);
        return;
    case VERB_READ:
        act_read(party, action);
        return;
    case VERB_UPGRADE:
        act_upgrade(party, action);
        return;
    case VERB_BROKEN:
        act_broken(party, action);
        return;
    case VERB_CONNECT:
        act_connect(party, action);
        return;
    case VERB_CALL:
        act_call(party, action);
        return;
    case VERB_ENVELOPE:
        act_envelope(party, action);
        return;
    case VERB_FRAME:
        act_frame(party, action);
        return;
    case VERB_TAMPER:
        act_tamper(party, action);
        return;
    case VERB_RAW:
        act_raw(party, action);
        return;
    case VERB_OPEN:
    case VERB_FLUSH:
    case VERB_END:
    case VERB_RESET:
    case VERB_LISTEN:
        act_on_link(party, action);
        return;
    case VERB_TIME:
    case VERB_MEMORY:
    case VERB_STORE:
    case VERB_PACE:
    case VERB_KEY:
    case VERB_LIFE:
        act_on_world(action);
        return;
    case VERBS:
        return;
    }
}

const char *verb_name(uint8_t verb)
{
    static const char *const names[VERBS] = {"open",     "mint",  "read",   "upgrade", "connect", "call",
                                             "envelope", "frame", "broken", "tamper",  "raw",     "flush",
                                             "end",      "reset", "listen", "time",    "memory",  "store",
                                             "pace",     "key",   "life"};

    return names[verb];
}

void parties_act(const struct action *action)
{
    static const int64_t waits_us[] = {0, 0, 0, 1000, 20000, 300000, 3000000, 20000000};

    trace("act", "%s: party %u, a %u, b %u, c %u, d %u, send %u, wait %u", verb_name(action->verb),
          action->party, action->a, action->b, action->c, action->d, action->send, action->wait & 7);
    act(&parties[action->party], action);
    if ((action->wait & 7) == 1) run_steps(1);
    if ((action->wait & 7) == 2) run_steps(8);
    run_for(waits_us[action->wait & 7]);
}

void parties_begin(void)
{
    size_t i;

    for (i = 0; i < PARTIES; i++) {
        parties[i] = (struct party){.client.number = (unsigned)i + 1};
        buf_init(&parties[i].rest, MESSAGE_MAX);
    }
}

void parties_end(void)
{
    size_t i;

    for (i = 0; i < PARTIES; i++)
        buf_release(&parties[i].rest);
}
