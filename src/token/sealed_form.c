#include "token/sealed_form.h"

#include <string.h>

#define PARENT_KEY_MAX  32
#define EXTERNAL_ID_MAX 255
#define PAYLOAD_MAX     2048 /* its length takes two bytes, as a number does */

/* Never renumber: refresh tokens in the wild carry these. A new field takes the next number. */
enum tag {
    TAG_ID = 1,
    TAG_PROJECT,
    TAG_USER,
    TAG_GENERATION,
    TAG_GT,
    TAG_IAT,
    TAG_EXP,
    TAG_ABSOLUTE_END,
    TAG_CLAIMS_KIND,
    TAG_JKT,
    TAG_FLAGS,
    TAG_APPLICATION,
    TAG_ADDRESSES,
    TAG_RESOURCE,
    TAG_PARENT_KEY,
    TAG_EXTERNAL_ID,
    TAG_AGE,
    TAG_PAYLOAD,
    TAG_INVITER,
    TAG_FAMILY,
    TAG_LANE,
};

enum flag { FLAG_SELF_REFRESH = 1, FLAG_NEW_USER = 2, FLAGS_ALL = 3 };

static uint8_t flags_of(const struct sealed *sealed)
{
    return (uint8_t)((sealed->may_self_refresh ? FLAG_SELF_REFRESH : 0) |
                     (sealed->is_new_user ? FLAG_NEW_USER : 0));
}

/* ---- writing ---- */

static void put_number(struct buf *out, enum tag tag, uint64_t number)
{
    if (number == 0) return;
    buf_append_byte(out, (uint8_t)tag);
    for (; number >= 0x80; number >>= 7)
        buf_append_byte(out, (uint8_t)(number | 0x80));
    buf_append_byte(out, (uint8_t)number);
}

static void put_uuid(struct buf *out, enum tag tag, const struct uuid *id)
{
    if (uuid_is_zero(id)) return;
    buf_append_byte(out, (uint8_t)tag);
    buf_append(out, uuid_bytes(id));
}

static void put_text(struct buf *out, enum tag tag, struct bytes text, size_t max)
{
    if (text.len == 0) return;
    if (text.len > max && out->error == ERR_OK)
        out->error = ERR_TOO_LARGE; /* sticky, as every failure of a buf */
    buf_append_byte(out, (uint8_t)tag);
    buf_append_byte(out, (uint8_t)text.len);
    buf_append(out, text);
}

static void put_long_text(struct buf *out, enum tag tag, struct bytes text, size_t max)
{
    if (text.len == 0) return;
    if (text.len > max && out->error == ERR_OK) out->error = ERR_TOO_LARGE;
    put_number(out, tag, text.len);
    buf_append(out, text);
}

static void put_addresses(struct buf *out, const struct sealed *sealed)
{
    if (sealed->address_count == 0) return;
    if (sealed->address_count > CLAIMS_ADDRESSES_MAX) {
        if (out->error == ERR_OK) out->error = ERR_TOO_LARGE;
        return;
    }
    buf_append_byte(out, TAG_ADDRESSES);
    buf_append_byte(out, (uint8_t)sealed->address_count);
    for (size_t i = 0; i < sealed->address_count; i++)
        buf_append(out, uuid_bytes(&sealed->addresses[i]));
}

void sealed_form_write(struct buf *out, const struct sealed *sealed)
{
    buf_append_byte(out, SEALED_FORM_VERSION);
    put_uuid(out, TAG_ID, &sealed->id);
    put_uuid(out, TAG_PROJECT, &sealed->project);
    put_uuid(out, TAG_USER, &sealed->user);
    put_number(out, TAG_GENERATION, sealed->generation);
    put_number(out, TAG_GT, (uint64_t)sealed->gt_ms);
    put_number(out, TAG_IAT, (uint64_t)sealed->iat_s);
    put_number(out, TAG_EXP, (uint64_t)sealed->exp_s);
    put_number(out, TAG_ABSOLUTE_END, (uint64_t)sealed->absolute_end_s);
    put_number(out, TAG_CLAIMS_KIND, (uint64_t)sealed->claims_kind);
    if (sealed->is_bound) {
        buf_append_byte(out, TAG_JKT);
        buf_append(out, bytes_of(sealed->jkt, sizeof sealed->jkt));
    }
    put_number(out, TAG_FLAGS, flags_of(sealed));
    put_uuid(out, TAG_APPLICATION, &sealed->application);
    put_addresses(out, sealed);
    put_uuid(out, TAG_RESOURCE, &sealed->resource);
    put_text(out, TAG_PARENT_KEY, sealed->parent_key, PARENT_KEY_MAX);
    put_text(out, TAG_EXTERNAL_ID, sealed->external_id, EXTERNAL_ID_MAX);
    put_number(out, TAG_AGE, (uint64_t)sealed->age_ms);
    put_long_text(out, TAG_PAYLOAD, sealed->payload, PAYLOAD_MAX);
    put_uuid(out, TAG_INVITER, &sealed->inviter);
    put_uuid(out, TAG_FAMILY, &sealed->family);
    put_number(out, TAG_LANE, sealed->lane);
}

/* ---- reading ---- */

struct reader {
    struct bytes left;
    struct arena *arena;
    enum err error; /* sticky: the first one counts */
};

static void fail(struct reader *r, enum err e)
{
    if (r->error == ERR_OK) r->error = e;
    r->left = BYTES_NONE;
}

static struct bytes take(struct reader *r, size_t len)
{
    struct bytes taken = bytes_part(r->left, 0, len);

