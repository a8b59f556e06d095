#include "server/operate_inside.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"

#define OPERATE_ARENA_MAX 4194304
#define REFUSAL_MAX       400

static const struct {
    const char *words;
    bool needs_ring;
    void (*run)(struct operating *o);
} operations[OPERATIONS] = {
#define OPERATION_ROW(name, words, needs_ring, run) [OPERATION_##name] = {words, needs_ring, run},
#include "server/operate.def"
#undef OPERATION_ROW
};

static const char *const operand_names[OPERANDS] = {
    [OPERAND_PROJECT] = "project",
    [OPERAND_ID] = "id",
    [OPERAND_NAME] = "name",
    [OPERAND_KIND] = "kind",
    [OPERAND_PERMISSIONS] = "permissions",
    [OPERAND_ORIGIN] = "origin",
    [OPERAND_SETTING] = "setting",
    [OPERAND_VALUE] = "value",
    [OPERAND_ADDRESS] = "address",
    [OPERAND_REACHES] = "reaches",
    [OPERAND_REFERENCE] = "reference",
    [OPERAND_EXTERNAL_ID] = "external_id",
    [OPERAND_TITLE] = "title",
    [OPERAND_PUBLIC_KEY] = "public_key",
    [OPERAND_AFTER] = "after",
};

const char *operation_words(enum operation_verb verb)
{
    return operations[verb].words;
}

bool operation_needs_ring(enum operation_verb verb)
{
    return operations[verb].needs_ring;
}

/* ---- as a line ---- */

void operation_write(struct buf *out, const struct operation *operation)
{
    struct json_writer w = json_writer_on(out);
    size_t i;

    json_object_begin(&w);
    json_key(&w, "command");
    json_put_literal(&w, "operate");
    json_key(&w, "verb");
    json_put_literal(&w, operation_words(operation->verb));
    for (i = 0; i < OPERANDS; i++) {
        if (bytes_is_absent(operation->operand[i])) continue;
        json_key(&w, operand_names[i]);
        json_put_string(&w, operation->operand[i]);
    }
    if (operation->question_count) {
        json_key(&w, "questions");
        json_array_begin(&w);
        for (i = 0; i < operation->question_count; i++)
            json_put_string(&w, operation->questions[i]);
        json_array_end(&w);
    }
    json_object_end(&w);
}

static enum err read_text(struct bytes *out, struct json value)
{
    if (json_type_of(value) == JSON_IS_ABSENT) return ERR_OK;
    if (json_type_of(value) != JSON_IS_STRING || !json_text_is_clean(value)) return ERR_MALFORMED;
    *out = json_text(value);
    return ERR_OK;
}

static enum err read_questions(struct operation *out, struct json list)
{
    size_t i, count = json_count(list);
    enum err e;

    if (json_type_of(list) == JSON_IS_ABSENT) return ERR_OK;
    if (json_type_of(list) != JSON_IS_ARRAY || count > OPERATION_QUESTIONS_MAX) return ERR_MALFORMED;
    for (i = 0; i < count; i++) {
        out->questions[i] = BYTES_NONE;
        e = read_text(&out->questions[i], json_item(list, i));
        if (e || bytes_is_absent(out->questions[i])) return ERR_MALFORMED;
    }
    out->question_count = count;
    return ERR_OK;
}

enum err operation_read(struct operation *out, struct json document)
{
    struct bytes words = json_text(json_member(document, "verb"));
    size_t i;
    enum err e = ERR_MALFORMED;

    memset(out, 0, sizeof *out);
    out->verb = OPERATIONS;
    for (i = 0; i < OPERATIONS; i++)
        if (bytes_equal(words, bytes_of_text(operations[i].words))) out->verb = (enum operation_verb)i;
    if (out->verb == OPERATIONS) goto failed;
    for (i = 0; i < OPERANDS; i++)
        TRY(e = read_text(&out->operand[i], json_member(document, operand_names[i])), failed);
    TRY(e = read_questions(out, json_member(document, "questions")), failed);
    return ERR_OK;
failed:
    memset(out, 0, sizeof *out);
    return e;
}

/* ---- the answer ---- */

void operate_refuse(struct operating *o, const char *format, ...)
{
    char text[REFUSAL_MAX];
    va_list arguments;

    if (o->is_refused) return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* a cut sentence is still one */
    va_end(arguments);
    o->is_refused = true;
    buf_reset(o->w.out);
    o->w = json_writer_on(o->w.out);
    json_object_begin(&o->w);
    json_key(&o->w, "refused");
    json_put_string(&o->w, bytes_of_text(text));
}

