/* backend.c — the clinic's backend of backend.mjs once more, in C: the same pages, answers and refusals.
 *
 * Each site runs on a thread of its own, and no datum is of two sites, so that nothing here is locked.
 * Whatever goes wrong is an answer, too. What would be in a database is in JSON objects. */
#include "../shared/pages.h"
#include "../shared/sign_in.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HERE    COATCHECK_SOURCE_DIR "/examples/clinic/"
#define PACKAGE COATCHECK_SOURCE_DIR "/sdk/dist"
#define COOKIE  "linden"

static struct site clinic, app;
static const char *client_id, *client_secret, *publishable_key;
static char server[256]; /* Coatcheck's origin */
static json_t *clinicians, *patients, *sessions;
static json_t *user_ids; /* of each clinician's first launch: it resumes the same user */
static json_t *desks;    /* the note-taker's: user -> { signature, notes } */

/* What the server answers to our client, or NULL: out is the refusal then, with 502. */
static json_t *ask_coatcheck(json_t **out, const char *path, const char *type, const char *body)
{
    struct text *answer = calloc(1, sizeof *answer);
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, type);
    struct curl_header *id = NULL;
    json_t *told = NULL;
    char url[512];
    long status = 0;

    snprintf(url, sizeof url, "%s%s", server, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USERNAME, client_id);
    curl_easy_setopt(curl, CURLOPT_PASSWORD, client_secret);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, text_collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (answer && curl && headers && body && !curl_easy_perform(curl))
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200 && answer->length <= sizeof answer->bytes)
        told = json_loadb(answer->bytes, answer->length, 0, NULL);
    if (!told) refuse(out, 502, status ? "no_token_now" : "unreachable");
    if (!told && !status) fprintf(stderr, "%s: no answer\n", path);
    if (!told && status && !curl_easy_header(curl, "Coatcheck-Error-Id", 0, CURLH_HEADER, -1, &id))
        fprintf(stderr, "%s refused: coatcheck why %s\n", path, id->value);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(answer);
    return told;
}

/* ---- the clinic: who asks is in the cookie, and nowhere else ---- */

static unsigned clinic_setup(json_t **out, struct ask *ask)
{
    const char *clinician = who_is_signed_in(sessions, ask, COOKIE);

    return good(out, json_pack("{s:s, s:s+, s:O, s:O?}", "publishableKey", publishable_key, "frameUrl",
                               app.origin, "/", "clinicians", clinicians, "clinician",
                               json_object_get(clinicians, clinician ? clinician : "")));
}

static unsigned clinic_patients(json_t **out, struct ask *ask)
{
    if (!who_is_signed_in(sessions, ask, COOKIE)) return refuse(out, 401, "sign_in");
    return good(out, json_pack("{s:O}", "patients", patients));
}

static unsigned clinic_sign_in(json_t **out, struct ask *ask)
{
    const char *clinician = json_string_value(json_object_get(ask->body, "clinician"));

    if (!clinician || !json_object_get(clinicians, clinician)) return refuse(out, 400, "unknown_clinician");
    if (!sign_in(sessions, ask, COOKIE, clinician)) return refuse(out, 502, "unreachable");
    return good(out, json_object());
}

static unsigned clinic_sign_out(json_t **out, struct ask *ask)
{
    sign_out(sessions, ask, COOKIE);
    return good(out, json_object());
}

static unsigned launch(json_t **out, struct ask *ask)
{
    const char *clinician = who_is_signed_in(sessions, ask, COOKIE);
    json_t *body, *told;
    char *text;

    if (!clinician) return refuse(out, 401, "sign_in");
    body =
        json_pack("{s:O*, s:s}", "userId", json_object_get(user_ids, clinician), "externalUserId", clinician);
    text = json_dumps(body, JSON_COMPACT);
    told = ask_coatcheck(out, "/v1/oauth/launch", "Content-Type: application/json", text);
    free(text);
    json_decref(body);
    if (!told) return 502;
    json_object_set(user_ids, clinician, json_object_get(told, "user_id"));
    *out = json_pack("{s:O}", "launchToken", json_object_get(told, "launch_token"));
    json_decref(told);
    return 200;
}

/* ---- the note-taker: whose token it is, the server says ---- */

static bool says(const json_t *told, const char *member, const char *wanted)
{
    const char *text = json_string_value(json_object_get(told, member));

    return text && strcmp(text, wanted) == 0;
}

