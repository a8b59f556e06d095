/* voided.h — what operators, holders and thieves have made void: the cutoffs that the disk has, in the order
 * they came, and since when each of them must be known to every answer. */
#ifndef COATCHECK_TESTS_SIM_VOIDED_H
#define COATCHECK_TESTS_SIM_VOIDED_H

#include "engine/decision.h"

struct lineage_known { /* what a credential descends from */
    struct uuid project, user, family;
    char key[KEY_PUBLIC_ID_MAX];
    size_t key_len;
    int64_t gt_ms;
};
void lineage_key(struct lineage_known *line, struct bytes id);

void voided_reset(void);
void voided_have_causes(void); /* all that clients ask is known: what nobody asked for is no cutoff */
void voided_boot(void);        /* a process starts, and reads them all */
/* One is durable. */
void voided_stored(const struct write *write, const struct row *row);
/* This cutoff was answered, or every cutoff there is of this family: from now on all know. asked_us: when an
 * operator asked for it; what was granted before that is void. -1: not an operator's. */
void voided_told(const struct cutoff *cutoff, int64_t asked_us);

/* Nobody comes back who was removed: this write is durable, and whose credential it came by was not void
 * then. */
void voided_check_write(const struct write *write);

/* A cutoff that is durable reaches it: it may be refused. */
bool voided_reaches(const struct lineage_known *line);
/* One that everybody knew of when this was asked: it must be. */
bool voided_must(const struct lineage_known *line, int64_t asked_us);
/* Whether gt is one that a grant may have: of now, or just after a cutoff of its line. */
bool voided_explains(const struct lineage_known *line, int64_t now_s);

#endif
