/* pages.h — what a backend in C needs of a web server: files, JSON in and out. Nothing here knows Coatcheck.
 * The same as pages.mjs.
 *
 * A site listens on 127.0.0.1, answers on a thread of its own, and has routes; any other path is a file of
 * its folder or, below /coatcheck/, of the built browser package. A route gives a status and an object that
 * the site then lets go of. */
#ifndef COATCHECK_EXAMPLES_PAGES_H
#define COATCHECK_EXAMPLES_PAGES_H
#include <jansson.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

struct text {
    char bytes[16 * 1024];
    size_t length; /* more than there is room for: it was too long */
};

struct ask {
    struct MHD_Connection *connection;
    struct text text;
    json_t *body;     /* always an object */
    char cookie[128]; /* what Set-Cookie shall say; empty: nothing */
};

typedef unsigned answer_fn(json_t **out, struct ask *ask);

struct route {
    const char *method, *path;
    answer_fn *answer;
};

struct site {
    const char *host, *folder, *package;
    const struct route *routes; /* ends with one without a method */
    bool is_one_name;           /* sends whoever knows it by another name to this one */
    int socket;
    char origin[64], policy[640];
    struct MHD_Daemon *daemon;
};

bool site_listen(struct site *site, const char *port); /* from then on origin is known; NULL: any port */
bool site_serve(struct site *site);
void site_stop(struct site *site);

const char *ask_header(const struct ask *ask, const char *name);
const char *ask_cookie(const struct ask *ask, const char *name);
unsigned good(json_t **out, json_t *value); /* takes the value */
unsigned refuse(json_t **out, unsigned status, const char *code);
bool is_text(const json_t *value, size_t letters_max);                   /* and not blank */
size_t text_collect(char *bytes, size_t size, size_t count, void *into); /* as curl wants it */

const char *setting(const char *name); /* of the environment; NULL: it is missing, which was said */
void signals_hold(void);               /* before there are threads, which have it from here */
void signals_await(void);              /* until somebody ends the program */

#endif
