/* finding.h — why one ask was refused, in words for the operator: the check that failed, what it expected,
 * what it saw, and whose credential it was.
 *
 * Filled where the refusal is decided, and only then: an ask that is granted pays nothing. It goes into a
 * record (server/records.h) and never to the client. Nothing here may be a secret: no token, password, proof
 * or value of a member; of a credential only its public id, of a kid or jti at most FINDING_PREFIX
 * characters. What a stranger wrote is shown as printable ASCII, the rest of it as '?'. */
#ifndef COATCHECK_SERVICE_FINDING_H
#define COATCHECK_SERVICE_FINDING_H

#include "engine/outcome.h"

#define FINDING_TEXT_MAX 192 /* bytes of expected and of seen; the rest is cut */
#define FINDING_PREFIX   6   /* characters shown of an id that could lead to a credential */

struct finding {
    enum refusal refusal; /* or, REFUSAL_NONE: */
    enum err error;
    const char *check; /* a literal such as "token.exp"; NULL: nothing more is known */
    char expected[FINDING_TEXT_MAX], seen[FINDING_TEXT_MAX]; /* NUL-terminated */
    /* Lineage, as far as it was proved; zero: not. A project that was merely claimed is never here. */
    struct uuid project, user, family;
    char key[KEY_PUBLIC_ID_MAX + 1]; /* public id of the project's key, proved or not */
    bool has_credential;             /* something was presented, and it was refused for what it is */
};

void finding_clear(struct finding *finding);
void finding_check(struct finding *finding, const char *check); /* a literal */
void finding_expected(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_seen(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));
void finding_key(struct finding *finding, struct bytes public_id);

/* What was granted at gt_ms is void by a cutoff: a revocation, a retired key, a changed password. */
void finding_cut_off(struct finding *finding, const char *check, int64_t cutoff_ms, int64_t gt_ms);

/* The arguments of "%.*s" for bytes, cut at max. */
#define FINDING_BYTES(b, max)                                                                                \
    (int)((b).len < (size_t)(max) ? (b).len : (size_t)(max)), (b).ptr ? (const char *)(b).ptr : ""
/* The same for an id of which only the beginning may be shown. */
#define FINDING_ID(b) FINDING_BYTES(b, FINDING_PREFIX)

/* The name an operator knows a member by; "" for FIELD_NONE. */
const char *finding_field(enum ask_field field);
/* Fills check and seen from what the refusal itself says, where nothing finer was found. */
void finding_complete(struct finding *finding, const struct refused *refused, enum err error);

/* What the two tables say of it; the slug is all that a client learns. */
const char *finding_name(const struct finding *finding);
const char *finding_slug(const struct finding *finding);
const char *finding_doc(const struct finding *finding);
const char *finding_fix(const struct finding *finding);

/* A word that a stranger chose, such as a method's name, as it may be kept; see finding_path. */
#define FINDING_WORD_MAX 40
void finding_word(char out[FINDING_WORD_MAX], struct bytes word);

/* The path of a request as it may be kept: a segment too long to be a word of ours is shown by its length,
 * because it may hold a credential. */
#define FINDING_PATH_MAX 96
void finding_path(char out[FINDING_PATH_MAX], struct bytes path);

#endif
