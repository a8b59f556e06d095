#!/usr/bin/env bash
# mutations.sh [SEEDS [WORDS]] — breaks the product on purpose, one line at a time, in a copy of the tree, and tells at
# which seed, from 1 on, the simulator notices (at most SEEDS, default 5000); only those whose name has WORDS. Each
# breakage undoes one promise; several are faults the simulator has found in earnest. The last line is "N passed, N failed"; a breakage that nobody notices has failed.
set -uo pipefail
cd "$(dirname "$0")/../.."
most=${1:-5000} only=${2:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r src tests cmake console examples CMakeLists.txt CMakePresets.json "$copy/" 2>/dev/null
[ ! -d bench ] || cp -r bench "$copy/"
cd "$copy" || exit 1
cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
cmake --build build --target sim >/dev/null || { echo "the simulator does not build"; exit 1; }
passed=0 failed=0

replace() {
    OLD=$2 NEW=$3 perl -0pi -e 'BEGIN { $n = 0 } $n += s/\Q$ENV{OLD}\E/$ENV{NEW}/; END { exit($n != 1) }' "$1"
}

# breaks <what> <file> <old> <new> [<old> <new>]: exactly one place of file, whose text old is, reads new; two places where
# one guard stands behind another.
breaks() {
    local what=$1 file=$2 first=1 last=50 out seed law
    [[ $what == *"$only"* ]] || return
    cp "$file" saved
    if ! replace "$file" "$3" "$4" || { [ -n "${5:-}" ] && ! replace "$file" "$5" "$6"; }; then
        echo "FAIL $what: no such text in $file"
        failed=$((failed + 1))
    elif ! cmake --build build --target sim >log 2>&1; then
        echo "FAIL $what: does not build"
        grep -m 3 error log
        failed=$((failed + 1))
    else
        seed=''
        while [ -z "$seed" ] && [ "$first" -le "$most" ]; do
            out=$(build/tests/sim/sim --seeds "$first..$last" 2>&1)
            seed=$(sed -n 's/^FAIL seed \([0-9]*\) .*/\1/p' <<<"$out" | head -n 1)
            first=$((last + 1)) last=$((last * 3))
            [ "$last" -le "$most" ] || last=$most
        done
        law=$(sed -n "s/.*seed $seed, step.*BROKEN \([^:]*\):.*/\1/p" <<<"$out" | head -n 1)
        [ -n "$law" ] || law=$(sed -n "s/^FAIL seed $seed (\([^)]*\)).*/\1/p" <<<"$out")
        if [ -n "$seed" ]; then
            passed=$((passed + 1))
            printf '| %s | %s | %s |\n' "$what" "$law" "$seed"
        else
            failed=$((failed + 1))
            echo "FAIL $what: unnoticed in $most seeds"
        fi
    fi
    mv saved "$file"
    touch "$file"
}

echo '| broken on purpose | the law that says so | found at seed |'
echo '|---|---|---|'

# what is issued
breaks "a token is signed before its user is stored" src/service/run_mint.c 'run_commit(run, settle);' \
    '{ memset(run->rows, 0, sizeof run->rows); run->rows[0].state = ROW_WRITTEN; run->rows[0].user = run->plan.writes[0].user.user; settle(run); }'
breaks "a mint that meets a new user forgets its profile" src/service/run_mint.c 'if (run->rows[0].state != ROW_EXISTS) return false;' 'return false;'
breaks "a failed commit is taken for done" src/service/service.c 'if (run->commit.error)' 'if (run->commit.error == ERR_CORRUPT)'
breaks "exp one second late" src/engine/mint.c 'now_s + facts->project->setting[SETTING_SAT_LIFE];' 'now_s + facts->project->setting[SETTING_SAT_LIFE] + 1;'
breaks "an unbound sat:refresh token lives on" src/engine/mint.c 'if (ask->may_self_refresh && !is_bound)' 'if (ask->may_self_refresh && is_bound)'
breaks "expire_at beyond the maximum" src/engine/expiry.c 'if (expire_at_s - now_s > life_max_s)' 'if (expire_at_s - now_s > life_max_s + 86400)'
breaks "the refresh token outlives too long" src/engine/mint.c 'out->exp_s + REFRESH_OUTLIVES_S' 'out->exp_s + REFRESH_OUTLIVES_S + 1'
breaks "a grant stamp in seconds" src/engine/mint.c 'facts->cutoff_ms + 1 : now_ms;' 'facts->cutoff_ms + 1 : now_s;'
breaks "the fingerprint is forgotten" src/service/issue.c 'claims.jkt = grant->jkt;' 'claims.jkt = BYTES_NONE;'
breaks "time runs backwards for asks" src/server/pipeline.c 'run->now_ms = loop_now_ms(x->conn->lane->loop);' \
    'run->now_ms = x->conn->lane->node->host->wall_ms(x->conn->lane->node->host->state);'

# time
breaks "a start forgets the floor of time" src/server/clock.c 'if (floor_ms - wall_ms > CLOCK_FLOOR_AHEAD_MS) {' 'if (floor_ms < 0) {'
breaks "a start just before the floor of time does not wait" src/server/clock.c 'clock->least_ms = floor_ms;' 'clock->least_ms = 0;'
breaks "the floor of time is not raised" src/server/clock.c 'if (!used_ms || (' 'if (used_ms >= 0 || ('
breaks "the floor of time waits for other writes" src/server/floor.c '    ask(floor, &floor->commit, committed);' '    floor->commit.mail.open = committed; loop_post(floor->node->lanes[0]->loop, &floor->commit.mail);'
breaks "a stop leaves the floor of time behind" src/server/floor.c 'if (node->floor && node->store) ask(node->floor, &node->floor->last, ended);' '(void)ended;'
breaks "a step of time is followed at once" src/server/clock.c 'out->step_ms = ahead_ms - offset_ms > CLOCK_STEP_MAX_MS' 'out->step_ms = ahead_ms - offset_ms > 3153600000000'
breaks "an unconfirmed step of time is stored" src/server/clock.c 'reading.now_ms += has_ended ? 0 : CLOCK_FLOOR_AHEAD_MS;' 'reading.now_ms += reading.step_ms + CLOCK_FLOOR_AHEAD_MS;'
breaks "between two clocks of time there are grants" src/service/service.c 'if (run->step_ms && run' 'if (run->step_ms < 0 && run'
breaks "the machine's sleep is a step of time" src/server/clock.c 'if (!out->step_ms && ahead_ms > offset_ms) offset_ms = raise(clock, ahead_ms);' \
    'since_boot_ms = clock->host->monotonic_ms(clock->host->state); if (!out->step_ms && ahead_ms > offset_ms) offset_ms = raise(clock, ahead_ms);'
breaks "proofs are judged by engine time" src/service/run_token.c '.now_s = run->wall_ms / 1000,' '.now_s = run->now_ms / 1000,'

# refreshes
breaks "an old refresh token is only refused" src/engine/rotate.c '    case REUSED:
        plan_dead(plan, row, FAMILY_ANY_GENERATION);
        if (!plan->has_cutoff) plan_cutoff(plan, facts, now_ms);
        return;' '    case REUSED:
        plan->write_count = 0;
        return;'
breaks "an old refresh token gets its successor again" src/engine/rotate.c '{MET_LIVE, OLDER, ANYONE, REUSED},' '{MET_LIVE, OLDER, ANYONE, AGAIN},'
breaks "any key may ask again" src/engine/rotate.c 'bytes_equal(ours.holder, row->holder) &&' 'true &&'
breaks "grace has no end" src/engine/rotate.c 'now_ms - row->rotated_ms <= grace_ms;' 'now_ms - row->rotated_ms <= grace_ms * 1000;'
breaks "a retry is a theft" src/engine/rotate.c '{MET_LIVE, BEFORE, SAME_IN_GRACE, AGAIN},' '{MET_LIVE, BEFORE, SAME_IN_GRACE, REUSED},'
breaks "a refreshed token lives a second longer" src/engine/rotate.c 'grant->exp_s = row->succ_exp_s;' 'grant->exp_s = row->succ_exp_s + 1;'
breaks "a pair is signed before its row is stored" src/service/run_refresh.c '        run_fail(run, e);
    else if (run->plan.write_count)
        run_commit_or(run, settle, look_up);
    else
        settle(run);' '        run_fail(run, e);
    else {
        memset(run->rows, 0, sizeof run->rows);
        settle(run);
    }'
breaks "a refresh that failed is taken for done" src/service/run_refresh.c 'run->read.found && rotate_recall(decision, facts_of(run), &run->read.family, run->now_ms)' 'rotate_recall(decision, facts_of(run), &run->plan.writes[0].family.family, run->now_ms)'
breaks "a dead family goes on" src/engine/rotate.c '{MET_DEAD, ANY, ANYONE, DEAD},' '{MET_DEAD, ANY, ANYONE, AGAIN},' \
    'if (!plan->has_cutoff) plan_cutoff(plan, facts, now_ms);' '(void)plan_cutoff;'
breaks "an expired refresh token is good" src/engine/rotate.c 'if (moved_ms >= presented->refresh_exp_s * 1000)' 'if (moved_ms < 0)'
breaks "any tenant refreshes" src/engine/rotate.c 'if (!uuid_equal(&facts->presented.project, &facts->project->id))' 'if (uuid_is_zero(&facts->presented.project))'

# revocations
breaks "a revoked token is good" src/engine/admit.c 'if (holder->gt_ms <= facts->cutoff_ms) return REFUSAL_TOKEN_CUT_OFF;' ''
breaks "a revoked refresh token is good" src/engine/rotate.c 'if (facts->presented.gt_ms <= facts->cutoff_ms) return' 'if (facts->presented.gt_ms < 0) return'
breaks "a refresh under way outlives its revocation" src/service/run_refresh.c 'refused = rotate_check(facts, run->now_ms);
    if (!refused.refusal) {
        run_sign(run, grant);' 'refused = (struct refused){REFUSAL_NONE, FIELD_NONE, NULL};
    if (!refused.refusal) {
        run_sign(run, grant);'
breaks "a redeem under way outlives its revocation" src/service/run_redeem.c 'decision.grant.gt_ms <= facts.cutoff_ms)' 'decision.grant.gt_ms < 0)'
breaks "a binding under way outlives its revocation" src/service/run_bind.c 'else if (!run_was_cut(run))' 'else'
breaks "a token's line is not looked up among the cutoffs" src/service/service.c 'return cutoff_ms_of(service->cutoffs, &lineage);' 'return lineage.key.len == SIZE_MAX ? 0 : INT64_MIN;'
breaks "the stamp check behind a cutoff" src/store/memory_write.c 'if (cutoff->t_ms < write->gt_ms ||' 'if (cutoff->t_ms < INT64_MAX ||'
breaks "a revoked session lives on" src/server/session.c 'while (*room && (links' 'while (!*room && (links'
breaks "a revocation is told to one lane" src/server/cut.c 'cuts->letters_out = cuts->lane_count;
    for (i = 0; i < cuts->lane_count; i++)' 'cuts->letters_out = 1;
    for (i = 0; i < 1; i++)'
breaks "a revocation is answered before everybody knows" src/server/cut.c 'if (--cuts->letters_out) return;' 'if (--cuts->letters_out + 1 < cuts->lane_count) return;'
breaks "a start forgets the revocations" src/server/node.c 'if ((e = load_cutoffs(node))) return e;' '(void)load_cutoffs;'
breaks "a revocation is a ban" src/engine/mint.c 'facts->cutoff_ms >= now_ms ? facts->cutoff_ms + 1 : now_ms;' 'now_ms;'
breaks "a revocation is a ban on tickets" src/engine/ticket.c 'facts->cutoff_ms >= now_ms ? facts->cutoff_ms + 1 : now_ms;' 'now_ms;'
breaks "a revoked user is not known by it" src/service/service.c '{CUTOFF_USER, lineage->user ?' '{CUTOFF_PROJECT, lineage->user ?'
breaks "a revocation's stamp is of now" src/store/rows.c 'now_ms + CUTOFF_AHEAD_MS' 'now_ms'
breaks "two revocations have one stamp" src/store/rows.c 'greatest_ms + CUTOFF_APART_MS' 'greatest_ms'

# the standard door
breaks "what is void is told active" src/service/run_introspect.c '    if (is_cut(run)) {
        tell_inactive(run);
        return;
    }' ''
breaks "a refresh token that was replaced is told active" src/engine/rotate.c 'found->state == FAMILY_LIVE && generation == found->generation' 'found->state == FAMILY_LIVE'
breaks "another project's token is told active" src/service/run_introspect.c '!uuid_equal(&holder->project, &run->project->id) ||' ''
breaks "good tokens are told inactive" src/service/run_introspect.c 'if (run->read.found)
        tell_active(run);' 'if (!run->read.found)
        tell_active(run);'
breaks "a revoked token is only said to be" src/service/run_revoke.c 'run_cut(run, &kept->cutoff, cut);' 'cut(run);'
breaks "any project's key revokes" src/service/run_revoke.c '(!run->key || uuid_equal(&theirs->id, &run->project->id))' 'run->ask.kind == ASK_REVOKE'

# interviews
breaks "an answer is taken without consent" src/engine/interview.c '[INTERVIEW_ANSWER] = {{[INTERVIEW_AGREED] = MOVES},' '[INTERVIEW_ANSWER] = {{[INTERVIEW_AGREED] = MOVES, [INTERVIEW_OPEN] = STAYS},'
breaks "an interview is completed without consent" src/engine/interview.c '{{[INTERVIEW_AGREED] = MOVES, [INTERVIEW_DONE] = STAYS},
                            INTERVIEW_DONE' '{{[INTERVIEW_AGREED] = MOVES, [INTERVIEW_OPEN] = MOVES, [INTERVIEW_DONE] = STAYS},
                            INTERVIEW_DONE'
breaks "a step is answered before it is stored" src/service/run_interview.c '        run_commit(run, settle);' \
    '{ memset(run->rows, 0, sizeof run->rows); run->rows[0].interview = run->read.interview; settle(run); }'
breaks "anybody's interview may be answered" src/store/memory_tables.c 'if (kept == NULL || !uuid_equal(&kept->write.interview.user, user)) return NULL;' 'if (kept == NULL || user == NULL) return NULL;'
breaks "another tenant's study may be begun" src/service/run_interview.c 'facts_study(lease_facts(run->lease), &run->project->id, id);' 'facts_study(lease_facts(run->lease), NULL, id);'

# who may ask
breaks "a wrong secret is good" src/service/authenticate_key.c '!is_equal          ? REFUSAL_KEY_SECRET_WRONG' '!is_equal && !is_theirs ? REFUSAL_KEY_SECRET_WRONG'
breaks "a retired key mints" src/service/authenticate_key.c ': key->is_retired  ? REFUSAL_KEY_RETIRED' ': key->is_retired  ? REFUSAL_NONE'
breaks "a secret may come from any page" src/service/authenticate_key.c 'if (project->is_test && facts_project_lists(project, origin)) return REFUSAL_NONE;' 'return REFUSAL_NONE;'
breaks "a token needs no signature" src/service/issue.c ': REFUSAL_TOKEN_SIGNATURE;' ': REFUSAL_NONE;'
breaks "exp gets a leeway" src/service/issue.c '.life_max_s =' '.leeway_s = 30, .life_max_s ='
breaks "any Origin may use any token" src/service/run_token.c 'run->ask.origin.len && !facts_project_lists' 'false && !facts_project_lists'
breaks "a bound token needs no proof" src/engine/admit.c 'if (!facts->proof) return REFUSAL_PROOF_MISSING;' 'if (!facts->proof) return REFUSAL_NONE;'
breaks "a proof by any key" src/engine/admit.c 'with_key.jkt = holder->jkt;' 'with_key.jkt = facts->proof->jkt;'
breaks "a proof is good twice" src/engine/once.c 'rows[i].state != ROW_WRITTEN) return true;' 'rows[i].state != ROW_WRITTEN) return false;'
breaks "old proofs are good" src/engine/proof.c 'now_s - iat_s <= window->back_s' 'now_s - iat_s <= 100000 * window->back_s'
breaks "a browser's token is bound to each key that asks" src/engine/bind.c 'return refuse(REFUSAL_BOUND_ELSEWHERE, "another key was bound to this token first");' 'return refuse(REFUSAL_NONE, NULL);'
breaks "a browser renews without naming its token" src/service/run_bind.c '.may_lack_ath = !ask->renews' '.may_lack_ath = true'
breaks "a browser gets the life it asks for" src/engine/bind.c 'ask->life_s > BOUND_LIFE_MAX_S ? BOUND_LIFE_MAX_S : ask->life_s' 'ask->life_s'
breaks "a browser's key is forgotten" src/engine/bind.c 'out->jkt = facts->jkt;' ''

# tickets
breaks "a ticket is good twice" src/engine/redeem.c 'if (rows[ROW_ONCE].state == ROW_EXISTS) return REFUSAL_TICKET_USED;' 'if (rows[ROW_ONCE].state == ROW_EXISTS) return REFUSAL_NONE;'
breaks "a ticket is remembered by its user" src/engine/redeem.c 'write->once.id = ticket->id;' 'write->once.id = ticket->user;'
breaks "a ticket's session is signed before it is stored" src/service/run_redeem.c 'run_commit(run, settle);' \
    '{ memset(run->rows, 0, sizeof run->rows); settle(run); }'
breaks "a ticket lives on" src/engine/redeem.c '>= ticket_end_ms(ticket))' '>= ticket_end_ms(ticket) + 60000)'
breaks "a ticket needs no key of its tenant" src/engine/redeem.c 'if (names_key && !is_key_of' 'if (false && !is_key_of'
breaks "a ticket's wrong try burns it" src/service/run_redeem.c 'else if (!run_check_origin(run) || !prove(run))' 'else if (!prove(run))' \
    '    if (decision.refused.refusal)
        refuse(run, &facts, &decision.refused);
    else' '    if (decision.refused.refusal)
        refuse(run, &facts, &decision.refused);
    else if (run_check_origin(run))'
breaks "a used ticket still changes its user" src/engine/redeem.c 'plan_once(out, ticket);' 'plan_once(out, ticket); out->writes[0].is_gate = false;'
breaks "a ticket adopts the user id that was sent" src/engine/ticket.c 'uuid_draw(&ticket->user, dice);
    else' 'ticket->user = ask->has_user ? ask->user : ticket->id;
    else'
breaks "a ticket resumes nobody" src/engine/ticket.c 'return user && user->kind == USER_EMBEDDED;' 'return user && user->kind == USER_GUEST;'

# answers
breaks "bytes behind a waiting request are answered first" src/server/conn.c '        if (is_waiting)
            (void)keep(x, bytes, len);' '        if (!x)
            (void)keep(x, bytes, len);'
breaks "a span of the read buffer is kept over a wait" src/server/pipeline.c 'x->origin = arena_copy(&x->arena, origin);' 'x->origin = origin;'
breaks "a retired key of the ring verifies nothing" src/service/key_bench.c 'if (bench->check_count == KEYRING_MAX) return ERR_LIMIT;' 'if (key->state == RING_RETIRED) return ERR_OK;'
breaks "an older read overwrites a newer user" src/service/service.c 'if (run->changes_before_read == run->service->changes) run_remember' 'run_remember'
breaks "other lanes keep an older user" src/server/lane.c '.user_changed = tell_others,' '.user_changed = NULL,'
breaks "want of memory passes for a bad Origin" src/server/pipeline.c 'return arena_copy_failed(origin, x->origin) ? ERR_NO_MEMORY : ERR_OK;' 'return arena_copy_failed(origin, x->origin) ? ERR_MALFORMED : ERR_OK;'
breaks "the JSON library goes on without memory" src/wire/json_read.c 'memory_failed ? NULL : malloc(size);

    if (memory || !is_parsing)' 'malloc(size);

    if (memory || !is_parsing || size)'
breaks "want of memory makes half a reply" src/server/socket.c 'return buf_error(out) ? BYTES_NONE : buf_bytes(out);' 'return buf_bytes(out);'
breaks "want of memory passes for a crypto failure" src/wire/ws_handshake.c 'if (e) out->status = err_http_status(e);' 'if (e) out->status = err_http_status(ERR_CRYPTO);'

# sessions
breaks "sessions have no end" src/server/session.c 'left_ms = holder->exp_s * 1000 -' 'left_ms = 864000000 + holder->exp_s * 1000 -'
breaks "sessions trust one clock" src/server/socket.c 'session_left_ms(socket->lane, &socket->session->holder) <= 0' 'silent_ms < 0'
breaks "a grant comes after its token's end" src/server/socket_resume.c 'if (left_ms <= 0) {' 'if (left_ms <= 0 && !holder.exp_s) {'
breaks "a session waits too long" src/server/session.c 'return session->lane->node->config->session_lapse_s * 1000;' 'return session->lane->node->config->session_lapse_s * 3000;'
breaks "a renewed session keeps its old end" src/server/session.c '    session->age_ms = session->holder.age_ms;
    expect_warning(session);
    follow_deadline(session);' '    session->age_ms = session->holder.age_ms;'
breaks "a session is renewed by anybody" src/engine/resume.c 'return is_same && keeps_key' 'return (is_same || true) && keeps_key'
breaks "a bound session is renewed without its key" src/engine/resume.c 'return is_same && keeps_key' 'return is_same && (keeps_key || true)'
breaks "every state is good" src/engine/resume.c 'state->sequence + 1 == session->sequence' 'state->sequence < session->sequence'
breaks "anybody's state is good" src/engine/resume.c 'uuid_equal(&state->user, &holder->user) &&' ''
breaks "a bound session comes back without a proof" src/engine/resume.c 'return state ? state->jkt : BYTES_NONE;' 'return state && !state ? state->jkt : BYTES_NONE;'
breaks "a session bound since its state needs no proof" src/engine/resume.c '        !is_proved(session, proved))' '        (!is_proved(session, proved) && session->sequence == state->sequence))'
breaks "a socket that answers loses its session" src/server/socket.c 'return socket->asking || socket->answered >= probe;' 'return socket->asking && socket->answered < probe;'
breaks "a state that cannot be read begins a new session" src/engine/resume.c 'if (facts->presented == RESUME_NOTHING)
        return facts->proof' 'if (facts->presented != RESUME_STATE)
        return facts->proof'
breaks "what was kept is dropped" src/server/session.c 'socket_send_bytes(session->socket, bytes_part(left, sizeof len, len));' ''
breaks "what was kept comes again" src/server/session.c '    buf_release(&session->kept);
    buf_init(&session->kept, SESSION_KEPT_MAX);
}' '}'
breaks "a resumed session has its old state" src/server/session.c 'if (is_sealed) session->sequence++;' 'if (is_sealed && !session->sequence) session->sequence++;'
breaks "letters do not follow" src/server/session_post.c 'if (link && !link->session) {
        letter->at = link->moved_to;
        loop_post(letter->at->loop, mail);
    } else' 'if (link && !link->session)
        letter->open(letter, NULL);
    else'
