#include "engine/budget.h"

#include <string.h>

#define HOUR_S 3600
#define DAY_S  86400

/* A click-to-call token has no end of its own; its counts go with its resource. */
#define FOREVER_S INT64_C(253402300800) /* the year 10000 */

static const int64_t spans_s[BUDGET_PARTS] = {
    [BUDGET_USES] = 0, [BUDGET_HOUR] = HOUR_S, [BUDGET_DAY] = DAY_S};

static const enum setting of_click[BUDGET_PARTS] = {[BUDGET_USES] = SETTING_CLICK_USES,
                                                    [BUDGET_HOUR] = SETTING_CLICK_USES_HOUR,
                                                    [BUDGET_DAY] = SETTING_CLICK_USES_DAY,
                                                    [BUDGET_SESSIONS] = SETTING_CLICK_SESSIONS};

enum setting budget_setting(enum budget_part part)
{
    return of_click[part];
}

bool budget_part_of(enum budget_part *out, struct bytes text)
{
    enum budget_part part;

    *out = BUDGET_USES;
    for (part = BUDGET_USES; part < BUDGET_PARTS; part++) {
        if (!bytes_equal(text, bytes_of_text(setting_text(of_click[part])))) continue;
        *out = part;
        return true;
    }
    return false;
}

static void bound(struct budget *out, enum budget_part part, enum setting setting,
                  const struct fact_project *project)
{
    out->most[part] = project->setting[setting];
    out->setting[part] = setting_text(setting);
}

static void bound_by_kind(struct budget *out, enum token_kind kind, const struct fact_project *project)
{
    static const struct {
        enum setting uses, hour, sessions;
    } of_kind[TOKEN_KINDS] = {
        [TOKEN_GUEST] = {SETTING_GUEST_USES, SETTING_GUEST_USES_HOUR, SETTING_GUEST_SESSIONS},
        [TOKEN_INVITE] = {SETTING_INVITE_USES, SETTING_INVITE_USES_HOUR, SETTING_INVITE_SESSIONS},
        [TOKEN_EMBED] = {SETTING_EMBED_USES, SETTING_EMBED_USES_HOUR, SETTING_EMBED_SESSIONS},
    };

    if (kind != TOKEN_GUEST && kind != TOKEN_INVITE && kind != TOKEN_EMBED) return;
    bound(out, BUDGET_USES, of_kind[kind].uses, project);
    bound(out, BUDGET_HOUR, of_kind[kind].hour, project);
    bound(out, BUDGET_SESSIONS, of_kind[kind].sessions, project);
}

/* The family's end by the clock of this token; a later one of the family has none that is later. */
static int64_t family_end_s(const struct holder *holder, const struct fact_project *project)
{
    int64_t end_s = holder->absolute_end_s ? holder->absolute_end_s
                                           : holder->gt_ms / 1000 + project->setting[SETTING_FAMILY_MAX_AGE];

    return end_s > holder->exp_s ? end_s : holder->exp_s;
}

enum err budget_of_token(struct budget *out, const struct holder *holder, const struct fact_project *project)
{
    memset(out, 0, sizeof *out);
    out->project = project->id;
    bound_by_kind(out, holder->kind, project);
    if (holder->kind == TOKEN_INVITE) {
        out->until_s = holder->exp_s;
        return uuid_read(&out->of, holder->jti);
    }
    out->until_s = family_end_s(holder, project);
    out->of = holder->family;
    return ERR_OK;
}

void budget_of_click(struct budget *out, const struct resource *resource, const struct fact_project *project)
{
    enum budget_part part;

    memset(out, 0, sizeof *out);
    out->project = project->id;
    out->of = resource->id;
    out->until_s = FOREVER_S;
    for (part = BUDGET_USES; part < BUDGET_PARTS; part++) {
        bound(out, part, of_click[part], project);
        if (resource->budget[part]) out->most[part] = resource->budget[part];
    }
}

static int64_t begin_of(int64_t span_s, int64_t now_s)
{
    return span_s ? now_s - now_s % span_s : 0;
}

bool budget_plan(struct plan *plan, const struct budget *budget, int64_t now_ms)
{
    enum budget_part part;

    for (part = BUDGET_USES; part < BUDGET_SESSIONS; part++) {
        struct write *write = &plan->writes[plan->write_count];
        if (!budget->most[part]) continue;
        if (plan->write_count == PLAN_WRITES_MAX) return false;
        memset(write, 0, sizeof *write);
        write->kind = WRITE_USE;
        write->is_gate = true;
        write->use.project = budget->project;
        write->use.of = budget->of;
        write->use.span_s = spans_s[part];
        write->use.from_s = begin_of(spans_s[part], now_ms / 1000);
        write->use.until_s = spans_s[part] ? write->use.from_s + spans_s[part] : budget->until_s;
        write->use.most = budget->most[part];
        plan->write_count++;
    }
    return true;
}

static enum budget_part part_of(int64_t span_s)
{
    enum budget_part part = BUDGET_USES;

    while (part < BUDGET_DAY && spans_s[part] != span_s)
        part++;
    return part;
}

void budget_settle(struct budget_spent *out, const struct plan *plan, const struct row *rows, int64_t now_ms)
{
    size_t i;

    memset(out, 0, sizeof *out);
    for (i = 0; i < plan->write_count; i++) {
        const struct write *write = &plan->writes[i];
        if (write->kind != WRITE_USE || rows[i].state == ROW_WRITTEN || rows[i].state == ROW_SKIPPED)
            continue;
        out->part = part_of(write->use.span_s);
        out->refusal = write->use.span_s ? REFUSAL_BUDGET_WAITS : REFUSAL_BUDGET_SPENT;
        if (!write->use.span_s) return;
        out->wait_ms = (write->use.from_s + write->use.span_s) * 1000 - now_ms;
        if (out->wait_ms < 1000) out->wait_ms = 1000; /* the answer took its time: at once, but not before */
        return;
    }
}
