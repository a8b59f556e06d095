#include "server/admin_operate.h"

#include <stdlib.h>

#include "base/log.h"
#include "server/cut.h"
#include "server/node.h"
#include "server/operate.h"
#include "server/watch.h"

struct operator_errand {  /* from the ask to its answer */
    struct errand errand; /* first member */
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

static struct operator_errand *of_errand(struct errand *errand)
{
    return (struct operator_errand *)(void *)errand;
}

static void end(struct operator_errand *asked)
{
    json_free(asked->document);
    buf_wipe(&asked->answer);
    keyring_free(asked->ring);
    free(asked);
}

static void answer(struct operator_errand *asked)
{
    if (buf_error(&asked->answer))
        admin_refuse(asked->lane, asked->serial, "it is done, but there is no memory for the answer");
    else
        admin_answer(asked->lane, asked->serial, &asked->answer);
    end(asked);
}

/* Whatever went wrong here, the change is stored, and the next poll publishes it. */
static void published(struct watch_ask *ask, enum err error)
{
    struct operator_errand *asked =
        (struct operator_errand *)(void *)((char *)ask - offsetof(struct operator_errand, published));

    if (error) log_warn("operation_not_everywhere", log_text("error", err_name(error)));
    answer(asked);
}

static void go_on(struct operator_errand *asked)
{
    struct watch *watch = asked->lane->node->watch;

    if (asked->effects.facts_changed && watch)
        watch_now(watch, &asked->published);
    else
        answer(asked);
}

static void cut_everywhere(struct cut *cut)
{
    go_on((struct operator_errand *)(void *)((char *)cut - offsetof(struct operator_errand, cut)));
}

static void operated(struct errand *errand)
{
    struct operator_errand *asked = of_errand(errand);
    struct lane *lane = asked->lane;
    const struct operate_effects *effects = &asked->effects;

    if (atomic_load(&lane->node->is_stopping)) { /* nobody is left to be told */
        end(asked);
        return;
    }
    if (effects->facts_changed || effects->has_user)
        log_info("operated", log_text("what", operation_words(asked->operation.verb)));
    if (effects->has_user) lane_forget_user(lane, &effects->project, &effects->user);
    if (effects->has_cutoff)
        cut_tell(lane->cuts, &asked->cut, &effects->cutoff, cut_everywhere);
    else
        go_on(asked);
}

static void carry_out(struct errand *errand) /* on a pool thread */
{
    struct operator_errand *asked = of_errand(errand);

    operate(&asked->answer, &asked->effects, &asked->means, &asked->operation);
}

void admin_operate(struct lane *lane, uint64_t serial, struct bytes line)
{
    const struct node *node = lane->node;
    struct operator_errand *asked = node->store ? calloc(1, sizeof *asked) : NULL;
    enum err e = ERR_NO_MEMORY;

    if (!asked) goto failed;
    asked->lane = lane;
    asked->serial = serial;
    asked->published.done = published;
    asked->ring = keyring_hold(node->ring);
    asked->means = (struct operate_means){.store = node->store,
                                          .ring = asked->ring,
                                          .dice = node->host->dice,
                                          .now_ms = loop_now_ms(lane->loop),
                                          .url = bytes_of_text(node->config->public_url)};
    buf_init(&asked->answer, OPERATION_ANSWER_MAX);
    TRY(e = json_read(&asked->document, line), failed);
    TRY(e = operation_read(&asked->operation, asked->document), failed);
    asked->errand = (struct errand){.work = carry_out, .done = operated};
    TRY(e = loop_errand(lane->loop, &asked->errand), failed);
    return;
failed:
    admin_refuse(lane, serial, node->store ? err_doc(e) : "the server is stopping");
    if (asked) end(asked);
}
