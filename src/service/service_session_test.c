/* Asks that are about a session there is already: to have it back, and to go on with it under
 * a newer token. */
#include "harness/service_world.h"

#include "base/hex.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static char plain_room[JWS_MAX], bound_room[JWS_MAX], other_room[JWS_MAX], live_room[JWS_MAX];
static struct bytes plain, bound, other, live; /* of ada; of ada, bound; of lea; of another project's */
static struct uuid ada;
static struct buf proof, sealed;
static char name[33];

static struct bytes mint_into(char *room, const char *reference, bool is_bound, bool is_live)
{
    struct asked asked;
    struct bytes token;

    ask_mint_init(&asked, reference);
    if (is_live) asked.run.ask.credential = basic(&world.live, LIVE_TOKEN);
    if (is_bound) asked.run.ask.mint.fingerprint = bytes_of(world.browser.jkt, JWK_THUMBPRINT_LEN);
    ask_run(&asked);
    CHECK_INT(asked.run.outcome.kind, OUTCOME_MINTED);
    token = asked.run.outcome.minted.token;
    ada = asked.run.outcome.minted.user;
    memcpy(room, token.ptr, token.len);
    token.ptr = (const uint8_t *)room;
    ask_release(&asked);
    return token;
}

/* The holder of this token, as a session of it has; strings live in the ask. */
static void hold(struct asked *asked, struct bytes token, const char *jti)
{
    struct holder holder;

    ask_init(asked, ASK_CONNECT);
    asked->run.ask.connect.token = token;
    asked->run.proof_method = BYTES("open");
    if (jti) {
        prove(&proof, jti, "open", NOW_S);
        asked->run.ask.connect.proof = buf_bytes(&proof);
    }
    ask_run(asked);
    CHECK_INT(asked->run.outcome.kind, OUTCOME_CONNECTED);
    holder = asked->run.outcome.holder;
    CHECK(uuid_equal(&holder.project, &world.test) || uuid_equal(&holder.project, &world.live));
}

/* ---- resume ---- */

static struct resume_state state_of_ada(void)
{
    struct resume_state state = {.session = {{7, 7, 7}},
                                 .project = world.test,
                                 .user = ada,
                                 .kind = TOKEN_SUBSCRIBER,
                                 .parent_key = BYTES("0123456789abcdef"),
                                 .deadline_s = NOW_S + 7200,
                                 .gt_ms = NOW_MS,
                                 .sequence = 3,
                                 .lane = 1};

    hex_write(name, uuid_bytes(&state.session));
    return state;
}

static void seal_state(const struct resume_state *state)
{
    buf_reset(&sealed);
    CHECK_INT(service_seal_resume(world.service, &sealed, state), ERR_OK);
}

static void resume_init(struct asked *asked, struct bytes token)
{
    ask_connect_init(asked, token, BYTES_NONE);
    asked->run.ask.connect.wants_resume = true;
    asked->run.ask.connect.state = buf_bytes(&sealed);
    asked->run.ask.connect.session = bytes_of(name, 32);
}

static void check_refused(struct asked *asked, enum refusal wanted)
{
    const struct outcome *outcome = ask_run(asked);

    CHECK_INT(outcome->kind, OUTCOME_REFUSED);
    CHECK_INT(outcome->refused.refusal, wanted);
    CHECK_INT(asked->run.finding.refusal, wanted);
    CHECK(asked->run.finding.check && asked->run.finding.expected[0] && asked->run.finding.seen[0]);
    ask_release(asked);
}