/* The user's desk, pending while its signature is null; or NULL, with a refusal in out and its status. */
static json_t *desk_of(json_t **out, unsigned *status, const struct ask *ask)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    const char *authorization = ask_header(ask, "Authorization"), *user = NULL;
    char form[8192] = "token=";
    json_t *told, *desk = NULL;

    *status = 401;
    if (authorization && strncmp(authorization, "Bearer ", 7) == 0 && strlen(authorization) < sizeof form)
        snprintf(form, sizeof form, "token=%s", authorization + 7);
    if (!form[6] || form[6 + strspn(form + 6, letters)]) {
        refuse(out, 401, "launch_again");
        return NULL;
    }
    told = ask_coatcheck(out, "/oauth/introspect", "Content-Type: application/x-www-form-urlencoded", form);
    if (json_is_true(json_object_get(told, "active")) && says(told, "token_use", "access") &&
        says(told, "kind", "embedded"))
        user = json_string_value(json_object_get(told, "sub"));
    if (!told) *status = 502;
    if (told && !user) refuse(out, 401, "launch_again");
    if (user && !json_object_get(desks, user))
        json_object_set_new(desks, user, json_pack("{s:n, s:[]}", "signature", "notes"));
    if (user) desk = json_object_get(desks, user);
    json_decref(told);
    return desk;
}

static unsigned app_setup(json_t **out, struct ask *ask)
{
    (void)ask;
    return good(out, json_pack("{s:s, s:[s]}", "serverUrl", server, "hosts", clinic.origin));
}

static unsigned app_desk(json_t **out, struct ask *ask)
{
    unsigned status;
    json_t *desk = desk_of(out, &status, ask);

    return desk ? good(out, json_incref(desk)) : status;
}

static unsigned app_welcome(json_t **out, struct ask *ask)
{
    json_t *signature = json_object_get(ask->body, "signature"), *desk;
    unsigned status;

    desk = desk_of(out, &status, ask);
    if (!desk) return status;
    if (!is_text(signature, 80)) return refuse(out, 400, "wrong_signature");
    json_object_set(desk, "signature", signature);
    return good(out, json_incref(desk));
}

static unsigned app_note(json_t **out, struct ask *ask)
{
    json_t *patient = json_object_get(ask->body, "patient"), *text = json_object_get(ask->body, "text"),
           *desk, *signature;
    unsigned status;

    desk = desk_of(out, &status, ask);
    if (!desk) return status;
    signature = json_object_get(desk, "signature");
    if (!json_is_string(signature)) return refuse(out, 403, "welcome_first");
    if (!is_text(patient, 40) || !is_text(text, 8000)) return refuse(out, 400, "wrong_note");
    *out = json_pack("{s:O, s:O, s:O, s:I}", "patient", patient, "text", text, "signature", signature, "at_s",
                     (json_int_t)time(NULL));
    json_array_append(json_object_get(desk, "notes"), *out);
    return 200;
}

static const struct route clinic_routes[] = {{"GET", "/api/setup", clinic_setup},
                                             {"GET", "/api/patients", clinic_patients},
                                             {"POST", "/api/launch", launch},
                                             {"POST", "/api/sign-in", clinic_sign_in},
                                             {"POST", "/api/sign-out", clinic_sign_out},
                                             {0}};
static const struct route app_routes[] = {{"GET", "/api/setup", app_setup},
                                          {"GET", "/api/desk", app_desk},
                                          {"POST", "/api/welcome", app_welcome},
                                          {"POST", "/api/notes", app_note},
                                          {0}};
static struct site clinic = {"127.0.0.1", HERE "site", PACKAGE, clinic_routes, .is_one_name = true};
static struct site app = {"localhost", HERE "app", PACKAGE, app_routes,
                          .is_one_name = false}; /* another host: cookies know no ports */

static bool read_settings(void)
{
    const char *url = setting("COATCHECK_URL"), *host = url ? strstr(url, "://") : NULL;

    client_id = setting("CLIENT_ID");
    client_secret = setting("CLIENT_SECRET");
    publishable_key = setting("PUBLISHABLE_KEY");
    if (host) snprintf(server, sizeof server, "%.*s", (int)(host + 3 + strcspn(host + 3, "/") - url), url);
    return host && client_id && client_secret && publishable_key;
}

static bool open_sites(void)
{
    static const char all[] =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; connect-src 'self'";

    if (!patients || !site_listen(&app, getenv("FRAME_PORT")) || !site_listen(&clinic, getenv("PORT")))
        return false;
    snprintf(clinic.policy, sizeof clinic.policy, "%s; frame-src %s; frame-ancestors 'none'", all,
             app.origin);
    snprintf(app.policy, sizeof app.policy, "%s %s; frame-ancestors %s", all, server, clinic.origin);
    return site_serve(&app) && site_serve(&clinic);
}

int main(void)
{
    bool is_open;

    if (!read_settings()) return 2;
    signals_hold();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    clinicians = json_pack("{s:s, s:s}", "osei", "Dr Amara Osei", "fischer", "Dr Lena Fischer");
    patients = json_load_file(HERE "patients.json", 0, NULL);
    sessions = json_object(), user_ids = json_object(), desks = json_object();
    is_open = open_sites();
    if (is_open && printf("clinic %s/\n", clinic.origin) > 0 && !fflush(stdout)) signals_await();
    site_stop(&clinic);
    site_stop(&app);
    for (int i = 0; i < 5; i++)
        json_decref((json_t *[]){clinicians, patients, sessions, user_ids, desks}[i]);
    curl_global_cleanup();
    return !is_open;
}
