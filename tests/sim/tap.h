/* tap.h — listens to what the server writes on a link, whole messages at a time, and hands each to the laws
 * (answer.h) in the step it was written; the client hears of it when the bytes have arrived.
 *
 * It also keeps what the link's client has asked, in order: requests on HTTP, calls on a socket. */
#ifndef COATCHECK_TESTS_SIM_TAP_H
#define COATCHECK_TESTS_SIM_TAP_H

#include "sim/model.h"

struct link;
struct sim_ticket;
struct sim_participant;
struct sim_interview;

enum request_kind {
    REQUEST_MINT,
    REQUEST_REFRESH,
    REQUEST_INFO,
    REQUEST_ADDRESSES,
    REQUEST_HEALTH,
    REQUEST_NOWHERE,
    REQUEST_BROKEN, /* no HTTP at all */
    REQUEST_UPGRADE,
    REQUEST_OTHER, /* told by `wanted` alone */
    REQUEST_LAUNCH,
    REQUEST_EXCHANGE,
    REQUEST_BIND,
    REQUEST_INTROSPECT,
    REQUEST_REVOKE,
    REQUEST_VISIT,
    REQUEST_INTERVIEW
};

enum fate { /* what the contract says of a request that nothing disturbs */
            FATE_GOOD,
            FATE_MALFORMED,
            FATE_UNAUTHORIZED,
            FATE_FORBIDDEN,
            FATE_NOT_FOUND,
            FATE_UNSUPPORTED,
            FATE_INVALID
};

struct request {
    struct request *next;
    enum request_kind kind;
    enum fate fate;
    size_t up_end;        /* where its last byte lies in what the client sends */
    int64_t delivered_ms; /* engine time when that byte had arrived; INT64_MIN: it has not */
    int64_t delivered_us;
    unsigned trouble;  /* injected failures when it was sent */
    unsigned failures; /* of these, of memory */
    unsigned life;     /* of the node when it was sent */
    unsigned lane;
    unsigned project, user, shown, shown_floor; /* user REFERENCES: none of the model's */
    enum sim_key key;
    bool has_expiry, may_self_refresh;
    int64_t expire_at_s;
    int browser; /* fingerprint asked for; -1: none */
    const struct token *token;
    struct proof *proof;
    bool renews;
    int64_t life_s;             /* of a bound token, as it will be clamped */
    int wanted;                 /* REQUEST_OTHER: its status */
    bool is_head, may_be_early; /* early: refused by its head, before its body has come */
    int status;                 /* 0: unanswered */
    struct token *minted;
    struct sim_family *family;               /* of a refresh; of a mint, once it is answered */
    unsigned generation;                     /* presented, or made */
    bool was_reuse;                          /* when it arrived */
    struct sim_ticket *launched;             /* by its answer */
    struct sim_ticket *ticket;               /* that is redeemed */
    bool is_door;                            /* the standard one: its own words for the same */
    bool lacks_key, is_foreign, is_tampered; /* of what is looked at or revoked there */
    bool was_reached;                        /* by a cutoff, when it arrived */
    bool names_user, must_resume;
    enum interview_step step;
    const struct sim_participant *person; /* who asks; of a visit, who came of it */
    struct sim_interview *interview;
    struct interview met; /* as it was when this arrived */
    struct uuid named;
};

enum call_kind {
    CALL_CONNECT,
    CALL_RENEW,
    CALL_ONLINE,
    CALL_OFFLINE,
    CALL_UNKNOWN,
    CALL_BROKEN,
    CALL_NO_ENVELOPE,
    CALL_DIAL, /* answered when it is decided, and what comes behind it before that */
    CALL_PHONE /* of a call that there is, or is not */
};

struct sim_session;
struct sim_state { /* that a session's client was given */
    char text[1024];
    size_t len;
    unsigned number; /* 1 is the session's first */
    unsigned unseen; /* states before it that were lost with their sockets, before anybody saw them */
    int browser;
    int64_t exp_s;
};

struct call {
    struct call *next;
    enum call_kind kind;
    char id[132];
    size_t up_end;
    int64_t delivered_ms, delivered_us;
    unsigned trouble;
    const struct token *token; /* NULL: none, or one made up */
    struct proof *proof;
    bool is_tampered, wants_resume, is_invalid;
    bool is_upgrade;             /* of a connect: a new session in the place of that of the state */
    struct sim_session *resumes; /* whose state is presented, whole and with its name; NULL: none's */
    struct sim_state state;      /* that one */
    struct sim_session *wants;   /* when it arrived: see sessions_wanted */
    bool was_free;               /* then nobody carried that one */
    unsigned moves;              /* and so often it had been taken by then */
    bool is_answered;
    int code; /* 0: granted */
};

enum said_kind { SAID_REPLY, SAID_CALL, SAID_PING, SAID_PROBE, SAID_RING, SAID_CLOSE };

struct said {
    struct said *next;
    size_t down_end;
    enum said_kind kind;
    struct request *request;
    struct call *call;
    char id[40]; /* of a probe: what it carries, id_len bytes */
    size_t id_len;
};

enum tap_session { TAP_HTTP, TAP_OPENING, TAP_LIVE, TAP_PARKED, TAP_FAILED, TAP_CLOSED };

struct tap {
    struct buf bytes; /* not yet a whole message */
    size_t written;   /* in all */
    struct request *requests, *unanswered;
    struct call *calls;
    struct said *said;
    bool is_last; /* the last reply said: Connection: close */
    bool is_wild; /* what the client sends from here on is no request or call that is known */
    enum tap_session session;
    bool is_registered, is_broken;   /* broken: the client broke the protocol, or said goodbye */
    bool has_connected, takes_slots; /* as the first connect on it said */
    const char *origin;
    const struct token *token; /* of the live session */
    int64_t ends_s;            /* its end, as the clock says */
    struct sim_session *held;  /* the same; NULL: there was no room to know it */
    int64_t dies_tick_ms;
    int64_t since_us; /* when the state it is in began */
    int64_t heard_us; /* when the client's last bytes arrived */
    int64_t
        probed_us;   /* when it was asked whether it is there, and has not answered since; INT64_MAX: never */
    size_t pong_end; /* where its answer to that ends; 0: it has not sent one */
    unsigned close_code; /* the server's; 0: it has not closed */
    int64_t away_ms;     /* how long it then asked to stay away; 0: it did not say */
    bool is_away_slot;   /* in a slot of the client's own */
};

void tap_init(struct tap *tap);
void tap_release(struct tap *tap);
struct request *tap_ask(struct link *link, enum request_kind kind); /* what is sent next; fill it in */
struct call *tap_call(struct link *link, enum call_kind kind);

/* A field of a reply's head; name with its colon. */
struct bytes tap_field(struct bytes head, struct bytes name);

/* The place in the display names' history that an answer may not fall behind. */
unsigned tap_shown_floor(const struct link *link, unsigned project, unsigned user);

void tap_written(struct link *link, struct bytes b); /* by the server */
void tap_delivered(struct link *link);               /* up_taken has grown */
void tap_closed(struct link *link);                  /* the server's end is gone */
void tap_say(struct link *link, struct said said);   /* for the client, when it has all bytes up to here */

#endif