breaks "registration is lost on the way" src/server/session.c '    session->is_away = session->is_expired = false;
' '    session->is_away = session->is_expired = false;
    session_set_registered(session, false, false);
'
breaks "an upgrade leads anywhere" src/engine/upgrade.c 'return may[from][to];' 'return may[from][to] || from;'
breaks "an upgrade leads into another project" src/engine/upgrade.c 'uuid_equal(&holder->project, &state->project) &&' ''
breaks "an upgrade is asked again by anybody" src/engine/upgrade.c 'return is_same && is_recent' 'return is_recent'
breaks "an upgrade is asked again when it was heard of" src/engine/upgrade.c 'is_recent && !is_heard' 'is_recent'
breaks "an upgrade is never asked again" src/engine/upgrade.c 'is_recent && !is_heard' 'is_recent && !is_heard && !last'
breaks "letters are lost by an upgrade" src/server/session_follow.c '    session_put_formers(session);' ''
breaks "what was kept is lost by an upgrade" src/server/session_follow.c '    take_kept(session, old);' ''
breaks "presence is not told to who comes later" src/server/session.c '    presence_changed(session);
    log_info("session_began"' '    log_info("session_began"'
breaks "presence outlives its session" src/server/session.c '    if (session->is_registered) presence_changed(session);
    session_leave(session);' '    session_leave(session);'
breaks "a round of presence leaves out a lane" src/server/presence.c 'round->lane = 0;
    }' 'round->lane = node->lane_count - 1;
    }'
