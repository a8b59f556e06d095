#include "service/key_uses.h"

#include <string.h>

#define WAYS 4 /* neighbours a key may lie in: a few keys that share a slot do not drive each other out */

static struct bytes text_of(const struct key_use_name *name)
{
    return bytes_of(name->text, name->len);
}

static void put(struct key_use_name *out, struct bytes id)
{
    memcpy(out->text, id.ptr, id.len);
    out->len = (uint8_t)id.len;
}

/* Whether this use is to be told: the key was not told within the last minute. */
static bool is_due(struct key_uses *uses, struct bytes id, int64_t now_ms)
{
    size_t at = (size_t)bytes_hash(id, 0) % KEY_USE_SLOTS, oldest = at, i;

    for (i = 0; i < WAYS; i++) {
        size_t slot = (at + i) % KEY_USE_SLOTS;
        if (bytes_equal(text_of(&uses->slots[slot].name), id)) {
            if (now_ms - uses->slots[slot].told_ms < KEY_USE_MS) return false;
            uses->slots[slot].told_ms = now_ms;
            return true;
        }
        if (uses->slots[slot].told_ms < uses->slots[oldest].told_ms) oldest = slot;
    }
    put(&uses->slots[oldest].name, id);
    uses->slots[oldest].told_ms = now_ms;
    return true;
}

static void send(struct key_uses *uses)
{
    size_t i;

    if (!uses->waiting_count || !uses->store) return;
    memcpy(uses->sent, uses->waiting, sizeof uses->sent);
    for (i = 0; i < uses->waiting_count; i++) {
        struct write *write = &uses->writes[i];
        memset(write, 0, sizeof *write);
        write->kind = WRITE_KEY_USED;
        write->key_used.public_id = text_of(&uses->sent[i].name);
        write->key_used.used_ms = uses->sent[i].used_ms;
    }
    uses->commit.writes = uses->writes;
    uses->commit.rows = uses->rows;
    uses->commit.write_count = uses->waiting_count;
    uses->commit.error = ERR_OK;
    uses->waiting_count = 0;
    uses->is_sending = true;
    uses->store->ops->commit(uses->store, &uses->commit);
}

static void sent(struct mail *mail)
{
    struct key_uses *uses =
        (struct key_uses *)(void *)((char *)mail - offsetof(struct key_uses, commit.mail));

    uses->is_sending = false; /* whether it was taken changes nothing for us */
    send(uses);
}

void key_uses_open(struct key_uses *uses, struct store *store, void (*post)(void *to, struct mail *mail),
                   void *to)
{
    uses->store = store;
    uses->commit = (struct store_commit){.mail = {.open = sent}, .post = post, .to = to};
}

void key_uses_close(struct key_uses *uses)
{
    uses->store = NULL;
}

void key_uses_note(struct key_uses *uses, struct bytes public_id, int64_t now_ms)
{
    if (!public_id.len || public_id.len > KEY_PUBLIC_ID_MAX || uses->waiting_count == KEY_USE_BATCH) return;
    if (!is_due(uses, public_id, now_ms)) return;
    put(&uses->waiting[uses->waiting_count].name, public_id);
    uses->waiting[uses->waiting_count++].used_ms = now_ms;
    if (!uses->is_sending) send(uses);
}
