/* key_uses.h — when each key was last used, for operators: told to the store off the path of any request, and
 * at most once a minute for each key and lane.
 *
 * Best effort on purpose: nothing waits for it, and what the store does not take is told again by the next
 * use after a minute. One thread's. */
#ifndef COATCHECK_SERVICE_KEY_USES_H
#define COATCHECK_SERVICE_KEY_USES_H

#include "store/store.h"

#define KEY_USE_SLOTS 256 /* keys a lane tells apart; a busier lane forgets, and tells some more often */
#define KEY_USE_BATCH 16
#define KEY_USE_MS    60000

struct key_use_name {
    char text[KEY_PUBLIC_ID_MAX];
    uint8_t len;
};

struct key_uses { /* zeroed: nothing was used yet */
    struct {
        struct key_use_name name;
        int64_t told_ms;
    } slots[KEY_USE_SLOTS];
    struct { /* waits for the commit under way */
        struct key_use_name name;
        int64_t used_ms;
    } waiting[KEY_USE_BATCH], sent[KEY_USE_BATCH];
    size_t waiting_count;
    bool is_sending;
    struct store_commit commit;
    struct write writes[KEY_USE_BATCH];
    struct row rows[KEY_USE_BATCH];
    struct store *store; /* of the commit under way; NULL: closed, nothing more is sent */
};

void key_uses_open(struct key_uses *uses, struct store *store, void (*post)(void *to, struct mail *mail),
                   void *to);
void key_uses_close(struct key_uses *uses); /* the store is gone */
void key_uses_note(struct key_uses *uses, struct bytes public_id, int64_t now_ms);

#endif
