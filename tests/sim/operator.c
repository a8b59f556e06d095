#include "sim/operator.h"

#include <string.h>

#include "engine/revoke.h"
#include "server/cut.h"
#include "sim/model.h"
#include "sim/node.h"
#include "sim/ticket.h"
#include "sim/voided.h"
#include "sim/world.h"

/* As the admin site does it (server/admin_revoke.c): the commit, then every lane, then the answer. */
static struct {
    struct store_commit commit; /* first member */
    struct mail ask;
    struct cut cut;
    struct cutoff wanted;
    uint8_t id[KEY_PUBLIC_ID_MAX];
    struct plan plan;
    struct row row;
    int64_t asked_us;
    bool is_asked;
} order;
static struct item next;

bool operator_asks_now(void)
{
    return order.is_asked;
}

bool operator_asks_for(const struct cutoff *cutoff)
{
    return order.is_asked && cutoff->of == order.wanted.of && bytes_equal(cutoff->id, order.wanted.id);
}

void operator_boot(void)
{
    memset(&order, 0, sizeof order);
}

static void everywhere(struct cut *cut)
{
    trace("operator", "is answered: everybody knows, %zu sessions closed", atomic_load(&cut->closed));
    voided_told(&cut->cutoff, order.asked_us);
    order.is_asked = false;
}

static void committed(struct mail *mail)
{
    struct node *node = node_running();
    struct cutoff cutoff;

    (void)mail;
    if (order.commit.error || !node) {
        order.is_asked = false;
        return;
    }
    if (revoke_settle(&cutoff, &order.plan, &order.row).refusal)
        world_fail("an operator's word is taken", "it was refused");
    cut_tell(node->lanes[0]->cuts, &order.cut, &cutoff, everywhere);
}

static void asked(struct mail *mail)
{
    struct node *node = node_running();

    (void)mail;
    if (!node || !node->store || node_is_stopping()) {
        order.is_asked = false;
        return;
    }
    revoke_plan(&order.plan, &order.wanted, loop_now_ms(node->lanes[0]->loop));
    order.commit = (struct store_commit){.mail = {.open = committed},
                                         .post = loop_post_to,
                                         .to = node->lanes[0]->loop,
                                         .writes = order.plan.writes,
                                         .write_count = order.plan.write_count,
                                         .rows = &order.row};
    node->store->ops->commit(node->store, &order.commit);
}

static void name(struct bytes id)
{
    memcpy(order.id, id.ptr, id.len);
    order.wanted.id = bytes_of(order.id, id.len);
}

/* Mostly what a client holds a token of; a project seldom, or there is little left to try. */
static bool choose(void)
{
    const struct token *token = model_pick_token();
    const struct lineage_known *line = token && chance(75) ? &token->line : ticket_line();
    unsigned kind = (unsigned)roll(100);
    struct uuid nobody;

    if (!line) return false;
    order.wanted = (struct cutoff){.of = CUTOFF_USER, .project = line->project};
    if (kind < 40)
        name(uuid_bytes(&line->user));
    else if (kind < 75) {
        order.wanted.of = CUTOFF_FAMILY;
        name(uuid_bytes(&line->family));
    } else if (kind < 87) {
        order.wanted.of = CUTOFF_KEY;
        name(bytes_of(line->key, line->key_len));
    } else if (kind < 93) {
        order.wanted.of = CUTOFF_PROJECT;
        name(uuid_bytes(&line->project));
    } else { /* nobody has come in through it */
        order.wanted.of = CUTOFF_RESOURCE;
        uuid_draw(&nobody, &world.dice);
        name(uuid_bytes(&nobody));
    }
    return order.wanted.id.len > 0;
}

static bool may_ask(void)
{
    return node_running() && node_is_up() && !node_is_stopping() && !order.is_asked;
}

static void ask(void)
{
    order.is_asked = true;
    order.asked_us = world.mono_us;
    order.ask.open = asked;
    trace("operator", "revokes a %s", cutoff_of_text(order.wanted.of));
    loop_post(node_running()->lanes[0]->loop, &order.ask);
}

static void on_next(struct item *item)
{
    agenda_put(item, between(0, chance(30) ? 1000000 : 40000000), on_next);
    if (may_ask() && choose()) ask();
}

void operator_meets(const struct lineage_known *line)
{
    if (!next.due || !may_ask() || !chance(5)) return;
    order.wanted = (struct cutoff){.of = chance(90) ? CUTOFF_USER : CUTOFF_PROJECT, .project = line->project};
    name(uuid_bytes(order.wanted.of == CUTOFF_USER ? &line->user : &line->project));
    ask();
}

void operator_revokes(const struct lineage_known *line)
{
    order.wanted = (struct cutoff){.of = CUTOFF_FAMILY, .project = line->project};
    name(uuid_bytes(&line->family));
    ask();
}

void operator_begin(void)
{
    next = (struct item){0};
    operator_boot();
    if (chance(60)) agenda_put(&next, between(0, 20000000), on_next);
}

void operator_end(void)
{
    agenda_remove(&next);
}