/* Attack 116: a bit changed anywhere, another's, half of it: never taken for a connect without a state. */
static void refuses_what_is_no_state_of_the_tokens_own(void)
{
    struct resume_state state = state_of_ada();
    struct asked asked;
    size_t i;

    seal_state(&state);
    for (i = 0; i < 8 * sealed.len; i += 37) {
        seal_state(&state);
        sealed.ptr[i / 8] ^= (uint8_t)(1 << i % 8);
        resume_init(&asked, plain);
        CHECK_NOTE("bit %zu", i);
        check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    }
    seal_state(&state);
    resume_init(&asked, plain);
    asked.run.ask.connect.state = BYTES_NONE;
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    resume_init(&asked, plain);
    asked.run.ask.connect.session = BYTES_NONE;
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    resume_init(&asked, plain);
    name[0] = 'f'; /* another session's name */
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    name[0] = '0';
    resume_init(&asked, other);
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    resume_init(&asked, live);
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    resume_init(&asked, BYTES("a.b.c"));
    check_refused(&asked, REFUSAL_TOKEN_MALFORMED);
}

static void tells_whose_session_it_is_to_go_on_with(void)
{
    struct resume_state state = state_of_ada();
    const struct resume_state *opened;
    struct asked asked;

    seal_state(&state);
    CHECK(sealed.len <= SEAL_RESUME_MAX);
    resume_init(&asked, plain);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_CONNECTED);
    opened = asked.run.outcome.connected.state;
    CHECK(opened && !asked.run.outcome.connected.is_last);
    CHECK_BYTES(asked.run.outcome.connected.session, bytes_of(name, 32));
    if (opened) {
        CHECK(uuid_equal(&opened->session, &state.session) && uuid_equal(&opened->user, &ada));
        CHECK_INT(opened->sequence, 3);
        CHECK_INT(opened->lane, 1);
        CHECK_INT(opened->deadline_s, state.deadline_s);
        CHECK_BYTES(opened->parent_key, state.parent_key);
        CHECK(bytes_is_absent(opened->jkt));
    }
    ask_release(&asked);
}

/* A token that has expired still says whose the session is, until the session's own end. */
static void takes_an_expired_token_until_the_states_deadline(void)
{
    struct resume_state state = state_of_ada();
    struct asked asked;

    state.deadline_s = NOW_S + 9000;
    seal_state(&state);
    resume_init(&asked, plain);
    asked.run.now_ms += 8999999;
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_CONNECTED);
    CHECK(asked.run.outcome.connected.is_last && asked.run.outcome.connected.state);
    ask_release(&asked);
    resume_init(&asked, plain);
    asked.run.now_ms += 9000000;
    check_refused(&asked, REFUSAL_TOKEN_EXPIRED);
    resume_init(&asked, plain);
    asked.run.now_ms += 8999999;
    asked.run.ask.connect.wants_resume = false;
    check_refused(&asked, REFUSAL_TOKEN_EXPIRED);
}

/* Of a bound session: by its key, whatever the token says of it. */
static void wants_the_proof_of_a_bound_session(void)
{
    struct resume_state state = state_of_ada();
    struct asked asked;

    state.jkt = bytes_of(world.browser.jkt, JWK_THUMBPRINT_LEN);
    seal_state(&state);
    resume_init(&asked, plain);
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    resume_init(&asked, bound);
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    prove(&proof, "another method", "close", NOW_S);
    resume_init(&asked, plain);
    asked.run.ask.connect.proof = buf_bytes(&proof);
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
    prove(&proof, "right", "open", NOW_S);
    resume_init(&asked, plain);
    asked.run.ask.connect.proof = buf_bytes(&proof);
    CHECK_INT(ask_run(&asked)->kind, OUTCOME_CONNECTED);
    CHECK_BYTES(asked.run.outcome.connected.proved, state.jkt);
    ask_release(&asked);
    resume_init(&asked, bound); /* the same proof again */
    asked.run.ask.connect.proof = buf_bytes(&proof);
    check_refused(&asked, REFUSAL_RESUME_IMPOSSIBLE);
}

/* ---- reauthenticate ---- */

