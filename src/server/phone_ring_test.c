/* A user has hundreds of sessions in one lane: how many of them a turn looks at and invites, and what may
 * befall the call between two turns. A turn is one drain of a loop that has no thread. */
#include "server/phone_inside.h"

#include "harness/check.h"

#include <stdlib.h>
#include <string.h>

#define SESSIONS  1700
#define TURNS_MAX 1000

static int64_t read_ms(void *state)
{
    (void)state;
    return 1795000000000;
}

static struct dice_seeded seeded;
static unsigned names_drawn; /* two for an invitation: of the leg, and of the event that tells of it */

static void draw(void *source, uint8_t *out, size_t len)
{
    struct dice dice = dice_from_seed(source, seeded.state + 1);

    if (len == sizeof(struct uuid)) names_drawn++;
    dice_fill(&dice, out, len);
}

static struct config config;
static const struct host host = {read_ms, read_ms, read_ms, {draw, &seeded}, NULL};
static const struct uuid project = {{1}}, callee = {{2}};

/* ---- a node of two lanes, with sessions of one user ---- */

static struct node node;
static struct session *sessions[SESSIONS];
static struct call *call;

static void open_node(void)
{
    unsigned i;

    config_defaults(&config);
    node = (struct node){.config = &config, .host = &host, .id = BYTES("node"), .lane_count = 2};
    clock_start(&node.clock, &host, 0);
    for (i = 0; i < node.lane_count; i++)
        CHECK_INT(lane_new(&node.lanes[i], &node, i), ERR_OK);
}

static void add_session(unsigned number, struct lane *lane, bool is_registered)
{
    struct session *session = calloc(1, sizeof *session);

    CHECK(session != NULL);
    if (!session) return;
    session->lane = lane;
    (void)snprintf(session->name, sizeof session->name, "%08u", number);
    session->holder.project = project;
    session->holder.user = callee;
    session->is_registered = is_registered;
    buf_init(&session->kept, SESSION_KEPT_MAX);
    session_index_put(&lane->index, &session->links, &session->holder);
    sessions[number] = session;
}

static void free_session(unsigned number)
{
    struct session *session = sessions[number];

    if (!session) return;
    phone_session_ended(session);
    session_index_take(&session->lane->index, &session->links);
    buf_release(&session->kept);
    free(session);
    sessions[number] = NULL;
}

static void close_node(void)
{
    unsigned i;

    node.has_ended = true; /* what legs are left say nothing any more */
    for (i = 0; i < SESSIONS; i++)
        free_session(i);
    for (i = 0; i < node.lane_count; i++)
        lane_free(node.lanes[i]);
}

/* Its caller is on lane 0 and has heard already whatever it will. */
static void dial(void)
{
    struct dial *dial = calloc(1, sizeof *dial + node.lane_count * sizeof dial->letters[0]);

    call = calloc(1, sizeof *call);
    CHECK(call && dial);
    if (!call || !dial) abort();
    call->home = node.lanes[0];
    call->state = CALL_ASKED;
    call->dial = dial;
    call->caller = calloc(1, sizeof *call->caller);
    if (!call->caller) abort();
    call->caller->call = call;
    call->caller->is_told = true;
    dial->call = call;
    arena_init(&dial->arena, 1024);
    buf_init(&dial->offer, 4096);
    buf_append(&dial->offer, BYTES("v=0\r\n"));
    dial->run.outcome.holder.project = project;
    dial->run.outcome.dialled.callee = callee;
    node.lanes[0]->calls = call;
    node.calls = 1;
    names_drawn = 0;
    ring_begin(dial);
}

static unsigned invitations(void)
{
    return names_drawn / 2;
}

static unsigned ringing(void)
{
    unsigned i, n = 0;

    for (i = 0; i < SESSIONS; i++)
        n += sessions[i] && sessions[i]->legs;
    return n;
}

static unsigned known_at_home(void)
{
    const struct end *end;
    unsigned n = 0;

    for (end = call->callees; end; end = end->next)
        n++;
    return n;
}

/* How many stand before the walk, in its chain. */
static unsigned looked_at(const struct ring_letter *letter)
{
    const struct lane *lane = letter->lane;
    const struct index_link *link;
    unsigned n;
    size_t i;

    for (i = 0; i < lane->index.bucket_count; i++)
        for (link = lane->index.buckets[i], n = 0; link; link = link->next, n++)
            if (link == &letter->walk.place) return n;
    return 0;
}

