#include "engine/session.h"

#include "harness/check.h"

/* Every cell, written out once more from the words of session.h and the design, not from the table. */
enum {
    O = SESSION_OPENING,
    D = SESSION_DECIDING,
    L = SESSION_LIVE,
    A = SESSION_ASKING,
    P = SESSION_PARKED,
    C = SESSION_CLOSED
};

static const struct {
    int state, event, next, effect;
} rows[] = {
    /* no connect yet: only a connect is taken */
    {O, SESSION_CONNECT_ASKED, D, SESSION_DECIDE},
    {O, SESSION_CONNECT_GRANTED, O, SESSION_REFUSE},
    {O, SESSION_CONNECT_REFUSED, O, SESSION_REFUSE},
    {O, SESSION_CONNECT_FAILED, O, SESSION_REFUSE},
    {O, SESSION_CALL, O, SESSION_REFUSE},
    {O, SESSION_TIME_UP, C, SESSION_CLOSE_NO_CONNECT},
    {O, SESSION_SILENT, O, SESSION_REFUSE},
    {O, SESSION_REVOKED, O, SESSION_REFUSE},
    {O, SESSION_STOP, C, SESSION_CLOSE_RESTARTING},
    {O, SESSION_PEER_GONE, C, SESSION_FORGET},
    {O, SESSION_ASKS, O, SESSION_REFUSE},
    {O, SESSION_ANSWERED, O, SESSION_REFUSE},
    {O, SESSION_TAKEN, O, SESSION_REFUSE},
    {O, SESSION_FOLLOWED, O, SESSION_REFUSE},
    /* a connect is being decided: one at a time, and no call before its answer */
    {D, SESSION_CONNECT_ASKED, D, SESSION_REFUSE},
    {D, SESSION_CONNECT_GRANTED, L, SESSION_WELCOME},
    {D, SESSION_CONNECT_REFUSED, P, SESSION_TELL_REFUSAL_AND_PARK},
    {D, SESSION_CONNECT_FAILED, C, SESSION_TELL_FAILURE_AND_CLOSE},
    {D, SESSION_CALL, D, SESSION_REFUSE},
    {D, SESSION_TIME_UP, C, SESSION_CLOSE_NO_CONNECT},
    {D, SESSION_SILENT, D, SESSION_REFUSE},
    {D, SESSION_REVOKED, D, SESSION_REFUSE},
    {D, SESSION_STOP, C, SESSION_CLOSE_RESTARTING},
    {D, SESSION_PEER_GONE, C, SESSION_FORGET},
    {D, SESSION_ASKS, D, SESSION_REFUSE},
    {D, SESSION_ANSWERED, D, SESSION_REFUSE},
    {D, SESSION_TAKEN, D, SESSION_REFUSE},
    {D, SESSION_FOLLOWED, D, SESSION_REFUSE},
    /* live: calls run, a second connect is refused, the deadline ends it */
    {L, SESSION_CONNECT_ASKED, L, SESSION_REFUSE},
    {L, SESSION_CONNECT_GRANTED, L, SESSION_REFUSE},
    {L, SESSION_CONNECT_REFUSED, L, SESSION_REFUSE},
    {L, SESSION_CONNECT_FAILED, L, SESSION_REFUSE},
    {L, SESSION_CALL, L, SESSION_RUN_CALL},
    {L, SESSION_TIME_UP, C, SESSION_CLOSE_EXPIRED},
    {L, SESSION_SILENT, C, SESSION_CLOSE_SILENT},
    {L, SESSION_REVOKED, C, SESSION_CLOSE_REVOKED},
    {L, SESSION_STOP, C, SESSION_CLOSE_RESTARTING},
    {L, SESSION_PEER_GONE, C, SESSION_FORGET},
    {L, SESSION_ASKS, A, SESSION_ASK},
    {L, SESSION_TAKEN, C, SESSION_CLOSE_TAKEN},
    {L, SESSION_FOLLOWED, C, SESSION_CLOSE_FOLLOWED},
    {L, SESSION_ANSWERED, L, SESSION_REFUSE},

    {A, SESSION_ANSWERED, L, SESSION_TELL_ANSWER},
    {A, SESSION_TIME_UP, C, SESSION_CLOSE_EXPIRED},
    {A, SESSION_SILENT, A, SESSION_IGNORE},
    {A, SESSION_REVOKED, C, SESSION_CLOSE_REVOKED},
    {A, SESSION_STOP, C, SESSION_CLOSE_RESTARTING},
    {A, SESSION_PEER_GONE, C, SESSION_FORGET},
    {A, SESSION_TAKEN, C, SESSION_CLOSE_TAKEN},
    {A, SESSION_FOLLOWED, C, SESSION_CLOSE_FOLLOWED},
    {A, SESSION_CONNECT_ASKED, A, SESSION_REFUSE},
    {A, SESSION_CONNECT_GRANTED, A, SESSION_REFUSE},
    {A, SESSION_CONNECT_REFUSED, A, SESSION_REFUSE},
    {A, SESSION_CONNECT_FAILED, A, SESSION_REFUSE},
    {A, SESSION_CALL, A, SESSION_REFUSE},
    {A, SESSION_ASKS, A, SESSION_REFUSE},
    /* parked: without rights, deaf and silent; no way back to live */
    {P, SESSION_CONNECT_ASKED, P, SESSION_IGNORE},
    {P, SESSION_CONNECT_GRANTED, P, SESSION_REFUSE},
    {P, SESSION_CONNECT_REFUSED, P, SESSION_REFUSE},
    {P, SESSION_CONNECT_FAILED, P, SESSION_REFUSE},
    {P, SESSION_CALL, P, SESSION_IGNORE},
    {P, SESSION_TIME_UP, C, SESSION_CLOSE_PARKED},
    {P, SESSION_SILENT, P, SESSION_IGNORE},
    {P, SESSION_REVOKED, P, SESSION_IGNORE},
    {P, SESSION_STOP, C, SESSION_CLOSE_RESTARTING},
    {P, SESSION_PEER_GONE, C, SESSION_FORGET},
    {P, SESSION_ASKS, P, SESSION_REFUSE},
    {P, SESSION_ANSWERED, P, SESSION_REFUSE},
    {P, SESSION_TAKEN, P, SESSION_REFUSE},
    {P, SESSION_FOLLOWED, P, SESSION_REFUSE},
};

