/* phones.h — calls between the clients of a world: who dials, answers and hangs up, and the laws of it. A leg
 * is known by its name, whichever link its session has; an offer carries the number of its dial, and an
 * answer the number of the offer it answers. */
#ifndef COATCHECK_TESTS_SIM_PHONES_H
#define COATCHECK_TESTS_SIM_PHONES_H

#include "sim/client.h"
#include "wire/json_read.h"

void phones_begin(void); /* nobody has called anybody */

/* A caller does something about a call: dials, or takes up what rang or what it dialled. phoning.c */
void phones_act(struct client *client);
/* The number of a new dial from here, and the name of its leg; 0: no more room. reference: what that of a
 * user begins with whom it may ring; NULL: nobody. */
unsigned phones_dial(char name[LEG_NAME_MAX], const struct link *link, const char *reference);
unsigned phones_answer(const char *name); /* the number of the dial that this leg rang by; 0: not known */
unsigned phones_joined(void);             /* so many dials were answered */
/* What the server tells a client of a call: the params of its event. */
void phones_event(struct link *link, struct json event);
/* Its answer to a dial, which may come late and out of turn. */
void phones_dialled(const struct link *link, const struct call *call, int code);

#endif
