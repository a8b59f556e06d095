#include "engine/upgrade.h"

#include "engine/dial.h"

/* An empty cell is a no. */
static const bool may[TOKEN_KINDS][TOKEN_KINDS] = {
    /* from          to */
    [TOKEN_EMBED][TOKEN_GUEST] = true,       [TOKEN_EMBED][TOKEN_INVITE] = true,
    [TOKEN_EMBED][TOKEN_SUBSCRIBER] = true,  [TOKEN_GUEST][TOKEN_SUBSCRIBER] = true,
    [TOKEN_INVITE][TOKEN_SUBSCRIBER] = true,
};

bool upgrade_may(enum token_kind from, enum token_kind to)
{
    return may[from][to];
}

static struct resume_decision refused(enum refusal refusal)
{
    return (struct resume_decision){RESUME_REFUSED, refusal};
}

static bool may_follow(const struct holder *holder, const struct resume_state *state)
{
    return uuid_equal(&holder->project, &state->project) && upgrade_may(state->kind, holder->kind) &&
           resume_keys_agree(holder->jkt, state->jkt);
}

struct resume_decision upgrade_judge(const struct resume_facts *facts)
{
    if (facts->token) return refused(facts->token); /* one that has expired, too: it can become nobody */
    if (facts->holder->gt_ms <= facts->cutoff_ms) return refused(REFUSAL_TOKEN_CUT_OFF);
    /* whoever has a session to lose may not lose it by a wrong proof */
    if (facts->proof || facts->presented != RESUME_STATE || !may_follow(facts->holder, facts->state))
        return refused(REFUSAL_RESUME_IMPOSSIBLE);
    return (struct resume_decision){.verdict = RESUME_UPGRADE};
}

bool upgrade_asks_again(const struct holder *next, const struct resume_state *state, uint32_t last,
                        const struct holder *taken_by, bool is_heard)
{
    bool is_same = uuid_equal(&next->project, &taken_by->project) &&
                   uuid_equal(&next->user, &taken_by->user) && next->kind == taken_by->kind;
    bool is_recent = state->sequence && (state->sequence == last || state->sequence + 1 == last);

    return is_same && is_recent && !is_heard;
}

bool upgrade_moves_call(const struct holder *next, bool is_caller, const struct address *dialled)
{
    return is_caller && !uuid_is_zero(&dialled->id) && dial_may_reach(next, dialled);
}
