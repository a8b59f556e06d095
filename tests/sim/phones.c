#include "sim/phones.h"

#include <stdio.h>
#include <string.h>

#include "sim/link.h"
#include "sim/node.h"
#include "sim/times.h"
#include "wire/rpc.h"

#define LEGS_MAX 4096
#define UNKNOWN  (-32004)
#define TOO_MANY (-32005)

struct sim_leg {
    char name[LEG_NAME_MAX];
    unsigned dial; /* number of it; 0: not known */
    bool is_dialled, was_answered;
    unsigned ended, answers_sent;
};

static struct {
    struct sim_leg legs[LEGS_MAX];
    size_t count;
    struct sim_dial {
        unsigned project, link;
        const char *reference; /* whose address begins so; NULL: nobody's */
    } dials[LEGS_MAX];
    unsigned dialled;
} phones;

void phones_begin(void)
{
    phones.count = phones.dialled = 0;
}

static struct sim_leg *leg_named(struct bytes name)
{
    size_t i;

    for (i = phones.count; i; i--)
        if (bytes_equal(name, bytes_of_text(phones.legs[i - 1].name))) return &phones.legs[i - 1];
    return NULL;
}

static struct sim_leg *leg_add(struct bytes name)
{
    struct sim_leg *leg;

    if (phones.count == LEGS_MAX || name.len >= LEG_NAME_MAX) return NULL;
    leg = &phones.legs[phones.count++];
    *leg = (struct sim_leg){0};
    memcpy(leg->name, name.ptr, name.len);
    return leg;
}

unsigned phones_dial(char name[LEG_NAME_MAX], const struct link *link, const char *reference)
{
    struct sim_leg *leg;

    if (phones.dialled + 1 == LEGS_MAX) return 0;
    (void)snprintf(name, LEG_NAME_MAX, "leg-%u", phones.dialled + 1);
    leg = leg_add(bytes_of_text(name));
    if (!leg) return 0;
    leg->is_dialled = true;
    leg->dial = ++phones.dialled;
    phones.dials[leg->dial] =
        (struct sim_dial){.project = link->tap.token ? link->tap.token->project : PROJECTS,
                          .link = link->number,
                          .reference = reference};
    return leg->dial;
}

unsigned phones_answer(const char *name)
{
    struct sim_leg *leg = leg_named(bytes_of_text(name));

    if (leg) leg->answers_sent++;
    return leg ? leg->dial : 0;
}

unsigned phones_joined(void)
{
    unsigned count = 0;
    size_t i;

    for (i = 0; i < phones.count; i++)
        count += phones.legs[i].was_answered;
    return count;
}

/* ---- what they are told ---- */

/* The number in the s= line of an SDP; 0: none that is known. */
static unsigned dial_of(struct bytes sdp)
{
    uint64_t number;
    size_t at;

    for (at = 0; at + 2 < sdp.len; at++)
        if (sdp.ptr[at] == 's' && sdp.ptr[at + 1] == '=') break;
    sdp = bytes_from(sdp, at + 2);
    if (!bytes_to_u64(&number, bytes_part(sdp, 0, bytes_index(sdp, '\r')), LEGS_MAX - 1)) return 0;
    return number <= phones.dialled ? (unsigned)number : 0;
}

static bool is_whose(const struct link *link, const struct sim_dial *dial)
{
    const struct token *token = link->tap.token;
    const char *reference;

    if (!token || token->user >= REFERENCES || dial->project == PROJECTS) return true; /* nobody knows */
    reference = model.users[token->project][token->user].reference;
    return token->project == dial->project && dial->reference &&
           !strncmp(reference, dial->reference, strlen(dial->reference));
}

static void heard_ring(struct link *link, struct bytes name, struct bytes sdp)
{
    struct sim_leg *leg;
    struct said said = {.kind = SAID_RING};

    if (leg_named(name)) world_fail("each leg has a name of its own", "link %u", link->number);
    if (!link->tap.is_registered && !link->tap.is_wild)
        world_fail("only who is registered rings", "link %u", link->number);
    leg = leg_add(name);
    if (!leg) return;
    leg->dial = dial_of(sdp);
    if (leg->dial && phones.dials[leg->dial].link == link->number)
        world_fail("nobody rings oneself", "link %u, dial %u", link->number, leg->dial);
    if (leg->dial && !is_whose(link, &phones.dials[leg->dial]))
        world_fail("whoever is dialled rings", "link %u, dial %u", link->number, leg->dial);
    (void)snprintf(said.id, sizeof said.id, "%s", leg->name);
    trace("rings", "link %u: dial %u", link->number, leg->dial);
    tap_say(link, said);
}

static void heard_answer(const struct link *link, struct bytes name, struct bytes sdp)
{
    struct sim_leg *leg = leg_named(name);

    if (!leg) return; /* of a client that is not followed */
    if (!leg->is_dialled) world_fail("who dialled hears the answer", "link %u", link->number);
    if (leg->was_answered) world_fail("the first answer wins", "link %u: %s", link->number, leg->name);
    if (leg->ended) world_fail("a call that is over is over", "link %u: %s", link->number, leg->name);
    if (dial_of(sdp) != leg->dial && !link->tap.is_wild)
        world_fail("an answer is for its own call", "link %u: %s", link->number, leg->name);
    leg->was_answered = true;
}

/* Once; and once more for each answer that came too late. */
static void heard_end(const struct link *link, struct bytes name)
{
    struct sim_leg *leg = leg_named(name);

    if (leg && ++leg->ended > 1 + leg->answers_sent)
        world_fail("a farewell is said once", "link %u: %s", link->number, leg->name);
}

void phones_event(struct link *link, struct json event)
{
    struct json message = json_member(event, "params"), params = json_member(message, "params");
    struct bytes method = json_text(json_member(message, "method")),
                 name = json_text(json_member(params, "callID"));
    struct bytes sdp = json_text(json_member(params, "sdp"));

    if (!bytes_equal(json_text(json_member(event, "event_type")), BYTES("webrtc.message"))) return;
    if (bytes_equal(method, BYTES("verto.invite")))
        heard_ring(link, name, sdp);
    else if (bytes_equal(method, BYTES("verto.answer")))
        heard_answer(link, name, sdp);
    else if (bytes_equal(method, BYTES("verto.bye")))
        heard_end(link, name);
    else
        world_fail("a client is told of rings, answers and farewells", "link %u", link->number);
}

void phones_dialled(const struct link *link, const struct call *call, int code)
{
    bool is_live = link->tap.session == TAP_LIVE;

    if (code == RPC_INTERNAL) {
        if (world.trouble == call->trouble && !times_was_stepped(call->delivered_us) && !node_is_stopping())
            world_fail("we fail only when something failed", "link %u: %s", link->number, call->id);
        return;
    }
    if (code == RPC_UNAUTHENTICATED
            ? is_live
            : code && code != UNKNOWN && code != TOO_MANY && code != RPC_INVALID_REQUEST)
        world_fail("a dial is created or refused", "link %u: %s got %d", link->number, call->id, code);
}
