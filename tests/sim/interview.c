#include "sim/interview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/answer.h"
#include "sim/link.h"
#include "sim/operator.h"
#include "sim/say.h"
#include "sim/times.h"
#include "sim/world.h"
#include "wire/json_read.h"

#define SESSION_LIFE_S 14400 /* of a visitor nobody knows */
#define BEGUN_MAX      20    /* by one participant: below what is limited */

static struct {
    struct uuid studies[PROJECTS];
    struct sim_participant people[PARTICIPANTS_MAX];
    struct sim_interview list[INTERVIEWS_MAX];
    size_t people_count, count;
    unsigned answers; /* drawn so far: each is used once */
    bool is_stored[1 << 16];
} sim;

void interviews_reset(void)
{
    memset(&sim, 0, sizeof sim);
}

void interviews_rewind(void)
{
    sim.people_count = sim.count = sim.answers = 0;
    memset(sim.is_stored, 0, sizeof sim.is_stored);
}

void interviews_found(struct store *store)
{
    struct write write = {.kind = WRITE_STUDY};
    struct row row;
    struct arena arena;
    unsigned p;

    arena_init(&arena, 65536);
    for (p = 0; p < PROJECTS; p++) {
        uuid_draw(&sim.studies[p], &world.dice);
        write.study = (struct study){.id = sim.studies[p], .project = model.projects[p].id};
        write.study.title = BYTES("How was it?");
        write.study.questions_json =
            BYTES("[{\"id\":\"q0\",\"text\":\"What?\"},{\"id\":\"q1\",\"text\":\"Why?\"}]");
        if (store_commit_wait(store, &write, 1, &row, &arena)) abort();
    }
    arena_release(&arena);
}

void interviews_boot(int64_t floor_ms)
{
    size_t i;

    for (i = 0; i < sim.people_count; i++)
        if (sim.people[i].iat_s * 1000 > floor_ms) sim.people[i].is_lost = true;
}

/* ---- the disk ---- */

static struct sim_interview *interview_of(const struct uuid *id)
{
    size_t i;

    for (i = 0; i < sim.count; i++)
        if (uuid_equal(&sim.list[i].row.id, id)) return &sim.list[i];
    return NULL;
}

/* "a17" is the 17th answer that was drawn; 0: none of the model's. */
static unsigned number_of(struct bytes answer)
{
    uint64_t number;

    if (!bytes_start_with(answer, BYTES("a")) || !bytes_to_u64(&number, bytes_from(answer, 1), 65535))
        return 0;
    return (unsigned)number;
}

static void check_way(const struct write *write, const struct interview *before, const struct interview *now)
{
    bool is_right = write->kind == WRITE_ANSWER
                        ? before->state == INTERVIEW_AGREED && now->state == INTERVIEW_AGREED
                        : (int)now->state == (int)before->state + 1;

    if (!is_right || now->answer_count < before->answer_count || now->answer_count > before->answer_count + 1)
        world_fail("an interview goes one way", "from %d to %d", (int)before->state, (int)now->state);
}

void interviews_stored(const struct write *write, const struct row *row)
{
    struct sim_interview *known;

    if (write->kind != WRITE_INTERVIEW && write->kind != WRITE_INTERVIEW_STEP && write->kind != WRITE_ANSWER)
        return;
    known = interview_of(&row->interview.id);
    if (write->kind != WRITE_INTERVIEW && known) check_way(write, &known->row, &row->interview);
    if (!known && sim.count == INTERVIEWS_MAX) return;
    if (!known) known = &sim.list[sim.count++];
    known->row = row->interview;
    if (write->kind == WRITE_ANSWER) sim.is_stored[number_of(write->answer.answer)] = true;
}

void interviews_compare(struct store *tables, struct arena *arena, void (*post)(void *to, struct mail *mail))
{
    size_t i;

    for (i = 0; i < sim.count; i++) {
        const struct interview *row = &sim.list[i].row;
        struct store_read read = {.post = post, .kind = READ_INTERVIEW, .arena = arena};
        read.project = row->project;
        read.id = row->id;
        read.owner = row->user;
        tables->ops->read(tables, &read);
        if (read.error || !read.found || read.interview.state != row->state ||
            read.interview.answer_count != row->answer_count)
            world_fail("what is durable is there after a restart", "an interview");
    }
}

/* ---- asking ---- */

static struct sim_participant *pick_person(void)
{
    size_t i, at;

    if (!sim.people_count) return NULL;
    at = chance(70) ? sim.people_count - 1 : roll(sim.people_count);
    for (i = 0; i < sim.people_count; i++) {
        struct sim_participant *person = &sim.people[(at + sim.people_count - i) % sim.people_count];
        if (person->is_known) return person;
    }
    return NULL;
}

/* Mostly one's own, and the newest. */
static struct sim_interview *pick_interview(const struct sim_participant *person)
{
    bool may_be_anybodys = chance(8);
    size_t i, skip = chance(70) ? 0 : roll(4);