static void refuses_every_unnamed_cell(void)
{
    int event;

    for (event = 0; event < SESSION_EVENTS; event++) {
        struct session_step none = session_step(SESSION_NONE, (enum session_event)event);
        struct session_step closed = session_step(SESSION_CLOSED, (enum session_event)event);
        CHECK_NOTE("event %d", event);
        CHECK_INT(none.state, SESSION_NONE);
        CHECK_INT(none.effect, SESSION_REFUSE);
        CHECK_INT(closed.state, SESSION_CLOSED);
        CHECK_INT(closed.effect, SESSION_REFUSE);
    }
}

static void steps_as_written(void)
{
    bool seen[SESSION_STATES][SESSION_EVENTS] = {{false}};
    size_t i;
    int state, event;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct session_step step =
            session_step((enum session_state)rows[i].state, (enum session_event)rows[i].event);
        CHECK_NOTE("%s, event %d", session_state_name((enum session_state)rows[i].state), rows[i].event);
        CHECK_INT(step.state, rows[i].next);
        CHECK_INT(step.effect, rows[i].effect);
        CHECK(!seen[rows[i].state][rows[i].event]);
        seen[rows[i].state][rows[i].event] = true;
    }
    CHECK_NOTE("every cell has a row above");
    for (state = SESSION_OPENING; state < SESSION_CLOSED; state++)
        for (event = 0; event < SESSION_EVENTS; event++)
            CHECK(seen[state][event]);
}

/* The only way to rights is a granted connect that was being decided. */
static void only_a_grant_makes_a_session_live(void)
{
    int state, event;

    CHECK_NOTE("ways to live");
    for (state = 0; state < SESSION_STATES; state++)
        for (event = 0; event < SESSION_EVENTS; event++)
            if (state != SESSION_LIVE &&
                session_step((enum session_state)state, (enum session_event)event).state == SESSION_LIVE)
                CHECK((state == SESSION_DECIDING && event == SESSION_CONNECT_GRANTED) ||
                      (state == SESSION_ASKING && event == SESSION_ANSWERED));
}

static void names_states(void)
{
    static const char *const names[] = {"none", "opening", "deciding", "live", "asking", "parked", "closed"};
    int state;

    for (state = 0; state < SESSION_STATES; state++)
        CHECK(strcmp(session_state_name((enum session_state)state), names[state]) == 0);
}

int main(void)
{
    CHECK_RUN(refuses_every_unnamed_cell);
    CHECK_RUN(steps_as_written);
    CHECK_RUN(only_a_grant_makes_a_session_live);
    CHECK_RUN(names_states);
    return CHECK_END();
}
