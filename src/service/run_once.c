/* run_once.c — what shows who asks, and shows it once: an assertion, or the proof beside an access token.
 *
 * It is used up in the first commit of the ask it came with, so that the two happen together or not at all;
 * an ask that commits nothing has a commit for this alone, before anybody hears its answer. A refusal that
 * comes before the first commit uses nothing up. Where nobody knows what became of a commit, it counts as
 * used: whoever asks again signs another. An ask that looks up what became of its own commit cannot tell
 * whether that or a repeat of it has used the thing up, and so fails as the commit did. */
#include <string.h>

#include "service/service_run.h"

#define ONCE_BUCKET_S 900 /* no less than two of one name, both good before one is forgotten, lie apart */

struct once {
    bool is_used;
    enum err unsure; /* of a commit that may have happened */
    void (*refuse)(struct run *run);
    enum outcome_kind end; /* how the ask ends when its own commit is done */
    struct write writes[ONCE_BUCKETS + PLAN_WRITES_MAX];
    struct row rows[ONCE_BUCKETS + PLAN_WRITES_MAX];
};

/* The same name in another credential of that key, made at another time, is a repeat too: each is put into
 * the bucket of its own end and into the next, so that two from neighbouring buckets meet. */
void run_write_once(struct write *write, const uint8_t digest[SHA256_LEN], int64_t end_s, size_t nth)
{
    memset(write, 0, sizeof *write);
    write->kind = WRITE_ONCE;
    write->is_gate = true; /* what comes with a used one is not written either */
    memcpy(write->once.id.byte, digest, sizeof write->once.id.byte);
    write->once.bucket_s = (end_s / ONCE_BUCKET_S + 1 + (int64_t)nth) * ONCE_BUCKET_S;
}

enum err run_keep_once(struct run *run, const uint8_t digest[SHA256_LEN], int64_t end_s,
                       void (*refuse)(struct run *run))
{
    struct once *once = arena_alloc(run->arena, sizeof *once);
    size_t i;

    if (!once) return ERR_NO_MEMORY;
    memset(once, 0, sizeof *once);
    once->refuse = refuse;
    for (i = 0; i < ONCE_BUCKETS; i++)
        run_write_once(&once->writes[i], digest, end_s, i);
    run->once = once;
    return ERR_OK;
}

/* Before the plan's own writes: what is shown twice is told so, whatever else is wrong. */
void run_once_joins(struct run *run)
{
    struct once *once = run->once;

    if (!once || once->is_used) return;
    memcpy(&once->writes[ONCE_BUCKETS], run->plan.writes, run->plan.write_count * sizeof once->writes[0]);
    run->commit.writes = once->writes;
    run->commit.rows = once->rows;
    run->commit.write_count += ONCE_BUCKETS;
}

bool run_once_settles(struct run *run)
{
    struct once *once = run->once;
    bool is_written = true;
    size_t i;

    if (run->commit.rows == run->rows) return true;
    if (run->commit.error) {
        once->unsure = run->commit.error;
        return true;
    }
    for (i = 0; i < ONCE_BUCKETS; i++) {
        if (once->rows[i].state == ROW_EXISTS) {
            if (once->unsure)
                run_fail(run, once->unsure);
            else
                once->refuse(run);
            return false;
        }
        is_written = is_written && once->rows[i].state == ROW_WRITTEN;
    }
    once->is_used = is_written; /* skipped: another gate was shut, and this commit has written nothing */
    memcpy(run->rows, &once->rows[ONCE_BUCKETS], run->plan.write_count * sizeof run->rows[0]);
    return true;
}

static void end(struct run *run)
{
    run_finish(run, run->once->end);
}

void run_once_first(struct run *run, void (*then)(struct run *run))
{
    if (!run->once || run->once->is_used) {
        then(run);
        return;
    }
    run->plan.write_count = 0;
    run_commit(run, then);
}

bool run_once_delays(struct run *run, enum outcome_kind kind)
{
    struct once *once = run->once;

    if (!once || once->is_used || kind == OUTCOME_REFUSED || kind == OUTCOME_FAILED) return false;
    once->end = kind;
    run->plan.write_count = 0;
    run_commit(run, end);
    return true;
}
