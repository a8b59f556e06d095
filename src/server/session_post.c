/* session_post.c — letters that reach a session wherever it has moved, and the traces that lead them. */
#include <stdlib.h>
#include <string.h>

#include "server/node.h"
#include "server/session_inside.h"

/* ---- traces ---- */

static enum err trace_new(struct trace **list, struct lane *lane, const char *name)
{
    struct trace *trace = calloc(1, sizeof *trace);

    if (!trace) return ERR_NO_MEMORY;
    trace->lane = lane;
    memcpy(trace->name, name, sizeof trace->name);
    trace->next = *list;
    *list = trace;
    return ERR_OK;
}

static void free_list(struct trace *list)
{
    while (list) {
        struct trace *next = list->next;
        free(list);
        list = next;
    }
}

enum err traces_new(struct trace **out, const struct session *session)
{
    const struct trace *former;
    struct trace *traces = NULL;
    enum err e = trace_new(&traces, session->lane, session->name);

    for (former = session->formers; former && !e; former = former->next)
        e = trace_new(&traces, session->lane, former->name);
    if (e) {
        free_list(traces);
        traces = NULL;
    }
    *out = traces;
    return e;
}

/* The session has been taken out of its lane's table. Whatever is posted from here to the lane it moves to
 * comes there after the session itself, if that is posted in the same turn. */
void traces_leave(struct trace *traces, struct session *session, struct lane *moved_to)
{
    while (traces) {
        struct trace *trace = traces;
        traces = trace->next;
        trace->named.moved_to = moved_to;
        session_names_put(&trace->lane->names, &trace->named, trace->name);
        trace->next = session->traces;
        session->traces = trace;
    }
}

static struct trace *trace_of(struct name_link *link)
{
    return (struct trace *)(void *)((char *)link - offsetof(struct trace, named));
}

void trace_free(struct name_link *link)
{
    free(trace_of(link));
}

void session_take_up_traces(struct session *session)
{
    struct trace **at = &session->traces;

    while (*at) {
        struct trace *trace = *at;
        if (trace->lane != session->lane) {
            at = &trace->next;
            continue;
        }
        *at = trace->next;
        session_names_take(&session->lane->names, &trace->named);
        free(trace);
    }
}

static void open_end(struct mail *mail)
{
    struct trace *trace = (struct trace *)(void *)mail;

    session_names_take(&trace->lane->names, &trace->named);
    free(trace);
}

void session_drop_traces(struct session *session)
{
    /* nobody opens letters any more; each lane frees the traces that it holds, and may have done so */
    if (session->lane->node->has_ended) session->traces = NULL;
    while (session->traces) {
        struct trace *trace = session->traces;
        session->traces = trace->next;
        trace->mail.open = open_end;
        loop_post(trace->lane->loop, &trace->mail);
    }
}

/* ---- former names ---- */

enum err former_new(struct trace **out, const struct session *session)
{
    enum err e;

    *out = NULL;
    e = trace_new(out, session->lane, session->name);
    if (!e) (*out)->sequence = session->sequence;
    return e;
}

void session_put_formers(struct session *session)
{
    struct trace *former;

    for (former = session->formers; former; former = former->next) {
        former->lane = session->lane;
        former->named.session = session;
        session_names_put(&session->lane->names, &former->named, former->name);
    }
}

void session_take_formers(struct session *session)
{
    struct trace *former;

    for (former = session->formers; former; former = former->next)
        session_names_take(&session->lane->names, &former->named);
}

void session_free_formers(struct session *session)
{
    free_list(session->formers);
    session->formers = NULL;
}

/* ---- letters ---- */

struct session_place session_place(const struct session *session)
{
    struct session_place place = {.lane = loop_index(session->lane->loop)};

    memcpy(place.name, session->name, sizeof place.name);
    return place;
}

static void open_letter(struct mail *mail)
{
    struct session_letter *letter = (struct session_letter *)(void *)mail;
    struct name_link *link =
        session_names_find(&letter->at->names, bytes_of(letter->to.name, SESSION_NAME_LEN));

    if (link && !link->session) {
        letter->at = link->moved_to;
        loop_post(letter->at->loop, mail);
    } else
        letter->open(letter, link ? link->session : NULL);
}

bool session_is_named(const struct session *session, const struct session_place *place)
{
    return !memcmp(session->name, place->name, sizeof place->name);
}

void session_post(struct lane *from, struct session_letter *letter)
{
    letter->at = from->node->lanes[letter->to.lane < from->node->lane_count ? letter->to.lane : 0];
    letter->mail.open = open_letter;
    loop_post(letter->at->loop, &letter->mail);
}
