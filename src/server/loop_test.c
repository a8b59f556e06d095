#include "server/loop.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "harness/peer.h"

/* A host whose clocks stand where the test puts them. */
static _Atomic int64_t wall_ms, tick_ms;

static int64_t read_wall_ms(void *state)
{
    (void)state;
    return wall_ms;
}

static int64_t read_tick_ms(void *state)
{
    (void)state;
    return tick_ms;
}

static const struct host still = {read_wall_ms, read_tick_ms, read_tick_ms, {NULL, NULL}, NULL};
static struct clock test_clock;

static struct loop *open_loop(const struct host *host)
{
    struct loop *loop;
    clock_start(&test_clock, host, 0);
    CHECK(loop_new(&loop, 7, &test_clock) == ERR_OK);
    return loop;
}

static void end_loop(struct loop *loop)
{
    loop_stop(loop);
    loop_join(loop);
    loop_free(loop);
}

/* ---- mail ---- */

#define THREADS 4
#define LETTERS 20000

struct letter {
    struct mail mail;
    unsigned from, number;
};
static struct letter letters[THREADS][LETTERS];
static struct loop *post_office;
static unsigned opened[THREADS], out_of_order;

static void open_letter(struct mail *mail)
{
    struct letter *letter = (struct letter *)mail;
    out_of_order += opened[letter->from] != letter->number;
    opened[letter->from]++;
}

static void *post_letters(void *letter_box)
{
    struct letter *mine = letter_box;
    for (unsigned i = 0; i < LETTERS; i++)
        loop_post_to(post_office, &mine[i].mail);
    return NULL;
}

