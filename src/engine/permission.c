/* permission.c — the REST API's names of what an api token may do; facts.h declares them. */
#include "engine/facts.h"

static const struct {
    enum permission permission;
    const char *text;
} permissions[] = {
    {PERMISSION_CALLING, "calling"},       {PERMISSION_CHAT, "chat"},
    {PERMISSION_DATASPHERE, "datasphere"}, {PERMISSION_FAX, "fax"},
    {PERMISSION_MANAGEMENT, "management"}, {PERMISSION_MESSAGING, "messaging"},
    {PERMISSION_NUMBERS, "numbers"},       {PERMISSION_PUBSUB, "pubsub"},
    {PERMISSION_STORAGE, "storage"},       {PERMISSION_TASKING, "tasking"},
    {PERMISSION_VIDEO, "video"},
};
#define PERMISSIONS (sizeof permissions / sizeof permissions[0])

const char *permission_text(enum permission permission)
{
    size_t i;

    for (i = 0; i < PERMISSIONS; i++)
        if (permissions[i].permission == permission) return permissions[i].text;
    return "";
}

bool permission_of(enum permission *out, struct bytes text)
{
    size_t i;

    for (i = 0; i < PERMISSIONS; i++) {
        if (!bytes_equal(text, bytes_of_text(permissions[i].text))) continue;
        *out = permissions[i].permission;
        return true;
    }
    return false;
}
