/* law_calls.h — the laws of calls that can be seen in the server's own objects. */
#ifndef COATCHECK_TESTS_SIM_LAW_CALLS_H
#define COATCHECK_TESTS_SIM_LAW_CALLS_H

struct lane;
struct node;
struct session;

void law_check_calls(const struct lane *lane);
void law_check_legs(const struct session *session);
void law_check_all_calls(const struct node *node);

#endif
