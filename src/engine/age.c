#include "engine/age.h"

int64_t age_now_ms(int64_t now_ms, int64_t project_ms, int64_t theirs_ms)
{
    int64_t lived_ms = theirs_ms > 0 ? project_ms - theirs_ms : project_ms;

    return lived_ms > 0 ? now_ms + lived_ms : now_ms;
}

enum age_step age_step_check(const struct fact_project *project, int64_t by_ms)
{
    if (!project) return AGE_NO_PROJECT;
    if (!project->is_test) return AGE_LIVE_PROJECT;
    if (by_ms <= 0) return AGE_STEP_TOO_SMALL;
    if (by_ms > AGE_STEP_MAX_MS) return AGE_STEP_TOO_LARGE;
    return by_ms > AGE_MAX_MS - project->age_ms ? AGE_TOO_OLD : AGE_MAY_STEP;
}

const char *age_step_text(enum age_step step)
{
    switch (step) {
    case AGE_MAY_STEP:
        return "";
    case AGE_NO_PROJECT:
        return "there is no such project here";
    case AGE_LIVE_PROJECT:
        return "time can be moved in test projects only; this one is live";
    case AGE_STEP_TOO_SMALL:
        return "time goes forward only: an advance is more than nothing";
    case AGE_STEP_TOO_LARGE:
        return "an advance is at most ten years";
    case AGE_TOO_OLD:
        return "the project's clock was moved by a hundred years in all, and goes no further";
    }
    return "";
}
