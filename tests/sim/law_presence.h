/* law_presence.h — the law of presence, as it can be seen in the server's own objects. */
#ifndef COATCHECK_TESTS_SIM_LAW_PRESENCE_H
#define COATCHECK_TESTS_SIM_LAW_PRESENCE_H

struct node;

void law_presence_begin(void);
/* What a live session knows of its user's presence is so, or is about to be told. */
void law_check_presence(const struct node *node);

#endif
