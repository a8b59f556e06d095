/* play.c — one story from its first step to its last: first what has happened, then what is done about it. */
#include "sim/story/story.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/slot.h"
#include "sim/disk.h"
#include "sim/node.h"
#include "sim/sessions.h"

#define WAIT_MS 3000 /* for an answer: more than any may take here */
#define WORD_MS 20   /* for a word that is on its way */
#define KEPT_MS 5000 /* before the story: what it comes back with was made then */

struct story story;

void story_fail(const char *format, ...)
{
    char details[300];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(details, sizeof details, format, arguments);
    va_end(arguments);
    world_fail("a story tells what is so", "\"%s\", step %zu: %s", story.name, story.at + 1, details);
}

/* ---- the session's words, as the server says them ---- */

static bool is_up(void *line)
{
    return ((struct line *)line)->client.is_upgraded;
}

static bool is_answered(void *call)
{
    return ((struct call *)call)->is_answered;
}

static bool has_state(void *line)
{
    const struct line *one = line;
    const struct sim_session *session = one->link->tap.held;

    return session && session->state_count > one->states;
}

/* Whether the server could have drawn it (engine/slot.h). */
static void check_slot(const json_t *event, const struct token *token)
{
    int64_t refresh_ms = told_number(event, "refreshInMs", -1),
            within_ms = told_number(event, "returnWithinMs", -1);
    int64_t now_ms = STORY_ZERO_MS + told_number(event, "atMs", 0) + story.slept_ms;
    int64_t left_ms = server_ms(token->exp_s * 1000) - now_ms, life_ms = (token->exp_s - token->iat_s) * 1000;
    int64_t keep_ms = life_ms / 10 < 60000 ? life_ms / 10 : 60000;

    if (refresh_ms < 0 && within_ms < 0) return;
    if (within_ms < SLOT_WINDOW_MIN_MS) story_fail("the server never says %lld ms", (long long)within_ms);
    if (refresh_ms < left_ms - life_ms / 4 || refresh_ms > left_ms - keep_ms)
        story_fail("a slot of %lld ms is none of a life of %lld ms, %lld of them left", (long long)refresh_ms,
                   (long long)life_ms, (long long)left_ms);
}

static void check_end(const json_t *event, const struct link *link)
{
    int64_t told_ms = told_number(event, "endsMs", 0), ends_ms = server_ms(link->tap.ends_s * 1000);

    if (told_ms && told_ms != ends_ms)
        story_fail("the session ends at %lld, not %lld", (long long)ends_ms, (long long)told_ms);
    if ((json_array_size(json_object_get(event, "scope")) > 0) != link->tap.token->may_self_refresh)
        story_fail("another scope than the token's");
}

/* One label, one session. */
static void check_name(const char *name, struct sim_session *session)
{
    struct story_label *label = label_of(name);
    size_t i;

    if (label && label->session != session) story_fail("%s is another session now", name);
    for (i = 0; !label && i < story.label_count; i++)
        if (*story.labels[i].name == 'p' && story.labels[i].session == session)
            story_fail("%s is %s still", name, story.labels[i].name);
    if (!label) label_new(name)->session = session;
}

static void on_welcome(const json_t *event, struct line *line)
{
    if (!run_until(is_answered, line->connect, WAIT_MS)) story_fail("connect is not answered");
    if (line->connect->code) story_fail("refused with %d", line->connect->code);
    check_end(event, line->link);
    check_name(told_text(event, "protocol"), line->link->tap.held);
    check_slot(event, line->link->tap.token);
}

static void on_state(const json_t *event, struct line *line)
{
    struct sim_session *session = line->link->tap.held;
    struct story_label *label = label_new(told_text(event, "state"));

    if (!run_until(has_state, line, WAIT_MS)) story_fail("no state comes");
    label->session = session;
    label->state = session->states[(session->state_count - 1) % SIM_STATES];
}

