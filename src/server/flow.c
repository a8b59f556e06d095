#include "server/flow.h"

#include <string.h>

static const char *const station_names[FLOW_STATIONS] = {
    [FLOW_SECRET] = "secret", [FLOW_TICKET] = "ticket", [FLOW_TOKEN] = "token", [FLOW_SESSION] = "session"};

static const struct {
    const char *what;
    uint32_t stations;
} kinds[ASK_KIND_COUNT] = {
    [ASK_NONE] = {"unknown", 0},
    [ASK_MINT_SUBSCRIBER] = {"mint", FLOW_BIT(FLOW_TOKEN)},
    [ASK_MINT_GUEST] = {"mint_guest", FLOW_BIT(FLOW_TOKEN)},
    [ASK_MINT_INVITE] = {"mint_invite", FLOW_BIT(FLOW_TOKEN)},
    [ASK_MINT_EMBED] = {"mint_embed", FLOW_BIT(FLOW_TOKEN)},
    [ASK_REFRESH] = {"refresh", FLOW_BIT(FLOW_TOKEN)},
    [ASK_BIND] = {"bind", FLOW_BIT(FLOW_TOKEN)},
    [ASK_LAUNCH] = {"launch", FLOW_BIT(FLOW_TICKET)},
    [ASK_BOOTSTRAP] = {"bootstrap", FLOW_BIT(FLOW_TICKET)},
    [ASK_REDEEM] = {"redeem", FLOW_BIT(FLOW_TICKET) | FLOW_BIT(FLOW_TOKEN)},
    [ASK_VISIT] = {"visit", FLOW_BIT(FLOW_TOKEN)},
    [ASK_WHO_AM_I] = {"who", FLOW_BIT(FLOW_TOKEN)},
    [ASK_ADDRESSES] = {"addresses", FLOW_BIT(FLOW_TOKEN)},
    [ASK_ADDRESS] = {"addresses", FLOW_BIT(FLOW_TOKEN)},
    [ASK_CONNECT] = {"connect", FLOW_BIT(FLOW_TOKEN) | FLOW_BIT(FLOW_SESSION)},
    [ASK_REAUTHENTICATE] = {"reauthenticate", FLOW_BIT(FLOW_TOKEN) | FLOW_BIT(FLOW_SESSION)},
    [ASK_DIAL] = {"dial", FLOW_BIT(FLOW_SESSION)},
    [ASK_PARTICIPANT] = {"who", FLOW_BIT(FLOW_TOKEN)},
    [ASK_STUDY] = {"study", FLOW_BIT(FLOW_TOKEN)},
    [ASK_INTERVIEW] = {"interview", FLOW_BIT(FLOW_TOKEN)},
    [ASK_USER] = {"user", 0},
    [ASK_USERS] = {"users", 0},
    [ASK_RESOURCE] = {"resource", 0},
    [ASK_RESOURCES] = {"resources", 0},
    [ASK_MAKE_KEY] = {"make_key", 0},
    [ASK_REVOKE] = {"revoke", 0},
    [ASK_INTROSPECT] = {"introspect", 0},
    [ASK_REVOCATIONS] = {"revocations", 0},
    [ASK_DESCRIBE] = {"describe", 0},
};

const char *flow_what(enum ask_kind kind)
{
    return kinds[kind].what;
}

uint32_t flow_stations(enum ask_kind kind)
{
    return kinds[kind].stations;
}

uint32_t flow_refused_at(enum ask_kind kind, bool takes_key, int status)
{
    uint32_t bound_to = kinds[kind].stations;
    unsigned last = FLOW_STATIONS;

    if (takes_key && (status == 401 || status == 403)) return FLOW_BIT(FLOW_SECRET);
    if (kind == ASK_REDEEM) return FLOW_BIT(FLOW_TICKET); /* nothing else is looked at there */
    while (last-- && !(bound_to & FLOW_BIT(last)))
        ;
    if (bound_to) return FLOW_BIT(last);
    return takes_key ? FLOW_BIT(FLOW_SECRET) : FLOW_BIT(FLOW_TOKEN);
}

void flow_put(char *out, size_t room, struct bytes text)
{
    size_t len = text.len < room ? text.len : room - 1;

    if (len < text.len) /* RFC 3629 §3: a byte 10xxxxxx begins no character */
        while (len && (text.ptr[len] & 0xc0) == 0x80)
            len--;
    if (len) memcpy(out, text.ptr, len);
    out[len] = 0;
}