void operate_fail(struct operating *o, enum err e)
{
    operate_refuse(o, "it could not be done: %s (%s)", err_doc(e), err_name(e));
}

void operate_refuse_as(struct operating *o, const struct refused *refused)
{
    static const char *const names[FIELD_PROFILE] = {
        [FIELD_NAME] = "the name ",           [FIELD_PERMISSIONS] = "the permissions ",
        [FIELD_ADDRESS] = "the address ",     [FIELD_EMAIL] = "the reference ",
        [FIELD_REFERENCE] = "the reference ", [FIELD_PUBLIC_KEY] = "a public key ",
    };
    const char *name = refused->field < FIELD_PROFILE ? names[refused->field] : "a value ";

    operate_refuse(o, "%s%s", name ? name : "",
                   refused->because ? refused->because : refusal_doc(refused->refusal));
}

void operate_put(struct operating *o, const char *key, struct bytes text)
{
    json_key(&o->w, key);
    json_put_string_or_null(&o->w, text);
}

void operate_put_uuid(struct operating *o, const char *key, const struct uuid *id)
{
    json_key(&o->w, key);
    json_put_uuid_or_null(&o->w, id);
}

void operate_put_instant(struct operating *o, const char *key, int64_t at_ms)
{
    char text[INSTANT_TEXT_LEN];

    instant_write(text, at_ms);
    operate_put(o, key, at_ms ? bytes_of(text, sizeof text) : BYTES_NONE);
}

void operate_put_number(struct operating *o, const char *key, int64_t number)
{
    json_key(&o->w, key);
    json_put_number(&o->w, number);
}

void operate_put_bool(struct operating *o, const char *key, bool value)
{
    json_key(&o->w, key);
    json_put_bool(&o->w, value);
}

/* ---- what most of them begin and end with ---- */

bool operate_names_project(struct operating *o)
{
    struct bytes text = operand(o, OPERAND_PROJECT);
    struct uuid id;

    if (bytes_is_absent(text) && o->facts->project_count == 1) {
        o->project = &o->facts->projects[0]; /* there is nothing to choose */
        return true;
    }
    if (bytes_is_absent(text)) {
        operate_refuse(o, "which project? name it with --project; coatcheck project list tells their ids");
        return false;
    }
    if (uuid_read(&id, text) == ERR_OK) o->project = facts_project(o->facts, &id);
    if (!o->project)
        operate_refuse(o, "there is no project %.*s here: coatcheck project list tells which there are",
                       (int)(text.len < 40 ? text.len : 40), (const char *)text.ptr);
    return o->project != NULL;
}

bool operate_id(struct uuid *out, struct operating *o, const char *what)
{
    struct bytes text = operand(o, OPERAND_ID);

    if (uuid_read(out, text) == ERR_OK) return true;
    operate_refuse(o, "\"%.*s\" is no id of a %s: that is a UUID; coatcheck %s list tells them",
                   (int)(text.len < 40 ? text.len : 40), text.len ? (const char *)text.ptr : "", what, what);
    return false;
}

bool operate_commit(struct operating *o, bool changes_facts)
{
    enum err e = store_commit_wait(o->means->store, o->plan.writes, o->plan.write_count, o->rows, &o->arena);

    if (e) {
        operate_fail(o, e);
        return false;
    }
    o->effects->facts_changed |= changes_facts;
    return true;
}

void operate_tell_cutoff(struct operating *o, size_t row)
{
    struct operate_effects *effects = o->effects;
    const struct cutoff *cutoff = &o->plan.writes[row].cutoff.cutoff;

    if (o->rows[row].state != ROW_WRITTEN) return;
    effects->has_cutoff = true;
    effects->cutoff = *cutoff;
    memcpy(effects->cutoff_id, cutoff->id.ptr, cutoff->id.len); /* at most a key's id */
    effects->cutoff.id = bytes_of(effects->cutoff_id, cutoff->id.len);
    effects->cutoff.t_ms = o->rows[row].t_ms;
}

void operate(struct buf *answer, struct operate_effects *effects, const struct operate_means *means,
             const struct operation *operation)
{
    struct operating o = {.means = means, .operation = operation, .effects = effects};
    struct facts *facts = NULL;
    enum err e;

    memset(effects, 0, sizeof *effects);
    arena_init(&o.arena, OPERATE_ARENA_MAX);
    buf_reset(answer);
    o.w = json_writer_on(answer);
    json_object_begin(&o.w);
    e = means->store->ops->facts(means->store, &facts);
    o.facts = facts;
    if (e)
        operate_fail(&o, e);
    else
        operations[operation->verb].run(&o);
    json_object_end(&o.w);
    facts_free(facts);
    arena_release(&o.arena);
}