static void on_granted(const struct line *line)
{
    if (!run_until(is_answered, line->asked, WAIT_MS)) story_fail("a call is not answered");
    if (line->asked->code) story_fail("a call is refused with %d", line->asked->code);
}

/* What asks for a slot is told one in milliseconds, and its number depends on how many others there are. */
static void check_away(const json_t *event, const struct tap *tap)
{
    int64_t slot_ms = told_number(event, "slotMs", 0);

    if (!slot_ms != !tap->away_ms) story_fail("told to stay away for %lld ms", (long long)tap->away_ms);
    if (tap->is_away_slot ? slot_ms < SLOT_WINDOW_MIN_MS : slot_ms != tap->away_ms)
        story_fail("told to stay away for %lld ms, not %lld", (long long)tap->away_ms, (long long)slot_ms);
}

static bool has_closed(void *line)
{
    return ((struct line *)line)->link->tap.close_code != 0;
}

/* Where there is no place to park the socket is closed right behind the refusal. */
static void check_not_parked(struct line *line)
{
    const json_t *close = told_next(story.socket, "closed");

    if (told_number(close, "code", 0) != 4429) return;
    if (!run_until(has_closed, line, WAIT_MS) || line->link->tap.close_code != 4429)
        story_fail("closed with %u, not 4429", line->link->tap.close_code);
    check_away(close, &line->link->tap);
    link_reset(story.lines[LINE_RIVAL].link); /* who had the place goes */
}

static void on_refused(const json_t *event, struct line *line)
{
    int code = (int)told_number(event, "code", 0);

    if (!run_until(is_answered, line->connect, WAIT_MS)) story_fail("connect is not answered");
    if (line->connect->code != code) story_fail("answered with %d, not %d", line->connect->code, code);
    check_not_parked(line);
}

static void on_closed(const json_t *event, struct line *line)
{
    cause_of_close(line, told_number(event, "code", 0), told_number(event, "atMs", 0));
    check_away(event, &line->link->tap);
    line->is_left = true;
}

/* ---- credentials ---- */

static bool needs_guest(void)
{
    return told_anywhere("closed", 4410);
}

static const json_t *welcome_ahead(void)
{
    const json_t *event;
    size_t step;

    for (step = story.at; (event = told_event(step)); step++)
        if (told_is(event, "welcome")) return event;
    return NULL;
}

static void on_fetched(const json_t *event)
{
    bool is_bind = strstr(story.errand_kind, "bind") != NULL, is_scoped, can_bind;
    int64_t ends_ms = told_number(event, "endsMs", 0);
    struct story_label *label = label_new(told_text(event, "token"));

    is_scoped = strcmp(story.errand_kind, "authenticate") == 0 &&
                json_array_size(json_object_get(welcome_ahead(), "scope")) > 0;
    can_bind = json_is_true(json_object_get(json_object_get(story.told, "setup"), "canBind"));
    if (is_bind)
        label->token = bind_until(story.token, strcmp(story.errand_kind, "rebind") == 0, ends_ms);
    else if (needs_guest() && story.errand == 1)
        label->token = &model.tokens[STORY_PROJECT];
    else
        label->token = mint_until(ends_ms, is_scoped, is_scoped && can_bind);
    if (ends_ms && server_ms(label->token->exp_s * 1000) != ends_ms)
        story_fail("%s ends at %lld", label->name, (long long)server_ms(label->token->exp_s * 1000));
    story.token = label->token;
}

static void on_failed(const json_t *event)
{
    if (strcmp(story.errand_kind, "bind") != 0) return; /* the page's own provider */
    bind_in_vain(story.token, strcmp(told_text(event, "code"), "timeout") == 0);
}

/* ---- events ---- */

static struct line *present_line(void)
{
    return &story.lines[story.socket];
}

static bool line_is_live(void)
{
    return story.socket && !present_line()->is_left && present_line()->link->tap.session == TAP_LIVE;
}

