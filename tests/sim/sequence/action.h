/* action.h — a fuzzer's bytes as a sequence of actions: what strangers do to one node, one after another.
 *
 * An input is one byte, the seed of the world's own dice (settings, delays), and then actions of
 * ACTION_BYTES each. Every byte string is a sequence; what each action's letters mean is said where it is
 * carried out (act_*.c). An action on a link that is not open opens it first. */
#ifndef COATCHECK_TESTS_SIM_SEQUENCE_ACTION_H
#define COATCHECK_TESTS_SIM_SEQUENCE_ACTION_H

#include "base/buf.h"
#include "sim/client.h"
#include "sim/link.h"
#include "sim/say.h"

#define ACTION_BYTES 8
#define ACTIONS_MAX  48
#define PARTIES      4

enum verb {
    VERB_OPEN,
    VERB_MINT,
    VERB_READ,
    VERB_UPGRADE,
    VERB_CONNECT,
    VERB_CALL,
    VERB_ENVELOPE,
    VERB_FRAME,
    VERB_BROKEN,
    VERB_TAMPER,
    VERB_RAW,
    VERB_FLUSH,
    VERB_END,
    VERB_RESET,
    VERB_LISTEN,
    VERB_TIME,
    VERB_MEMORY,
    VERB_STORE,
    VERB_PACE,
    VERB_KEY,
    VERB_LIFE,
    VERBS
};

struct action {
    uint8_t verb, party, a, b, c, d;
    uint8_t send; /* how the bytes leave: party_send */
    uint8_t wait; /* how long the world goes on afterwards */
};

struct party { /* one stranger and its link */
    struct client client;
    struct buf rest; /* of a message that was sent in part */
    unsigned calls;
    bool answers_pings, has_upgraded, is_tampering, is_sending;
    struct action tamper; /* what becomes of the next message */
};

const char *verb_name(uint8_t verb);

/* act_http.c, act_socket.c, act_world.c */
void act_mint(struct party *party, const struct action *action);
void act_read(struct party *party, const struct action *action);
void act_upgrade(struct party *party, const struct action *action);
void act_broken(struct party *party, const struct action *action);
void act_connect(struct party *party, const struct action *action);
void act_call(struct party *party, const struct action *action);
void act_envelope(struct party *party, const struct action *action);
void act_frame(struct party *party, const struct action *action);
bool act_on_world(const struct action *action); /* false: it is no such action */
void party_heard(struct party *party, const struct said *said);

/* parties.c */
void parties_begin(void);
void parties_end(void);
void parties_act(const struct action *action);
void party_send(struct party *party, struct bytes message, uint8_t send);
void party_goes_wild(struct party *party);    /* nobody knows any more what it asks */
struct link *party_link(struct party *party); /* open, and able to send; NULL: it has shut its side */
/* What is asked next: noted by the tap, or on a wild link by nobody. */
struct request *party_ask(struct party *party, enum request_kind kind);
struct call *party_call(struct party *party, enum call_kind kind);
const char *origin_of(uint8_t letter); /* NULL: none is sent */

/* secrets.c: what was issued or may be presented is in no log line. */
void secrets_begin(void);
void secrets_take_line(struct bytes line);
void secrets_end(void);

/* life.c */
void lives_prepare(void); /* once a process; harmless again */
void life_begin(uint8_t seed);
void life_end(void); /* what is owed is answered, the node stops, nothing is left */

void run_for(int64_t us);

#endif
