/* operator.h — commands that run a project: a noun, its verbs, and for each verb what it takes and what it
 * prints. The running server is asked; without one the folder is opened. What may be done is decided by
 * server/operate.h in both cases. */
#ifndef COATCHECK_CLI_OPERATOR_H
#define COATCHECK_CLI_OPERATOR_H

#include "server/operate.h"

#define OPERATOR_WORDS_MAX 3
#define TAKES(operand)     (1u << (operand))
#define TAKES_QUESTIONS    (1u << OPERANDS)
#define TAKES_KIND_SWITCH  (1u << (OPERANDS + 1)) /* --live, --test */

struct operator_verb {
    const char *word;
    enum operation_verb operation;
    const char *usage;                      /* behind the verb: "KIND --project ID" */
    enum operand words[OPERATOR_WORDS_MAX]; /* what words without dashes are, in order */
    unsigned word_count, words_needed;
    uint32_t options;                    /* TAKES(…) of each */
    const char *fixed;                   /* of OPERAND_VALUE; NULL: nothing */
    bool (*prepare)(struct operation *); /* false: it has said why; may be NULL */
    void (*tell)(struct json answer);    /* for people; --json prints the answer as it is */
};

struct operator_noun {
    const char *name, *about; /* about: what the help says behind the usages */
    const struct operator_verb *verbs;
    unsigned verb_count;
};
int operator_main(const struct operator_noun *noun, int argc, char **argv);

/* For tell: lines, tables and what to do next, on stdout. */
struct operator_line {
    const char *label, *member;
};
void operator_lines(struct json answer, const struct operator_line *lines, unsigned count);
struct operator_column {
    const char *title, *member;
    const char *otherwise; /* where there is none; NULL: "-" */
};
/* none: what to say of an empty list */
void operator_table(struct json answer, const char *list, const struct operator_column *columns,
                    unsigned count, const char *none);
const char *operator_where(void); /* " --data DIR" for commands that are proposed; "" if it was not given */
struct bytes operator_text(struct json answer, const char *member); /* absent if there is none */

#define OPERATOR_TEXT(answer, member)                                                                        \
    (int)operator_text((answer), (member)).len, (const char *)operator_text((answer), (member)).ptr

#endif
