/* answer_refresh.c — the laws of refreshes: one successor, stored before it is told, and none for a thief. */
#include <string.h>

#include "sim/answer.h"
#include "sim/families.h"
#include "sim/link.h"
#include "sim/times.h"

bool refresh_may_say(const struct request *request, int status)
{
    const struct sim_refresh *presented = &request->family->refresh[request->generation];
    bool is_over = times_now_ms() / 1000 >= presented->exp_s || presented->exp_s <= disk_pruned_s();
    bool was_over = request->delivered_ms / 1000 >= presented->exp_s;

    if (status == 201) return !was_over && !request->was_reuse;
    if (status != 422) return false;
    if (is_over || voided_reaches(&request->family->line)) return true;
    if (request->was_reuse && !families_is_dead(request->family))
        world_fail("a reuse ends its family", "generation %u", request->generation);
    return families_is_dead(request->family);
}

#define NEED(law, condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) world_fail(law, "link %u: %s", link->number, #condition);                          \
    } while (0)

/* Of the row as it stands, if nobody has rotated it since. */
static void check_times(const struct link *link, const struct request *request, const struct minted *minted)
{
    const struct sim_family *family = request->family;
    const struct family *row = families_row(&family->id);
    bool is_loose = family->may_self_refresh && family->browser < 0;
    int64_t iat_s, exp_s, refresh_s;

    NEED("what was not stored was not issued", row && row->generation >= request->generation + 1);
    if (row->generation != request->generation + 1) return;
    iat_s = row->rotated_ms / 1000;
    exp_s = iat_s + (is_loose ? 60 : 7200);
    if (exp_s > family->end_s) exp_s = family->end_s;
    refresh_s = exp_s + 300 < family->end_s ? exp_s + 300 : family->end_s;
    NEED("a token says what policy allows", minted->claims.iat_s == iat_s);
    NEED("a token says what policy allows", minted->claims.exp_s == exp_s);
    NEED("a token says what policy allows", minted->sealed.exp_s == refresh_s);
}

static void check_line(const struct link *link, const struct request *request, const struct minted *minted)
{
    static const char law[] = "a refresh keeps all that is fixed";
    const struct sim_family *family = request->family;
    const struct claims *claims = &minted->claims;
    struct uuid sub;

    NEED(law, uuid_equal(&claims->family, &family->id) && uuid_equal(&minted->sealed.id, &family->id));
    NEED(law, minted->sealed.generation == request->generation + 1);
    NEED(law, uuid_read(&sub, claims->sub) == ERR_OK && uuid_equal(&sub, &family->user_id));
    NEED(law, uuid_equal(&claims->project, &model.projects[family->project].id));
    NEED(law, claims->kind == KIND_SUBSCRIBER && claims->gt_ms == family->line.gt_ms);
    NEED(law, bytes_is_absent(claims->jkt) == (family->browser < 0));
    NEED(law, minted->sealed.absolute_end_s == family->end_s && minted->sealed.gt_ms == family->line.gt_ms);
    NEED(law, bytes_equal(claims->scope, family->may_self_refresh ? BYTES("sat:refresh") : BYTES_NONE));
}

void answer_refreshed(struct link *link, struct request *request, struct bytes text)
{
    static const char law[] = "never two successors";
    struct sim_family *family = request->family;
    struct sim_refresh *next = &family->refresh[request->generation + 1];
    struct minted minted = {0};
    struct json body;
    struct bytes token, refresh;
    struct uuid jti;

    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    arena_init(&minted.arena, 65536);
    token = json_text(json_member(body, request->is_door ? "access_token" : "token"));
    refresh = json_text(json_member(body, "refresh_token"));
    answer_open(&minted, link, token, refresh);
    NEED("what was revoked is refused", !voided_must(&family->line, world.mono_us));
    check_line(link, request, &minted);
    check_times(link, request, &minted);
    NEED("a jti is a UUID", uuid_read(&jti, minted.claims.jti) == ERR_OK);
    if (next->len) {
        NEED(law, bytes_equal(refresh, bytes_of(next->text, next->len)));
        NEED(law, uuid_equal(&jti, &next->jti) && minted.claims.exp_s == next->token_exp_s);
    } else {
        answer_note_refresh(next, refresh, &minted);
        answer_add_minted(link, request, &minted, token);
    }
    arena_release(&minted.arena);
    json_free(body);
}