static bool is_walking(const struct ring_letter *letter)
{
    return letter->walk.place.at != NULL;
}

/* One turn of each lane, home last: before it, every leg there is must be on its way to its call. True: the
 * call rings no further. */
static bool turn(void)
{
    unsigned before = invitations(), looked[2] = {0, 0}, i;

    for (i = 0; i < 2; i++)
        if (is_walking(&call->dial->letters[i])) looked[i] = looked_at(&call->dial->letters[i]);
    loop_drain(node.lanes[1]->loop);
    loop_drain(node.lanes[0]->loop);
    CHECK(invitations() - before <= 2 * CALL_LEGS_MAX);
    for (i = 0; call->dial && i < 2; i++)
        if (is_walking(&call->dial->letters[i]))
            CHECK(looked_at(&call->dial->letters[i]) - looked[i] <= SESSIONS_PER_TURN);
    return !call->dial;
}

static unsigned turns(void)
{
    unsigned n = 1;

    while (!turn() && n < TURNS_MAX)
        n++;
    CHECK(n < TURNS_MAX);
    return n;
}

/* All legs leave, and with the last of them the call. */
static void hang_up(void)
{
    unsigned i;

    call->caller->is_gone = true;
    for (i = 0; i < SESSIONS; i++)
        if (sessions[i]) phone_session_ended(sessions[i]);
    if (call->state != CALL_OVER && !call->callees) call->state = CALL_OVER;
    for (i = 0; i < 4; i++) {
        loop_drain(node.lanes[1]->loop);
        loop_drain(node.lanes[0]->loop);
    }
}

/* ---- what is asked of it ---- */

/* None of them wants to be called but the one that is met last. */
static void rings_the_last_of_many(void)
{
    unsigned i;

    open_node();
    for (i = 0; i < SESSIONS; i++)
        add_session(i, node.lanes[1], !i);
    dial();
    CHECK(turns() >= SESSIONS / SESSIONS_PER_TURN + 1);
    CHECK_INT(invitations(), 1);
    CHECK(sessions[0]->legs != NULL);
    CHECK_INT(call->state, CALL_RINGING);
    close_node();
}

/* All of them ring who may; those that have no room for another call were asked a few a turn. */
static void invites_a_few_in_a_turn(void)
{
    unsigned i;

    open_node();
    for (i = 0; i < 400; i++) {
        add_session(i, node.lanes[i % 2], true);
        if (i >= 10) sessions[i]->kept.len = SESSION_KEPT_MAX - 100; /* full, as far as one can tell */
    }
    dial();
    CHECK(turns() >= 390 / 2 / CALL_LEGS_MAX);
    CHECK_INT(ringing(), 10);
    CHECK_INT(invitations(), 400);
    CHECK(call->is_busy);
    close_node();
}

static void ends_with_the_last_leg_that_a_call_may_have(void)
{
    unsigned i;

    open_node();
    for (i = 0; i < SESSIONS; i++)
        add_session(i, node.lanes[1], true);
    dial();
    CHECK(turns() <= 3);
    CHECK_INT(ringing(), CALL_LEGS_MAX);
    CHECK_INT(invitations(), CALL_LEGS_MAX);
    CHECK_INT(known_at_home(), CALL_LEGS_MAX);
    close_node();
}

/* Those that ring in a slice are known at home before any of them can speak. */
static void home_knows_each_slice_at_once(void)
{
    unsigned i, n = 0;

    open_node();
    for (i = 0; i < SESSIONS; i++)
        add_session(i, node.lanes[1], i % 300 == 7);
    dial();
    while (!turn() && n++ < TURNS_MAX)
        CHECK_INT(known_at_home(), ringing());
    CHECK_INT(ringing(), 6);
    CHECK(n > 2);
    close_node();
}

/* A call that is over rings nobody else, and its walk ends. */
static void leaves_off(enum call_state state)
{
    unsigned i;

    open_node();
    for (i = 0; i < SESSIONS; i++)
        add_session(i, node.lanes[1], i % 300 == 7);
    dial();
    CHECK(!turn());
    i = ringing();
    CHECK(i && is_walking(&call->dial->letters[1]));
    call->state = state;
    CHECK(turns() <= 3);
    CHECK(ringing() <= i + 2); /* a slice may have been on its way */
    if (ringing() > i) CHECK(call->callees->is_told);
    CHECK_INT(known_at_home(), ringing());
    close_node();
}

