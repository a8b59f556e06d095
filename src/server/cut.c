#include "server/cut.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "server/node.h"
#include "server/session.h"

struct cut_letter {
    struct mail mail;
    struct cuts *cuts;
    struct lane *lane;
    struct cut *at; /* whose sessions are being closed */
    bool is_known;  /* the lane has taken `at` in */
};

struct cuts {
    struct lane *home;
    struct cut *waiting, **last; /* for the next round, in order */
    struct cut *flying;          /* the present round */
    unsigned letters_out, lane_count;
    struct cut_letter letters[];
};

enum err cuts_new(struct cuts **out, struct lane *home, unsigned lane_count)
{
    struct cuts *cuts = calloc(1, sizeof *cuts + lane_count * sizeof cuts->letters[0]);

    *out = cuts;
    if (!cuts) return ERR_NO_MEMORY;
    cuts->home = home;
    cuts->lane_count = lane_count;
    cuts->last = &cuts->waiting;
    return ERR_OK;
}

void cuts_free(struct cuts *cuts)
{
    free(cuts);
}

static void begin_round(struct cuts *cuts);

static void come_home(struct mail *mail)
{
    struct cuts *cuts = ((struct cut_letter *)(void *)mail)->cuts;
    struct cut *cut, *next;

    if (--cuts->letters_out) return;
    cut = cuts->flying;
    cuts->flying = NULL;
    for (; cut; cut = next) {
        next = cut->next; /* done may free it */
        log_info("cut", log_number("of", (int64_t)cut->cutoff.of),
                 log_number("sessions", (int64_t)cut->closed));
        cut->done(cut);
    }
    if (cuts->waiting && !cuts->flying) begin_round(cuts);
}

/* One turn's work in a lane; goes on in the next as long as there is more, also while there is no memory to
 * take a cutoff in: it must not be lost, and whatever it voids would be let through. */
static void work(struct mail *mail)
{
    struct cut_letter *letter = (struct cut_letter *)(void *)mail;
    unsigned room = letter->lane->looks_per_turn;

    while (letter->at && room) {
        struct cut *cut = letter->at;
        if (!letter->is_known && service_take_cutoff(letter->lane->service, &cut->cutoff)) break;
        letter->is_known = true;
        atomic_fetch_add_explicit(&cut->closed, sessions_cut(letter->lane, &cut->cutoff, &room),
                                  memory_order_relaxed);
        if (!room) break;
        letter->at = cut->next;
        letter->is_known = false;
    }
    if (letter->at) {
        loop_post_later(letter->lane->loop, mail);
        return;
    }
    letter->mail.open = come_home;
    loop_post(letter->cuts->home->loop, mail);
}

static void begin_round(struct cuts *cuts)
{
    const struct node *node = cuts->home->node;
    unsigned i;

    cuts->flying = cuts->waiting;
    cuts->waiting = NULL;
    cuts->last = &cuts->waiting;
    cuts->letters_out = cuts->lane_count;
    for (i = 0; i < cuts->lane_count; i++) {
        cuts->letters[i] =
            (struct cut_letter){.mail.open = work, .cuts = cuts, .lane = node->lanes[i], .at = cuts->flying};
        loop_post(node->lanes[i]->loop, &cuts->letters[i].mail);
    }
}

void cut_tell(struct cuts *cuts, struct cut *cut, const struct cutoff *cutoff, void (*done)(struct cut *cut))
{
    cut->next = NULL;
    cut->cutoff = *cutoff;
    if (cutoff->id.len)
        memcpy(cut->id, cutoff->id.ptr, cutoff->id.len); /* at most a key's id: KEY_PUBLIC_ID_MAX */
    cut->cutoff.id = bytes_of(cut->id, cutoff->id.len);
    atomic_init(&cut->closed, 0);
    cut->done = done;
    *cuts->last = cut;
    cuts->last = &cut->next;
    if (!cuts->flying) begin_round(cuts);
}
