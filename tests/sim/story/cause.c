/* cause.c — what brings about that a client is refused, or its socket closed: each code by what causes it. */
#include <string.h>

#include "sim/memory.h"
#include "sim/node.h"
#include "sim/operator.h"
#include "sim/sessions.h"
#include "sim/story/story.h"

#define LATE_MS    1500 /* so much later than the story says a close may come */
#define EARLY_MS   1000
#define PREPARE_MS 2500 /* another socket needs to take a session */

static bool has_closed(void *line)
{
    const struct link *link = ((struct line *)line)->link;

    return link->tap.close_code || !link->client;
}

static bool is_up(void *line)
{
    return ((struct line *)line)->client.is_upgraded;
}

static bool is_answered(void *line)
{
    return ((struct line *)line)->connect->is_answered;
}

static bool has_state(void *line)
{
    const struct line *one = line;
    const struct sim_session *session = one->link->tap.held;

    return session && session->state_count > one->states;
}

static void restart(void)
{
    node_want_restart();
    if (!node_wants_restart()) story_fail("the server cannot be restarted");
    node_stop_now();
    node_boot();
    run_for_us(20000);
}

/* ---- refusals ---- */

static bool is_told(void *line)
{
    (void)line;
    return !operator_asks_now();
}

static void revoke(const struct token *token)
{
    operator_revokes(&token->line);
    if (!run_until(is_told, NULL, 5000)) story_fail("nobody revokes");
}

/* A stranger is parked where there is one place for each address. */
static void fill_parking(void)
{
    struct line *rival = &story.lines[LINE_RIVAL];
    static const struct token forged = {.text = "a.b.c", .len = 5, .browser = -1};

    line_open(rival, true);
    if (!run_until(is_up, rival, 3000)) story_fail("no socket for a stranger");
    line_connect(rival, &forged, NULL, NULL, false, false);
    rival->connect->token = NULL;
    if (!run_until(is_answered, rival, 3000)) story_fail("a stranger is not refused");
}

/* The newest that the story has a name for; NULL: none. */
static const struct sim_session *present_session(void)
{
    size_t i;

    for (i = story.label_count; i; i--)
        if (story.labels[i - 1].session) return story.labels[i - 1].session;
    return NULL;
}

/* A state is of no use when its session has waited too long, when another socket has it, or in another
 * process. */
void cause_before_open(unsigned socket)
{
    const json_t *outcome = told_next(socket, "welcome refused closed");
    const struct sim_session *session = present_session();

    if (told_number(outcome, "code", 0) != -32003 || !session) return;
    if (!sessions_carried(session) && !sessions_may_be_over(session)) restart();
}

void cause_of_refusal(const struct token *token, int64_t code)
{
    if (code == -32002) revoke(token);
    if (told_number(told_next(story.socket, "closed"), "code", 0) == 4429) fill_parking();
}

/* ---- what the kept session rests on ---- */

void kept_begin(const json_t *kept)
{
    const json_t *resume = json_object_get(kept, "resume"), *outcome = told_next(1, "welcome refused");
    const json_t *welcome = told_next(1, "welcome") ? told_next(1, "welcome") : told_next(2, "welcome");
    struct line *line = &story.lines[LINE_KEPT];
    struct token *token = mint_until(told_number(welcome, "endsMs", 0), false, false);
    struct story_label *label;

    if (*told_text(kept, "token")) label_new(told_text(kept, "token"))->token = token;
    story.token = token;
    line_open(line, true);
    if (!run_until(is_up, line, 3000)) story_fail("no socket for what is kept");
    line_connect(line, token, NULL, NULL, true, false);
    if (!run_until(has_state, line, 3000)) story_fail("no session that could be kept");
    label = label_new(told_text(resume, "protocol"));
    label->session = line->link->tap.held;
    label = label_new(told_text(resume, "state"));
    label->session = line->link->tap.held;
    label->state = label->session->states[0];
    if (*told_text(kept, "token") && told_is(outcome, "refused")) return; /* the original of a copied tab */
    link_reset(line->link);
    line->is_left = true;
}

