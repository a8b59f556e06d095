#include "sign_in.h"
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#define AGE_S        (8 * 3600)
#define SESSIONS_MAX 1000

const char *who_is_signed_in(json_t *sessions, const struct ask *ask, const char *cookie)
{
    const char *name = ask_cookie(ask, cookie);
    json_t *session = name ? json_object_get(sessions, name) : NULL;
    bool is_live = json_integer_value(json_object_get(session, "until_s")) > time(NULL);

    return is_live ? json_string_value(json_object_get(session, "user")) : NULL;
}

bool sign_in(json_t *sessions, struct ask *ask, const char *cookie, const char *user)
{
    unsigned char dice[16];
    char name[2 * sizeof dice + 1];
    json_int_t until_s = time(NULL) + AGE_S;

    if (getrandom(dice, sizeof dice, 0) != sizeof dice) return false;
    for (size_t i = 0; i < sizeof dice; i++)
        snprintf(name + 2 * i, 3, "%02x", dice[i]);
    if (json_object_size(sessions) >= SESSIONS_MAX) json_object_clear(sessions);
    snprintf(ask->cookie, sizeof ask->cookie, "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d", cookie,
             name, AGE_S);
    return !json_object_set_new(sessions, name, json_pack("{s:s, s:I}", "user", user, "until_s", until_s));
}

void sign_out(json_t *sessions, struct ask *ask, const char *cookie)
{
    const char *name = ask_cookie(ask, cookie);

    if (name) json_object_del(sessions, name);
    snprintf(ask->cookie, sizeof ask->cookie, "%s=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", cookie);
}
