/* config.h — the settings (table: params.def), from a file, the environment and the command line, in that
 * order: later ones win. Unknown names and values out of range are refused with a message that names the
 * place and the remedy. */
#ifndef COATCHECK_CONFIG_CONFIG_H
#define COATCHECK_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#define CONFIG_TEXT_MAX 1024

struct config {
#define NUMBER_PARAM(name, unit, least, most, initial, doc) int64_t name;
#define TEXT_PARAM(name, initial, doc)                      char name[CONFIG_TEXT_MAX];
#define CHOICE_PARAM(name, initial, choices, doc)           char name[CONFIG_TEXT_MAX];
#include "config/params.def"
#undef NUMBER_PARAM
#undef TEXT_PARAM
#undef CHOICE_PARAM
};

#define CONFIG_WHY_MAX 256
struct config_error {
    char why[CONFIG_WHY_MAX]; /* one sentence for the person who starts the server */
};

void config_defaults(struct config *out);
/* ERR_CONFIG with error filled in: unknown name, not a number, out of range, too long. */
MUST_USE enum err config_set(struct config *config, const char *name, const char *value,
                             struct config_error *error);
bool config_has(const char *name); /* whether there is such a setting */
MUST_USE enum err config_read_file(struct config *config, const char *path, struct config_error *error);
/* COATCHECK_PORT and so on */
MUST_USE enum err config_read_environment(struct config *config, struct config_error *error);
void config_print_help(FILE *out); /* one line a setting */

#endif