/* ---- closes ---- */

/* Another socket comes for the session, and this one answers nobody. */
static void rival_comes(struct line *line, bool upgrades)
{
    struct line *rival = &story.lines[LINE_RIVAL];
    struct sim_session *session = line->link->tap.held;
    struct story_label label = {.session = session};
    struct token *token = upgrades ? mint_until(0, false, false) : NULL;

    label.state = session->states[(session->state_count - 1) % SIM_STATES];
    line->ear = EAR_DEAD;
    line_open(rival, true);
    if (!run_until(is_up, rival, 3000)) story_fail("no socket for a rival");
    line_connect(rival, upgrades ? token : session->token, upgrades ? NULL : &label, upgrades ? &label : NULL,
                 false, false);
}

static void stop_and_start(void)
{
    node_stop_now();
    run_for_us(20000);
    node_boot();
}

static void break_protocol(struct line *line, int64_t code)
{
    static uint8_t large[66000];

    line->link->tap.is_broken = true;
    if (code == 1000) line_frame(line, 0x80 | WS_CLOSE, BYTES("\x03\xe8"), true);
    if (code == 1002) line_frame(line, 0x80 | WS_TEXT, BYTES("{}"), false);
    memset(large, ' ', sizeof large);
    if (code == 1009) line_frame(line, 0x80 | WS_TEXT, bytes_of(large, sizeof large), true);
}

static void starve(struct line *line)
{
    memory_fail(0, 1);
    line_call_in_parts(line);
    run_for_us(50000);
    memory_fail(0, 0);
}

/* A last byte, and nothing behind it: what comes meanwhile is heard still. */
void cause_long_ahead(struct line *line, int64_t at_ms)
{
    const json_t *close = told_next(story.socket, "closed");
    int64_t from_ms = told_number(close, "atMs", 0) - node_config()->ping_timeout_s * 1000;

    if (told_number(close, "code", 0) != 1001 || line->ear == EAR_MUTE || from_ms > at_ms) return;
    run_to_ms(from_ms);
    line_frame(line, 0x80 | WS_PING, BYTES("last"), true);
    line->ear = EAR_MUTE;
}

/* In time, so that it comes when the story says. */
static void cause_ahead(struct line *line, int64_t code, int64_t at_ms)
{
    if (code != 4409 && code != 4410) return;
    run_to_ms(at_ms - PREPARE_MS);
    rival_comes(line, code == 4410);
    run_for_us(1100000);
}

static void cause_now(struct line *line, int64_t code)
{
    switch (code) {
    case 1006:
        link_reset(line->link);
        return;
    case 1000:
    case 1002:
    case 1009:
        break_protocol(line, code);
        return;
    case 1012:
        stop_and_start();
        return;
    case 1013:
        starve(line);
        return;
    case 4403:
        revoke(line->link->tap.token);
        return;
    case 1001:
    case 4401: /* the token's end */
    case 4408: /* connect is on its way */
    case 4409:
    case 4410:
    case 4429: /* there is no place */
        return;
    default:
        story_fail("nobody knows what causes %d", (int)code);
    }
}

void cause_of_close(struct line *line, int64_t code, int64_t at_ms)
{
    cause_ahead(line, code, at_ms);
    run_to_ms(at_ms - EARLY_MS);
    if (code != 4409 && code != 4410 && code != 1006 && has_closed(line) && code != 4429)
        story_fail("closed with %u long before", line->link->tap.close_code);
    run_to_ms(at_ms);
    cause_now(line, code);
    if (code != 1006 && !run_until(has_closed, line, LATE_MS)) story_fail("not closed, by %d", (int)code);
    if (code == 1006 ? line->link->tap.close_code : line->link->tap.close_code != code)
        story_fail("closed with %u, not %d", line->link->tap.close_code, (int)code);
}
