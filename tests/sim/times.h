/* times.h — what the contract says of time (design §2), worked out from the clocks the node reads and the
 * floor that is on the disk, and not from what the node makes of them. */
#ifndef COATCHECK_TESTS_SIM_TIMES_H
#define COATCHECK_TESTS_SIM_TIMES_H

#include "sim/model.h"

void times_begin(void);
void times_boot(int64_t floor_ms); /* a process starts */
void times_read(void);             /* it reads its clocks */
void times_confirm(void);          /* an operator says that the wall clock is right */
int64_t times_now_ms(void);        /* engine time, if the node looked now */

void times_told(int64_t now_ms);    /* the node thinks it is so late */
void times_used(int64_t now_ms);    /* and decides by it */
void times_floor(int64_t floor_ms); /* the disk keeps it */
void times_stopped(bool had_trouble);
void times_stood_still(int64_t us); /* the whole process did: nothing could follow */
void times_check(void);             /* after each step, and each change of a clock */

/* An unconfirmed step lies between the clocks. _was: now, or at any time since; _is: all the time since. */
bool times_are_stepped(void);
bool times_was_stepped(int64_t since_us);
bool times_is_stepped(int64_t since_us);

#endif
