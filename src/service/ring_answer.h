/* ring_answer.h — what became of an order to the key ring, as JSON for the command line:
 *
 *     {"refused":"…","from_ms":…,"may_force":true,"harms":["…"]}
 *     {"steps":["publish","turn"],"harms":["…"],"keys":[…]}
 *
 * from_ms only if there is such a moment; keys: the ring as it then is (ring_list). */
#ifndef COATCHECK_SERVICE_RING_ANSWER_H
#define COATCHECK_SERVICE_RING_ANSWER_H

#include "service/keys.h"

void ring_answer_write(struct json_writer *w, const struct ring_plan *plan, struct ring_view ring,
                       const struct ring_timetable *timetable);

#endif
