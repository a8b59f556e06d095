/* admin_ask.h — what the command line may ask of the running server, one JSON object a line:
 *
 *     {"command":"why","error_id":"<16 base64url characters>"}
 *     {"command":"keys"}, and "project":"<uuid>" for how far its clock was moved
 *     {"command":"clock","project":"<uuid>","by_ms":7200000}
 *     {"command":"time"}, and {"command":"confirm"}, which takes a step of the wall clock for right
 *     {"command":"revoke","project":"<uuid>","of":"user","name":"<uuid, or a key's public id>"}
 *     {"command":"operate","verb":"project create",…}: operate.h
 *     {"command":"keyring","want":"rotate","use":"sign"}, "retire" or "remove" with "id":"<8 hex digits>", or
 *     "rewrap"; and "emergency":true, or "look":true to be told only what would come of it
 *
 * Strict: an unknown command, a missing member or one of another form is refused as a whole. The answer is
 * one line of JSON too; admin.c writes it. */
#ifndef COATCHECK_SERVER_ADMIN_ASK_H
#define COATCHECK_SERVER_ADMIN_ASK_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/uuid.h"
#include "engine/facts.h"
#include "engine/ring.h"
#include "server/operate.h"
#include "server/records.h"

#define ADMIN_SOCKET   "admin.sock"       /* in the data folder */
#define ADMIN_LINE_MAX OPERATION_LINE_MAX /* bytes of an ask, its newline included */

#define ADMIN_RING_ID_LEN 8

enum admin_command {
    ADMIN_NONE,
    ADMIN_WHY,
    ADMIN_KEYS,
    ADMIN_CLOCK,
    ADMIN_TIME,
    ADMIN_CONFIRM,
    ADMIN_REVOKE,
    ADMIN_OPERATE,
    ADMIN_KEYRING
};

#define ADMIN_NAME_MAX 40

struct admin_ask {
    enum admin_command command;
    char error_id[RECORD_ID_LEN]; /* ADMIN_WHY */
    struct uuid project;          /* ADMIN_CLOCK, _REVOKE; ADMIN_KEYS: zero if none is named */
    int64_t by_ms;                /* ADMIN_CLOCK: any number; engine/age.h judges it */
    enum cutoff_of of;            /* ADMIN_REVOKE */
    char name[ADMIN_NAME_MAX];    /* the same; any text: engine/revoke.h judges it */
    size_t name_len;
    struct {
        enum ring_want want; /* 0: rewrap */
        enum ring_use use;
        char id[ADMIN_RING_ID_LEN];
        bool is_emergency, is_look;
    } ring; /* ADMIN_KEYRING */
};

/* line: without its newline. ERR_MALFORMED, ERR_TOO_LARGE, ERR_NO_MEMORY. */
MUST_USE enum err admin_ask_read(struct admin_ask *out, struct bytes line);

#endif
