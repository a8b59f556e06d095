/* socket_resume.c — a connect that the service has granted becomes a session: a new one, or the client's old
 * one, wherever that is. */
#include <string.h>

#include "server/socket_inside.h"

static enum session_event fail(struct run *run, enum err error)
{
    run->outcome = (struct outcome){.kind = OUTCOME_FAILED, .error = error};
    finding_clear(&run->finding);
    run->finding.error = error;
    finding_check(&run->finding, "server");
    finding_expected(&run->finding, "what it takes to decide");
    finding_seen(&run->finding, "%s", err_name(error));
    return SESSION_CONNECT_FAILED;
}

static struct finding *found(struct run *run, enum refusal refusal, const char *check)
{
    struct finding *finding = &run->finding;
    const struct holder *holder = &run->outcome.holder;

    finding_clear(finding);
    finding->refusal = refusal;
    finding->project = holder->project;
    finding->user = holder->user;
    finding->family = holder->family;
    finding_check(finding, check);
    return finding;
}

void socket_found_expired(struct finding *finding, const struct holder *holder, int64_t left_ms)
{
    finding_clear(finding);
    finding->refusal = REFUSAL_TOKEN_EXPIRED;
    finding->project = holder->project;
    finding->user = holder->user;
    finding->family = holder->family;
    finding_check(finding, "token.exp");
    finding_expected(finding, "exp after the answer of the store");
    finding_seen(finding, "exp %lld, %lld ms ago", (long long)holder->exp_s, -(long long)left_ms);
}

/* ---- granted ---- */

/* The holder by whom the session goes on: the token's, as long as the token lives; bound as the session is.
 * With a token that has expired the session's own, no longer than the state says. */
static struct holder next_holder(const struct lane *lane, const struct asking *asking,
                                 const struct session *back)
{
    const struct outcome *outcome = &asking->run.outcome;
    struct holder next = outcome->connected.is_last ? back->holder : outcome->holder, by_state = back->holder;

    if (bytes_is_absent(next.jkt)) next.jkt = back->holder.jkt;
    if (!outcome->connected.is_last) return next;
    by_state.exp_s = outcome->connected.state->deadline_s;
    by_state.age_ms = outcome->connected.state->age_ms;
    return session_left_ms(lane, &by_state) < session_left_ms(lane, &next) ? by_state : next;
}

/* Its client had left, and others have its place: it has to begin anew, and is then told so. */
static enum session_event no_seat(struct run *run)
{
    struct finding *finding = found(run, REFUSAL_RESUME_IMPOSSIBLE, "budget.sessions");

    finding_expected(finding, "a free place for a session that was left");
    finding_seen(finding, "as many are open as may be");
    return SESSION_CONNECT_REFUSED;
}

enum err socket_take_seat(bool *out, void *lane, struct run *run, const struct uuid *of, int64_t most)
{
    struct asking *asking = run->owner;

    *out = false;
    if (!asking->socket) return ERR_STOPPING; /* the peer has gone: nobody waits for the answer */
    return session_seats_take(out, &asking->seats, ((struct lane *)lane)->node->seats, of, most);
}

/* old: whose place it takes; NULL: nobody's. */
static enum session_event begin(struct asking *asking, const struct holder *holder, struct session *old)
{
    struct run *run = &asking->run;
    struct session *session;
    enum err e = session_new(&session, asking->socket->lane, holder, run->outcome.connected.session);

    if (!e && old) {
        e = session_prepare_upgrade(session, old);
        if (e) session_discard(session);
    }
    if (e) return fail(run, e);
    session->seats = asking->seats;
    asking->seats = (struct session_seats){0};
    asking->session = session;
    return SESSION_CONNECT_GRANTED;
}

/* A proof waits for the store, a session may come from afar, and time runs on: whether the token still lives
 * is asked last, and whether something voids it. */
