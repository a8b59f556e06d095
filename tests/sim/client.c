#include "sim/client.h"

#include <stdio.h>

#include "sim/families.h"
#include "sim/interview.h"
#include "sim/link.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/ticket.h"

#define CLIENTS_MAX 10

static struct client clients[CLIENTS_MAX];
static unsigned client_count;

static void on_think(struct item *item);

/* Mostly seconds; now and then long enough for every timeout there is. */
static int64_t thinking_us(const struct client *client)
{
    unsigned kind = (unsigned)roll(100);

    if (kind < 60) return between(0, 20000);
    if (kind < 90) return between(0, 3000000);
    if (kind < 98 || client->kind != CLIENT_CALLER) return between(0, 30000000);
    return between(0, 400) * 1000000;
}

static void connect(struct client *client)
{
    char peer[46];

    if (!node_is_up() && chance(70)) return; /* mostly they notice */
    (void)snprintf(peer, sizeof peer, "10.0.0.%u", (unsigned)roll(3));
    client->is_upgraded = false;
    client->answers_pings = chance(85);
    client->link = link_open(client, peer);
    trace("client connects", "client %u: link %u", client->number, client->link->number);
}

/* Bytes to a link that nobody holds get nowhere. */
static void let_go(struct link *link)
{
    if (link->client && link->client->link == link) link->client->link = NULL;
    link->client = NULL;
}

static void on_think(struct item *item)
{
    struct client *client = HOLDER(item, struct client, think);

    if (!client->acts_left) {
        if (!client->link) return;
        if (chance(50))
            link_reset(client->link);
        else
            let_go(client->link); /* it vanishes without a word */
        return;
    }
    client->acts_left--;
    if (!client->link) {
        buf_reset(&client->rest);
        connect(client);
    }
    if (client->link && client->kind == CLIENT_CALLER)
        caller_act(client);
    else if (client->link)
        http_act(client);
    agenda_put(&client->think, thinking_us(client), on_think);
}

void client_took(struct link *link)
{
    while (link->tap.said && link->tap.said->down_end <= link->down_taken) {
        struct said *said = link->tap.said;
        struct request *request = said->request;
        link->tap.said = said->next;
        if (request && request->minted) request->minted->is_known = true;
        if (request && request->family && (request->status == 200 || request->status == 201))
            request->family->refresh[request->generation + (request->kind == REQUEST_REFRESH)].is_known =
                true;
        if (request) interview_received(request);
        if (request && request->launched) request->launched->is_known = true;
        if (request && request->status == 101 && link->client) link->client->is_upgraded = true;
        if (link->client && link->client->kind == CLIENT_CALLER) caller_heard(link->client, said);
        memory_free(said);
    }
}

void client_lost(struct link *link)
{
    struct client *client = link->client;

    link->is_reset = true;
    let_go(link);
    if (client->acts_left) agenda_put(&client->think, thinking_us(client) / 10, on_think);
}

void clients_begin(void)
{
    unsigned i;
    bool is_talkative = chance(40); /* a world of people who call each other */

    client_count = (unsigned)between(is_talkative ? 5 : 2, CLIENTS_MAX);
    for (i = 0; i < client_count; i++) {
        struct client *client = &clients[i];
        *client = (struct client){.number = i + 1};
        /* somebody mints in every world */
        client->kind = i == 0 ? CLIENT_BACKEND : (enum client_kind)roll(CLIENT_KINDS);
        if (i && is_talkative && chance(80)) client->kind = CLIENT_CALLER;
        client->acts_left = (unsigned)between(5, 60);
        buf_init(&client->rest, 65536);
        agenda_put(&client->think, i ? between(0, 5000000) : 0, on_think);
    }
}

void clients_end(void)
{
    unsigned i;

    for (i = 0; i < client_count; i++) {
        agenda_remove(&clients[i].think);
        buf_release(&clients[i].rest);
    }
}

bool clients_are_done(void)
{
    unsigned i;

    for (i = 0; i < client_count; i++)
        if (clients[i].acts_left) return false;
    return true;
}

void clients_hurry(void)
{
    unsigned i;

    for (i = 0; i < client_count; i++)
        clients[i].acts_left = 0;
}