breaks "what comes is forgotten while a call is decided" src/server/socket_calls.c 'if (kept.len && socket->stream) socket_bytes(socket, kept.ptr, kept.len);' ''
breaks "parked sockets hear" src/server/socket_calls.c 'if (socket->state == SESSION_PARKED) return; /* deaf */' ''
breaks "a refused connect is granted" src/engine/session.c '[SESSION_DECIDING][SESSION_CONNECT_REFUSED] = {SESSION_PARKED, SESSION_TELL_REFUSAL_AND_PARK}' '[SESSION_DECIDING][SESSION_CONNECT_REFUSED] = {SESSION_LIVE, SESSION_TELL_REFUSAL_AND_PARK}'
breaks "a second connect changes the session" src/server/socket_calls.c 'if (socket->state != SESSION_OPENING) {' 'if (socket->state == SESSION_CLOSED) {'
breaks "calls run before connect" src/engine/session.c '    [SESSION_DECIDING][SESSION_CONNECT_GRANTED]' '    [SESSION_OPENING][SESSION_CALL] = {SESSION_OPENING, SESSION_RUN_CALL},
    [SESSION_DECIDING][SESSION_CONNECT_GRANTED]'
breaks "offline leaves the registration" src/dialect/signalwire/socket.c 'AFTER_UNREGISTER : AFTER_NOTHING' 'AFTER_NOTHING : AFTER_NOTHING'
breaks "a silent peer stays" src/server/socket.c 'silent_ms >= socket->lane->node->config->ping_timeout_s * 1000' 'silent_ms < 0'
breaks "parking has no end" src/server/socket.c 'socket->has_parking ? config->park_s * 1000 : 0' 'socket->has_parking ? config->park_s * 4000 : 0'
breaks "parking has no bound" src/server/lane.c 'if (in_all < node->config->parked_max && of_peer < node->config->parked_per_address_max) return true;' 'if (in_all >= 0 && of_peer >= 0) return true;'
breaks "a parking place is given back twice" src/server/socket.c 'if (socket->state == SESSION_PARKED && socket->has_parking)' 'if (socket->state == SESSION_PARKED)'
breaks "an ended session is counted" src/server/session.c 'lane_count(lane, COUNT_SESSIONS_LIVE, -1);' ''
breaks "an ended session stays registered" src/server/session.c '    if (session->is_registered) lane_count(lane, COUNT_SESSIONS_REGISTERED, -1);
' ''
breaks "no time to connect is set" src/server/socket.c 'state_lasts(socket, config->connect_timeout_s * 1000);' ''

