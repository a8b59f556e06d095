#include "engine/call.h"

#include "harness/check.h"

/* Every cell, written out once more from the words of call.h and docs/calls.md, not from the table. */
enum { A = CALL_ASKED, R = CALL_RINGING, T = CALL_TALKING, O = CALL_OVER };

static const struct {
    int state, event, next, effect;
} rows[] = {
    /* asked: no leg yet, so none can do anything */
    {A, CALL_RANG, R, CALL_KEEP_RINGING},
    {A, CALL_NOBODY, O, CALL_TELL_CALLER},
    {A, CALL_LEG_ANSWERED, A, CALL_IGNORE},
    {A, CALL_LEG_REFUSED, A, CALL_IGNORE},
    {A, CALL_LEGS_REFUSED, A, CALL_IGNORE},
    {A, CALL_CALLEE_LEFT, A, CALL_IGNORE},
    {A, CALL_CALLER_LEFT, O, CALL_TELL_CALLEES},
    {A, CALL_TIME_UP, O, CALL_TELL_CALLER},
    {A, CALL_CUT, O, CALL_TELL_ALL},
    /* ringing: the first answer wins, the last refusal ends it */
    {R, CALL_RANG, R, CALL_KEEP_RINGING},
    {R, CALL_NOBODY, R, CALL_IGNORE},
    {R, CALL_LEG_ANSWERED, T, CALL_JOIN},
    {R, CALL_LEG_REFUSED, R, CALL_DROP_LEG},
    {R, CALL_LEGS_REFUSED, O, CALL_TELL_CALLER},
    {R, CALL_CALLEE_LEFT, R, CALL_IGNORE},
    {R, CALL_CALLER_LEFT, O, CALL_TELL_CALLEES},
    {R, CALL_TIME_UP, O, CALL_TELL_ALL},
    {R, CALL_CUT, O, CALL_TELL_ALL},
    /* talking: every other leg is too late */
    {T, CALL_RANG, T, CALL_DROP_LEG},
    {T, CALL_NOBODY, T, CALL_IGNORE},
    {T, CALL_LEG_ANSWERED, T, CALL_DROP_LEG},
    {T, CALL_LEG_REFUSED, T, CALL_IGNORE},
    {T, CALL_LEGS_REFUSED, T, CALL_IGNORE},
    {T, CALL_CALLEE_LEFT, O, CALL_TELL_CALLER},
    {T, CALL_CALLER_LEFT, O, CALL_TELL_CALLEES},
    {T, CALL_TIME_UP, O, CALL_TELL_ALL},
    {T, CALL_CUT, O, CALL_TELL_ALL},
    /* over: nobody is told twice; a leg that comes late is told once */
    {O, CALL_RANG, O, CALL_DROP_LEG},
    {O, CALL_NOBODY, O, CALL_IGNORE},
    {O, CALL_LEG_ANSWERED, O, CALL_DROP_LEG},
    {O, CALL_LEG_REFUSED, O, CALL_IGNORE},
    {O, CALL_LEGS_REFUSED, O, CALL_IGNORE},
    {O, CALL_CALLEE_LEFT, O, CALL_IGNORE},
    {O, CALL_CALLER_LEFT, O, CALL_IGNORE},
    {O, CALL_TIME_UP, O, CALL_IGNORE},
    {O, CALL_CUT, O, CALL_IGNORE},
};

static void ignores_everything_before_it_is_asked(void)
{
    int event;

    for (event = 0; event < CALL_EVENTS; event++) {
        struct call_step step = call_step(CALL_NONE, (enum call_event)event);
        CHECK_NOTE("event %d", event);
        CHECK_INT(step.state, CALL_NONE);
        CHECK_INT(step.effect, CALL_IGNORE);
    }
}

static void steps_as_written(void)
{
    bool seen[CALL_STATES][CALL_EVENTS] = {{false}};
    size_t i;
    int state, event;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct call_step step = call_step((enum call_state)rows[i].state, (enum call_event)rows[i].event);
        CHECK_NOTE("%s, event %d", call_state_name((enum call_state)rows[i].state), rows[i].event);
        CHECK_INT(step.state, rows[i].next);
        CHECK_INT(step.effect, rows[i].effect);
        CHECK(!seen[rows[i].state][rows[i].event]);
        seen[rows[i].state][rows[i].event] = true;
    }
    CHECK_NOTE("every cell has a row above");
    for (state = CALL_ASKED; state < CALL_STATES; state++)
        for (event = 0; event < CALL_EVENTS; event++)
            CHECK(seen[state][event]);
}

