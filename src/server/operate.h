/* operate.h — what an operator does to the projects of a data folder: whoever carries it out, the running
 * server or, when none runs, the command line itself. Every rule is here, none in either of them.
 *
 * Blocks: on a pool thread of the server, or in a command of its own. The answer is one JSON object: what
 * was made or found, or {"refused":"why not, and what to do"}. A secret is in the answer to what made it
 * and nowhere else. */
#ifndef COATCHECK_SERVER_OPERATE_H
#define COATCHECK_SERVER_OPERATE_H

#include "service/keys.h"
#include "wire/json_read.h"

enum operation_verb {
#define OPERATION_ROW(name, words, needs_ring, run) OPERATION_##name,
#include "server/operate.def"
#undef OPERATION_ROW
    OPERATIONS
};

/* What an operation may name; absent: not given. */
enum operand {
    OPERAND_PROJECT,
    OPERAND_ID,
    OPERAND_NAME,
    OPERAND_KIND,
    OPERAND_PERMISSIONS, /* words with commas between them, or "all" */
    OPERAND_ORIGIN,
    OPERAND_SETTING,
    OPERAND_VALUE,
    OPERAND_ADDRESS,
    OPERAND_REACHES,
    OPERAND_REFERENCE,
    OPERAND_EXTERNAL_ID,
    OPERAND_TITLE,
    OPERAND_PUBLIC_KEY, /* a JWK */
    OPERAND_AFTER,      /* the cursor that a page gave as "next" */
    OPERANDS
};

#define OPERATION_QUESTIONS_MAX 20
#define OPERATION_PAGE          50 /* things in one answer: the largest still fit it */
#define OPERATION_LINE_MAX      16384
#define OPERATION_ANSWER_MAX    262000 /* bytes, within what is kept for one connection */

struct operation {
    enum operation_verb verb;
    struct bytes operand[OPERANDS];
    struct bytes questions[OPERATION_QUESTIONS_MAX];
    size_t question_count;
};
const char *operation_words(enum operation_verb verb); /* "key create" */
bool operation_needs_ring(enum operation_verb verb);

/* {"command":"operate","verb":"key create","project":"…",…}, without a newline, and back. Texts are borrowed
 * from the document. ERR_MALFORMED for whatever is not of this form. */
void operation_write(struct buf *out, const struct operation *operation);
MUST_USE enum err operation_read(struct operation *out, struct json document);

struct operate_means {
    struct store *store;
    const struct keyring *ring; /* NULL: only for what needs none */
    struct dice dice;
    int64_t now_ms;
    struct bytes url; /* where the server is; absent: none runs */
};

/* What a running server has to see to before it answers. */
struct operate_effects {
    bool facts_changed, has_cutoff, has_user;
    struct uuid project, user; /* has_user: whose copies are to be forgotten */
    struct cutoff cutoff;      /* its id points into cutoff_id */
    uint8_t cutoff_id[KEY_PUBLIC_ID_MAX];
};

/* The answer is always whole, unless the buffer has failed. */
void operate(struct buf *answer, struct operate_effects *effects, const struct operate_means *means,
             const struct operation *operation);

#endif
