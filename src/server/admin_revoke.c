#include "server/admin_revoke.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/revoke.h"
#include "server/cut.h"
#include "server/node.h"
#include "wire/json_write.h"

struct revocation {             /* from the ask to its answer */
    struct store_commit commit; /* first member */
    struct cut cut;
    struct lane *lane;
    uint64_t serial;
    struct plan plan;
    struct row row;
    uint8_t id[KEY_PUBLIC_ID_MAX];
    int64_t began_ms;
};

static void everywhere(struct cut *cut)
{
    struct revocation *revocation =
        (struct revocation *)(void *)((char *)cut - offsetof(struct revocation, cut));
    struct lane *lane = revocation->lane;
    struct buf *line = lane_body(lane);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    json_key(&w, "sessions_closed");
    json_put_number(&w, (int64_t)atomic_load(&cut->closed));
    json_key(&w, "took_ms");
    json_put_number(&w, loop_tick_ms(lane->loop) - revocation->began_ms);
    json_key(&w, "cutoff_ms");
    json_put_number(&w, cut->cutoff.t_ms);
    json_object_end(&w);
    admin_answer(lane, revocation->serial, line);
    free(revocation);
}

static void committed(struct mail *mail)
{
    struct revocation *revocation = (struct revocation *)(void *)mail;
    struct refused refused = {REFUSAL_NONE, FIELD_NONE, NULL};
    struct cutoff cutoff;
    enum err e = revocation->commit.error;

    if (!e) refused = revoke_settle(&cutoff, &revocation->plan, &revocation->row);
    if (!e && !refused.refusal) {
        log_info("revoked", log_text("of", cutoff_of_text(cutoff.of)), log_number("cutoff_ms", cutoff.t_ms));
        cut_tell(revocation->lane->cuts, &revocation->cut, &cutoff, everywhere);
        return;
    }
    admin_refuse(revocation->lane, revocation->serial,
                 e ? "the store did not take it; the server's log says why" : refused.because);
    free(revocation);
}

void admin_revoke(struct lane *lane, uint64_t serial, const struct admin_ask *ask)
{
    struct store *store = lane->node->store;
    struct revocation *revocation = store ? calloc(1, sizeof *revocation) : NULL;
    struct cutoff cutoff;
    const char *because;

    if (!revocation) {
        admin_refuse(lane, serial, store ? "not enough memory" : "the server is stopping");
        return;
    }
    if (!cutoff_name_read(&cutoff, revocation->id, ask->of, &ask->project,
                          bytes_of(ask->name, ask->name_len))) {
        admin_refuse(lane, serial, "no such name: a UUID, or the public id of a key");
        free(revocation);
        return;
    }
    because = revoke_refused(service_facts(lane->service), &cutoff);
    if (because) {
        admin_refuse(lane, serial, because);
        free(revocation);
        return;
    }
    revocation->lane = lane;
    revocation->serial = serial;
    revocation->began_ms = loop_tick_ms(lane->loop);
    revoke_plan(&revocation->plan, &cutoff, loop_now_ms(lane->loop));
    revocation->commit =
        (struct store_commit){.mail = {.open = committed},
                              .post = loop_post_to,
                              .to = lane->loop,
                              .writes = revocation->plan.writes,
                              .write_count = revocation->plan.write_count,
                              .rows = &revocation->row}; /* no arena: a cutoff's row has no text */
    store->ops->commit(store, &revocation->commit);
}