# budgets
breaks "a budget's seat is one more" src/server/seats.c 'seat->taken < most' 'seat->taken <= most'

# life of the process
breaks "an idle connection stays for ever" src/server/conn.c 'wait_at_most(conn, conn->lane->node->config->idle_timeout_s);
}

static void on_bytes' '}

static void on_bytes'
breaks "a connection is never freed" src/server/conn.c '    free(conn);
    lane_stopped_if_idle(lane);' '    lane_stopped_if_idle(lane);'
breaks "a lease is not dropped" src/service/service.c '    lease_drop(run->lease);
    run->lease = NULL;' '    run->lease = NULL;'
breaks "a connect's arena is not released" src/server/socket_calls.c 'arena_release(&asking->arena);' ''
breaks "letters are opened when the service has gone" src/server/node.c 'loop_drain(node->lanes[i % node->lane_count]->loop);' '(void)i;'
breaks "a failed start keeps its facts" src/server/node.c 'if (node->facts && !node->lanes[i]->service) publication_let_go(node->facts);' ''
breaks "lanes are counted before they are made" src/server/node.c '    for (i = 0; i < lanes_wanted(node->config); i++) {
        if ((e = lane_new(&node->lanes[i], node, i))) return e;
        node->lane_count++;
    }' '    node->lane_count = lanes_wanted(node->config);
    for (i = 0; i < node->lane_count; i++)
        if ((e = lane_new(&node->lanes[i], node, i))) return e;'
