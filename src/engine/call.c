#include "engine/call.h"

/* An empty cell ignores the event, and the state stays. */
static const struct call_step steps[CALL_STATES][CALL_EVENTS] = {
    /* state      event               ->  state         effect */
    [CALL_ASKED][CALL_RANG] = {CALL_RINGING, CALL_KEEP_RINGING},
    [CALL_ASKED][CALL_NOBODY] = {CALL_OVER, CALL_TELL_CALLER},
    [CALL_ASKED][CALL_CALLER_LEFT] = {CALL_OVER, CALL_TELL_CALLEES},
    [CALL_ASKED][CALL_TIME_UP] = {CALL_OVER, CALL_TELL_CALLER},
    [CALL_ASKED][CALL_CUT] = {CALL_OVER, CALL_TELL_ALL},

    [CALL_RINGING][CALL_RANG] = {CALL_RINGING, CALL_KEEP_RINGING},
    [CALL_RINGING][CALL_LEG_ANSWERED] = {CALL_TALKING, CALL_JOIN},
    [CALL_RINGING][CALL_LEG_REFUSED] = {CALL_RINGING, CALL_DROP_LEG},
    [CALL_RINGING][CALL_LEGS_REFUSED] = {CALL_OVER, CALL_TELL_CALLER},
    [CALL_RINGING][CALL_CALLER_LEFT] = {CALL_OVER, CALL_TELL_CALLEES},
    [CALL_RINGING][CALL_TIME_UP] = {CALL_OVER, CALL_TELL_ALL},
    [CALL_RINGING][CALL_CUT] = {CALL_OVER, CALL_TELL_ALL},

    /* the first answer has won: whoever rings or answers now is too late */
    [CALL_TALKING][CALL_RANG] = {CALL_TALKING, CALL_DROP_LEG},
    [CALL_TALKING][CALL_LEG_ANSWERED] = {CALL_TALKING, CALL_DROP_LEG},
    [CALL_TALKING][CALL_CALLEE_LEFT] = {CALL_OVER, CALL_TELL_CALLER},
    [CALL_TALKING][CALL_CALLER_LEFT] = {CALL_OVER, CALL_TELL_CALLEES},
    [CALL_TALKING][CALL_TIME_UP] = {CALL_OVER, CALL_TELL_ALL},
    [CALL_TALKING][CALL_CUT] = {CALL_OVER, CALL_TELL_ALL},

    [CALL_OVER][CALL_RANG] = {CALL_OVER, CALL_DROP_LEG},
    [CALL_OVER][CALL_LEG_ANSWERED] = {CALL_OVER, CALL_DROP_LEG},
};

struct call_step call_step(enum call_state state, enum call_event event)
{
    struct call_step step = steps[state][event];

    if (step.effect == CALL_IGNORE) step.state = state;
    return step;
}

const char *call_state_name(enum call_state state)
{
    static const char *const names[CALL_STATES] = {"none", "asked", "ringing", "talking", "over"};

    return names[state];
}

static const struct {
    const char *text;
    int number;
} causes[CALL_CAUSES] = {
#define CAUSE_ROW(name, number) [CAUSE_##name] = {#name, number},
#include "engine/cause.def"
#undef CAUSE_ROW
};

const char *call_cause_text(enum call_cause cause)
{
    return causes[cause].text;
}

int call_cause_number(enum call_cause cause)
{
    return causes[cause].number;
}

enum call_cause call_cause_of(enum call_state state, enum call_event event)
{
    switch (event) {
    case CALL_NOBODY:
        return CAUSE_USER_NOT_REGISTERED;
    case CALL_RANG:
    case CALL_LEG_ANSWERED: /* what a leg is told that came too late */
        return CAUSE_ANSWERED_ELSEWHERE;
    case CALL_LEG_REFUSED:
    case CALL_LEGS_REFUSED:
        return CAUSE_USER_BUSY;
    case CALL_CALLER_LEFT:
        return state == CALL_TALKING ? CAUSE_NORMAL_CLEARING : CAUSE_ORIGINATOR_CANCEL;
    case CALL_TIME_UP:
        return state == CALL_TALKING ? CAUSE_NORMAL_CLEARING : CAUSE_NO_ANSWER;
    case CALL_CUT:
        return CAUSE_CALL_REJECTED;
    case CALL_CALLEE_LEFT:
    case CALL_EVENTS:
        break;
    }
    return CAUSE_NORMAL_CLEARING;
}

enum call_cause call_cause_named(struct bytes text)
{
    enum call_cause cause;

    for (cause = 0; cause < CALL_CAUSES; cause++)
        if (bytes_equal(text, bytes_of_text(causes[cause].text))) return cause;
    return CAUSE_NORMAL_CLEARING;
}