/* Something came since the last ping was due. */
static bool is_heard(void *line)
{
    int64_t silent_us = world.mono_us - ((struct line *)line)->heard_us;

    return silent_us <= node_config()->ping_interval_s * 1000000 + 1000000;
}

/* The server's machine goes on while the client's stands still. */
static void on_heard(const json_t *event)
{
    int64_t told_ms = told_number(event, "serverMs", 0);
    int64_t ahead_ms = told_ms - (STORY_ZERO_MS + told_number(event, "atMs", 0) + story.slept_ms);
    struct line *line = present_line();
    bool is_live = line_is_live();

    if (is_live && ahead_ms > 0) link_listen(line->link, false);
    if (ahead_ms > 0) {
        story.slept_ms += ahead_ms;
        run_to_ms(told_number(event, "atMs", 0));
    }
    if (is_live && ahead_ms > 0) link_listen(line->link, true);
    if (is_live && !run_until(is_heard, line, WORD_MS))
        story_fail("nothing was heard for %lld ms", (long long)((world.mono_us - line->heard_us) / 1000));
}

/* Of a socket or an errand that is none any more: nobody hears it. */
static bool is_unheard(const json_t *event)
{
    int64_t socket = told_number(event, "socket", 0), id = told_number(event, "id", 0);

    return (socket && (socket != story.socket || present_line()->is_left)) || (id && id != story.errand);
}

static void happens(const json_t *event)
{
    struct line *line = present_line();

    if (told_is(event, "opened") && !run_until(is_up, line, WAIT_MS)) story_fail("no socket is opened");
    if (told_is(event, "fetched")) on_fetched(event);
    if (told_is(event, "failed")) on_failed(event);
    if (told_is(event, "welcome")) on_welcome(event, line);
    if (told_is(event, "state")) on_state(event, line);
    if (told_is(event, "registered") || told_is(event, "renewed")) on_granted(line);
    if (told_is(event, "renewed")) check_slot(event, line->link->tap.token);
    if (told_is(event, "refused")) on_refused(event, line);
    if (told_is(event, "closed")) on_closed(event, line);
    if (told_is(event, "heard")) on_heard(event);
    if (told_is(event, "network"))
        line->ear = json_is_true(json_object_get(event, "isThere")) ? EAR_AWAKE : EAR_DEAD;
    if (told_is(event, "disconnect")) story.errand = 0;
}

/* ---- effects ---- */

static void opens(unsigned socket)
{
    if (socket >= LINE_RIVAL) story_fail("too many sockets");
    cause_before_open(socket);
    story.socket = socket;
    line_open(present_line(), told_next(socket, "opened") != NULL);
}

static void connects(const json_t *effect)
{
    const json_t *resume = json_object_get(effect, "resume"),
                 *outcome = told_next(story.socket, "welcome refused closed");
    int64_t code = told_number(outcome, "code", 0);
    bool takes_slots = told_number(outcome, "refreshInMs", -1) >= 0;

    if (code == 4408) {
        line_hold_connect(present_line(), story.token);
        return;
    }
    cause_of_refusal(story.token, code);
    line_connect(present_line(), story.token, resume ? label_of(told_text(resume, "state")) : NULL, NULL,
                 takes_slots, code == -32602);
}

static void fetches(const json_t *effect)
{
    story.errand = told_number(effect, "id", 0);
    (void)snprintf(story.errand_kind, sizeof story.errand_kind, "%s", told_text(effect, "kind"));
}

