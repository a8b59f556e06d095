/* run_revocations.c — what was revoked in a project, signed: for those who verify tokens by themselves.
 *
 * Told in the order of their t, a page at a time. t is assigned at the commit and grows with each one of a
 * project, but lanes may hear of two in the other order; so a page goes back a little behind the last that
 * was told, and who reads may see one twice. */
#include <string.h>

#include "engine/revoke.h"
#include "service/cutoffs.h"
#include "service/service_run.h"
#include "wire/json_write.h"

#define FEED_OVERLAP_MS 10000 /* longer than mail between lanes takes, and t may lie 3 s ahead of now */
#define FEED_BYTES_MAX  49152 /* 200 of at most 120 bytes, and the claims around them, as base64url */

static void write_id(struct json_writer *w, const struct cutoff *cutoff)
{
    struct uuid id;

    json_key(w, "id");
    if (cutoff->of == CUTOFF_KEY || cutoff->id.len != sizeof id.byte) {
        json_put_string(w, cutoff->id);
        return;
    }
    memcpy(id.byte, cutoff->id.ptr, sizeof id.byte);
    json_put_uuid(w, &id);
}

static void write_list(struct json_writer *w, const struct cutoff *list, size_t count)
{
    size_t i;

    json_key(w, "revocations");
    json_array_begin(w);
    for (i = 0; i < count; i++) {
        json_object_begin(w);
        json_key(w, "kind");
        json_put_literal(w, cutoff_of_text(list[i].of));
        write_id(w, &list[i]);
        json_key(w, "t");
        json_put_number(w, list[i].t_ms);
        json_object_end(w);
    }
    json_array_end(w);
}

/* Where the next page begins: a full page's end, or a little behind what can be known by now. */
static int64_t next_of(const struct run *run, const struct cutoff *list, size_t count, bool has_more)
{
    int64_t settled_ms = run->now_ms - FEED_OVERLAP_MS;
    int64_t last_ms = count ? list[count - 1].t_ms : run->ask.revocations.since_ms;

    return has_more || last_ms < settled_ms ? last_ms : settled_ms;
}

static void write_claims(struct buf *out, const struct run *run, const struct cutoff *list, size_t count,
                         bool has_more)
{
    struct json_writer w = json_writer_on(out);

    json_object_begin(&w);
    json_key(&w, "iss");
    json_put_string(&w, run->service->options.url);
    json_key(&w, "aud");
    json_put_uuid(&w, &run->project->id);
    json_key(&w, "iat");
    json_put_number(&w, run->now_ms / 1000);
    json_key(&w, "since");
    json_put_number(&w, run->ask.revocations.since_ms);
    json_key(&w, "next");
    json_put_number(&w, next_of(run, list, count, has_more));
    json_key(&w, "has_more");
    json_put_bool(&w, has_more);
    write_list(&w, list, count);
    json_object_end(&w);
}

static enum err sign(struct bytes *out, struct run *run, struct bytes claims)
{
    const struct key_bench *bench = &run->service->bench;
    struct buf header, text;
    enum err e;

    buf_init(&header, 2048);
    buf_init(&text, FEED_BYTES_MAX);
    /* a type of its own: no access token passes for a feed, nor the reverse (RFC 8725 §3.11) */
    jws_header(&header, bench->sign_alg, BYTES("revocations+jwt"), bench->sign_kid, BYTES_NONE);
    e = buf_error(&header);
    if (!e) e = jws_sign(&text, bench->sign, buf_bytes(&header), claims);
    if (!e) {
        *out = arena_copy(run->arena, buf_bytes(&text));
        if (bytes_is_absent(*out)) e = ERR_NO_MEMORY;
    }
    buf_release(&header);
    buf_release(&text);
    return e;
}

void run_revocations(struct run *run)
{
    struct cutoff *list;
    struct buf claims;
    size_t count;
    bool has_more;
    enum err e;

    if (!run_authenticate_key(run) || !run_goes_on(run)) return;
    list = arena_alloc(run->arena, REVOCATIONS_PAGE * sizeof *list);
    if (!list) {
        run_fail(run, ERR_NO_MEMORY);
        return;
    }
    count = cutoffs_since(list, REVOCATIONS_PAGE, &has_more, run->service->cutoffs, &run->project->id,
                          run->ask.revocations.since_ms);
    buf_init(&claims, FEED_BYTES_MAX);
    write_claims(&claims, run, list, count, has_more);
    e = buf_error(&claims);
    if (!e) e = sign(&run->outcome.revocations, run, buf_bytes(&claims));
    buf_release(&claims);
    if (e)
        run_fail(run, e);
    else
        run_finish(run, OUTCOME_REVOCATIONS);
}
