/* setting.h — what a project may set: lives and limits, each with a default and bounds (settings.def).
 *
 * A project carries one number for each; the store keeps only those that differ from the default. Whoever
 * sets one asks setting_allows first: a value out of bounds never reaches the store. */
#ifndef COATCHECK_ENGINE_SETTING_H
#define COATCHECK_ENGINE_SETTING_H

#include "base/bytes.h"

enum setting {
#define SETTING_ROW(name, text, unit, standard, least, most, doc) SETTING_##name,
#include "engine/settings.def"
#undef SETTING_ROW
    SETTING_COUNT
};
const char *setting_text(enum setting setting); /* "sat_life" */
bool setting_of(enum setting *out, struct bytes text);
bool setting_allows(enum setting setting, int64_t value);
void settings_standard(int64_t out[SETTING_COUNT]); /* every default */

#endif
