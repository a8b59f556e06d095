#include "server/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"
#include "server/admin_ask.h"
#include "server/admin_clock.h"
#include "server/admin_operate.h"
#include "server/admin_revoke.h"
#include "server/admin_keyring.h"
#include "server/node.h"
#include "server/rotation.h"
#include "wire/json_write.h"

#define SILENCE_S 10 /* a program asks at once and leaves */

struct admin {
    struct lane *lane;
    struct stream *stream;
    struct admin *next, *prev; /* lane->admins */
    struct deadline deadline;
    uint64_t serial;
    uint8_t line[ADMIN_LINE_MAX];
    size_t len;
    bool is_waiting; /* its answer is being fetched */
    bool is_leaving; /* it gave way to another */
};

struct why_letter {
    struct mail mail;
    struct node *node;
    unsigned at; /* the lane whose box it is in */
    uint64_t serial;
    char error_id[RECORD_ID_LEN];
    bool found;
    struct record record;
};

/* ---- answers ---- */

static void send_line(struct admin *admin, struct buf *line)
{
    buf_append_byte(line, '\n');
    if (!admin->stream) return;
    if (buf_error(line))
        stream_close(admin->stream);
    else
        stream_write(admin->stream, buf_bytes(line));
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_put_string_or_null(w, text && *text ? bytes_of_text(text) : BYTES_NONE);
}

static void put_uuid(struct json_writer *w, const char *key, const struct uuid *id)
{
    json_key(w, key);
    json_put_uuid_or_null(w, id);
}

static void write_record(struct json_writer *w, const struct record *record)
{
    const struct finding *finding = &record->finding;
    char at[INSTANT_TEXT_LEN];

    instant_write(at, record->at_ms);
    json_key(w, "at");
    json_put_string(w, bytes_of(at, sizeof at));
    json_key(w, "at_s");
    json_put_number(w, record->at_ms / 1000);
    put_text(w, "route", record->route);
    json_key(w, "status");
    json_put_number(w, record->status);
    put_text(w, "peer", record->peer);
    put_text(w, "refusal", finding_name(finding));
    put_text(w, "slug", finding_slug(finding));
    put_text(w, "meaning", finding_doc(finding));
    put_text(w, "check", finding->check);
    put_text(w, "expected", finding->expected);
    put_text(w, "seen", finding->seen);
    put_text(w, "fix", finding_fix(finding));
    put_uuid(w, "project", &finding->project);
    put_text(w, "key", finding->key);
    put_uuid(w, "user", &finding->user);
    put_uuid(w, "family", &finding->family);
}

static void answer_why(struct lane *lane, const struct why_letter *letter)
{
    struct buf *line = lane_body(lane);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    json_key(&w, "found");
    json_put_bool(&w, letter->found);
    json_key(&w, "error_id");
    json_put_string(&w, bytes_of(letter->error_id, RECORD_ID_LEN));
    if (letter->found) write_record(&w, &letter->record);
    json_object_end(&w);
    admin_answer(lane, letter->serial, line);
}

static void answer_keys(struct admin *admin, const struct admin_ask *ask)
{
    const struct fact_project *project = facts_project(service_facts(admin->lane->service), &ask->project);
    const struct node *node = admin->lane->node;
    struct buf *line = lane_body(admin->lane);
    const struct ring_timetable timetable = rotation_timetable(node->config);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    put_text(&w, "issuer", node->config->public_url);
    json_key(&w, "jwks");
    json_put_verbatim(&w, keyring_jwks(node->ring));
    json_key(&w, "keys");
    ring_list(&w, keyring_view(node->ring), &timetable);
    put_text(&w, "master", node->master_is_given ? "environment" : "file");
    json_key(&w, "now_ms");
    json_put_number(&w, loop_now_ms(admin->lane->loop));
    if (project) {
        json_key(&w, "age_ms");
        json_put_number(&w, project->age_ms);
    }
    json_object_end(&w);
    send_line(admin, line);
}

static void put_instant(struct json_writer *w, const char *key, const char *key_ms, int64_t ms)
{
    char text[INSTANT_TEXT_LEN];

    instant_write(text, ms);
    json_key(w, key);
    json_put_string(w, bytes_of(text, sizeof text));
    json_key(w, key_ms);
    json_put_number(w, ms);
}

