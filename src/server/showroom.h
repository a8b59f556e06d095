/* showroom.h — what a server has in `coatcheck dev` alone, for its start page: the flow of each lane, the
 * products that were announced, and the paths behind the page:
 *
 *     GET  /dev/flow      what has passed, the products, and how far the test project's clock was moved
 *     POST /dev/products  products.h
 *     POST /dev/clock     {"by_s":7200}: the test project ages; answers {"advanced_ms":…,"age_ms":…}
 *
 * For programs and pages of this machine alone: a peer that is not on loopback or a Host that could be
 * somebody else's name meets 404, as if nothing were there, and another page's Origin 403. */
#ifndef COATCHECK_SERVER_SHOWROOM_H
#define COATCHECK_SERVER_SHOWROOM_H

#include "server/exchange.h"
#include "server/flow.h"
#include "server/products.h"

struct showroom {
    struct uuid project; /* the one whose clock the page moves */
    _Atomic uint64_t numbers;
    _Atomic uint64_t products_mark, products[BOARD_WORDS(struct products)];
    unsigned lane_count;
    struct flow flows[];
};

/* Between node_listen and node_start; the node owns it from then on. */
MUST_USE enum err showroom_open(struct node *node, const struct uuid *project);
void showroom_free(struct showroom *showroom);

/* ---- what the lanes note; they do nothing without a showroom ---- */

/* After an ask by HTTP was answered; error_id: RECORD_ID_LEN characters, of a refusal. outcome: the run's, or
 * of one that came before any run. */
void showroom_request(const struct exchange *x, const struct outcome *outcome, const struct finding *finding,
                      int status, const char *error_id);
/* what: a literal. */
void showroom_session(struct lane *lane, const struct holder *holder, const char *what, uint32_t stations);
void showroom_parted(struct lane *lane, const struct holder *holder, const char *what);
void showroom_socket_refused(struct lane *lane, const struct finding *finding, const char *route,
                             const char *error_id);

/* ---- the paths: showroom_door.c ---- */

/* Bytes that may come as the body of this path; 0: it takes none, or is not ours. */
uint32_t showroom_body_max(const struct exchange *x);
bool showroom_answer(struct exchange *x); /* false: not a path of ours, or not for this asker */

#endif
