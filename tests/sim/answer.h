/* answer.h — the laws of answers: is what the server just wrote right for what was asked? (design §2-5) */
#ifndef COATCHECK_TESTS_SIM_ANSWER_H
#define COATCHECK_TESTS_SIM_ANSWER_H

#include "sim/tap.h"
#include "wire/ws_frame.h"

void answer_http(struct link *link, struct request *request, struct bytes head, struct bytes body);
void answer_frame(struct link *link, enum ws_opcode opcode, struct bytes payload);
void answer_closed(struct link *link); /* the server's end of the link is gone */

/* Both halves of a mint's answer: checks them, and adds the token to the model. */
void answer_minted(struct link *link, struct request *request, struct bytes text);

/* On a link that is wild nobody knows what was asked. What the server says must be right all the same. */
void answer_wild_http(struct link *link, struct request *request, struct bytes body);
void answer_wild_text(struct link *link, struct bytes text);
bool answer_wild_may_close(const struct link *link, unsigned code);
/* A token that was issued, from its own claims; NULL: no more room. */
struct token *answer_issued(const struct link *link, struct bytes text);

#endif