static void answer_time(struct admin *admin, bool must_confirm)
{
    struct clock *clock = &admin->lane->node->clock;
    int64_t confirmed_ms = must_confirm ? clock_confirm(clock) : 0;
    struct buf *line = lane_body(admin->lane);
    struct json_writer w = json_writer_on(line);
    struct clock_reading reading;

    clock_look(&reading, clock);
    json_object_begin(&w);
    put_instant(&w, "wall", "wall_ms", reading.wall_ms);
    put_instant(&w, "engine", "engine_ms", reading.now_ms);
    put_instant(&w, "floor", "floor_ms", atomic_load(&clock->floor_ms));
    json_key(&w, "step_ms");
    json_put_number(&w, reading.step_ms);
    json_key(&w, "confirmed_ms");
    json_put_number(&w, confirmed_ms);
    json_object_end(&w);
    send_line(admin, line);
}

static void answer_error(struct admin *admin, enum err error)
{
    struct buf *line = lane_body(admin->lane);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    put_text(&w, "error", err_slug(error));
    json_object_end(&w);
    send_line(admin, line);
}

/* ---- commands that wait ---- */

static void consume(struct admin *admin);

static struct admin *admin_of(struct lane *lane, uint64_t serial)
{
    struct admin *admin = lane->admins;

    while (admin && admin->serial != serial)
        admin = admin->next;
    return admin;
}

uint64_t admin_wait(struct admin *admin)
{
    admin->is_waiting = true;
    stream_stop_reading(admin->stream);
    return admin->serial;
}

void admin_answer(struct lane *lane, uint64_t serial, struct buf *line)
{
    struct admin *admin = admin_of(lane, serial);

    if (!admin || !admin->stream) return; /* whoever asked did not stay */
    admin->is_waiting = false;
    send_line(admin, line);
    stream_start_reading(admin->stream);
    consume(admin);
}

void admin_refuse(struct lane *lane, uint64_t serial, const char *because)
{
    struct buf *line = lane_body(lane);
    struct json_writer w = json_writer_on(line);

    json_object_begin(&w);
    put_text(&w, "refused", because);
    json_object_end(&w);
    admin_answer(lane, serial, line);
}

/* ---- why: a letter's way ---- */

static void open_why(struct mail *mail)
{
    struct why_letter *letter = (struct why_letter *)mail;
    struct node *node = letter->node;
    const struct record *record;

    /* Past here every loop still runs: it is freed only after all were told to stop, which comes after this
     * flag. A letter that a loop still holds at its end is opened there and goes no further. */
    if (atomic_load(&node->is_stopping)) {
        free(letter);
        return;
    }
    if (letter->at == node->lane_count) { /* it has been everywhere and is on lane 0 again */
        answer_why(node->lanes[0], letter);
        free(letter);
        return;
    }
    record = records_find(node->lanes[letter->at]->records, bytes_of(letter->error_id, RECORD_ID_LEN));
    if (record) {
        letter->record = *record;
        letter->found = true;
        letter->at = node->lane_count;
    } else
        letter->at++;
    loop_post(node->lanes[letter->at == node->lane_count ? 0 : letter->at]->loop, &letter->mail);
}

static void ask_why(struct admin *admin, const struct admin_ask *ask)
{
    struct why_letter *letter = calloc(1, sizeof *letter);

    if (!letter) {
        answer_error(admin, ERR_NO_MEMORY);
        return;
    }
    letter->mail.open = open_why;
    letter->node = admin->lane->node;
    letter->serial = admin_wait(admin);
    memcpy(letter->error_id, ask->error_id, sizeof letter->error_id);
    loop_post(admin->lane->loop, &letter->mail);
}

/* ---- connections ---- */

static void time_up(struct deadline *deadline)
{
    struct admin *admin = (struct admin *)(void *)((char *)deadline - offsetof(struct admin, deadline));

    if (admin->stream) stream_close(admin->stream);
}

static void wait_again(struct admin *admin)
{
    struct loop *loop = admin->lane->loop;

    /* without memory for a timer the connection cannot be bounded, so it is not kept */
    if (deadline_set(loop, &admin->deadline, loop_tick_ms(loop) + SILENCE_S * 1000, time_up))
        stream_close(admin->stream);
}

