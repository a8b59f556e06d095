#include "engine/revoke.h"

#include <string.h>

#include "engine/limits.h"

static const char *const names[] = {[CUTOFF_PROJECT] = "project",
                                    [CUTOFF_KEY] = "key",
                                    [CUTOFF_USER] = "user",
                                    [CUTOFF_FAMILY] = "family",
                                    [CUTOFF_RESOURCE] = "resource"};

const char *cutoff_of_text(enum cutoff_of of)
{
    return names[of];
}

bool cutoff_of_read(enum cutoff_of *out, struct bytes text)
{
    enum cutoff_of of;

    *out = (enum cutoff_of)0;
    for (of = CUTOFF_PROJECT; of <= CUTOFF_RESOURCE; of++)
        if (bytes_equal(text, bytes_of_text(names[of]))) *out = of;
    return *out != 0;
}

static bool is_key_name(struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'))
            return false;
    }
    return text.len > 0 && text.len <= KEY_PUBLIC_ID_MAX;
}

bool cutoff_name_read(struct cutoff *out, uint8_t room[KEY_PUBLIC_ID_MAX], enum cutoff_of of,
                      const struct uuid *project, struct bytes text)
{
    struct uuid id;

    *out = (struct cutoff){.of = of, .project = *project};
    if (of == CUTOFF_KEY) {
        if (!is_key_name(text)) return false;
        memcpy(room, text.ptr, text.len);
        out->id = bytes_of(room, text.len);
        return true;
    }
    if (uuid_read(&id, text) || uuid_is_zero(&id)) return false;
    if (of == CUTOFF_PROJECT && !uuid_equal(&id, project)) return false;
    memcpy(room, id.byte, sizeof id.byte);
    out->id = bytes_of(room, sizeof id.byte);
    return true;
}

const char *revoke_refused(const struct facts *facts, const struct cutoff *cutoff)
{
    const struct fact_key *key;

    if (cutoff->of != CUTOFF_KEY) return NULL;
    key = facts_key(facts, cutoff->id);
    if (key && uuid_equal(&key->project, &cutoff->project)) return NULL;
    return "it has no such key: coatcheck key list shows them";
}

void revoke_plan(struct plan *out, const struct cutoff *cutoff, int64_t now_ms)
{
    memset(out, 0, sizeof *out);
    out->writes[0].kind = WRITE_CUTOFF;
    out->writes[0].cutoff.cutoff = *cutoff;
    out->writes[0].cutoff.now_ms = now_ms;
    out->writes[0].cutoff.keep_s = CUTOFF_KEEP_S;
    out->write_count = 1;
}

struct refused revoke_settle(struct cutoff *out, const struct plan *plan, const struct row *row)
{
    *out = plan->writes[0].cutoff.cutoff;
    if (row->state != ROW_WRITTEN)
        return (struct refused){REFUSAL_NOT_FOUND, FIELD_NONE, "there is no such project"};
    out->t_ms = row->t_ms;
    return (struct refused){REFUSAL_NONE, FIELD_NONE, NULL};
}
