/* refresh.pml — the refresh table (src/engine/rotate.c) between two lanes, an owner who loses answers, a thief, and
 * crashes: every order of their steps. Names are the code's. refresh_test.sh runs it, bound and unbound.
 *
 * What is left out: expiry, users, and a store that was put back (both refuse before or beside the table). A token is
 * its generation; its identity is the row's rotated_ms, here a counter, because a successor is a function of the row. */
#ifndef LAST
#define LAST    3 /* generations that are looked at */
#endif
#ifndef RETRIES
#define RETRIES 2 /* of the owner's asks that may be under way at once */
#endif
#ifndef ASKS
#define ASKS    1 /* of the thief */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define NOBODY  0
#define OWNER   1
#define THIEF   2

mtype:met = { MET_NONE, MET_LIVE, MET_DEAD };
mtype:turn = { ROTATE, AGAIN, EXPIRED, REUSED, STATE_LOST, ROLLED_BACK, DEAD };

typedef family {
    mtype:met met;
    byte generation, rotated_ms, holder; /* holder: whose key, of the last rotation */
    bool in_grace, succ_is_ahead
};

family row;          /* durable */
bool has_cutoff;     /* durable too, by the same commit as the dead row */
bool knows[2];       /* a lane's own copy of it */
byte life;           /* of the process: a crash ends all that is under way */
byte clock;          /* counts rotations */

chan ask = [2] of { byte, byte };         /* who, presented generation */
chan answer = [2] of { byte, byte, byte };/* who, presented, generation granted (0: refused) */

byte held;           /* by the owner */
byte under_way;      /* asks of the owner's that no lane has finished */

/* what the laws remember */
byte given[LAST + 2];     /* rotated_ms of each generation that was ever granted */
byte rotated_by[LAST + 2];
bool thief_acted, kill_answered, was_late;

#ifdef BOUND
#define is_bound(who) (who == OWNER) /* only its browser can prove the key */
#else
#define is_bound(who) false
#endif

/* The table, row by row. */
inline turn_at(who, presented, taken)
{
    if
    :: row.met == MET_NONE && presented == 0 -> taken = ROTATE
    :: row.met == MET_NONE && presented > 0 -> taken = STATE_LOST
    :: row.met == MET_LIVE && presented == row.generation -> taken = ROTATE
    :: row.met == MET_LIVE && presented + 1 == row.generation ->
        if
        :: row.holder == who && row.in_grace -> taken = AGAIN /* SAME_IN_GRACE */
        :: else ->
            if
            :: is_bound(who) && row.succ_is_ahead -> taken = AGAIN /* BOUND_AHEAD */
            :: is_bound(who) && !row.succ_is_ahead -> taken = EXPIRED /* BOUND_PASSED */
            :: else -> taken = REUSED
            fi
        fi
    :: row.met == MET_LIVE && presented + 1 < row.generation -> taken = REUSED
    :: row.met == MET_LIVE && presented > row.generation -> taken = ROLLED_BACK
    :: row.met == MET_DEAD -> taken = DEAD
    fi
}

/* WRITE_FAMILY: a compare-and-set that gives the row back; the rotation is the only write that grants. */
inline commit_rotation(who, presented, taken)
{
    atomic {
        turn_at(who, presented, taken);
        if
        :: taken == ROTATE ->
            clock++;
            row.met = MET_LIVE;
            row.generation = presented + 1;
            row.rotated_ms = clock;
            row.holder = who;
            row.in_grace = true;
            row.succ_is_ahead = true;
            rotated_by[presented + 1] = who
        :: else
        fi;
        granted = row.rotated_ms /* as it stands in the row that came back */
    }
}

inline refuse(who, presented)
{
    atomic {
        /* no false logout: whoever was refused has been robbed, or came later than the grace time */
        assert(who == THIEF || thief_acted || was_late);
        if
        :: nfull(answer) -> answer!who, presented, 0
        :: full(answer) /* nobody listens any more */
        fi
    }
}

/* Too late for an owner who has not had the answer to the last rotation yet. */
inline note_late(is_too_late)
{
    was_late = was_late || (is_too_late && row.met == MET_LIVE && row.generation == held + 1)
}

