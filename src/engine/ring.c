#include "engine/ring.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static int64_t wait_ms(enum ring_use use)
{
    return use == RING_SIGN ? RING_SIGN_WAIT_MS : RING_SEAL_WAIT_MS;
}

static int64_t kept_ms(enum ring_use use)
{
    return use == RING_SIGN ? RING_SIGN_KEPT_MS : RING_SEAL_KEPT_MS;
}

const struct ring_key *ring_find(struct ring_view ring, struct bytes id)
{
    size_t i;

    for (i = 0; i < ring.count; i++)
        /* cppcheck-suppress returnDanglingLifetime ; the view is ours, the keys it shows are not */
        if (bytes_equal(ring.keys[i].id, id)) return &ring.keys[i];
    return NULL;
}

static const struct ring_key *in_state(struct ring_view ring, enum ring_use use, enum ring_state state)
{
    size_t i;

    for (i = 0; i < ring.count; i++)
        /* cppcheck-suppress returnDanglingLifetime ; as above */
        if (ring.keys[i].use == use && ring.keys[i].state == state) return &ring.keys[i];
    return NULL;
}

static size_t count_of(struct ring_view ring, enum ring_use use)
{
    size_t i, count = 0;

    for (i = 0; i < ring.count; i++)
        count += ring.keys[i].use == use;
    return count;
}

/* ---- what is asked for ---- */

static void add_step(struct ring_plan *plan, enum ring_act act, enum ring_use use, struct bytes id)
{
    plan->steps[plan->step_count++] = (struct ring_step){act, use, id};
}

static void add_harm(struct ring_plan *plan, enum ring_harm_of of, enum ring_use use, int64_t ms)
{
    if (ms > 0) plan->harms[plan->harm_count++] = (struct ring_harm){of, use, (ms + 999) / 1000};
}

/* The plan is to be refused unless it is an emergency. */
static void refuse(struct ring_plan *plan, const struct ring_order *order, enum ring_no no, int64_t from_ms)
{
    if (order->is_emergency) return;
    plan->no = no;
    plan->from_ms = from_ms;
    plan->may_force = true;
    plan->step_count = 0;
}

static struct ring_plan never(enum ring_no no)
{
    return (struct ring_plan){.no = no};
}

/* When the first of the retired ones makes room. */
static struct ring_plan full(struct ring_view ring, enum ring_use use)
{
    const struct ring_key *oldest = in_state(ring, use, RING_RETIRED);

    return (struct ring_plan){.no = RING_IS_FULL, .from_ms = oldest ? oldest->since_ms + kept_ms(use) : 0};
}

/* Steps after which another key signs: that is unsafe until the other one is known everywhere. */
static void plan_turn(struct ring_plan *plan, const struct ring_key *published, enum ring_use use,
                      int64_t now_ms)
{
    int64_t since_ms = published ? published->since_ms : now_ms;

    if (!published) add_step(plan, RING_PUBLISH, use, BYTES_NONE);
    add_step(plan, RING_TURN, use, BYTES_NONE);
    add_harm(plan, RING_HARM_NEW, use, since_ms + wait_ms(use) - now_ms);
}

static struct ring_plan plan_rotate(struct ring_view ring, const struct ring_order *order, int64_t now_ms)
{
    const enum ring_use use = order->use;
    const struct ring_key *published = in_state(ring, use, RING_PUBLISHED);
    struct ring_plan plan = {.no = RING_MAY};

    if (use == RING_HASH) return never(RING_IS_HASH);
    if (!published && count_of(ring, use) >= RING_USE_MAX) return full(ring, use);
    if (!published && !order->is_emergency) {
        add_step(&plan, RING_PUBLISH, use, BYTES_NONE);
        return plan;
    }
    plan_turn(&plan, published, use, now_ms);
    if (plan.harm_count)
        refuse(&plan, order, RING_TOO_YOUNG, (published ? published->since_ms : now_ms) + wait_ms(use));
    return plan;
}

static struct ring_plan plan_retire(struct ring_view ring, const struct ring_order *order,
                                    const struct ring_key *key, int64_t now_ms)
{
    const struct ring_key *published = in_state(ring, key->use, RING_PUBLISHED);
    struct ring_plan plan = {.no = RING_MAY};

    if (key->state == RING_RETIRED) return never(RING_IS_RETIRED);
    if (key->state == RING_PUBLISHED) return never(RING_NEVER_SIGNED);
    if (!published && order->is_emergency && count_of(ring, key->use) >= RING_USE_MAX)
        return full(ring, key->use);
    plan_turn(&plan, published, key->use, now_ms);
    if (!published)
        refuse(&plan, order, RING_NO_OTHER, 0);
    else if (plan.harm_count)
        refuse(&plan, order, RING_TOO_YOUNG, published->since_ms + wait_ms(key->use));
    return plan;
}

