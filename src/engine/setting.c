#include "engine/setting.h"

struct setting_row {
    const char *text;
    int64_t standard, least, most;
};

static const struct setting_row setting_rows[SETTING_COUNT] = {
#define SETTING_ROW(name, text, unit, standard, least, most, doc) {text, standard, least, most},
#include "engine/settings.def"
#undef SETTING_ROW
};

const char *setting_text(enum setting setting)
{
    return setting_rows[setting].text;
}

bool setting_of(enum setting *out, struct bytes text)
{
    size_t i;

    *out = (enum setting)0;
    for (i = 0; i < SETTING_COUNT; i++) {
        if (!bytes_equal(text, bytes_of_text(setting_rows[i].text))) continue;
        *out = (enum setting)i;
        return true;
    }
    return false;
}

bool setting_allows(enum setting setting, int64_t value)
{
    return value >= setting_rows[setting].least && value <= setting_rows[setting].most;
}

void settings_standard(int64_t out[SETTING_COUNT])
{
    size_t i;

    for (i = 0; i < SETTING_COUNT; i++)
        out[i] = setting_rows[i].standard;
}