static void renew_init(struct asked *asked, const struct asked *session, struct bytes token, const char *jti)
{
    ask_init(asked, ASK_REAUTHENTICATE);
    asked->run.proof_method = BYTES("renew");
    asked->run.ask.reauthenticate.token = token;
    asked->run.ask.reauthenticate.present = &session->run.outcome.holder;
    if (!jti) return;
    prove(&proof, jti, "renew", NOW_S);
    asked->run.ask.reauthenticate.proof = buf_bytes(&proof);
}

/* Attack 115. */
static void keeps_a_session_within_its_identity(void)
{
    struct asked unbound_session, bound_session, asked;

    hold(&unbound_session, plain, NULL);
    hold(&bound_session, bound, "s-1");
    renew_init(&asked, &unbound_session, other, NULL);
    check_refused(&asked, REFUSAL_SESSION_ELSE);
    renew_init(&asked, &unbound_session, live, NULL);
    check_refused(&asked, REFUSAL_SESSION_ELSE);
    renew_init(&asked, &bound_session, plain, NULL);
    check_refused(&asked, REFUSAL_SESSION_ELSE);
    renew_init(&asked, &unbound_session, bound, NULL);
    check_refused(&asked, REFUSAL_PROOF_MISSING);
    renew_init(&asked, &unbound_session, BYTES_NONE, NULL);
    asked.run.refused = (struct refused){REFUSAL_CREDENTIAL_MISSING, FIELD_NONE, "said the dialect"};
    check_refused(&asked, REFUSAL_CREDENTIAL_MISSING);
    renew_init(&asked, &unbound_session, plain, NULL);
    asked.run.now_ms += 7200000;
    check_refused(&asked, REFUSAL_TOKEN_EXPIRED);
    prove(&proof, "s-2", "open", NOW_S); /* of a connect */
    renew_init(&asked, &unbound_session, bound, NULL);
    asked.run.ask.reauthenticate.proof = buf_bytes(&proof);
    check_refused(&asked, REFUSAL_PROOF_INVALID);
    ask_release(&unbound_session);
    ask_release(&bound_session);
}

static void renews_by_a_token_of_its_own(void)
{
    static const struct {
        const char *jti;
        bool session_is_bound, token_is_bound;
    } rows[] = {{NULL, false, false}, {"r-1", false, true}, {"r-2", true, true}};
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        struct asked session, asked;
        hold(&session, rows[i].session_is_bound ? bound : plain, rows[i].session_is_bound ? "s-3" : NULL);
        renew_init(&asked, &session, rows[i].token_is_bound ? bound : plain, rows[i].jti);
        CHECK_INT(ask_run(&asked)->kind, OUTCOME_REAUTHENTICATED);
        CHECK(uuid_equal(&asked.run.outcome.holder.user, &ada));
        CHECK(bytes_is_absent(asked.run.outcome.holder.jkt) == !rows[i].token_is_bound);
        ask_release(&asked);
        if (rows[i].jti) { /* a proof is good once */
            renew_init(&asked, &session, bound, NULL);
            asked.run.ask.reauthenticate.proof = buf_bytes(&proof);
            check_refused(&asked, REFUSAL_PROOF_REPLAYED);
        }
        ask_release(&session);
    }
}

int main(void)
{
    world_open(64);
    buf_init(&proof, JWS_MAX);
    buf_init(&sealed, 4096);
    other = mint_into(other_room, "lea", false, false);
    live = mint_into(live_room, "ada", false, true);
    plain = mint_into(plain_room, "ada", false, false);
    bound = mint_into(bound_room, "ada", true, false);
    CHECK_RUN(refuses_what_is_no_state_of_the_tokens_own);
    CHECK_RUN(tells_whose_session_it_is_to_go_on_with);
    CHECK_RUN(takes_an_expired_token_until_the_states_deadline);
    CHECK_RUN(wants_the_proof_of_a_bound_session);
    CHECK_RUN(keeps_a_session_within_its_identity);
    CHECK_RUN(renews_by_a_token_of_its_own);
    buf_release(&sealed);
    buf_release(&proof);
    world_close();
    return CHECK_END();
}
