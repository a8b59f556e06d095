/* sqlite_interview.c — interviews and their answers. */
#include "store/rows.h"
#include "store/sqlite.h"

enum err sqlite_find_interview(bool *found, struct interview *out, struct db *db, int64_t project,
                               const struct interview *wanted)
{
    struct query_run run;
    *found = false;
    *out = (struct interview){.id = wanted->id, .project = wanted->project};
    query_start(&run, db, QUERY_INTERVIEW, NULL);
    query_bind_number(&run, project);
    query_bind_blob(&run, uuid_bytes(&wanted->id));
    if (query_step(&run)) {
        query_read_exactly(out->user.byte, sizeof out->user.byte, &run);
        query_read_exactly(out->study.byte, sizeof out->study.byte, &run);
        out->state = (enum interview_state)query_read_choice(&run, INTERVIEW_DONE);
        out->created_ms = query_read_number(&run);
        out->completed_ms = query_read_number(&run);
        out->answer_count = (uint32_t)query_read_number(&run);
        *found = uuid_equal(&out->user, &wanted->user);
    }
    enum err e = query_end(&run);
    if (e != ERR_OK) *found = false;
    if (!*found) *out = (struct interview){0};
    return e;
}

enum err sqlite_write_interview(struct sqlite_writing *w)
{
    const struct interview *interview = &w->write->interview;
    struct query_run run;
    bool is_theirs;
    enum err e;
    query_start(&run, w->db, QUERY_INTERVIEW_INSERT, NULL);
    query_bind_number(&run, w->project);
    query_bind_blob(&run, uuid_bytes(&interview->id));
    query_bind_blob(&run, uuid_bytes(&interview->user));
    query_bind_blob(&run, uuid_bytes(&interview->study));
    query_bind_number(&run, interview->state);
    query_bind_number(&run, interview->created_ms);
    query_bind_number(&run, interview->completed_ms);
    TRY(e = sqlite_end_write(w->row, &run), done);
    if (w->row->state == ROW_EXISTS)
        return sqlite_find_interview(&is_theirs, &w->row->interview, w->db, w->project, interview);
    w->row->interview = *interview;
    w->row->interview.answer_count = 0;
done:
    return e;
}

/* Finds the interview of a step or an answer; true: it is in one of the states. */
static enum err may_step(bool *out, struct sqlite_writing *w, const struct interview *wanted, uint32_t from)
{
    bool found;
    enum err e = sqlite_find_interview(&found, &w->row->interview, w->db, w->project, wanted);
    *out = e == ERR_OK && found && interview_is_in(w->row->interview.state, from);
    if (e == ERR_OK && found) w->row->state = ROW_EXISTS;
    return e;
}

enum err sqlite_write_step(struct sqlite_writing *w)
{
    const struct write *write = w->write;
    struct interview *after = &w->row->interview;
    struct interview wanted = {.id = write->interview_step.id,
                               .project = write->interview_step.project,
                               .user = write->interview_step.user};
    struct query_run run;
    bool may;
    enum err e;
    TRY(e = may_step(&may, w, &wanted, write->interview_step.from), done);
    if (!may) return ERR_OK;
    after->state = write->interview_step.to;
    if (after->state == INTERVIEW_DONE) after->completed_ms = write->interview_step.now_ms;
    query_start(&run, w->db, QUERY_INTERVIEW_UPDATE, NULL);
    query_bind_number(&run, w->project);
    query_bind_blob(&run, uuid_bytes(&wanted.id));
    query_bind_number(&run, after->state);
    query_bind_number(&run, after->completed_ms);
    e = sqlite_end_write(w->row, &run);
done:
    return e;
}

static enum err answer_is_there(bool *out, struct sqlite_writing *w)
{
    struct query_run run;
    query_start(&run, w->db, QUERY_ANSWER_IS_THERE, NULL);
    query_bind_number(&run, w->project);
    query_bind_blob(&run, uuid_bytes(&w->write->answer.interview));
    query_bind_text(&run, w->write->answer.question);
    *out = query_step(&run);
    return query_end(&run);
}

enum err sqlite_write_answer(struct sqlite_writing *w)
{
    const struct write *write = w->write;
    struct interview wanted = {
        .id = write->answer.interview, .project = write->answer.project, .user = write->answer.user};
    struct query_run run;
    bool may, is_there;
    enum err e;
    TRY(e = may_step(&may, w, &wanted, 1u << INTERVIEW_AGREED), done);
    if (!may) return ERR_OK;
    TRY(e = answer_is_there(&is_there, w), done);
    if (!is_there) w->row->interview.answer_count++;
    query_start(&run, w->db, QUERY_ANSWER_WRITE, NULL);
    query_bind_number(&run, w->project);
    query_bind_blob(&run, uuid_bytes(&wanted.id));
    query_bind_text(&run, write->answer.question);
    query_bind_text(&run, write->answer.answer);
    query_bind_number(&run, write->answer.now_ms);
    e = sqlite_end_write(w->row, &run);
done:
    return e;
}