/* Nothing was ever signed by a published key; a signing one needs another in its place first. */
static struct ring_plan plan_remove(struct ring_view ring, const struct ring_order *order,
                                    const struct ring_key *key, int64_t now_ms)
{
    const struct ring_key *published = in_state(ring, key->use, RING_PUBLISHED);
    int64_t free_ms = key->since_ms + kept_ms(key->use);
    struct ring_plan plan = {.no = RING_MAY};

    if (key->state == RING_SIGNING) {
        if (!published && order->is_emergency && count_of(ring, key->use) >= RING_USE_MAX)
            return full(ring, key->use);
        plan_turn(&plan, published, key->use, now_ms);
        free_ms = now_ms + kept_ms(key->use);
    }
    add_step(&plan, RING_DROP, key->use, key->id);
    if (key->state == RING_PUBLISHED) return plan;
    add_harm(&plan, RING_HARM_OLD, key->use, free_ms - now_ms);
    if (key->state == RING_SIGNING)
        refuse(&plan, order, RING_STILL_SIGNS, 0);
    else if (plan.harm_count)
        refuse(&plan, order, RING_STILL_NEEDED, free_ms);
    return plan;
}

struct ring_plan ring_plan(struct ring_view ring, const struct ring_order *order, int64_t now_ms)
{
    const struct ring_key *key;

    if (order->want == RING_WANT_ROTATE) return plan_rotate(ring, order, now_ms);
    key = ring_find(ring, order->id);
    if (!key) return never(RING_NO_SUCH_KEY);
    if (key->use == RING_HASH) return never(RING_IS_HASH);
    if (order->want == RING_WANT_RETIRE) return plan_retire(ring, order, key, now_ms);
    return plan_remove(ring, order, key, now_ms);
}

/* ---- what is due ---- */

static int64_t days_of(const struct ring_timetable *timetable, enum ring_use use)
{
    return use == RING_SIGN ? timetable->sign_days : timetable->seal_days;
}

static bool is_of_other_kind(const struct ring_key *key, const struct ring_timetable *timetable)
{
    return key->use == RING_SIGN && !bytes_equal(key->algorithm, timetable->sign_algorithm);
}

/* A published key of a kind that is no longer wanted goes at once, which harms nobody; a signing one is to
 * have its successor at once. */
static struct ring_due due_of(struct ring_view ring, const struct ring_key *key,
                              const struct ring_timetable *timetable, int64_t now_ms)
{
    const enum ring_use use = key->use;
    struct ring_due due = {.at_ms = INT64_MAX};

    switch (key->state) {
    case RING_PUBLISHED:
        if (is_of_other_kind(key, timetable)) return (struct ring_due){{RING_DROP, use, key->id}, now_ms};
        return (struct ring_due){{RING_TURN, use, BYTES_NONE}, key->since_ms + wait_ms(use)};
    case RING_SIGNING:
        due.step = (struct ring_step){RING_PUBLISH, use, BYTES_NONE};
        if (in_state(ring, use, RING_PUBLISHED) || count_of(ring, use) >= RING_USE_MAX) break;
        if (is_of_other_kind(key, timetable))
            due.at_ms = now_ms;
        else if (days_of(timetable, use))
            due.at_ms = key->since_ms + days_of(timetable, use) * DAY_MS - wait_ms(use);
        break;
    case RING_RETIRED:
        return (struct ring_due){{RING_DROP, use, key->id}, key->since_ms + kept_ms(use)};
    case RING_GONE:
        break;
    }
    return due;
}

struct ring_due ring_due(struct ring_view ring, const struct ring_timetable *timetable, int64_t now_ms)
{
    struct ring_due first = {.at_ms = INT64_MAX};
    size_t i;

    for (i = 0; i < ring.count; i++) {
        struct ring_due due = {.at_ms = INT64_MAX};
        if (ring.keys[i].use != RING_HASH) due = due_of(ring, &ring.keys[i], timetable, now_ms);
        if (due.at_ms < first.at_ms) first = due;
    }
    return first;
}

