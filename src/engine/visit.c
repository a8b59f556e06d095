#include "engine/visit.h"

#include <string.h>

static struct refused refuse(enum refusal refusal, enum ask_field field, const char *because)
{
    return (struct refused){refusal, field, because};
}

struct refused visit_check(struct uuid *project, const struct visit_facts *facts, const struct ask_visit *ask)
{
    const struct fact_key *key = facts->publishable;
    bool names_key = !bytes_is_absent(ask->publishable_key);

    memset(project, 0, sizeof *project);
    if (!ask->has_study && !names_key)
        return refuse(REFUSAL_PARAMETER_MISSING, FIELD_STUDY, "or a publishable key must be named");
    if (names_key && (!key || key->kind != KEY_PUBLISHABLE || key->is_retired))
        return refuse(REFUSAL_PUBLISHABLE_KEY, FIELD_PUBLISHABLE_KEY, NULL);
    if (ask->has_study && !facts->study) return refuse(REFUSAL_NOT_FOUND, FIELD_STUDY, NULL);
    /* the same answer as for a study that is not there: one tenant learns nothing of another's */
    if (ask->has_study && names_key && !uuid_equal(&facts->study->project, &key->project))
        return refuse(REFUSAL_NOT_FOUND, FIELD_STUDY, NULL);
    *project = names_key ? key->project : facts->study->project;
    return refuse(REFUSAL_NONE, FIELD_NONE, NULL);
}

void visit_grant(struct grant *out, const struct fact_project *project, const struct fact_key *publishable,
                 int64_t cutoff_ms, int64_t now_ms, const struct dice *dice)
{
    memset(out, 0, sizeof *out);
    out->kind = TOKEN_PARTICIPANT;
    out->user_kind = USER_ANONYMOUS;
    out->project = project->id;
    uuid_draw(&out->user, dice);
    uuid_draw(&out->jti, dice);
    uuid_draw(&out->family, dice);
    if (publishable) out->parent_key = publishable->public_id;
    out->gt_ms = cutoff_ms >= now_ms ? cutoff_ms + 1 : now_ms;
    out->age_ms = project->age_ms;
    out->iat_s = now_ms / 1000;
    out->exp_s = out->iat_s + project->setting[SETTING_ANONYMOUS_LIFE];
    out->absolute_end_s = out->exp_s;
}