breaks "one failed poll ends the watch" src/server/watch.c '        begin_poll(watch);
    else
        wait_for_next(watch);' '        begin_poll(watch);
    else if (!e)
        wait_for_next(watch);'
breaks "the watch sees no new version" src/server/watch.c 'version != watch->version))' 'version < watch->version))'

# calls
breaks "who dials rings, too" src/server/phone_ring.c ' || !memcmp(session->name, dial->caller, SESSION_NAME_LEN)' '' \
    'if (has_part_in(session, dial->call)) return;' '(void)has_part_in;'
breaks "a call is not counted off" src/server/phone_call.c '    take_out(call);
    deadline_clear(call->home->loop, &call->deadline);
    uncount(call);' '    take_out(call);
    deadline_clear(call->home->loop, &call->deadline);'
breaks "a leg leaves without a word" src/server/phone.c '    loop_post(leg->home->loop, &leg->closing->mail);' '    if (!is_lost) loop_post(leg->home->loop, &leg->closing->mail);'

# slots
breaks "a slot lies behind the token's end" src/engine/slot.c 'return opens_ms + draw(dice, closes_ms - opens_ms);' 'return opens_ms + draw(dice, closes_ms - opens_ms) + whole_ms / 4;'
breaks "a slot is told to who did not ask" src/server/socket_calls.c '    if (!socket->takes_slots) return;' '    if (!socket->takes_slots && !socket->session->is_registered) return;'
breaks "a stop tells no slots" src/server/socket.c '    if (socket->takes_slots)' '    if (socket->takes_slots && !socket->lane->is_stopping)'

# the disk
breaks "the store tells of commits that are not durable" tests/sim/disk.c 'if (!commit->error && !store->is_replaying && commit->write_count)' 'if (!commit->error && !store->is_replaying && commit->write_count && roll(20))'
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