inline sign(who, presented)
{
    atomic {
        if
        :: knows[me] -> refuse(who, presented)
        :: else ->
            assert(!kill_answered);                  /* nothing after the revocation was told */
            assert(row.generation >= presented + 1); /* acknowledged is durable */
            assert(given[presented + 1] == 0 || given[presented + 1] == granted); /* one successor */
            /* a stolen token that was used by another key is never renewed for the one it was stolen from */
            assert(is_bound(who) || rotated_by[presented + 1] == who);
            given[presented + 1] = granted;
            if
            :: nfull(answer) -> answer!who, presented, presented + 1
            :: full(answer)
            fi
        fi
    }
}

proctype lane(byte me)
{
    byte who, presented, granted, mine;
    mtype:turn taken;

end_idle:
    atomic { ask?who, presented; mine = life };
    if /* rotate_check: cutoffs before the row */
    :: knows[me] -> refuse(who, presented); goto done
    :: else
    fi;
    atomic { if :: mine != life -> goto end_idle :: else fi; commit_rotation(who, presented, taken) };
    if
    :: taken == ROTATE || taken == AGAIN -> atomic { if :: mine != life -> goto end_idle :: else fi; sign(who, presented) }
    :: taken == REUSED ->
        /* plan_further: one commit, FAMILY_ANY_GENERATION */
        atomic { if :: mine != life -> goto end_idle :: else fi; row.met = MET_DEAD; has_cutoff = true };
        /* run_cut: every lane knows before anything is answered */
        atomic { if :: mine != life -> goto end_idle :: else fi; knows[0] = true };
        atomic { if :: mine != life -> goto end_idle :: else fi; knows[1] = true };
        atomic { if :: mine != life -> goto end_idle :: else fi; kill_answered = true; refuse(who, presented) }
    :: taken == STATE_LOST || taken == ROLLED_BACK -> assert(false) /* this store loses nothing */
    :: taken == EXPIRED || taken == DEAD -> atomic { if :: mine != life -> goto end_idle :: else fi; refuse(who, presented) }
    fi;
done:
    atomic {
        if
        :: who == OWNER && mine == life -> under_way--
        :: else
        fi;
        goto end_idle
    }
}

/* Asks with what it holds until it is answered: an answer may be lost on its way, and then it asks again. What it asks
 * next it asks when nothing of before is under way: a retry that two rotations overtake is a reuse like any other. */
proctype owner()
{
    byte got;

    do
    :: held < LAST ->
        atomic { ask!OWNER, held; under_way++ };
        if
        :: answer??OWNER, eval(held), got ->
            if
            :: got == 0 -> break
            :: else -> under_way == 0; held = got
            fi
        :: under_way < RETRIES -> skip /* lost: asks again */
        fi
    :: held == LAST -> break
    od
}

/* Sees one token, any that was ever given out, at any moment; uses it with a key of its own, and what it gets for it. */
proctype thief()
{
    byte stolen, got, asks;

    if
    :: true -> stolen = 0
    :: given[1] -> stolen = 1
    :: given[2] -> stolen = 2
    fi;
    do
    :: stolen < LAST && asks < ASKS ->
        asks++;
        atomic { thief_acted = true; ask!THIEF, stolen };
        if
        :: answer??THIEF, eval(stolen), got ->
            if
            :: got == 0 -> break
            :: else -> stolen = got
            fi
        :: true -> break
        fi
    :: true -> break
    od
}

/* Time passes, and processes die. */
proctype weather()
{
    byte crashes;

    do
    :: atomic { row.in_grace -> row.in_grace = false; note_late(!is_bound(OWNER)) }
    :: atomic { row.succ_is_ahead && !row.in_grace -> row.succ_is_ahead = false; note_late(true) }
    :: atomic {
           crashes < CRASHES -> crashes++; life++; under_way = 0;
           knows[0] = has_cutoff; knows[1] = has_cutoff; /* loaded at the start */
           do :: nempty(ask) -> ask?_, _ :: empty(ask) -> break od
       }
    :: break
    od
}

init
{
    row.met = MET_NONE;
    atomic {
        run lane(0);
        run lane(1);
        run owner();
#ifndef HONEST
        run thief();
#endif
        run weather()
    }
}