static void opens_all_mail_in_each_senders_order(void)
{
    pthread_t threads[THREADS];
    post_office = open_loop(host_machine());
    CHECK(loop_start(post_office) == ERR_OK);
    for (unsigned t = 0; t < THREADS; t++) {
        for (unsigned i = 0; i < LETTERS; i++)
            letters[t][i] = (struct letter){.mail.open = open_letter, .from = t, .number = i};
        CHECK(pthread_create(&threads[t], NULL, post_letters, letters[t]) == 0);
    }
    for (unsigned t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    end_loop(post_office); /* what is still in the box is opened first */
    for (unsigned t = 0; t < THREADS; t++)
        CHECK_INT(opened[t], LETTERS);
    CHECK_INT(out_of_order, 0);
}

static void opens_mail_that_comes_late(void)
{
    struct letter before = {.mail.open = open_letter}, after = {.mail.open = open_letter, .number = 1};
    struct loop *loop = open_loop(host_machine());
    opened[0] = out_of_order = 0;
    loop_post(loop, &before.mail);
    loop_stop(loop);
    CHECK(loop_start(loop) == ERR_OK); /* stopped before it began: ends at once */
    loop_join(loop);
    CHECK_INT(opened[0], 1);
    loop_post(loop, &after.mail);
    loop_free(loop);
    CHECK_INT(opened[0], 2);
    CHECK_INT(out_of_order, 0);
}

static void may_be_freed_without_having_run(void)
{
    struct letter letter = {.mail.open = open_letter};
    struct loop *loop = open_loop(host_machine());
    opened[0] = 0;
    CHECK_INT(loop_index(loop), 7);
    CHECK(loop_host(loop) == host_machine());
    loop_post(loop, &letter.mail);
    loop_free(loop);
    loop_free(NULL);
    CHECK_INT(opened[0], 1);
}

/* ---- time ---- */

struct question {
    struct mail mail;
    struct loop *loop;
    int64_t now_ms, tick_ms;
    sem_t answered;
};

static void answer(struct mail *mail)
{
    struct question *question = (struct question *)mail;
    question->now_ms = loop_now_ms(question->loop);
    question->tick_ms = loop_tick_ms(question->loop);
    sem_post(&question->answered);
}

static void ask_time(struct question *question, struct loop *loop)
{
    *question = (struct question){.mail.open = answer, .loop = loop};
    sem_init(&question->answered, 0, 0);
    loop_post(loop, &question->mail);
    CHECK(bell_wait(&question->answered));
}

static void never_lets_time_run_backwards(void)
{
    static const struct {
        int64_t wall, tick, now_wanted, tick_wanted;
    } rows[] = {{5000, 10, 5000, 10}, {5001, 11, 5001, 11}, {4000, 12, 5002, 12},
                {5000, 13, 5003, 13}, {5010, 14, 5010, 14}, {5010 + CLOCK_STEP_MAX_MS + 2, 15, 5011, 15}};
    struct question question;
    wall_ms = 5000;
    tick_ms = 10;
    struct loop *loop = open_loop(&still);
    CHECK(loop_start(loop) == ERR_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("row %zu", i);
        wall_ms = rows[i].wall;
        tick_ms = rows[i].tick;
        ask_time(&question, loop);
        CHECK_INT(question.now_ms, rows[i].now_wanted);
        CHECK_INT(question.tick_ms, rows[i].tick_wanted);
    }
    end_loop(loop);
}

/* ---- deadlines ---- */

#define DEADLINES 1500

struct alarm {
    struct deadline deadline;
    int64_t wanted_ms;
};
static struct alarm alarms[DEADLINES];
static struct alarm last_alarm;
static struct loop *alarm_loop;
static int64_t rang_ms;
static unsigned rung, wrong;
static sem_t all_rung;

static void ring(struct deadline *deadline)
{
    struct alarm *alarm = (struct alarm *)deadline;
    wrong +=
        deadline->place != 0 || alarm->wanted_ms < rang_ms || loop_tick_ms(alarm_loop) < alarm->wanted_ms;
    rang_ms = alarm->wanted_ms;
    rung++;
}

static void ring_last(struct deadline *deadline)
{
    ring(deadline);
    sem_post(&all_rung);
}

static void set_alarms(struct mail *mail)
{
    (void)mail;
    int64_t begin = loop_tick_ms(alarm_loop);
    for (unsigned i = 0; i < DEADLINES; i++) {
        alarms[i] = (struct alarm){.wanted_ms = begin + (i * 7919) % 40 - 5}; /* some have passed already */
        CHECK(deadline_set(alarm_loop, &alarms[i].deadline, begin + 1000000 + i, ring) == ERR_OK);
    }
    for (unsigned i = 0; i < DEADLINES; i++)
        CHECK(deadline_set(alarm_loop, &alarms[i].deadline, alarms[i].wanted_ms, ring) == ERR_OK);
    for (unsigned i = 0; i < DEADLINES; i += 3) {
        deadline_clear(alarm_loop, &alarms[i].deadline);
        deadline_clear(alarm_loop, &alarms[i].deadline);
        CHECK_INT(alarms[i].deadline.place, 0);
    }
    last_alarm = (struct alarm){.wanted_ms = begin + 40};
    CHECK(deadline_set(alarm_loop, &last_alarm.deadline, last_alarm.wanted_ms, ring_last) == ERR_OK);
}

static void rings_each_deadline_once_and_in_order(void)
{
    struct mail mail = {.open = set_alarms};
    sem_init(&all_rung, 0, 0);
    rang_ms = INT64_MIN;
    alarm_loop = open_loop(host_machine());
    CHECK(loop_start(alarm_loop) == ERR_OK);
    loop_post(alarm_loop, &mail);
    CHECK(bell_wait(&all_rung));
    end_loop(alarm_loop);
    CHECK_INT(rung, DEADLINES - DEADLINES / 3 + 1);
    CHECK_INT(wrong, 0);
}

/* ---- deadlines and the world outside ---- */

#define CROWD    600
#define TURN     500
#define STALL_MS 300

static struct alarm crowd[CROWD];
static struct mail outside;
static unsigned to_ring, rung_before_mail;

static void note_how_many(struct mail *mail)
{
    (void)mail;
    rung_before_mail = rung;
}

/* Mail comes by epoll, as what sockets have to say does. */
static void ring_one(struct deadline *deadline)
{
    (void)deadline;
    if (!rung++ && to_ring > 1) loop_post(alarm_loop, &outside);
    if (rung == to_ring) CHECK(sem_post(&all_rung) == 0);
}

static void set_crowd(struct mail *mail)
{
    (void)mail;
    for (unsigned i = 0; i < CROWD; i++)
        CHECK(deadline_set(alarm_loop, &crowd[i].deadline, loop_tick_ms(alarm_loop), ring_one) == ERR_OK);
}

static void set_one_and_stall(struct mail *mail)
{
    (void)mail;
    CHECK(deadline_set(alarm_loop, &crowd[0].deadline, loop_tick_ms(alarm_loop) + 1, ring_one) == ERR_OK);
    loop_post(alarm_loop, &outside);
    CHECK(poll(NULL, 0, STALL_MS) == 0); /* the process stands still, and libuv's time with it */
}

static void run_alarms(void (*begin)(struct mail *), unsigned count)
{
    struct mail letter = {.open = begin};
    memset(crowd, 0, sizeof crowd);
    outside = (struct mail){.open = note_how_many};
    rung = 0;
    to_ring = count;
    rung_before_mail = UINT_MAX;
    CHECK(sem_init(&all_rung, 0, 0) == 0);
    alarm_loop = open_loop(host_machine());
    CHECK(loop_start(alarm_loop) == ERR_OK);
    loop_post(alarm_loop, &letter);
    CHECK(bell_wait(&all_rung));
    end_loop(alarm_loop);
}

static void lets_the_sockets_have_their_turn_in_a_crowd(void)
{
    run_alarms(set_crowd, CROWD);
    CHECK_INT(rung, CROWD);
    CHECK_INT(rung_before_mail, TURN);
}

static void hears_what_was_said_during_a_stall_before_it_judges(void)
{
    run_alarms(set_one_and_stall, 1);
    CHECK_INT(rung, 1);
    CHECK_INT(rung_before_mail, 0);
}

/* ---- errands ---- */

struct job {
    struct errand errand;
    struct mail mail;
    struct loop *loop;
    pthread_t worker;
    _Atomic int worked;
    int done, done_elsewhere;
    enum err sent;
    sem_t *may_work, *is_done;
};

static void job_work(struct errand *errand)
{
    struct job *job = (struct job *)errand;
    bell_wait(job->may_work);
    job->worker = pthread_self();
    job->worked++;
}

static void job_done(struct errand *errand)
{
    struct job *job = (struct job *)errand;
    job->done_elsewhere = !pthread_equal(job->worker, pthread_self());
    job->done++;
    if (job->is_done) sem_post(job->is_done);
}

static void send_job(struct mail *mail)
{
    struct job *job = (struct job *)((char *)mail - offsetof(struct job, mail));
    job->sent = loop_errand(job->loop, &job->errand);
    if (job->sent != ERR_OK) sem_post(job->is_done);
}

static void runs_errands_elsewhere_and_not_too_many(void)
{
    static struct job jobs[66]; /* 64 may wait */
    sem_t may_work, is_done;
    sem_init(&may_work, 0, 0);
    sem_init(&is_done, 0, 0);
    struct loop *loop = open_loop(host_machine());
    CHECK(loop_start(loop) == ERR_OK);
    for (int i = 0; i < 66; i++) {
        jobs[i] = (struct job){{job_work, job_done, NULL}, .mail.open = send_job, .loop = loop};
        jobs[i].may_work = &may_work;
        jobs[i].is_done = &is_done;
        loop_post(loop, &jobs[i].mail);
    }
    for (int i = 0; i < 2; i++)
        CHECK(bell_wait(&is_done)); /* the two that were refused */
    for (int i = 0; i < 64; i++)
        sem_post(&may_work);
    for (int i = 0; i < 64; i++)
        CHECK(bell_wait(&is_done));
    end_loop(loop);
    for (int i = 0; i < 66; i++) {
        CHECK_NOTE("job %d", i);
        CHECK_INT(jobs[i].sent, i < 64 ? ERR_OK : ERR_LIMIT);
        CHECK_INT(jobs[i].worked, i < 64);
        CHECK_INT(jobs[i].done, i < 64);
        if (i < 64) CHECK(jobs[i].done_elsewhere && !jobs[i].errand.uv);
    }
}

static void finishes_errands_before_it_stops(void)
{
    static struct job job;
    sem_t may_work;
    sem_init(&may_work, 0, 0);
    struct loop *loop = open_loop(host_machine());
    job =
        (struct job){{job_work, job_done, NULL}, .mail.open = send_job, .loop = loop, .may_work = &may_work};
    loop_post(loop, &job.mail);
    CHECK(loop_start(loop) == ERR_OK);
    loop_stop(loop);
    sem_post(&may_work);
    loop_join(loop);
    CHECK_INT(job.done, 1);
    CHECK(loop_errand(loop, &job.errand) == ERR_STOPPING);
    loop_free(loop);
}

int main(void)
{
    CHECK_RUN(opens_all_mail_in_each_senders_order);
    CHECK_RUN(opens_mail_that_comes_late);
    CHECK_RUN(may_be_freed_without_having_run);
    CHECK_RUN(never_lets_time_run_backwards);
    CHECK_RUN(rings_each_deadline_once_and_in_order);
    CHECK_RUN(lets_the_sockets_have_their_turn_in_a_crowd);
    CHECK_RUN(hears_what_was_said_during_a_stall_before_it_judges);
    CHECK_RUN(runs_errands_elsewhere_and_not_too_many);
    CHECK_RUN(finishes_errands_before_it_stops);
    return CHECK_END();
}