static bool has_lapsed(struct run *run, const struct lane *lane, const struct holder *holder)
{
    int64_t left_ms = session_left_ms(lane, holder), cutoff_ms = service_cutoff_ms(lane->service, holder);

    if (left_ms <= 0)
        socket_found_expired(&run->finding, holder, left_ms);
    else if (holder->gt_ms <= cutoff_ms)
        finding_cut_off(found(run, REFUSAL_TOKEN_CUT_OFF, "token.gt"), "token.gt", cutoff_ms, holder->gt_ms);
    return left_ms <= 0 || holder->gt_ms <= cutoff_ms;
}

enum session_event socket_grant(struct asking *asking, struct session *back)
{
    struct lane *lane = asking->socket->lane;
    struct run *run = &asking->run;
    bool is_upgrade = asking->fetch.is_upgrade;
    struct holder holder = back && !is_upgrade ? next_holder(lane, asking, back) : run->outcome.holder;
    bool has_seats;
    enum err e;

    if (has_lapsed(run, lane, &holder)) return SESSION_CONNECT_REFUSED;
    if (back && !is_upgrade) {
        e = session_seats_return(&has_seats, &back->seats, lane->node->seats, run->outcome.connected.place,
                                 run->outcome.connected.place_count);
        if (e) return fail(run, e);
        if (!has_seats) return no_seat(run);
        session_renew(back, &holder);
        if (!asking->fetch.is_again) back->is_heard = true; /* its client has its state */
        asking->session = back;
        return SESSION_CONNECT_GRANTED;
    }
    if (is_upgrade && bytes_is_absent(holder.jkt)) holder.jkt = run->outcome.connected.proved;
    return begin(asking, &holder, back);
}

/* ---- the old session ---- */

static enum session_event not_resumed(struct asking *asking)
{
    struct run *run = &asking->run;
    struct finding *finding;

    if (asking->fetch.error) return fail(run, asking->fetch.error);
    if ((asking->fetch.has_lapsed || !run->outcome.connected.is_last) &&
        has_lapsed(run, asking->socket->lane, &run->outcome.holder))
        return SESSION_CONNECT_REFUSED;
    finding = found(run, REFUSAL_RESUME_IMPOSSIBLE,
                    asking->fetch.found == RESUME_FOUND_ATTACHED ? "session.socket" : "session.state");
    finding_expected(finding, "one of the last two states of a session without a socket that answers");
    if (asking->fetch.found == RESUME_FOUND_NONE)
        finding_seen(finding, "a session that has ended");
    else if (asking->fetch.asked_on)
        finding_seen(finding, "a session whose present socket lives");
    else
        finding_seen(finding, "state %u, older than the last two, or of before the session was bound",
                     asking->fetch.state->sequence);
    return SESSION_CONNECT_REFUSED;
}

static bool stands(const struct session_fetch *fetch, const struct lane *lane, const struct session *session)
{
    const struct asking *asking =
        (const struct asking *)(const void *)((const char *)fetch - offsetof(struct asking, fetch));
    struct holder holder = fetch->is_upgrade ? *fetch->holder : next_holder(lane, asking, session);

    return session_left_ms(lane, &holder) > 0 && holder.gt_ms > service_cutoff_ms(lane->service, &holder);
}

static void fetched(struct session_fetch *fetch)
{
    struct asking *asking = (struct asking *)(void *)((char *)fetch - offsetof(struct asking, fetch));
    struct socket *socket = asking->socket;

    if (!socket) { /* the peer did not wait; its session waits on here */
        asking_free(asking);
        return;
    }
    if (socket->state == SESSION_DECIDING)
        socket_apply(socket, fetch->session ? socket_grant(asking, fetch->session) : not_resumed(asking));
    socket_go_on(socket);
}

void socket_fetch_session(struct asking *asking)
{
    const struct outcome *outcome = &asking->run.outcome;
    struct session_fetch *fetch = &asking->fetch;

    fetch->state = outcome->connected.state;
    fetch->proved = outcome->connected.proved;
    fetch->holder = &outcome->holder;
    fetch->done = fetched;
    fetch->stands = stands;
    fetch->is_upgrade = outcome->connected.is_upgrade;
    fetch->letter.to.lane = fetch->state->lane;
    memcpy(fetch->letter.to.name, outcome->connected.former.ptr, sizeof fetch->letter.to.name);
    session_fetch(asking->socket->lane, fetch);
}
