#include "engine/rotate.h"

#include <string.h>

#include "engine/age.h"
#include "engine/capability.h"
#include "engine/limits.h"

#define GENERATION_MAX  (FAMILY_ANY_GENERATION - 1)
#define FAMILY_BUCKET_S 3600 /* rows are forgotten by the hour */

static struct refused refuse(enum refusal refusal, const char *because)
{
    return (struct refused){refusal, FIELD_REFRESH_TOKEN, because};
}

static const struct refused not_refused = {REFUSAL_NONE, FIELD_NONE, NULL};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- before any row ---- */

/* Bound: tied to a key, and that key has just proved itself. Without a proof it is the API key's. */
static bool is_bound(const struct rotate_facts *facts)
{
    return !bytes_is_absent(facts->presented.jkt) && !bytes_is_absent(facts->proof_jkt);
}

static struct refused check_times(const struct rotate_facts *facts, int64_t now_ms)
{
    const struct grant *presented = &facts->presented;
    int64_t moved_ms = age_now_ms(now_ms, facts->project->age_ms, presented->age_ms);

    if (presented->generation >= GENERATION_MAX)
        return refuse(REFUSAL_REFRESH_EXPIRED, "was renewed too often");
    if (moved_ms >= presented->refresh_exp_s * 1000) return refuse(REFUSAL_REFRESH_EXPIRED, "has expired");
    /* its row may be forgotten: a clock that went back must not make it look like a first one */
    if (presented->refresh_exp_s <= facts->pruned_through_s)
        return refuse(REFUSAL_REFRESH_EXPIRED, "has expired");
    if (moved_ms >= presented->absolute_end_s * 1000)
        return refuse(REFUSAL_REFRESH_EXPIRED, "has reached its family's end");
    return not_refused;
}

static struct refused check_asker(const struct rotate_facts *facts)
{
    const struct grant *presented = &facts->presented;
    bool has_proof = !bytes_is_absent(presented->jkt) && !bytes_is_absent(facts->proof_jkt);

    if (has_proof && !bytes_equal(presented->jkt, facts->proof_jkt))
        return (struct refused){REFUSAL_PROOF_INVALID, FIELD_PROOF, "is by another key"};
    if (!facts->key && !has_proof)
        return (struct refused){REFUSAL_PROOF_MISSING, FIELD_PROOF, "is missing, and no key asks either"};
    return not_refused;
}

struct refused rotate_check_key(const struct fact_key *key)
{
    /* permissions are an api token's; a client or a secret key is its project's whole */
    if (key->kind == KEY_CLIENT || key->kind == KEY_SECRET) return not_refused;
    if (key->permissions & PERMISSIONS_TO_MINT) return not_refused;
    return (struct refused){REFUSAL_KEY_PERMISSION, FIELD_NONE,
                            "needs one of calling, messaging, fax, video"};
}

struct refused rotate_check(const struct rotate_facts *facts, int64_t now_ms)
{
    struct refused refused;

    if (!capability_has(facts->presented.kind, MAY_REFRESH))
        return refuse(REFUSAL_REFRESH_KIND, "is of no kind that can be renewed");
    if (!uuid_equal(&facts->presented.project, &facts->project->id))
        return refuse(REFUSAL_REFRESH_FOREIGN, "is invalid");
    refused = check_times(facts, now_ms);
    if (refused.refusal) return refused;
    if (facts->presented.gt_ms <= facts->cutoff_ms) return refuse(REFUSAL_TOKEN_CUT_OFF, "was revoked");
    return not_refused;
}

static struct refused check_all(const struct rotate_facts *facts, int64_t now_ms)
{
    struct refused refused = rotate_check(facts, now_ms);

    if (refused.refusal) return refused;
    if (!facts->has_user) return refuse(REFUSAL_USER_GONE, "speaks for nobody who is still there");
    return check_asker(facts);
}

/* ---- the family's row ---- */

