#include "service/ring_answer.h"

#include "token/jwk.h"

static void write_harms(struct json_writer *w, const struct ring_plan *plan)
{
    char text[RING_HARM_TEXT_MAX];
    size_t i;

    json_key(w, "harms");
    json_array_begin(w);
    for (i = 0; i < plan->harm_count; i++) {
        ring_harm_write(text, &plan->harms[i]);
        json_put_string(w, bytes_of_text(text));
    }
    json_array_end(w);
}

static void write_refused(struct json_writer *w, const struct ring_plan *plan)
{
    json_key(w, "refused");
    json_put_string(w, bytes_of_text(ring_no_text(plan->no)));
    if (plan->from_ms) {
        json_key(w, "from_ms");
        json_put_number(w, plan->from_ms);
    }
    json_key(w, "may_force");
    json_put_bool(w, plan->may_force);
}

void ring_answer_write(struct json_writer *w, const struct ring_plan *plan, struct ring_view ring,
                       const struct ring_timetable *timetable)
{
    static const char *const acts[] = {
        [RING_PUBLISH] = "publish", [RING_TURN] = "turn", [RING_DROP] = "drop"};
    size_t i;

    json_object_begin(w);
    if (plan->no)
        write_refused(w, plan);
    else {
        json_key(w, "steps");
        json_array_begin(w);
        for (i = 0; i < plan->step_count; i++)
            json_put_literal(w, acts[plan->steps[i].act]);
        json_array_end(w);
        json_key(w, "keys");
        ring_list(w, ring, timetable);
    }
    write_harms(w, plan);
    json_object_end(w);
}
