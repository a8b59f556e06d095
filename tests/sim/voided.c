#include "sim/voided.h"

#include <string.h>

#include "sim/families.h"
#include "sim/operator.h"
#include "sim/world.h"

#define VOIDED_MAX 512

static struct {
    struct {
        struct cutoff cutoff; /* its id points to the bytes beside it */
        uint8_t id[KEY_PUBLIC_ID_MAX];
        int64_t told_us; /* INT64_MAX: not yet */
    } list[VOIDED_MAX];
    size_t count;
    bool has_causes;
} voided;

void voided_reset(void)
{
    memset(&voided, 0, sizeof voided);
}

void voided_have_causes(void)
{
    voided.has_causes = true;
}

void lineage_key(struct lineage_known *line, struct bytes id)
{
    line->key_len = id.len <= sizeof line->key ? id.len : 0;
    if (line->key_len) memcpy(line->key, id.ptr, line->key_len);
}

void voided_boot(void)
{
    size_t i;

    for (i = 0; i < voided.count; i++)
        if (voided.list[i].told_us == INT64_MAX) voided.list[i].told_us = world.mono_us;
}

static bool is_same(const struct cutoff *a, const struct cutoff *b)
{
    return a->of == b->of && uuid_equal(&a->project, &b->project) && bytes_equal(a->id, b->id);
}

/* After every stamp that is under way, and apart from every other of its project (design §3). */
static void check_stamp(const struct write *write, int64_t t_ms)
{
    int64_t wanted_ms = write->cutoff.now_ms + 3000;
    size_t i;

    for (i = 0; i < voided.count; i++) {
        const struct cutoff *other = &voided.list[i].cutoff;
        if (uuid_equal(&other->project, &write->cutoff.cutoff.project) && other->t_ms + 2 > wanted_ms)
            wanted_ms = other->t_ms + 2;
    }
    if (t_ms != wanted_ms)
        world_fail("a cutoff lies after every stamp under way", "by %lld ms", (long long)(t_ms - wanted_ms));
}

static void check_cause(const struct cutoff *cutoff)
{
    const struct sim_family *family;

    if (!voided.has_causes || operator_asks_for(cutoff)) return;
    if (cutoff->of != CUTOFF_FAMILY)
        world_fail("nothing is void but by somebody's word", "of %d", (int)cutoff->of);
    family = families_of(cutoff->id);
    if (family && !family->may_be_cut && !families_is_dead(family))
        world_fail("nothing is void but by somebody's word", "a family");
}

void voided_stored(const struct write *write, const struct row *row)
{
    const struct cutoff *cutoff = &write->cutoff.cutoff;
    size_t at = voided.count;

    check_stamp(write, row->t_ms);
    check_cause(cutoff);
    if (at == VOIDED_MAX) world_fail("the model holds all cutoffs", "%zu", at);
    voided.count++;
    voided.list[at].cutoff = *cutoff;
    voided.list[at].cutoff.t_ms = row->t_ms;
    memcpy(voided.list[at].id, cutoff->id.ptr, cutoff->id.len);
    voided.list[at].cutoff.id = bytes_of(voided.list[at].id, cutoff->id.len);
    voided.list[at].told_us = INT64_MAX;
}

/* ---- what it reaches ---- */

static bool is_of(const struct lineage_known *line, const struct cutoff *cutoff)
{
    if (!uuid_equal(&line->project, &cutoff->project)) return false;
    switch (cutoff->of) {
    case CUTOFF_PROJECT:
        return bytes_equal(cutoff->id, uuid_bytes(&line->project));
    case CUTOFF_KEY:
        return line->key_len && bytes_equal(cutoff->id, bytes_of(line->key, line->key_len));
    case CUTOFF_USER:
        return bytes_equal(cutoff->id, uuid_bytes(&line->user));
    case CUTOFF_FAMILY:
        return bytes_equal(cutoff->id, uuid_bytes(&line->family));
    case CUTOFF_RESOURCE: /* nothing here came in through one */
        break;
    }
    return false;
}

bool voided_must(const struct lineage_known *line, int64_t asked_us)
{
    size_t i;

    for (i = 0; i < voided.count; i++)
        if (voided.list[i].told_us < asked_us && line->gt_ms <= voided.list[i].cutoff.t_ms &&
            is_of(line, &voided.list[i].cutoff))
            return true;
    return false;
}

bool voided_reaches(const struct lineage_known *line)
{
    size_t i;

    for (i = 0; i < voided.count; i++)
        if (line->gt_ms <= voided.list[i].cutoff.t_ms && is_of(line, &voided.list[i].cutoff)) return true;
    return false;
}

static const struct uuid *user_of(const struct write *write, const struct uuid **project)
{
    switch (write->kind) {
    case WRITE_USER:
        *project = &write->user.user.project;
        return &write->user.user.id;
    case WRITE_INTERVIEW:
        *project = &write->interview.project;
        return &write->interview.user;
    case WRITE_INTERVIEW_STEP:
        *project = &write->interview_step.project;
        return &write->interview_step.user;
    case WRITE_ANSWER:
        *project = &write->answer.project;
        return &write->answer.user;
    default:
        return NULL;
    }
}

void voided_check_write(const struct write *write)
{
    struct lineage_known line = {.gt_ms = write->gt_ms};
    const struct uuid *project, *user = user_of(write, &project);

    if (!user || !write->gt_ms) return;
    line.project = *project;
    line.user = *user;
    if (voided_reaches(&line))
        world_fail("nobody comes back who was removed", "a write of kind %d", (int)write->kind);
}

bool voided_explains(const struct lineage_known *line, int64_t now_s)
{
    size_t i;

    if (line->gt_ms / 1000 == now_s) return true;
    for (i = 0; i < voided.count; i++)
        if (line->gt_ms == voided.list[i].cutoff.t_ms + 1 && is_of(line, &voided.list[i].cutoff)) return true;
    return false;
}

/* ---- when it is known ---- */

static void check_reach(const struct cutoff *cutoff, int64_t asked_us)
{
    size_t i;

    for (i = 0; i < model.token_count; i++) {
        const struct token *token = &model.tokens[i];
        if (token->made_us < asked_us && !token->is_lost && token->line.gt_ms > cutoff->t_ms &&
            is_of(&token->line, cutoff))
            world_fail("a revocation reaches all that was granted", "but for one, by %lld ms",
                       (long long)(token->line.gt_ms - cutoff->t_ms));
    }
}

void voided_told(const struct cutoff *cutoff, int64_t asked_us)
{
    size_t i;

    for (i = 0; i < voided.count; i++) {
        if (!is_same(&voided.list[i].cutoff, cutoff) || voided.list[i].told_us != INT64_MAX) continue;
        if (asked_us >= 0 && voided.list[i].cutoff.t_ms != cutoff->t_ms) continue;
        voided.list[i].told_us = world.mono_us;
        if (asked_us >= 0) check_reach(&voided.list[i].cutoff, asked_us);
    }
}
