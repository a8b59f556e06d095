#include "sim/guests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/session_inside.h"
#include "server/socket_inside.h"
#include "service/issue.h"
#include "sim/node.h"
#include "sim/world.h"

#define LIFE_S 7200

static void must(enum err e)
{
    if (e == ERR_OK) return;
    fprintf(stderr, "the guests cannot be made: %s\n", err_name(e));
    exit(EXIT_FAILURE);
}

void guests_set(struct fact_project *project)
{
    project->setting[project->is_test ? SETTING_GUEST_USES : SETTING_GUEST_SESSIONS] =
        project->is_test ? GUEST_USES : GUEST_SESSIONS;
}

static bool has_uses(const struct token *token)
{
    return model.projects[token->project].is_test;
}

static void found_one(struct issuer *issuer, unsigned project)
{
    struct grant grant = {.kind = TOKEN_GUEST,
                          .project = model.projects[project].id,
                          .user_kind = USER_GUEST,
                          .address_count = 1,
                          .gt_ms = world_wall_ms(),
                          .iat_s = world_wall_ms() / 1000};
    struct token *token = model_add_token();
    struct buf text;

    if (!token) return;
    uuid_draw(&grant.user, &world.dice);
    uuid_draw(&grant.jti, &world.dice);
    uuid_draw(&grant.family, &world.dice);
    uuid_draw(&grant.addresses[0], &world.dice);
    grant.exp_s = grant.absolute_end_s = grant.iat_s + LIFE_S;
    buf_init(&text, sizeof token->text);
    must(issue_access(&text, issuer, &grant));
    memcpy(token->text, text.ptr, text.len);
    token->len = text.len;
    buf_release(&text);
    token->project = project;
    token->user = REFERENCES; /* none of the model's */
    token->jti = grant.jti;
    token->iat_s = grant.iat_s;
    token->exp_s = grant.exp_s;
    token->line = (struct lineage_known){
        .project = grant.project, .user = grant.user, .family = grant.family, .gt_ms = grant.gt_ms};
    token->browser = token->bound_to = -1;
    token->is_known = true;
    token->guest = grant.family;
}

void guests_found(struct key_bench *bench)
{
    struct issuer issuer = {0};
    unsigned p, i;

    must(issuer_open(&issuer, bench, BYTES(SIM_URL), BYTES("puc.coat.test")));
    for (p = 0; p < PROJECTS; p++)
        for (i = 0; i < GUESTS; i++)
            found_one(&issuer, p);
    issuer_release(&issuer);
}

const struct token *guests_pick(void)
{
    size_t at = (size_t)roll(PROJECTS * GUESTS);

    return at < model.token_count && model_is_guest(&model.tokens[at]) ? &model.tokens[at] : NULL;
}

/* ---- the laws ---- */

void guests_tried(const struct token *token)
{
    if (token) model.tokens[token - model.tokens].tried++;
}

void guests_granted(const struct token *token)
{
    struct token *guest = &model.tokens[token - model.tokens];

    if (!model_is_guest(token) || !has_uses(token)) return;
    if (++guest->granted > GUEST_USES)
        world_fail("a use that was counted stays so", "%u sessions with one guest's token, of %d",
                   guest->granted, GUEST_USES);
}

static unsigned seats_in(const struct session_seats *seats, const struct token *token)
{
    unsigned i, count = 0;

    for (i = 0; i < seats->count; i++)
        count += seats->place[i].taken && uuid_equal(&seats->place[i].of, &token->guest);
    return count;
}

/* Places that are taken by this token: by sessions, and by connects that are being decided. */
static unsigned seats_of(const struct token *token)
{
    const struct node *node = node_running();
    const struct socket *socket;
    unsigned i, count = 0;
    size_t b;

    for (i = 0; node && i < node->lane_count; i++) {
        const struct lane *lane = node->lanes[i];
        for (b = 0; b < lane->names.bucket_count; b++)
            for (struct name_link *link = lane->names.buckets[b]; link; link = link->next)
                if (session_owns_name(link)) count += seats_in(&link->session->seats, token);
        for (socket = lane->sockets; socket; socket = socket->next)
            if (socket->asking) count += seats_in(&socket->asking->seats, token);
    }
    return count;
}

/* A connect that nobody answered may have been counted; one that is told so holds no seat any more. */
bool guests_may_be_refused(const struct token *token)
{
    if (!model_is_guest(token)) return false;
    return has_uses(token) ? token->tried > GUEST_USES : seats_of(token) >= GUEST_SESSIONS;
}

void guests_check(void)
{
    size_t i;

    for (i = 0; i < model.token_count && model_is_guest(&model.tokens[i]); i++) {
        unsigned seats = has_uses(&model.tokens[i]) ? 0 : seats_of(&model.tokens[i]);
        if (seats > GUEST_SESSIONS)
            world_fail("no more sessions are open than may be", "%u with one guest's token", seats);
    }
}
