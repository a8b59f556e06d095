/* call.h — one call as a table: state × event -> state, effect. A caller's session has asked for an address;
 * every reachable session of whoever is behind it rings (a leg each); the first answer wins.
 *
 *   ASKED     looking up who is behind the address, and whether the caller may reach them
 *   RINGING   at least one leg rings
 *   TALKING   one leg has answered; the others were told so
 *   OVER      nothing more happens; who asks about it is answered harmlessly
 *
 * Lanes ring one after the other, so a call rings as soon as one leg does, and legs that come later than the
 * answer are dropped. Media goes from peer to peer; the server only carries offer, answer and farewell, each
 * once. Pure: who owns timers and sessions carries out the effect. */
#ifndef COATCHECK_ENGINE_CALL_H
#define COATCHECK_ENGINE_CALL_H

#include "engine/facts.h"

enum call_state { CALL_NONE, CALL_ASKED, CALL_RINGING, CALL_TALKING, CALL_OVER, CALL_STATES };

enum call_event {
    CALL_RANG,   /* a lane has been through, or some of it, and legs of its ring now */
    CALL_NOBODY, /* every lane has, and nobody could be rung */
    CALL_LEG_ANSWERED,
    CALL_LEG_REFUSED,  /* one leg said no; others still ring */
    CALL_LEGS_REFUSED, /* the last one did */
    CALL_CALLEE_LEFT,  /* the leg that talks hung up, or its session ended */
    CALL_CALLER_LEFT,  /* hung up, or its session ended */
    CALL_TIME_UP,      /* rung long enough */
    CALL_CUT,          /* a cutoff voids what the call rests on */
    CALL_EVENTS
};

enum call_effect {
    CALL_IGNORE, /* empty cell: too late, or not for this state */
    CALL_KEEP_RINGING,
    CALL_JOIN,         /* the answer to the caller; farewell to the other legs: answered elsewhere */
    CALL_DROP_LEG,     /* the legs that the event is about are out of it: told so, unless they said it */
    CALL_TELL_CALLER,  /* farewell to the caller, with the cause */
    CALL_TELL_CALLEES, /* farewell to every leg there is */
    CALL_TELL_ALL
};

struct call_step {
    enum call_state state;
    enum call_effect effect;
};
struct call_step call_step(enum call_state state, enum call_event event);
const char *call_state_name(enum call_state state);

/* Why a call ends: Q.850 numbers and the names that softswitches give them. */
enum call_cause {
#define CAUSE_ROW(name, number) CAUSE_##name,
#include "engine/cause.def"
#undef CAUSE_ROW
    CALL_CAUSES
};
const char *call_cause_text(enum call_cause cause);
int call_cause_number(enum call_cause cause);
/* What the other side is told, if nobody said more: of an event that met the call in this state. */
enum call_cause call_cause_of(enum call_state state, enum call_event event);
/* The cause that a client named; NORMAL_CLEARING if it is none of ours. */
enum call_cause call_cause_named(struct bytes text);

#endif
