/* operate_inside.h — what the operations share. Not for other files. */
#ifndef COATCHECK_SERVER_OPERATE_INSIDE_H
#define COATCHECK_SERVER_OPERATE_INSIDE_H

#include "engine/decision.h"
#include "server/operate.h"

struct operating { /* one operation under way */
    const struct operate_means *means;
    const struct operation *operation;
    struct operate_effects *effects;
    const struct facts *facts;          /* as the store has them now */
    const struct fact_project *project; /* that the operation names */
    struct arena arena;
    struct plan plan;
    struct row rows[PLAN_WRITES_MAX];
    struct json_writer w; /* inside the answer's object */
    bool is_refused;
};

static inline struct bytes operand(const struct operating *o, enum operand which)
{
    return o->operation->operand[which];
}

/* Ends the operation: nothing was done. What was written of the answer is taken back. */
void operate_refuse(struct operating *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
void operate_fail(struct operating *o, enum err e);
void operate_refuse_as(struct operating *o, const struct refused *refused);

/* True: go on. */
bool operate_names_project(struct operating *o); /* o->project */
bool operate_id(struct uuid *out, struct operating *o, const char *what);
/* Carries out o->plan; rows are then in o->rows. */
bool operate_commit(struct operating *o, bool changes_facts);
void operate_tell_cutoff(struct operating *o, size_t row); /* that this write of the plan was */

void operate_put(struct operating *o, const char *key, struct bytes text); /* null when absent */
void operate_put_uuid(struct operating *o, const char *key, const struct uuid *id);
void operate_put_instant(struct operating *o, const char *key, int64_t at_ms); /* null when 0 */
void operate_put_number(struct operating *o, const char *key, int64_t number);
void operate_put_bool(struct operating *o, const char *key, bool value);

/* The operations themselves. */
#define OPERATION_ROW(name, words, needs_ring, run) void run(struct operating *o);
#include "server/operate.def"
#undef OPERATION_ROW

struct key_text;
/* Draws a key and its hash. */
MUST_USE enum err operate_draw_key(struct key_text *text, uint8_t hash[KEY_HASH_LEN], struct operating *o,
                                   enum key_kind kind);

#endif