    for (i = sim.count; i; i--) {
        struct sim_interview *one = &sim.list[i - 1];
        if (one->is_known && (may_be_anybodys || one->of == person) && !skip--) return one;
    }
    return NULL;
}

static struct request *send_visit(struct buf *out, struct link *link)
{
    struct request *request = tap_ask(link, REQUEST_VISIT);
    char id[UUID_TEXT_LEN];
    struct buf body;

    request->project = (unsigned)roll(PROJECTS);
    uuid_write(id, &sim.studies[request->project]);
    buf_init(&body, 1024);
    say(&body, "{\"studyId\":\"%.36s\"}", id);
    if (chance(4)) {
        request->fate = FATE_MALFORMED;
        body.len--;
    }
    say(out, "POST /sessions HTTP/1.1\r\nHost: coat.test\r\n");
    say_body(out, "application/json", buf_bytes(&body));
    buf_release(&body);
    return request;
}

static void say_session(struct buf *out, struct request *request)
{
    const struct sim_participant *person = request->person;
    size_t from;

    say(out, "Authorization: Bearer %.*s\r\n", (int)person->len, person->text);
    if (!chance(6)) return;
    request->fate = FATE_UNAUTHORIZED;
    from = out->len - 30;
    out->ptr[from] = out->ptr[from] == 'A' ? 'B' : 'A';
}

static const char *path_of(enum interview_step step)
{
    return step == INTERVIEW_READ      ? ""
           : step == INTERVIEW_CONSENT ? "/consent"
           : step == INTERVIEW_ANSWER  ? "/answers"
                                       : "/complete";
}

static struct request *send_begin(struct buf *out, struct link *link, struct sim_participant *person)
{
    struct request *request = tap_ask(link, REQUEST_INTERVIEW);
    char id[UUID_TEXT_LEN];
    struct buf body;

    request->step = INTERVIEW_BEGIN;
    request->person = person;
    request->project = chance(6) ? 1 - person->project : person->project;
    if (request->project != person->project) request->fate = FATE_NOT_FOUND; /* another tenant's study */
    person->begun++;
    uuid_write(id, &sim.studies[request->project]);
    buf_init(&body, 1024);
    say(&body, "{\"studyId\":\"%.36s\"}", id);
    say(out, "POST /interviews HTTP/1.1\r\nHost: coat.test\r\n");
    say_session(out, request);
    say_body(out, "application/json", buf_bytes(&body));
    buf_release(&body);
    return request;
}

static struct request *send_step(struct buf *out, struct link *link, struct sim_participant *person,
                                 struct sim_interview *of)
{
    static const enum interview_step steps[] = {INTERVIEW_READ, INTERVIEW_CONSENT, INTERVIEW_ANSWER,
                                                INTERVIEW_ANSWER, INTERVIEW_COMPLETE};
    struct request *request = tap_ask(link, REQUEST_INTERVIEW);
    char id[UUID_TEXT_LEN];
    struct buf body;

    request->step = steps[roll(sizeof steps / sizeof steps[0])];
    request->person = person;
    request->interview = of;
    if (of->of != person) request->fate = FATE_NOT_FOUND;
    operator_meets(&person->line);
    uuid_write(id, &of->row.id);
    buf_init(&body, 1024);
    say(&body, "{");
    if (request->step == INTERVIEW_ANSWER) {
        request->shown = ++sim.answers;
        say(&body, "\"questionId\":\"q%u\",\"answer\":\"a%u\"", (unsigned)roll(2), request->shown);
    }
    say(&body, "}");
    say(out, "%s /interviews/%.36s%s HTTP/1.1\r\nHost: coat.test\r\n",
        request->step == INTERVIEW_READ ? "GET" : "POST", id, path_of(request->step));
    say_session(out, request);
    if (request->step == INTERVIEW_READ)
        say(out, "\r\n");
    else
        say_body(out, "application/json", buf_bytes(&body));
    buf_release(&body);
    return request;
}

struct request *interview_send(struct buf *out, struct link *link)
{
    struct sim_participant *person = chance(90) ? pick_person() : NULL;
    struct sim_interview *of = person ? pick_interview(person) : NULL;

    if (person && of && chance(80)) return send_step(out, link, person, of);
    return person && person->begun < BEGUN_MAX ? send_begin(out, link, person) : send_visit(out, link);
}

void interview_arrived(struct request *request)
{
    if (request->kind == REQUEST_INTERVIEW && request->interview) request->met = request->interview->row;
}

/* ---- answers ---- */

static bool step_may_say(const struct request *request, int status)
{
    enum interview_state then = request->met.state, now = request->interview->row.state;

    switch (request->step) {
    case INTERVIEW_CONSENT:
        return status == 200 ? then != INTERVIEW_DONE && now >= INTERVIEW_AGREED
                             : status == 409 && now == INTERVIEW_DONE;
    case INTERVIEW_ANSWER:
        return status == 200 ? then <= INTERVIEW_AGREED && now >= INTERVIEW_AGREED
                             : status == 409 && (then != INTERVIEW_AGREED || now != INTERVIEW_AGREED);
    case INTERVIEW_COMPLETE:
        return status == 200 ? now == INTERVIEW_DONE : status == 409 && then == INTERVIEW_OPEN;
    case INTERVIEW_BEGIN:
    case INTERVIEW_READ:
        break;
    }
    return status == 200;
}

