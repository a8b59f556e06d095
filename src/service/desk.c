#include "service/desk.h"

#include <stdlib.h>

static void desk_free(struct desk *desk)
{
    key_bench_release(&desk->bench); /* it borrows from the ring */
    keyring_free(desk->ring);
    free(desk);
}

enum err desk_new(struct desk **out, struct desk **list, struct keyring *ring, uint64_t epoch)
{
    struct desk *desk = calloc(1, sizeof *desk);
    enum err e = ERR_NO_MEMORY;

    *out = NULL;
    if (!desk) return e;
    if ((e = key_bench_open(&desk->bench, ring, epoch))) {
        free(desk);
        return e;
    }
    desk->ring = keyring_hold(ring);
    desk->epoch = epoch;
    desk->users = 1;
    desk->list = list;
    desk->next = *list;
    if (desk->next) desk->next->prev = desk;
    *list = *out = desk;
    return ERR_OK;
}

struct desk *desk_hold(struct desk *desk)
{
    desk->users++;
    return desk;
}

void desk_drop(struct desk *desk)
{
    struct desk **list = desk ? desk->list : NULL, *oldest;

    if (!desk || --desk->users) return;
    for (oldest = desk; oldest->next; oldest = oldest->next)
        continue;
    while (oldest && !oldest->users) {
        struct desk *newer = oldest->prev;
        if (newer)
            newer->next = NULL;
        else
            *list = NULL;
        desk_free(oldest);
        oldest = newer;
    }
}

void desks_free(struct desk **list)
{
    while (*list) {
        struct desk *desk = *list;
        *list = desk->next;
        desk_free(desk);
    }
}