enum ring_next ring_next(int64_t *at_ms, struct ring_view ring, const struct ring_key *key,
                         const struct ring_timetable *timetable)
{
    const struct ring_key *published = in_state(ring, key->use, RING_PUBLISHED);

    *at_ms = 0;
    if (key->use == RING_HASH) return RING_NEXT_NONE;
    switch (key->state) {
    case RING_PUBLISHED:
        *at_ms = key->since_ms + wait_ms(key->use);
        return RING_NEXT_SIGNS;
    case RING_SIGNING:
        if (published)
            *at_ms = published->since_ms + wait_ms(key->use);
        else if (days_of(timetable, key->use))
            *at_ms = key->since_ms + days_of(timetable, key->use) * DAY_MS;
        return *at_ms ? RING_NEXT_RETIRED : RING_NEXT_NONE;
    case RING_RETIRED:
        *at_ms = key->since_ms + kept_ms(key->use);
        return RING_NEXT_GONE;
    case RING_GONE:
        break;
    }
    return RING_NEXT_NONE;
}

/* ---- what is written ---- */

static void add_write(struct write *out, size_t *count, const struct ring_key *key, enum ring_state state,
                      int64_t now_ms)
{
    struct write *write = &out[(*count)++];

    *write = (struct write){.kind = WRITE_RING_KEY, .ring_key = *key};
    write->ring_key.state = state;
    write->ring_key.since_ms = now_ms;
    /* what we have read of a key that is there may be wrapped under a master key that was changed since */
    if (state != RING_PUBLISHED) write->ring_key.wrapped = BYTES_NONE;
}

void ring_writes(struct write out[RING_WRITES_MAX], size_t *count, struct ring_view ring,
                 const struct ring_step *step, const struct ring_key *made, int64_t now_ms)
{
    const struct ring_key *key;

    *count = 0;
    switch (step->act) {
    case RING_PUBLISH:
        add_write(out, count, made, RING_PUBLISHED, now_ms);
        out[0].ring_key.created_ms = now_ms;
        break;
    case RING_TURN:
        key = in_state(ring, step->use, RING_PUBLISHED);
        if (!key) break;
        add_write(out, count, key, RING_SIGNING, now_ms);
        key = in_state(ring, step->use, RING_SIGNING);
        if (key) add_write(out, count, key, RING_RETIRED, now_ms);
        break;
    case RING_DROP:
        key = ring_find(ring, step->id);
        if (key) add_write(out, count, key, RING_GONE, now_ms);
        break;
    }
}

/* ---- words ---- */

const char *ring_no_text(enum ring_no no)
{
    static const char *const texts[] = {
        [RING_MAY] = "",
        [RING_NO_SUCH_KEY] = "there is no such key in the ring",
        [RING_IS_HASH] =
            ("the key that stored secrets are hashed with cannot be replaced: every API key would have to be "
             "made anew by its owner. keyring rewrap changes the master key that protects it"),
        [RING_IS_FULL] = "the ring holds as many keys of this use as it can: retired ones must go first",
        [RING_TOO_YOUNG] = "the next key is not known everywhere yet",
        [RING_NO_OTHER] = "no other key is published that could take over: keyring rotate makes one",
        [RING_NEVER_SIGNED] =
            "it has never signed, so there is nothing to retire: keyring remove takes it back",
        [RING_IS_RETIRED] = "it is retired already",
        [RING_STILL_SIGNS] = "it is the one that is used now: keyring retire comes first, or keyring rotate",
        [RING_STILL_NEEDED] = "what it signed or sealed may still be alive",
    };

    return texts[no];
}

void ring_harm_write(char out[RING_HARM_TEXT_MAX], const struct ring_harm *harm)
{
    static const char *const texts[][2] = {
        {"new tokens are refused, for up to %lld s, by everybody who verifies with an older copy of the key "
         "set",
         "new refresh tokens and tickets are refused, for up to %lld s, wherever the next key is not known "
         "yet"},
        {"tokens signed by this key cannot be verified any more; the last of them would have lived %lld s",
         "refresh tokens, tickets and resume states sealed by this key are void; the last would have lived "
         "%lld s"}};

    (void)snprintf(out, RING_HARM_TEXT_MAX, texts[harm->of == RING_HARM_OLD][harm->use == RING_SEAL],
                   (long long)harm->for_s);
}

const char *ring_use_text(enum ring_use use)
{
    static const char *const texts[] = {[RING_SIGN] = "sign", [RING_SEAL] = "seal", [RING_HASH] = "hash"};

    return texts[use];
}

const char *ring_state_text(enum ring_state state)
{
    static const char *const texts[] = {[RING_PUBLISHED] = "published",
                                        [RING_SIGNING] = "signing",
                                        [RING_RETIRED] = "retired",
                                        [RING_GONE] = "gone"};

    return texts[state];
}

bool ring_use_of_text(enum ring_use *out, struct bytes text)
{
    enum ring_use use;

    for (use = RING_SIGN; use <= RING_HASH; use++)
        if (bytes_equal(text, bytes_of_text(ring_use_text(use)))) {
            *out = use;
            return true;
        }
    return false;
}
