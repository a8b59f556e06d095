/* story.h — one story of tests/vectors/session, played as a client against the server's own code.
 *
 * What the story does goes out on links of this world: it opens, connects, resumes, renews, registers,
 * closes; its credentials are minted, bound and renewed for as long as it says. What it is told must then
 * come of that: by itself, or because the player brings it about by what causes it here (cause.c) — a token's
 * end, an operator, another socket, want of memory, a node that stops. A label of the story (t1, p1, s1) is
 * one token, session or state of the server's.
 *
 * The story's moments are the client's; the world's clock is the server's. They differ by what the client's
 * machine slept. A step of the story may come some milliseconds late here: the world's own delays are what
 * they are. */
#ifndef COATCHECK_TESTS_SIM_STORY_H
#define COATCHECK_TESTS_SIM_STORY_H

#include <jansson.h>

#include "sim/client.h"
#include "sim/link.h"
#include "wire/ws_frame.h"

#define STORY_USER    0 /* whose tokens these are, and in which project */
#define STORY_PROJECT 0
#define STORY_ZERO_MS 1000000 /* the server's time at the story's beginning, as the stories tell it */
#define STORY_PEER    "10.0.0.1"
#define LINES_MAX     20
#define LINE_KEPT     0  /* who has the kept session; the story's sockets come behind it */
#define LINE_RIVAL    18 /* another socket after the same session, or the same place to park */
#define LINE_HTTP     19

enum line_ear {
    EAR_AWAKE,
    EAR_ASLEEP, /* the page is: its browser still answers the protocol's own pings */
    EAR_MUTE,   /* it hears, and answers nothing */
    EAR_DEAD    /* nothing comes, nothing goes */
};

struct line { /* a socket, or a request's connection */
    struct client client;
    struct link *link;            /* kept when the client has let go of it; NULL: never opened */
    struct call *connect, *asked; /* asked: the last that was not connect */
    enum line_ear ear;
    bool is_left;           /* the client has closed it, or lost it */
    unsigned calls, states; /* states: of its session, when connect was sent */
    int64_t heard_us;
};

struct sim_state;
struct story_label {
    char name[12];
    struct token *token;
    struct sim_session *session;
    struct sim_state state;
};

#define LABELS_MAX 24

struct story {
    const char *name;
    const json_t *told, *steps;
    size_t at;
    struct line lines[LINES_MAX];
    struct story_label labels[LABELS_MAX];
    size_t label_count;
    unsigned socket; /* the story's present one; 0: none */
    int64_t errand;
    char errand_kind[16];
    int64_t epoch_ms, slept_ms;
    const struct token *token; /* the session's newest */
    unsigned unheard;          /* events of sockets and errands that are none any more */
};
extern struct story story;

/* play.c: the node's life, and the steps. False: the story stops where the server cannot follow. */
void story_play(const json_t *told, size_t first_impossible, uint64_t seed);
__attribute__((noreturn, format(printf, 1, 2))) void story_fail(const char *format, ...);

/* tell.c: what the story says. */
const char *told_text(const json_t *object, const char *name); /* "" if it is not there */
int64_t told_number(const json_t *object, const char *name, int64_t otherwise);
const json_t *told_event(size_t step); /* NULL behind the last */
bool told_is(const json_t *event, const char *kind);
const json_t *told_effect(size_t step, const char *what); /* NULL: none */
/* The first event behind the present one that is about this socket and of one of these kinds. */
const json_t *told_next(unsigned socket, const char *kinds);
bool told_anywhere(const char *kind, int64_t code); /* a closed or refused with this code */
struct story_label *label_of(const char *name);     /* NULL: not known yet */
struct story_label *label_new(const char *name);

/* time.c */
void run_for_us(int64_t us);
void run_to_ms(int64_t at_ms); /* a moment of the story; nothing if it has passed */
bool run_until(bool (*has_come)(void *what), void *what, int64_t most_ms);
int64_t server_ms(int64_t wall_ms); /* as the story counts */

/* speak.c: what goes out. */
void line_open(struct line *line, bool upgrades);
void line_leave(struct line *line); /* with the close frame of a page that closes its socket */
void line_connect(struct line *line, const struct token *token, const struct story_label *resume,
                  const struct story_label *upgrade, bool takes_slots, bool is_invalid);
void line_hold_connect(struct line *line, const struct token *token); /* half of it stays on its way */
void line_renew(struct line *line, const struct token *token);
void line_call_in_parts(struct line *line); /* in two frames */
void line_call(struct line *line, enum call_kind kind, const char *method, const char *params);
void line_frame(struct line *line, unsigned first, struct bytes payload, bool is_masked);
struct token *mint_until(int64_t ends_ms, bool may_self_refresh,
                         bool is_bound); /* ends_ms 0: the server says */
struct token *bind_until(const struct token *token, bool renews, int64_t ends_ms);
void bind_in_vain(const struct token *token, bool hangs);

/* cause.c: brings about what the story is told. */
void cause_before_open(unsigned socket);
void cause_long_ahead(struct line *line, int64_t at_ms); /* before the story comes to this moment */
void cause_of_refusal(const struct token *token, int64_t code);
void cause_of_close(struct line *line, int64_t code, int64_t at_ms);
void kept_begin(const json_t *kept);

#endif