static void take_line(struct admin *admin, struct bytes line)
{
    struct admin_ask ask;
    enum err e = admin_ask_read(&ask, line);

    if (e)
        answer_error(admin, e);
    else if (ask.command == ADMIN_WHY)
        ask_why(admin, &ask);
    else if (ask.command == ADMIN_CLOCK)
        admin_clock(admin->lane, admin_wait(admin), &ask);
    else if (ask.command == ADMIN_KEYRING)
        admin_keyring(admin->lane, admin_wait(admin), &ask);
    else if (ask.command == ADMIN_TIME || ask.command == ADMIN_CONFIRM)
        answer_time(admin, ask.command == ADMIN_CONFIRM);
    else if (ask.command == ADMIN_REVOKE)
        admin_revoke(admin->lane, admin_wait(admin), &ask);
    else if (ask.command == ADMIN_OPERATE)
        admin_operate(admin->lane, admin_wait(admin), line);
    else
        answer_keys(admin, &ask);
}

/* Whole lines at hand, until one has to wait for its answer. */
static void consume(struct admin *admin)
{
    while (!admin->is_waiting && admin->stream) {
        struct bytes all = bytes_of(admin->line, admin->len);
        size_t end = bytes_index(all, '\n');
        uint8_t line[ADMIN_LINE_MAX];

        if (end == BYTES_NOT_FOUND) return;
        memcpy(line, admin->line, end);
        admin->len -= end + 1;
        memmove(admin->line, admin->line + end + 1, admin->len);
        take_line(admin, bytes_of(line, end));
    }
}

static void on_bytes(void *owner, uint8_t *bytes, size_t len)
{
    struct admin *admin = owner;

    wait_again(admin);
    if (len > sizeof admin->line - admin->len) { /* more than one line's worth: no client of ours */
        answer_error(admin, ERR_TOO_LARGE);
        stream_close_after_sending(admin->stream);
        return;
    }
    memcpy(admin->line + admin->len, bytes, len);
    admin->len += len;
    consume(admin);
}

static void on_end(void *owner)
{
    struct admin *admin = owner;

    if (!admin->is_waiting) stream_close_after_sending(admin->stream);
}

static void on_sent(void *owner)
{
    (void)owner; /* answers are far below what a stream keeps */
}

static void on_gone(void *owner)
{
    struct admin *admin = owner;
    struct lane *lane = admin->lane;

    deadline_clear(lane->loop, &admin->deadline);
    if (admin->next) admin->next->prev = admin->prev;
    if (admin->prev)
        admin->prev->next = admin->next;
    else
        lane->admins = admin->next;
    free(admin);
    lane_stopped_if_idle(lane);
}

static const struct stream_user admin_user = {on_bytes, on_end, on_sent, on_gone};

/* Whoever was there longest without having asked anything gives way, so that no program that only holds the
 * door keeps an operator out. One whose answer is being fetched stays. */
static void make_room(struct lane *lane)
{
    struct admin *admin, *idle = NULL;
    unsigned count = 0;

    for (admin = lane->admins; admin; admin = admin->next) {
        if (admin->is_leaving) continue;
        count++;
        if (!admin->is_waiting && admin != lane->admins) idle = admin; /* the last one is the oldest */
    }
    if (count <= ADMIN_CONNECTIONS_MAX || !idle) return;
    idle->is_leaving = true;
    stream_close(idle->stream);
}

void admin_accept(void *state, struct stream *stream)
{
    struct lane *lane = state;
    struct admin *admin = lane->is_stopping ? NULL : calloc(1, sizeof *admin);

    if (!admin) {
        stream_close(stream);
        return;
    }
    admin->lane = lane;
    admin->stream = stream;
    admin->serial = ++lane->admin_serial;
    admin->next = lane->admins;
    if (admin->next) admin->next->prev = admin;
    lane->admins = admin;
    stream_attach(stream, &admin_user, admin);
    wait_again(admin);
    make_room(lane);
}

void admins_stop(struct lane *lane)
{
    struct admin *admin;

    for (admin = lane->admins; admin; admin = admin->next)
        stream_close(admin->stream);
}