/* What the project has aged between the root's mint and a rotation, in whole seconds. The family's own times,
 * sealed into its refresh tokens, are told against the root's age, so that its bucket never moves; an access
 * token's against the age at its own mint. */
static int64_t aged_s(const struct grant *presented, int64_t age_ms)
{
    return age_ms > presented->age_ms ? (age_ms - presented->age_ms + 999) / 1000 : 0;
}

int64_t rotate_bucket_s(const struct grant *presented)
{
    return (presented->absolute_end_s / FAMILY_BUCKET_S + 1) * FAMILY_BUCKET_S;
}

bool rotate_is_present(const struct rotate_facts *facts, const struct family *found)
{
    uint32_t generation = facts->presented.generation;

    return found ? found->state == FAMILY_LIVE && generation == found->generation : generation == 0;
}

static struct family row_of(const struct rotate_facts *facts, enum family_state state, int64_t now_ms)
{
    const struct grant *presented = &facts->presented;
    const struct fact_project *project = facts->project;
    struct family family = {
        .id = presented->family, .project = presented->project, .user = presented->user, .state = state};
    int64_t life_s = project->setting[SETTING_SAT_LIFE];

    /* without a bound key there is just time to bind one, at every issuance */
    if (presented->may_self_refresh && bytes_is_absent(presented->jkt))
        life_s = least(life_s, SAT_LIFE_LOOSE_S);
    family.generation = presented->generation + (state == FAMILY_LIVE);
    family.rotated_ms = now_ms;
    family.age_ms = project->age_ms;
    family.succ_exp_s =
        least(now_ms / 1000 + life_s, presented->absolute_end_s - aged_s(presented, project->age_ms));
    family.bucket_s = rotate_bucket_s(presented);
    family.holder_is_bound = is_bound(facts);
    family.holder = family.holder_is_bound ? presented->jkt : facts->key ? facts->key->public_id : BYTES_NONE;
    family.seal_key = facts->seal_key;
    return family;
}

static void plan_family(struct plan *out, const struct family *family, uint32_t from_generation)
{
    struct write *write = &out->writes[out->write_count++];

    memset(write, 0, sizeof *write);
    write->kind = WRITE_FAMILY;
    write->family.family = *family;
    write->family.from_generation = from_generation;
}

static void plan_rotation(struct plan *out, const struct rotate_facts *facts, int64_t now_ms)
{
    struct family family = row_of(facts, FAMILY_LIVE, now_ms);

    out->write_count = 0;
    plan_family(out, &family, facts->presented.generation);
}

void rotate_plan(struct plan *out, const struct rotate_facts *facts, int64_t now_ms)
{
    memset(out, 0, sizeof *out);
    out->refused = check_all(facts, now_ms);
    if (!out->refused.refusal) plan_rotation(out, facts, now_ms);
}

static void grant_successor(struct decision *out, const struct rotate_facts *facts, const struct family *row)
{
    struct grant *grant = &out->grant;

    *grant = facts->presented; /* kind, user, addresses, application, key, binding, scope and gt stay */
    grant->jti = facts->jti;
    grant->generation = facts->presented.generation + 1;
    grant->iat_s = row->rotated_ms / 1000;
    grant->exp_s = row->succ_exp_s;
    grant->age_ms = row->age_ms;
    grant->aged_ms = row->age_ms - facts->presented.age_ms;
    grant->has_refresh = true;
    grant->refresh_exp_s = least(
        row->succ_exp_s + REFRESH_OUTLIVES_S + aged_s(&facts->presented, row->age_ms), grant->absolute_end_s);
    grant->seal_key = row->seal_key;
}

/* ---- the table ---- */

enum met { MET_NONE, MET_LIVE, MET_DEAD };
enum generation { ANY, FIRST, LATER, PRESENT, BEFORE, OLDER, NEWER }; /* presented, against the row's */
enum asker { ANYONE, SAME_IN_GRACE, BOUND_AHEAD, BOUND_PASSED };
enum turn { ROTATE, AGAIN, EXPIRED, REUSED, STATE_LOST, ROLLED_BACK, DEAD };