void flow_note(struct flow *flow, struct happening *happening, bool counts)
{
    struct flow_slot *slot = &flow->slots[flow->noted++ % FLOW_KEPT];
    unsigned i;

    for (i = 0; counts && i < FLOW_STATIONS; i++)
        if (happening->stations & FLOW_BIT(i))
            atomic_fetch_add_explicit(happening->slug ? &flow->refused[i] : &flow->passed[i], 1,
                                      memory_order_relaxed);
    happening->number = atomic_fetch_add_explicit(flow->numbers, 1, memory_order_relaxed) + 1;
    (void)board_write(&slot->mark, slot->words, happening, sizeof *happening); /* nobody else writes here */
    slot = &flow->refusal;
    if (happening->slug) (void)board_write(&slot->mark, slot->words, happening, sizeof *happening);
}

/* ---- telling ---- */

struct told { /* sorted by number; the latest FLOW_KEPT */
    struct happening list[FLOW_KEPT];
    unsigned count;
};

static void insert(struct told *told, const struct happening *happening)
{
    unsigned at = told->count;

    if (at == FLOW_KEPT) {
        if (happening->number < told->list[0].number) return;
        memmove(&told->list[0], &told->list[1], (FLOW_KEPT - 1) * sizeof told->list[0]);
        at--;
    } else
        told->count++;
    for (; at && told->list[at - 1].number > happening->number; at--)
        told->list[at] = told->list[at - 1];
    told->list[at] = *happening;
}

static void collect(struct told *told, const struct flow *flow)
{
    struct happening happening;
    unsigned i;

    for (i = 0; i < FLOW_KEPT; i++)
        if (board_read(&happening, sizeof happening, &flow->slots[i].mark, flow->slots[i].words))
            insert(told, &happening);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_put_string_or_null(w, text && *text ? bytes_of_text(text) : BYTES_NONE);
}

static void write_happening(struct json_writer *w, const struct happening *happening)
{
    unsigned i;

    json_object_begin(w);
    json_key(w, "number");
    json_put_number(w, (int64_t)happening->number);
    json_key(w, "at_ms");
    json_put_number(w, happening->at_ms);
    json_key(w, "stations");
    json_array_begin(w);
    for (i = 0; i < FLOW_STATIONS; i++)
        if (happening->stations & FLOW_BIT(i)) json_put_literal(w, station_names[i]);
    json_array_end(w);
    put_text(w, "what", happening->what);
    put_text(w, "format", happening->format);
    put_text(w, "route", happening->route);
    json_key(w, "status");
    json_put_number(w, happening->status);
    put_text(w, "who", happening->who);
    json_key(w, "user");
    json_put_uuid_or_null(w, &happening->user);
    put_text(w, "slug", happening->slug);
    put_text(w, "error_id", happening->error_id);
    json_object_end(w);
}

static int64_t sum(const struct flow *const *flows, unsigned count, unsigned station, bool of_refused)
{
    uint64_t all = 0;
    unsigned i;

    for (i = 0; i < count; i++)
        all += atomic_load_explicit(of_refused ? &flows[i]->refused[station] : &flows[i]->passed[station],
                                    memory_order_relaxed);
    return (int64_t)all;
}

static void write_stations(struct json_writer *w, const struct flow *const *flows, unsigned count)
{
    unsigned i;

    json_object_begin(w);
    for (i = 0; i < FLOW_STATIONS; i++) {
        json_key(w, station_names[i]);
        json_object_begin(w);
        json_key(w, "passed");
        json_put_number(w, sum(flows, count, i, false));
        json_key(w, "refused");
        json_put_number(w, sum(flows, count, i, true));
        json_object_end(w);
    }
    json_object_end(w);
}

static void write_last_refusal(struct json_writer *w, const struct flow *const *flows, unsigned count)
{
    struct happening last = {.number = 0}, other;
    unsigned i;

    for (i = 0; i < count; i++)
        if (board_read(&other, sizeof other, &flows[i]->refusal.mark, flows[i]->refusal.words) &&
            other.number > last.number)
            last = other;
    json_key(w, "last_refusal");
    if (last.number)
        write_happening(w, &last);
    else
        json_put_null(w);
}

void flow_write(struct json_writer *w, const struct flow *const *flows, unsigned count)
{
    struct told told = {.count = 0};
    unsigned i;

    json_key(w, "stations");
    write_stations(w, flows, count);
    for (i = 0; i < count; i++)
        collect(&told, flows[i]);
    json_key(w, "happenings");
    json_array_begin(w);
    for (i = 0; i < told.count; i++)
        write_happening(w, &told.list[i]);
    json_array_end(w);
    write_last_refusal(w, flows, count);
}
