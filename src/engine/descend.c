#include "engine/descend.h"

#include <string.h>

#include "engine/age.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The end by the clock of the token that is presented: what it says itself, or else what follows from its
 * root's stamp. Binding can only bring it forward. */
static int64_t family_end_s(const struct holder *from, bool is_bound, const struct fact_project *project)
{
    int64_t born_s = from->gt_ms / 1000;
    int64_t end_s =
        from->absolute_end_s ? from->absolute_end_s : born_s + project->setting[SETTING_FAMILY_MAX_AGE];

    return is_bound ? least(end_s, born_s + project->setting[SETTING_FAMILY_MAX_AGE_BOUND]) : end_s;
}

void descend(struct grant *out, const struct holder *from, bool is_bound, const struct fact_project *project,
             int64_t now_ms, const struct dice *dice)
{
    int64_t moved_now_s = age_now_ms(now_ms, project->age_ms, from->age_ms) / 1000;

    memset(out, 0, sizeof *out);
    out->project = from->project;
    uuid_draw(&out->jti, dice);
    out->family = from->family;
    out->parent_key = from->parent_key;
    out->gt_ms = from->gt_ms; /* copied, never drawn anew: a cutoff of the root must reach this one */
    out->age_ms = project->age_ms;
    out->iat_s = now_ms / 1000;
    /* what the project has aged since is gone from the time that is left */
    out->absolute_end_s = out->iat_s + family_end_s(from, is_bound, project) - moved_now_s;
}

int64_t descend_exp_s(const struct grant *grant, int64_t life_s)
{
    return least(grant->iat_s + life_s, grant->absolute_end_s);
}