/* Of several rows that fit, the first counts. */
static const struct {
    enum met met;
    enum generation generation;
    enum asker asker;
    enum turn turn;
} table[] = {
    {MET_NONE, FIRST, ANYONE, ROTATE},
    {MET_NONE, LATER, ANYONE, STATE_LOST},
    {MET_LIVE, PRESENT, ANYONE, ROTATE}, /* its jkt is sealed in it, and was compared with the proof's */
    {MET_LIVE, BEFORE, SAME_IN_GRACE, AGAIN},
    {MET_LIVE, BEFORE, BOUND_AHEAD, AGAIN}, /* a client that lost the answer */
    {MET_LIVE, BEFORE, BOUND_PASSED, EXPIRED},
    {MET_LIVE, BEFORE, ANYONE, REUSED},
    {MET_LIVE, OLDER, ANYONE, REUSED},
    {MET_LIVE, NEWER, ANYONE, ROLLED_BACK},
    {MET_DEAD, ANY, ANYONE, DEAD},
};

static bool fits_generation(enum generation generation, uint32_t presented, const struct family *row)
{
    switch (generation) {
    case ANY:
        return true;
    case FIRST:
        return presented == 0;
    case LATER:
        return presented > 0;
    case PRESENT:
        return presented == row->generation;
    case BEFORE:
        return row->generation > 0 && presented == row->generation - 1;
    case OLDER:
        return presented < row->generation;
    case NEWER:
        return presented > row->generation;
    }
    return false;
}

/* Grace is a matter of real time; whether the successor still lives, one of the project's. */
static bool fits_asker(enum asker asker, const struct rotate_facts *facts, const struct family *row,
                       int64_t now_ms)
{
    struct family ours = row_of(facts, FAMILY_LIVE, now_ms);
    int64_t grace_ms = facts->project->setting[SETTING_REFRESH_GRACE] * 1000;
    bool is_ahead = age_now_ms(now_ms, facts->project->age_ms, row->age_ms) < row->succ_exp_s * 1000;

    switch (asker) {
    case ANYONE:
        return true;
    case SAME_IN_GRACE:
        return ours.holder_is_bound == row->holder_is_bound && bytes_equal(ours.holder, row->holder) &&
               now_ms - row->rotated_ms <= grace_ms;
    case BOUND_AHEAD:
        return ours.holder_is_bound && is_ahead;
    case BOUND_PASSED:
        return ours.holder_is_bound && !is_ahead;
    }
    return false;
}

static enum turn turn_at(const struct rotate_facts *facts, enum met met, const struct family *row,
                         int64_t now_ms)
{
    size_t i;

    for (i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].met == met && fits_generation(table[i].generation, facts->presented.generation, row) &&
            fits_asker(table[i].asker, facts, row, now_ms))
            return table[i].turn;
    return DEAD; /* not reached: each row of the table's first column ends with one that always fits */
}

/* ---- after the commit ---- */

static void plan_dead(struct plan *plan, const struct family *row, uint32_t from_generation)
{
    struct family dead = *row;

    dead.state = FAMILY_DEAD;
    plan->write_count = 0;
    plan_family(plan, &dead, from_generation);
}

/* Kept as long as anything of this family could live. */
static void plan_cutoff(struct plan *plan, const struct rotate_facts *facts, int64_t now_ms)
{
    struct write *write = &plan->writes[plan->write_count++];
    int64_t left_s = facts->presented.absolute_end_s - now_ms / 1000;

    memset(write, 0, sizeof *write);
    write->kind = WRITE_CUTOFF;
    write->cutoff.cutoff.of = CUTOFF_FAMILY;
    write->cutoff.cutoff.project = facts->presented.project;
    write->cutoff.cutoff.id = uuid_bytes(&facts->presented.family);
    write->cutoff.now_ms = now_ms;
    write->cutoff.keep_s = left_s > 0 ? left_s : 0;
}