bool interview_may_say(const struct request *request, int status)
{
    const struct sim_participant *person = request->person;

    if (request->kind == REQUEST_VISIT) return status == 201;
    if (request->delivered_ms / 1000 >= person->exp_s) return status == 401;
    if (voided_must(&person->line, request->delivered_us)) return status == 401;
    if (status == 401 &&
        (person->is_lost || times_now_ms() / 1000 >= person->exp_s || voided_reaches(&person->line)))
        return true;
    if (request->fate == FATE_UNAUTHORIZED) return status == 401;
    if (request->fate == FATE_NOT_FOUND) return status == 404;
    return request->step == INTERVIEW_BEGIN ? status == 201 : step_may_say(request, status);
}

#define NEED(law, condition)                                                                                 \
    do {                                                                                                     \
        if (!(condition)) world_fail(law, "link %u: %s", link->number, #condition);                          \
    } while (0)

static void visited(struct link *link, struct request *request, struct json body)
{
    static const char law[] = "a session says what policy allows";
    struct bytes text = json_text(json_member(body, "sessionToken"));
    struct sim_participant *person = &sim.people[sim.people_count];
    struct lineage_known line = {.project = model.projects[request->project].id};
    struct claims claims;
    struct arena arena;
    struct uuid told;

    arena_init(&arena, 65536);
    answer_open_typed(&claims, &arena, link, text, BYTES("at+jwt"));
    NEED(law, claims.kind == KIND_PARTICIPANT && uuid_equal(&claims.project, &line.project));
    NEED(law, uuid_read(&line.user, claims.sub) == ERR_OK && bytes_is_absent(claims.jkt));
    NEED(law,
         uuid_read(&told, json_text(json_member(body, "userId"))) == ERR_OK && uuid_equal(&told, &line.user));
    NEED(law, claims.exp_s == claims.iat_s + SESSION_LIFE_S && claims.iat_s <= times_now_ms() / 1000);
    line.family = claims.family;
    line.gt_ms = claims.gt_ms;
    lineage_key(&line, claims.parent);
    NEED(law, voided_explains(&line, claims.iat_s));
    NEED("a revocation is no ban", !voided_must(&line, request->delivered_us));
    if (sim.people_count < PARTICIPANTS_MAX && text.len <= sizeof person->text) {
        *person = (struct sim_participant){.len = text.len, .project = request->project, .line = line};
        memcpy(person->text, text.ptr, text.len);
        person->iat_s = claims.iat_s;
        person->exp_s = claims.exp_s;
        request->person = person;
        sim.people_count++;
    }
    arena_release(&arena);
}

static int state_of(struct bytes text)
{
    return bytes_equal(text, BYTES("created"))     ? INTERVIEW_OPEN
           : bytes_equal(text, BYTES("consented")) ? INTERVIEW_AGREED
           : bytes_equal(text, BYTES("completed")) ? INTERVIEW_DONE
                                                   : -1;
}

/* What is told was so at a moment since it was asked. */
static void stepped(struct link *link, struct request *request, struct json body)
{
    static const char law[] = "what is told of an interview is so";
    struct sim_interview *of = request->interview;
    int state = state_of(json_text(json_member(body, "status")));
    int64_t count;
    struct uuid id;

    NEED(law, uuid_read(&id, json_text(json_member(body, "id"))) == ERR_OK);
    if (request->step == INTERVIEW_BEGIN) of = request->interview = interview_of(&id);
    NEED("what was not stored was not issued", of || sim.count == INTERVIEWS_MAX);
    if (!of) return;
    if (request->step == INTERVIEW_BEGIN) {
        NEED(law, uuid_equal(&of->row.user, &request->person->line.user));
        of->of = request->person;
        request->met = (struct interview){.state = INTERVIEW_OPEN};
    }
    NEED(law, uuid_equal(&id, &of->row.id) && json_int64(&count, json_member(body, "answerCount")));
    NEED(law, state >= (int)request->met.state && state <= (int)of->row.state);
    NEED(law, count >= request->met.answer_count && count <= of->row.answer_count);
    if (request->step == INTERVIEW_ANSWER)
        NEED("an acknowledged answer is durable", sim.is_stored[request->shown]);
}

void interview_answered(struct link *link, struct request *request, struct bytes text)
{
    struct json body;

    if (json_read(&body, text)) world_fail("a body is JSON", "link %u", link->number);
    if (request->kind == REQUEST_VISIT)
        visited(link, request, body);
    else
        stepped(link, request, body);
    json_free(body);
}

void interview_received(const struct request *request)
{
    if (request->kind == REQUEST_VISIT && request->person)
        sim.people[request->person - sim.people].is_known = true;
    if (request->kind == REQUEST_INTERVIEW && request->interview && request->status == 201)
        request->interview->is_known = true;
}
