/* operate_project.c — projects, their settings, the pages that may use them, what they ask people. */
#include <inttypes.h>
#include <string.h>

#include "engine/words.h"
#include "server/operate_inside.h"
#include "wire/url.h"

#define TITLE_MAX    200
#define QUESTION_MAX 500

static const struct {
    const char *unit;
    int64_t standard, least, most;
    const char *doc;
} settings[SETTING_COUNT] = {
#define SETTING_ROW(name, text, unit, standard, least, most, doc)                                            \
    [SETTING_##name] = {unit, standard, least, most, doc},
#include "engine/settings.def"
#undef SETTING_ROW
};

static struct write *next_write(struct operating *o, enum write_kind kind)
{
    struct write *write = &o->plan.writes[o->plan.write_count++];

    write->kind = kind;
    return write;
}

/* ---- projects ---- */

static void put_project(struct operating *o, const struct fact_project *project)
{
    operate_put_uuid(o, "id", &project->id);
    operate_put(o, "name", project->name);
    operate_put(o, "kind", project->is_test ? BYTES("test") : BYTES("live"));
    operate_put_number(o, "age_ms", project->age_ms);
}

void operate_project_create(struct operating *o)
{
    struct bytes name = operand(o, OPERAND_NAME), kind = operand(o, OPERAND_KIND);
    struct fact_project *project = &next_write(o, WRITE_PROJECT)->project;

    if (words_are_blank(name) || name.len > KEY_NAME_MAX || words_have_control(name)) {
        operate_refuse(o, "a project has a name of 1 to %d bytes: coatcheck project create NAME",
                       KEY_NAME_MAX);
        return;
    }
    if (!bytes_equal(kind, BYTES("live")) && !bytes_equal(kind, BYTES("test"))) {
        operate_refuse(o, "a project is either --test or --live, for ever");
        return;
    }
    uuid_draw(&project->id, &o->means->dice);
    project->name = name;
    project->is_test = bytes_equal(kind, BYTES("test"));
    settings_standard(project->setting);
    if (operate_commit(o, true)) put_project(o, project);
}

/* The cursor of lists that are in the order of their ids: the last id that was told. */
static bool read_after(struct uuid *out, struct operating *o)
{
    struct bytes text = operand(o, OPERAND_AFTER);

    memset(out, 0, sizeof *out);
    if (bytes_is_absent(text) || uuid_read(out, text) == ERR_OK) return true;
    operate_refuse(o, "--after takes what the page before gave as next");
    return false;
}

static bool comes_after(const struct uuid *id, const struct uuid *after)
{
    return memcmp(id->byte, after->byte, sizeof id->byte) > 0;
}

void operate_project_list(struct operating *o)
{
    const struct fact_project *last = NULL;
    struct uuid after;
    bool has_more = false;
    size_t i, count = 0;

    if (!read_after(&after, o)) return;
    json_key(&o->w, "projects");
    json_array_begin(&o->w);
    for (i = 0; i < o->facts->project_count; i++) {
        if (!comes_after(&o->facts->projects[i].id, &after)) continue;
        has_more = count == OPERATION_PAGE;
        if (has_more) break;
        count++;
        last = &o->facts->projects[i];
        json_object_begin(&o->w);
        put_project(o, last);
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
    if (has_more) operate_put_uuid(o, "next", &last->id);
}

static void put_settings(struct operating *o)
{
    size_t i;

    json_key(&o->w, "settings");
    json_array_begin(&o->w);
    for (i = 0; i < SETTING_COUNT; i++) {
        json_object_begin(&o->w);
        operate_put(o, "name", bytes_of_text(setting_text((enum setting)i)));
        operate_put_number(o, "value", o->project->setting[i]);
        operate_put_number(o, "default", settings[i].standard);
        operate_put(o, "unit", bytes_of_text(settings[i].unit));
        operate_put(o, "doc", bytes_of_text(settings[i].doc));
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
}

static void put_origins(struct operating *o)
{
    size_t i;

    json_key(&o->w, "origins");
    json_array_begin(&o->w);
    for (i = 0; i < o->project->origin_count; i++)
        json_put_string(&o->w, o->project->origins[i]);
    json_array_end(&o->w);
}

void operate_project_show(struct operating *o)
{
    int64_t keys = 0;
    size_t i;

    if (!operate_names_project(o)) return;
    for (i = 0; i < o->facts->key_count; i++)
        keys += uuid_equal(&o->facts->keys[i].project, &o->project->id) && !o->facts->keys[i].is_retired;
    put_project(o, o->project);
    operate_put(o, "url", o->means->url);
    operate_put_number(o, "keys", keys);
    put_origins(o);
    put_settings(o);
}

static bool read_value(int64_t *out, struct bytes text)
{
    uint64_t number;
    bool is_number = bytes_to_u64(&number, text, INT64_MAX);

    *out = is_number ? (int64_t)number : 0;
    return is_number;
}

static void refuse_value(struct operating *o, enum setting setting)
{
    bool is_time = strcmp(settings[setting].unit, "s") == 0;

    operate_refuse(o, "%s is a whole number%s from %" PRId64 " to %" PRId64 ", %s%s", setting_text(setting),
                   is_time ? " of seconds" : "", settings[setting].least, settings[setting].most,
                   is_time ? "or that as 90s, 15m, 2h, 7d" : "in ", is_time ? "" : settings[setting].unit);
}

void operate_project_set(struct operating *o)
{
    struct bytes name = operand(o, OPERAND_SETTING);
    struct write *write = next_write(o, WRITE_SETTING);
    enum setting setting;
    int64_t value;

    if (!operate_names_project(o)) return;
    if (!setting_of(&setting, name)) {
        operate_refuse(o, "there is no setting \"%.*s\": coatcheck project settings lists them",
                       (int)(name.len < 40 ? name.len : 40), name.len ? (const char *)name.ptr : "");
        return;
    }
    if (!read_value(&value, operand(o, OPERAND_VALUE)) || !setting_allows(setting, value)) {
        refuse_value(o, setting);
        return;
    }
    write->setting.project = o->project->id;
    write->setting.setting = setting;
    write->setting.value = value;
    if (!operate_commit(o, true)) return;
    operate_put_uuid(o, "project", &o->project->id);
    operate_put(o, "setting", bytes_of_text(setting_text(setting)));
    operate_put_number(o, "value", value);
    operate_put_number(o, "was", o->project->setting[setting]);
    operate_put(o, "unit", bytes_of_text(settings[setting].unit));
}

/* ---- origins ---- */

/* "http://localhost:*": that host on any port. */
static bool is_any_port(struct bytes origin)
{
    return origin.len > 2 && bytes_equal(bytes_from(origin, origin.len - 2), BYTES(":*")) &&
           url_is_origin(bytes_part(origin, 0, origin.len - 2));
}

/* What a browser sends, byte for byte. What fits more than one page of the web is for test projects alone. */
static bool origin_is_good(struct operating *o, struct bytes origin)
{
    bool is_wide = bytes_equal(origin, BYTES("null")) || is_any_port(origin);

    if (origin.len > ORIGIN_MAX || (!is_wide && !url_is_origin(origin))) {
        operate_refuse(
            o,
            "\"%.*s\" is no origin: write scheme://host or scheme://host:port in lower case, without a "
            "path and without the scheme's own port",
            (int)(origin.len < 100 ? origin.len : 100), origin.len ? (const char *)origin.ptr : "");
        return false;
    }
    if (!is_wide || o->project->is_test) return true;
    operate_refuse(o, "%.*s is for test projects only: a live project lists each origin exactly",
                   (int)origin.len, (const char *)origin.ptr);
    return false;
}

static bool lists(const struct fact_project *project, struct bytes origin)
{
    size_t i;

    for (i = 0; i < project->origin_count; i++)
        if (bytes_equal(project->origins[i], origin)) return true;
    return false;
}

void operate_origin_add(struct operating *o)
{
    struct bytes origin = operand(o, OPERAND_ORIGIN);
    struct write *write = next_write(o, WRITE_ORIGIN);

    if (!operate_names_project(o) || !origin_is_good(o, origin)) return;
    write->origin.project = o->project->id;
    write->origin.origin = origin;
    if (!lists(o->project, origin) && !operate_commit(o, true)) return;
    operate_put_uuid(o, "project", &o->project->id);
    operate_put(o, "origin", origin);
    operate_put_bool(o, "was_listed", lists(o->project, origin));
}

void operate_origin_remove(struct operating *o)
{
    struct bytes origin = operand(o, OPERAND_ORIGIN);
    struct write *write = next_write(o, WRITE_ORIGIN_GONE);

    if (!operate_names_project(o)) return;
    if (!lists(o->project, origin)) {
        operate_refuse(o, "the project does not list \"%.*s\": coatcheck origin list tells what it lists",
                       (int)(origin.len < 100 ? origin.len : 100),
                       origin.len ? (const char *)origin.ptr : "");
        return;
    }
    write->origin.project = o->project->id;
    write->origin.origin = origin;
    if (!operate_commit(o, true)) return;
    operate_put_uuid(o, "project", &o->project->id);
    operate_put(o, "removed", origin);
}

void operate_origin_list(struct operating *o)
{
    if (!operate_names_project(o)) return;
    operate_put_uuid(o, "project", &o->project->id);
    put_origins(o);
}

/* ---- studies ---- */

static enum err write_questions(struct bytes *out, struct operating *o)
{
    struct buf text;
    struct json_writer w = json_writer_on(&text);
    size_t i;
    enum err e;

    buf_init(&text, OPERATION_LINE_MAX * 2);
    json_array_begin(&w);
    for (i = 0; i < o->operation->question_count; i++) {
        char id[] = {'q', '0', '0', 0};
        id[1] = (char)('0' + (i + 1) / 10);
        id[2] = (char)('0' + (i + 1) % 10);
        json_object_begin(&w);
        json_key(&w, "id");
        json_put_string(&w, i < 9 ? bytes_of((char[]){'q', id[2]}, 2) : bytes_of(id, 3));
        json_key(&w, "text");
        json_put_string(&w, o->operation->questions[i]);
        json_object_end(&w);
    }
    json_array_end(&w);
    *out = arena_copy(&o->arena, buf_bytes(&text));
    e = buf_error(&text);
    if (!e && bytes_is_absent(*out)) e = ERR_NO_MEMORY;
    buf_release(&text);
    return e;
}

static bool study_is_good(struct operating *o, struct bytes title)
{
    size_t i;

    if (words_are_blank(title) || title.len > TITLE_MAX || words_have_control(title)) {
        operate_refuse(o,
                       "a study has a title of 1 to %d bytes: coatcheck study create TITLE --question TEXT",
                       TITLE_MAX);
        return false;
    }
    for (i = 0; i < o->operation->question_count; i++) {
        struct bytes text = o->operation->questions[i];
        if (!words_are_blank(text) && text.len <= QUESTION_MAX && !words_have_control(text)) continue;
        operate_refuse(o, "a question has 1 to %d bytes", QUESTION_MAX);
        return false;
    }
    if (o->operation->question_count) return true;
    operate_refuse(o, "what shall be asked? give each question with --question TEXT");
    return false;
}

static void put_study(struct operating *o, const struct study *study)
{
    operate_put_uuid(o, "id", &study->id);
    operate_put_uuid(o, "project", &study->project);
    operate_put(o, "title", study->title);
}

void operate_study_create(struct operating *o)
{
    struct study *study = &next_write(o, WRITE_STUDY)->study;
    enum err e;

    if (!operate_names_project(o) || !study_is_good(o, operand(o, OPERAND_TITLE))) return;
    uuid_draw(&study->id, &o->means->dice);
    study->project = o->project->id;
    study->title = operand(o, OPERAND_TITLE);
    e = write_questions(&study->questions_json, o);
    if (e)
        operate_fail(o, e);
    else if (operate_commit(o, true)) {
        put_study(o, study);
        json_key(&o->w, "questions");
        json_put_verbatim(&o->w, study->questions_json);
    }
}

static size_t count_questions(const struct study *study)
{
    struct json list = {NULL};
    size_t count = json_read(&list, study->questions_json) ? 0 : json_count(list);

    json_free(list);
    return count;
}

void operate_study_list(struct operating *o)
{
    const struct study *last = NULL;
    struct uuid after;
    bool has_more = false;
    size_t i, count = 0;

    if (!operate_names_project(o) || !read_after(&after, o)) return;
    json_key(&o->w, "studies");
    json_array_begin(&o->w);
    for (i = 0; i < o->facts->study_count; i++) {
        const struct study *study = &o->facts->studies[i];
        if (!uuid_equal(&study->project, &o->project->id) || !comes_after(&study->id, &after)) continue;
        has_more = count == OPERATION_PAGE;
        if (has_more) break;
        count++;
        last = study;
        json_object_begin(&o->w);
        put_study(o, study);
        operate_put_number(o, "questions", (int64_t)count_questions(study));
        json_object_end(&o->w);
    }
    json_array_end(&o->w);
    if (has_more) operate_put_uuid(o, "next", &last->id);
}
