#include "engine/resume.h"

#include "engine/age.h"

struct bytes resume_key(const struct holder *holder, const struct resume_state *state)
{
    if (!bytes_is_absent(holder->jkt)) return holder->jkt;
    return state ? state->jkt : BYTES_NONE;
}

static struct resume_decision refused(enum refusal refusal)
{
    return (struct resume_decision){RESUME_REFUSED, refusal};
}

bool resume_keys_agree(struct bytes a, struct bytes b)
{
    return bytes_is_absent(a) || bytes_is_absent(b) || bytes_equal(a, b);
}

static bool is_about(const struct resume_state *state, const struct holder *holder)
{
    return uuid_equal(&state->project, &holder->project) && uuid_equal(&state->user, &holder->user) &&
           state->kind == holder->kind && resume_keys_agree(state->jkt, holder->jkt);
}

static bool is_over(const struct resume_facts *facts)
{
    return facts->presented == RESUME_STATE && facts->state_now_ms >= facts->state->deadline_s * 1000;
}

struct resume_decision resume_judge(const struct resume_facts *facts)
{
    bool has_expired = facts->token == REFUSAL_TOKEN_EXPIRED;

    if (facts->token && !has_expired) return refused(facts->token);
    if (facts->holder->gt_ms <= facts->cutoff_ms) return refused(REFUSAL_TOKEN_CUT_OFF);
    if (has_expired && (facts->presented == RESUME_NOTHING || is_over(facts)))
        return refused(REFUSAL_TOKEN_EXPIRED);
    if (facts->presented == RESUME_NOTHING)
        return facts->proof ? refused(facts->proof) : (struct resume_decision){.verdict = RESUME_NEW_SESSION};
    /* whoever has a session to lose may not lose it by a wrong proof: the client comes back
     * with a right one */
    if (facts->proof || facts->presented == RESUME_UNREADABLE || !is_about(facts->state, facts->holder))
        return refused(REFUSAL_RESUME_IMPOSSIBLE);
    return (struct resume_decision){.verdict = has_expired ? RESUME_LAST : RESUME_LIVE};
}

/* The newest state may not have reached the client when its socket was lost, so the one
 * before is good too. */
static bool is_recent(const struct resume_session *session, const struct resume_state *state)
{
    return state->sequence &&
           (state->sequence == session->sequence || state->sequence + 1 == session->sequence);
}

/* A state of before the session was bound proves nothing of its key. */
static bool is_proved(const struct resume_session *session, struct bytes proved)
{
    return bytes_is_absent(session->holder->jkt) || bytes_equal(session->holder->jkt, proved);
}

enum resume_act resume_settle(const struct resume_session *session, enum resume_found found,
                              const struct resume_state *state, struct bytes proved)
{
    if (found == RESUME_FOUND_NONE || !is_recent(session, state) || !is_about(state, session->holder) ||
        !is_proved(session, proved))
        return RESUME_REFUSE;
    switch (found) {
    case RESUME_FOUND_NONE:
        break;
    case RESUME_FOUND_DETACHED:
        return RESUME_ATTACH;
    case RESUME_FOUND_ATTACHED:
        return RESUME_PROBE;
    case RESUME_FOUND_SILENT:
        return RESUME_REPLACE;
    }
    return RESUME_REFUSE;
}

enum refusal reauthenticate_check(const struct holder *present, const struct holder *next)
{
    bool is_same = uuid_equal(&present->project, &next->project) && uuid_equal(&present->user, &next->user) &&
                   present->kind == next->kind;
    bool keeps_key = bytes_is_absent(present->jkt) ||
                     (!bytes_is_absent(next->jkt) && bytes_equal(present->jkt, next->jkt));

    return is_same && keeps_key ? REFUSAL_NONE : REFUSAL_SESSION_ELSE;
}
