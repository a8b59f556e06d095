#include "engine/setting.h"

#include "harness/check.h"

static void refuses_values_out_of_bounds(void)
{
    CHECK(!setting_allows(SETTING_SAT_LIFE, 59));
    CHECK(!setting_allows(SETTING_SAT_LIFE, 86401));
    CHECK(!setting_allows(SETTING_REFRESH_GRACE, -1));
    CHECK(setting_allows(SETTING_SAT_LIFE, 60));
    CHECK(setting_allows(SETTING_SAT_LIFE, 86400));
}

static void refuses_unknown_names(void)
{
    enum setting setting;

    CHECK(!setting_of(&setting, BYTES("sat_lif")));
    CHECK(!setting_of(&setting, BYTES("SAT_LIFE")));
    CHECK(!setting_of(&setting, BYTES_NONE));
}

static void every_default_is_allowed_and_every_name_leads_back(void)
{
    int64_t value[SETTING_COUNT];
    enum setting found;
    size_t i;

    settings_standard(value);
    for (i = 0; i < SETTING_COUNT; i++) {
        CHECK(setting_allows((enum setting)i, value[i]));
        CHECK(setting_of(&found, bytes_of_text(setting_text((enum setting)i))) && found == (enum setting)i);
    }
}

int main(void)
{
    CHECK_RUN(refuses_values_out_of_bounds);
    CHECK_RUN(refuses_unknown_names);
    CHECK_RUN(every_default_is_allowed_and_every_name_leads_back);
    return CHECK_END();
}