    if (taken.len < len)
        fail(r, ERR_MALFORMED);
    else
        r->left = bytes_from(r->left, len);
    return r->error == ERR_OK ? taken : BYTES_NONE;
}

static uint8_t take_byte(struct reader *r)
{
    struct bytes one = take(r, 1);

    return one.len == 1 ? one.ptr[0] : 0;
}

static uint64_t take_number(struct reader *r, uint64_t max)
{
    uint64_t number = 0;
    uint8_t group = 0x80;

    for (unsigned shift = 0; group & 0x80 && r->error == ERR_OK; shift += 7) {
        group = take_byte(r);
        if (shift > 63 || (shift == 63 && group > 1))
            fail(r, ERR_MALFORMED); /* beyond 64 bits */
        else
            number |= (uint64_t)(group & 0x7f) << shift;
    }
    if (group == 0 || number > max)
        fail(r, ERR_MALFORMED); /* a last group of zero: too long, or zero itself */
    return r->error == ERR_OK ? number : 0;
}

static int64_t take_signed(struct reader *r)
{
    return (int64_t)take_number(r, UINT64_MAX);
}

static void take_bytes(struct reader *r, uint8_t *out, size_t len)
{
    struct bytes taken = take(r, len);

    if (taken.len == len) memcpy(out, taken.ptr, len);
}

static void take_uuid(struct reader *r, struct uuid *out)
{
    take_bytes(r, out->byte, sizeof out->byte);
    if (uuid_is_zero(out)) fail(r, ERR_MALFORMED);
}

static struct bytes take_text(struct reader *r, size_t len, size_t max)
{
    struct bytes text, copy;

    if (len == 0 || len > max) fail(r, ERR_MALFORMED);
    text = take(r, len);
    copy = arena_copy(r->arena, text);
    if (arena_copy_failed(text, copy)) fail(r, ERR_NO_MEMORY);
    return copy;
}

static void take_addresses(struct reader *r, struct sealed *out)
{
    size_t count = take_byte(r);

    if (count == 0 || count > CLAIMS_ADDRESSES_MAX) fail(r, ERR_MALFORMED);
    for (size_t i = 0; i < count && r->error == ERR_OK; i++)
        take_bytes(r, out->addresses[i].byte, sizeof out->addresses[i].byte);
    if (r->error == ERR_OK) out->address_count = count;
}

static void take_flags(struct reader *r, struct sealed *out)
{
    uint64_t flags = take_number(r, FLAGS_ALL);

    out->may_self_refresh = flags & FLAG_SELF_REFRESH;
    out->is_new_user = flags & FLAG_NEW_USER;
}

static void take_jkt(struct reader *r, struct sealed *out)
{
    take_bytes(r, out->jkt, sizeof out->jkt);
    out->is_bound = true;
}

static void take_field(struct reader *r, struct sealed *out, unsigned tag)
{
    switch ((enum tag)tag) {
    case TAG_ID:
        take_uuid(r, &out->id);
        return;
    case TAG_PROJECT:
        take_uuid(r, &out->project);
        return;
    case TAG_USER:
        take_uuid(r, &out->user);
        return;
    case TAG_GENERATION:
        out->generation = (uint32_t)take_number(r, UINT32_MAX);
        return;
    case TAG_GT:
        out->gt_ms = take_signed(r);
        return;
    case TAG_IAT:
        out->iat_s = take_signed(r);
        return;
    case TAG_EXP:
        out->exp_s = take_signed(r);
        return;
    case TAG_ABSOLUTE_END:
        out->absolute_end_s = take_signed(r);
        return;
    case TAG_CLAIMS_KIND:
        out->claims_kind = (enum claims_kind)take_number(r, KIND_COUNT - 1);
        return;
    case TAG_JKT:
        take_jkt(r, out);
        return;
    case TAG_FLAGS:
        take_flags(r, out);
        return;
    case TAG_APPLICATION:
        take_uuid(r, &out->application);
        return;
    case TAG_ADDRESSES:
        take_addresses(r, out);
        return;
    case TAG_RESOURCE:
        take_uuid(r, &out->resource);
        return;
    case TAG_PARENT_KEY:
        out->parent_key = take_text(r, take_byte(r), PARENT_KEY_MAX);
        return;
    case TAG_EXTERNAL_ID:
        out->external_id = take_text(r, take_byte(r), EXTERNAL_ID_MAX);
        return;
    case TAG_AGE:
        out->age_ms = take_signed(r);
        return;
    case TAG_PAYLOAD:
        out->payload = take_text(r, (size_t)take_number(r, PAYLOAD_MAX), PAYLOAD_MAX);
        return;
    case TAG_INVITER:
        take_uuid(r, &out->inviter);
        return;
    case TAG_FAMILY:
        take_uuid(r, &out->family);
        return;
    case TAG_LANE:
        out->lane = (uint32_t)take_number(r, UINT32_MAX);
        return;
    }
    fail(r, ERR_MALFORMED); /* no such tag */
}

enum err sealed_form_read(struct sealed *out, struct arena *arena, struct bytes form)
{
    struct reader r = {.left = form, .arena = arena};
    unsigned last = 0;

    memset(out, 0, sizeof *out);
    if (take_byte(&r) != SEALED_FORM_VERSION) fail(&r, ERR_MALFORMED);
    while (r.left.len > 0) {
        unsigned tag = take_byte(&r);
        if (tag <= last)
            fail(&r, ERR_MALFORMED);
        else
            take_field(&r, out, tag);
        last = tag;
    }
    if (r.error != ERR_OK) memset(out, 0, sizeof *out);
    return r.error;
}
