/* answer.h — the laws of answers: is what the server just wrote right for what was asked? (design §2-5) */
#ifndef COATCHECK_TESTS_SIM_ANSWER_H
#define COATCHECK_TESTS_SIM_ANSWER_H

#include "sim/tap.h"
#include "wire/ws_frame.h"

void answer_http(struct link *link, struct request *request, struct bytes head, struct bytes body);
void answer_frame(struct link *link, enum ws_opcode opcode, struct bytes payload);
void answer_closed(struct link *link); /* the server's end of the link is gone */

struct minted { /* both halves, opened */
    struct uuid user;
    struct claims claims;
    struct sealed sealed;
    struct arena arena;
};
/* Signed and sealed by the key ring, or a law is broken. */
void answer_open(struct minted *out, const struct link *link, struct bytes token, struct bytes refresh);
struct sim_refresh;
void answer_note_refresh(struct sim_refresh *out, struct bytes text, const struct minted *minted);
void answer_add_minted(const struct link *link, struct request *request, const struct minted *minted,
                       struct bytes text);

/* Of a refresh that came whole, with a good credential. */
bool refresh_may_say(const struct request *request, int status);
void answer_refreshed(struct link *link, struct request *request, struct bytes text);

/* Both halves of a mint's answer: checks them, and adds the token to the model. */
void answer_minted(struct link *link, struct request *request, struct bytes text);
/* A bound token: the same. */
void answer_bound(struct link *link, struct request *request, struct bytes text);
bool bind_may_say(const struct request *request, int status);

/* An access token, opened: by the key ring's own key, or the law is broken. */
struct claims;
struct arena;
void answer_open_typed(struct claims *out, struct arena *arena, const struct link *link, struct bytes token,
                       struct bytes typ);
void answer_open_token(struct claims *out, struct arena *arena, const struct link *link, struct bytes token);
/* Into the model, where a jti is used once; NULL: it is full. */
struct token *answer_add_token(const struct link *link, const struct claims *claims, struct bytes text);

/* What a granted connect or renewal says of them; the tap knows the session already. */
struct json;
void answer_slots(const struct link *link, struct json result);
/* And of the token that carries the session, and of its end. */
void answer_welcome(const struct link *link, struct json holder);
void answer_away(struct link *link, unsigned code, struct bytes reason); /* of a close frame */

/* On a link that is wild nobody knows what was asked. What the server says must be right all the same. */
void answer_wild_http(struct link *link, struct request *request, struct bytes body);
void answer_wild_text(struct link *link, struct bytes text);
bool answer_wild_may_close(const struct link *link, unsigned code);
/* A token that was issued, from its own claims; NULL: no more room. */
struct token *answer_issued(const struct link *link, struct bytes text);

#endif