static void plan_further(struct plan *plan, enum turn turn, const struct rotate_facts *facts,
                         const struct family *row, int64_t now_ms)
{
    struct family lost;

    switch (turn) {
    case ROTATE:
        plan_rotation(plan, facts, now_ms);
        return;
    case STATE_LOST:
        lost = row_of(facts, FAMILY_DEAD, now_ms);
        plan_dead(plan, &lost, 0);
        return;
    case REUSED:
        plan_dead(plan, row, FAMILY_ANY_GENERATION);
        if (!plan->has_cutoff) plan_cutoff(plan, facts, now_ms);
        return;
    case ROLLED_BACK:
        plan_dead(plan, row, row->generation);
        return;
    case AGAIN:
    case EXPIRED:
    case DEAD:
        plan->write_count = 0;
        return;
    }
}

static struct refused refused_by(enum turn turn)
{
    switch (turn) {
    case EXPIRED:
        return refuse(REFUSAL_REFRESH_EXPIRED, "has expired, and its successor too");
    case REUSED:
        return refuse(REFUSAL_REFRESH_REUSED, "is invalid");
    case STATE_LOST:
        return refuse(REFUSAL_REFRESH_STATE_LOST, "is invalid");
    case ROLLED_BACK:
        return refuse(REFUSAL_REFRESH_ROLLED_BACK, "is invalid");
    case DEAD:
        return refuse(REFUSAL_REFRESH_DEAD, "is invalid");
    case ROTATE:
    case AGAIN:
        break;
    }
    return not_refused;
}

/* What the plan just committed has done; the family's row is always the first. */
static void take_cutoff(struct decision *out, struct plan *plan, const struct row *rows)
{
    const struct write *write = &plan->writes[1];

    if (plan->write_count < 2 || write->kind != WRITE_CUTOFF) return;
    plan->has_cutoff = out->has_cutoff = true;
    out->cutoff = write->cutoff.cutoff;
    out->cutoff.t_ms = rows[1].t_ms;
}

void rotate_settle(struct decision *out, struct plan *plan, const struct rotate_facts *facts,
                   const struct row *rows, int64_t now_ms)
{
    const struct family *wrote = &plan->writes[0].family.family;
    struct family row;
    enum turn turn;

    memset(out, 0, sizeof *out);
    out->refused = plan->refused;
    if (!rows || !plan->write_count) return; /* there are rows for what was written */
    row = rows[0].family;
    take_cutoff(out, plan, rows);
    if (rows[0].state == ROW_WRITTEN) {
        if (wrote->state == FAMILY_LIVE) grant_successor(out, facts, wrote);
        return;
    }
    turn = turn_at(facts,
                   rows[0].state == ROW_ABSENT ? MET_NONE
                   : row.state == FAMILY_DEAD  ? MET_DEAD
                                               : MET_LIVE,
                   &row, now_ms);
    /* a family that died by this very reuse is told as reused, whoever wrote it dead */
    if (turn == DEAD && plan->refused.refusal == REFUSAL_REFRESH_REUSED) return;
    out->refused = refused_by(turn);
    if (turn == AGAIN) grant_successor(out, facts, &row);
    plan_further(plan, turn, facts, &row, now_ms);
    plan->refused = out->refused;
    if (!plan->write_count) return;
    out->has_further = plan->further_count++ < PLAN_FURTHER_MAX;
    if (!out->has_further && turn == ROTATE) out->refused = refuse(REFUSAL_REFRESH_DEAD, "is invalid");
}

bool rotate_recall(struct decision *out, const struct rotate_facts *facts, const struct family *found,
                   int64_t now_ms)
{
    memset(out, 0, sizeof *out);
    if (found->state != FAMILY_LIVE || turn_at(facts, MET_LIVE, found, now_ms) != AGAIN) return false;
    grant_successor(out, facts, found);
    return true;
}