static void leaves_off_when_one_has_answered(void)
{
    leaves_off(CALL_TALKING);
}

static void leaves_off_when_it_is_over(void)
{
    leaves_off(CALL_OVER);
}

static void leaves_off_in_a_lane_that_stops(void)
{
    open_node();
    for (unsigned i = 0; i < SESSIONS; i++)
        add_session(i, node.lanes[1], i < 3);
    dial();
    CHECK(!turn());
    node.lanes[1]->is_stopping = true;
    CHECK(turns() <= 3);
    CHECK_INT(ringing(), 0);
    CHECK_INT(call->state, CALL_OVER);
    close_node();
}

/* Between two slices sessions end, and new ones come. */
static void sessions_come_and_go_meanwhile(void)
{
    unsigned i, gone = SESSIONS - 1, came = 1000;

    open_node();
    for (i = 0; i < came; i++)
        add_session(i, node.lanes[1], i == 3);
    for (i = gone - 200; i <= gone; i++)
        add_session(i, node.lanes[1], false);
    dial();
    while (!turn() && gone > 1300)
        for (i = 0; i < 90; i++) {
            free_session(gone--);
            if (came < 1400) add_session(came++, node.lanes[1], false);
        }
    CHECK(sessions[3]->legs && !sessions[3]->legs->next);
    hang_up();
    CHECK(!node.lanes[0]->calls);
    close_node();
}

/* As a fetch does it. */
static void move(struct session *session, struct lane *to)
{
    session_index_take(&session->lane->index, &session->links);
    session->lane = to;
    session_index_put(&to->index, &session->links, &session->holder);
    node.journeys++;
}

/* Rung on one lane, and met again on the next, which comes to it later. */
static void one_that_moves_rings_once(void)
{
    struct session *session;

    open_node();
    add_session(0, node.lanes[0], true);
    session = sessions[0];
    dial();
    loop_drain(node.lanes[0]->loop);
    CHECK_INT(ringing(), 1);
    move(session, node.lanes[1]);
    (void)turns();
    CHECK(session->legs && !session->legs->next);
    CHECK_INT(known_at_home(), 1);
    close_node();
}

/* From a lane that the call has not come to yet to one where it has been. */
static void one_that_passes_its_call_rings(void)
{
    open_node();
    add_session(0, node.lanes[1], true);
    dial();
    loop_drain(node.lanes[0]->loop);
    move(sessions[0], node.lanes[0]);
    (void)turns();
    CHECK_INT(ringing(), 1);
    CHECK_INT(call->state, CALL_RINGING);
    close_node();
}

/* Always away from where the call looks next: it looks a few times, and no more. */
static void one_that_keeps_passing_does_not_keep_it(void)
{
    unsigned i;

    open_node();
    add_session(0, node.lanes[1], true);
    dial();
    for (i = 0; i < TURNS_MAX && call->dial; i++) {
        loop_drain(node.lanes[0]->loop);
        move(sessions[0], node.lanes[0]);
        loop_drain(node.lanes[1]->loop);
        move(sessions[0], node.lanes[1]);
    }
    CHECK(i < 10);
    CHECK_INT(ringing(), 0);
    CHECK_INT(call->state, CALL_OVER);
    close_node();
}

int main(void)
{
    CHECK_RUN(rings_the_last_of_many);
    CHECK_RUN(invites_a_few_in_a_turn);
    CHECK_RUN(ends_with_the_last_leg_that_a_call_may_have);
    CHECK_RUN(home_knows_each_slice_at_once);
    CHECK_RUN(leaves_off_when_one_has_answered);
    CHECK_RUN(leaves_off_when_it_is_over);
    CHECK_RUN(leaves_off_in_a_lane_that_stops);
    CHECK_RUN(sessions_come_and_go_meanwhile);
    CHECK_RUN(one_that_moves_rings_once);
    CHECK_RUN(one_that_passes_its_call_rings);
    CHECK_RUN(one_that_keeps_passing_does_not_keep_it);
    return CHECK_END();
}
