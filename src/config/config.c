#include "config/config.h"

#include <ctype.h>
#include <stddef.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct param {
    const char *name, *unit, *doc, *initial_text, *choices; /* choices: words, or NULL for any text */
    int64_t least, most, initial;
    size_t offset;
    bool is_number;
};

static const struct param params[] = {
#define NUMBER_PARAM(name, unit, least, most, initial, doc)                                                  \
    {#name, unit, doc, NULL, NULL, least, most, initial, offsetof(struct config, name), true},
#define CHOICE_PARAM(name, initial, choices, doc)                                                            \
    {#name, "", doc, initial, choices, 0, 0, 0, offsetof(struct config, name), false},
#define TEXT_PARAM(name, initial, doc)                                                                       \
    {#name, "", doc, initial, NULL, 0, 0, 0, offsetof(struct config, name), false},
#include "config/params.def"
#undef NUMBER_PARAM
#undef TEXT_PARAM
#undef CHOICE_PARAM
};
#define PARAM_COUNT (sizeof params / sizeof params[0])

static void *field_of(struct config *config, const struct param *param)
{
    return (char *)config + param->offset;
}

void config_defaults(struct config *out)
{
    size_t i;

    memset(out, 0, sizeof *out);
    for (i = 0; i < PARAM_COUNT; i++) {
        if (params[i].is_number)
            memcpy(field_of(out, &params[i]), &params[i].initial, sizeof(int64_t));
        else
            memcpy(field_of(out, &params[i]), params[i].initial_text, strlen(params[i].initial_text) + 1);
    }
}

__attribute__((format(printf, 2, 3))) static enum err complain(struct config_error *error, const char *format,
                                                               ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(error->why, sizeof error->why, format, arguments); /* a cut message is still a message */
    va_end(arguments);
    return ERR_CONFIG;
}

/* Says where it stands, too: line 0 is a place without lines. */
static enum err complain_at(struct config_error *error, const char *place, int line)
{
    const struct config_error said = *error;

    if (line) return complain(error, "%.120s, line %d: %s", place, line, said.why);
    return complain(error, "%.120s: %s", place, said.why);
}

static const struct param *param_of(const char *name)
{
    size_t i;

    for (i = 0; i < PARAM_COUNT; i++)
        if (strcmp(params[i].name, name) == 0) return &params[i];
    return NULL;
}

static enum err set_number(struct config *config, const struct param *param, const char *value,
                           struct config_error *error)
{
    char *end;
    long long number;
    int64_t checked;

    errno = 0;
    number = strtoll(value, &end, 10);
    if (errno || end == value || *end || isspace((unsigned char)value[0]))
        return complain(error, "%s must be a whole number, not \"%.40s\"", param->name, value);
    if (number < param->least || number > param->most)
        return complain(error, "%s must lie between %lld and %lld, not %lld", param->name,
                        (long long)param->least, (long long)param->most, number);
    checked = number;
    memcpy(field_of(config, param), &checked, sizeof checked);
    return ERR_OK;
}

static bool is_word_of(const char *words, const char *word)
{
    size_t len = strlen(word);
    const char *at = words;

    if (strchr(word, ' ')) return false;
    while (len && (at = strstr(at, word)) != NULL) {
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len])) return true;
        at++;
    }
    return false;
}

bool config_has(const char *name)
{
    return param_of(name) != NULL;
}

enum err config_set(struct config *config, const char *name, const char *value, struct config_error *error)
{
    const struct param *param = param_of(name);

    if (!param)
        return complain(error, "there is no setting \"%.60s\"; coatcheck serve --help lists them", name);
    if (param->is_number) return set_number(config, param, value, error);
    if (param->choices && !is_word_of(param->choices, value))
        return complain(error, "%s must be one of: %s, not \"%.40s\"", name, param->choices, value);
    if (strlen(value) >= CONFIG_TEXT_MAX)
        return complain(error, "%s is longer than %d bytes", name, CONFIG_TEXT_MAX - 1);
    memcpy(field_of(config, param), value, strlen(value) + 1);
    return ERR_OK;
}

struct reading {
    struct config *config;
    struct config_error *error;
    FILE *file;
    int line;   /* that is read now */
    int failed; /* the first whose setting was refused; 0: none */
};

static char *next_line(char *out, int size, void *user)
{
    struct reading *reading = user;

    reading->line++;
    return fgets(out, size, reading->file);
}

static int take_line(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;

    (void)section; /* sections are for the reader's eye only */
    if (!reading->failed && config_set(reading->config, name, value, reading->error))
        reading->failed = reading->line;
    return !reading->failed;
}

enum err config_read_file(struct config *config, const char *path, struct config_error *error)
{
    struct reading reading = {.config = config, .error = error, .file = fopen(path, "re")};
    int line, problem;

    if (!reading.file)
        return complain(error, "cannot read the configuration file %.120s: %s", path, strerror(errno));
    errno = 0;
    line = ini_parse_stream(next_line, &reading, take_line, &reading); /* of the first error */
    problem = ferror(reading.file) ? errno : 0;
    (void)fclose(reading.file);
    if (line < 0 || problem)
        return complain(error, "cannot read the configuration file %.120s: %s", path,
                        problem ? strerror(problem) : "not enough memory");
    if (!line) return ERR_OK;
    if (line != reading.failed) (void)complain(error, "not of the form name = value");
    return complain_at(error, path, line);
}

enum err config_read_environment(struct config *config, struct config_error *error)
{
    size_t i, j;

    for (i = 0; i < PARAM_COUNT; i++) {
        char name[64] = "COATCHECK_";
        const char *value;
        size_t len = strlen(name);
        for (j = 0; params[i].name[j] && len < sizeof name - 1; j++)
            name[len++] = (char)toupper((unsigned char)params[i].name[j]);
        name[len] = 0;
        value = getenv(name);
        if (value && config_set(config, params[i].name, value, error)) return complain_at(error, name, 0);
    }
    return ERR_OK;
}

void config_print_help(FILE *out)
{
    size_t i;

    for (i = 0; i < PARAM_COUNT; i++) {
        fprintf(out, "  %-24s %s", params[i].name, params[i].doc);
        if (params[i].is_number)
            fprintf(out, " [%lld, %lld..%lld%s%s]\n", (long long)params[i].initial,
                    (long long)params[i].least, (long long)params[i].most, *params[i].unit ? " " : "",
                    params[i].unit);
        else
            fprintf(out, "%s%s%s\n", *params[i].initial_text ? " [" : "", params[i].initial_text,
                    *params[i].initial_text ? "]" : "");
    }
}
