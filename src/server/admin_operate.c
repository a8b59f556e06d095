#include "server/admin_operate.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/cut.h"
#include "server/node.h"
#include "server/operate.h"
#include "server/watch.h"
#include "wire/json_write.h"

struct errand_of_operator { /* from the ask to its answer */
    struct errand errand;   /* first member */
    struct watch_ask published;
    struct cut cut;
    struct lane *lane;
    uint64_t serial;
    struct json document;
    struct operation operation;
    struct operate_means means;
    struct keyring *ring; /* held: a newer one may take its place meanwhile */
    struct operate_effects effects;
    struct buf answer; /* may hold a secret: it is wiped */
};

static struct errand_of_operator *of_errand(struct errand *errand)
{
    return (struct errand_of_operator *)(void *)errand;
}

static void tell_refused(struct lane *lane, uint64_t serial, const char *because)
{
    struct buf *line = lane_body(lane);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    json_key(&w, "refused");
    json_put_string(&w, bytes_of_text(because));
    json_object_end(&w);
    admin_answer(lane, serial, line);
}

static void end(struct errand_of_operator *operator)
{
    json_free(operator->document);
    buf_wipe(&operator->answer);
    keyring_free(operator->ring);
    free(operator);
}

static void answer(struct errand_of_operator *operator)
{
    if (buf_error(&operator->answer))
        tell_refused(operator->lane, operator->serial, "it is done, but there is no memory for the answer");
    else
        admin_answer(operator->lane, operator->serial, &operator->answer);
    end(operator);
}

/* Whatever went wrong here, the change is stored, and the next poll publishes it. */
static void published(struct watch_ask *ask, enum err error)
{
    struct errand_of_operator *operator=(struct errand_of_operator *)(void *)(
        (char *)ask - offsetof(struct errand_of_operator, published));

    if (error) log_warn("operation_not_everywhere", log_text("error", err_name(error)));
    answer(operator);
}

static void go_on(struct errand_of_operator *operator)
{
    struct watch *watch = operator->lane->node->watch;

    if (operator->effects.facts_changed && watch)
        watch_now(watch, &operator->published);
    else
        answer(operator);
}

static void cut_everywhere(struct cut *cut)
{
    go_on((struct errand_of_operator *)(void *)((char *)cut - offsetof(struct errand_of_operator, cut)));
}

static void operated(struct errand *errand)
{
    struct errand_of_operator *operator= of_errand(errand);
    struct lane *lane = operator->lane;
    const struct operate_effects *effects = &operator->effects;

    if (atomic_load(&lane->node->is_stopping)) { /* nobody is left to be told */
        end(operator);
        return;
    }
    if (effects->facts_changed || effects->has_user)
        log_info("operated", log_text("what", operation_words(operator->operation.verb)));
    if (effects->has_user) lane_forget_user(lane, &effects->project, &effects->user);
    if (effects->has_cutoff)
        cut_tell(lane->cuts, &operator->cut, &effects->cutoff, cut_everywhere);
    else
        go_on(operator);
}

static void carry_out(struct errand *errand) /* on a pool thread */
{
    struct errand_of_operator *operator= of_errand(errand);

    operate(&operator->answer, &operator->effects, &operator->means, &operator->operation);
}

void admin_operate(struct lane *lane, uint64_t serial, struct bytes line)
{
    const struct node *node = lane->node;
    struct errand_of_operator *operator= node->store ? calloc(1, sizeof *operator) : NULL;
    enum err e = ERR_NO_MEMORY;

    if (!operator) goto failed;
    operator->lane = lane;
    operator->serial = serial;
    operator->published.done = published;
    operator->ring = keyring_hold(node->ring);
    operator->means =(struct operate_means){.store = node->store,
                                            .ring = operator->ring,
                                            .dice = node->host->dice,
                                            .now_ms = loop_now_ms(lane->loop),
                                            .url = bytes_of_text(node->config->public_url)};
    buf_init(&operator->answer, OPERATION_ANSWER_MAX);
    TRY(e = json_read(&operator->document, line), failed);
    TRY(e = operation_read(&operator->operation, operator->document), failed);
    operator->errand =(struct errand){.work = carry_out, .done = operated};
    TRY(e = loop_errand(lane->loop, &operator->errand), failed);
    return;
failed:
    tell_refused(lane, serial, node->store ? err_doc(e) : "the server is stopping");
    if (operator) end(operator);
}