static void is_done(const json_t *effect)
{
    const char *what = told_text(effect, "do");
    struct line *line = present_line();

    if (strcmp(what, "fetch") == 0) fetches(effect);
    if (strcmp(what, "open") == 0) opens((unsigned)told_number(effect, "socket", 0));
    if (strcmp(what, "close") == 0) line_leave(line);
    if (strcmp(what, "connect") == 0) connects(effect);
    if (strcmp(what, "renew") == 0) {
        story.errand = told_number(effect, "id", 0);
        line_renew(line, story.token);
    }
    if (strcmp(what, "register") == 0) {
        bool is_online = json_is_true(json_object_get(effect, "isOnline"));
        line_call(line, is_online ? CALL_ONLINE : CALL_OFFLINE,
                  is_online ? "subscriber.online" : "subscriber.offline", "{}");
    }
    if (strcmp(what, "probe") == 0)
        line_call(line, CALL_PHONE, "webrtc.verto",
                  "{\"message\":{\"jsonrpc\":\"2.0\",\"id\":\"0\",\"method\":\"verto.info\",\"params\":"
                  "{\"dialogParams\":{}}}}");
}

/* ---- a step ---- */

/* Who asks whether anybody is there has heard nothing for long: the page slept, or, where no answer comes
 * either, the network is gone. */
static void fall_silent(void)
{
    const json_t *next = told_event(story.at + 1);
    struct line *line = present_line();

    if (!told_effect(story.at, "probe") || told_is(told_event(story.at), "network") || !line->link) return;
    line->ear = next && told_is(next, "tick") && told_effect(story.at + 1, "close") ? EAR_DEAD : EAR_ASLEEP;
}

static void check_nothing_else(const json_t *event)
{
    const struct line *line = present_line();

    if (!line->link || line->is_left || told_is(event, "refused"))
        return; /* a close may be right behind it */
    if (line->link->tap.close_code)
        story_fail("the server closed with %u before %s at %lld", line->link->tap.close_code,
                   told_text(event, "is"), (long long)told_number(event, "atMs", 0));
}

static void take_step(void)
{
    const json_t *step = json_array_get(story.steps, story.at), *event = told_event(story.at);
    const json_t *effects = json_object_get(step, "effects");
    size_t i;

    trace("story", "step %zu: %s at %lld", story.at + 1, told_text(event, "is"),
          (long long)told_number(event, "atMs", 0));
    if (is_unheard(event)) {
        story.unheard++;
        return;
    }
    fall_silent();
    if (line_is_live()) cause_long_ahead(present_line(), told_number(event, "atMs", 0));
    if (!told_is(event, "closed")) {
        run_to_ms(told_number(event, "atMs", 0));
        check_nothing_else(event);
    }
    happens(event);
    if (present_line()->link && present_line()->ear == EAR_ASLEEP) present_line()->ear = EAR_AWAKE;
    for (i = 0; i < json_array_size(effects); i++)
        is_done(json_array_get(effects, i));
}

/* ---- a life ---- */

static void settle(void)
{
    struct config *config = node_settings();
    int64_t loops = 1 + (int64_t)(world.seed & 1);

    config_defaults(config);
    config->loops = loops;
    if (told_anywhere("closed", 4429)) config->parked_per_address_max = 1;
    (void)snprintf(config->public_url, sizeof config->public_url, SIM_URL);
    (void)snprintf(config->ch, sizeof config->ch, "puc.coat.test");
}

static void begin(uint64_t seed)
{
    world_begin(seed);
    world.temper = (struct temper){.net_us = 50, .disk_us = 100};
    model_reset();
    voided_have_causes();
    disk_begin();
    node_prepare();
    settle();
    story.epoch_ms = world_wall_ms() - STORY_ZERO_MS;
    node_boot();
}

static void end(void)
{
    node_end();
    links_end();
    model_end();
    disk_end();
}

void story_play(const json_t *told, size_t first_impossible, uint64_t seed)
{
    const json_t *kept = json_object_get(told, "kept");

    story = (struct story){
        .name = told_text(told, "name"), .told = told, .steps = json_object_get(told, "steps")};
    begin(seed);
    if (kept) {
        story.epoch_ms += KEPT_MS;
        kept_begin(kept);
    }
    for (story.at = 0; story.at + 1 < first_impossible && told_event(story.at); story.at++)
        take_step();
    end();
}