/* Two never talk to one caller, and who is out stays out. */
static void has_one_way_to_talk_and_none_back(void)
{
    int state, event;

    CHECK_NOTE("ways");
    for (state = 0; state < CALL_STATES; state++)
        for (event = 0; event < CALL_EVENTS; event++) {
            struct call_step step = call_step((enum call_state)state, (enum call_event)event);
            if (step.effect == CALL_JOIN || (step.state == CALL_TALKING && state != CALL_TALKING))
                CHECK(state == CALL_RINGING && event == CALL_LEG_ANSWERED);
            CHECK((int)step.state >= state);
        }
}

static void tells_causes(void)
{
    static const struct {
        int state, event;
        const char *text;
        int number;
    } cases[] = {
        {A, CALL_NOBODY, "USER_NOT_REGISTERED", 20},
        {A, CALL_CALLER_LEFT, "ORIGINATOR_CANCEL", 487},
        {R, CALL_CALLER_LEFT, "ORIGINATOR_CANCEL", 487},
        {T, CALL_CALLER_LEFT, "NORMAL_CLEARING", 16},
        {T, CALL_CALLEE_LEFT, "NORMAL_CLEARING", 16},
        {R, CALL_LEGS_REFUSED, "USER_BUSY", 17},
        {R, CALL_LEG_REFUSED, "USER_BUSY", 17},
        {R, CALL_LEG_ANSWERED, "ANSWERED_ELSEWHERE", 200},
        {T, CALL_RANG, "ANSWERED_ELSEWHERE", 200},
        {A, CALL_TIME_UP, "NO_ANSWER", 19},
        {R, CALL_TIME_UP, "NO_ANSWER", 19},
        {T, CALL_TIME_UP, "NORMAL_CLEARING", 16},
        {T, CALL_CUT, "CALL_REJECTED", 21},
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum call_cause cause =
            call_cause_of((enum call_state)cases[i].state, (enum call_event)cases[i].event);
        CHECK_NOTE("%s, event %d", call_state_name((enum call_state)cases[i].state), cases[i].event);
        CHECK(strcmp(call_cause_text(cause), cases[i].text) == 0);
        CHECK_INT(call_cause_number(cause), cases[i].number);
    }
}

static void reads_causes(void)
{
    static const struct {
        struct bytes text;
        enum call_cause cause;
    } cases[] = {
        {BYTES("user_busy"), CAUSE_NORMAL_CLEARING},   {BYTES("USER_BUSY "), CAUSE_NORMAL_CLEARING},
        {BYTES("USER_BUSY\0"), CAUSE_NORMAL_CLEARING}, {BYTES(""), CAUSE_NORMAL_CLEARING},
        {BYTES("USER_BUSY"), CAUSE_USER_BUSY},         {BYTES("NO_ANSWER"), CAUSE_NO_ANSWER},
        {BYTES("MEDIA_TIMEOUT"), CAUSE_MEDIA_TIMEOUT}, {BYTES("NORMAL_CLEARING"), CAUSE_NORMAL_CLEARING},
    };
    size_t i;
    int cause;

    CHECK_INT(call_cause_named(BYTES_NONE), CAUSE_NORMAL_CLEARING);
    CHECK_INT(call_cause_number(CAUSE_MEDIA_TIMEOUT), 604);
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_NOTE("case %zu", i);
        CHECK_INT(call_cause_named(cases[i].text), cases[i].cause);
    }
    for (cause = 0; cause < CALL_CAUSES; cause++)
        CHECK_INT(call_cause_named(bytes_of_text(call_cause_text((enum call_cause)cause))), cause);
}

static void names_states(void)
{
    static const char *const names[] = {"none", "asked", "ringing", "talking", "over"};
    int state;

    for (state = 0; state < CALL_STATES; state++)
        CHECK(strcmp(call_state_name((enum call_state)state), names[state]) == 0);
}

int main(void)
{
    CHECK_RUN(ignores_everything_before_it_is_asked);
    CHECK_RUN(steps_as_written);
    CHECK_RUN(has_one_way_to_talk_and_none_back);
    CHECK_RUN(tells_causes);
    CHECK_RUN(reads_causes);
    CHECK_RUN(names_states);
    return CHECK_END();
}
