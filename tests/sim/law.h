/* law.h — what holds after every step, read off the lanes themselves: counters, parking, sessions, timers.
 * The laws of single answers are in answer.h. */
#ifndef COATCHECK_TESTS_SIM_LAW_H
#define COATCHECK_TESTS_SIM_LAW_H

void law_check(void);

#endif
