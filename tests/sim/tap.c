#include "sim/tap.h"

#include <string.h>

#include "sim/answer.h"
#include "sim/door.h"
#include "sim/families.h"
#include "sim/interview.h"
#include "sim/link.h"
#include "sim/loop_sim.h"
#include "sim/memory.h"
#include "sim/node.h"
#include "sim/sessions.h"
#include "sim/times.h"
#include "wire/ws_frame.h"

#define MESSAGE_MAX ((size_t)1 << 20)

void tap_init(struct tap *tap)
{
    *tap = (struct tap){.session = TAP_HTTP, .probed_us = INT64_MAX};
    buf_init(&tap->bytes, MESSAGE_MAX);
}

void tap_release(struct tap *tap)
{
    while (tap->requests) {
        struct request *request = tap->requests;
        tap->requests = request->next;
        memory_free(request);
    }
    while (tap->calls) {
        struct call *call = tap->calls;
        tap->calls = call->next;
        memory_free(call);
    }
    while (tap->said) {
        struct said *said = tap->said;
        tap->said = said->next;
        memory_free(said);
    }
    buf_release(&tap->bytes);
}

struct request *tap_ask(struct link *link, enum request_kind kind)
{
    struct request *request = memory_new(sizeof *request), **at = &link->tap.requests;

    while (*at)
        at = &(*at)->next;
    *at = request;
    if (!link->tap.unanswered) link->tap.unanswered = request;
    request->kind = kind;
    request->delivered_ms = INT64_MIN;
    request->trouble = world.trouble;
    request->failures = memory_failures();
    request->life = node_life();
    request->browser = -1;
    return request;
}

struct call *tap_call(struct link *link, enum call_kind kind)
{
    struct call *call = memory_new(sizeof *call), **at = &link->tap.calls;

    while (*at)
        at = &(*at)->next;
    *at = call;
    call->kind = kind;
    call->delivered_ms = INT64_MIN;
    call->trouble = world.trouble;
    return call;
}

unsigned tap_shown_floor(const struct link *link, unsigned project, unsigned user)
{
    const struct sim_user *known;

    if (user == REFERENCES) return 0;
    known = &model.users[project][user];
    if (known->life != node_life() || known->failures == memory_failures()) return known->acked_at;
    return link->stream ? known->acked_on[link->stream->loop->index] : 0;
}

void tap_say(struct link *link, struct said said)
{
    struct said *kept = memory_new(sizeof *kept), **at = &link->tap.said;

    *kept = said;
    kept->down_end = link->tap.written - link->tap.bytes.len;
    kept->next = NULL;
    while (*at)
        at = &(*at)->next;
    *at = kept;
}

void tap_delivered(struct link *link)
{
    struct request *request;
    struct call *call;
    int64_t now_ms = times_now_ms();

    link->tap.heard_us = world.mono_us;
    if (link->tap.session == TAP_LIVE && link->tap.held) link->tap.held->may_be_heard = true;
    if (link->tap.pong_end && link->tap.pong_end <= link->up_taken) {
        link->tap.pong_end = 0;
        link->tap.probed_us = INT64_MAX;
    }
    for (request = link->tap.requests; request; request = request->next) {
        if (request->up_end > link->up_taken || request->delivered_ms != INT64_MIN) continue;
        request->delivered_ms = now_ms;
        request->delivered_us = world.mono_us;
        families_arrived(request);
        door_arrived(link, request);
        interview_arrived(request);
        request->lane = link->stream->loop->index;
    }
    for (call = link->tap.calls; call; call = call->next) {
        if (call->up_end > link->up_taken || call->delivered_ms != INT64_MIN) continue;
        call->delivered_ms = now_ms;
        call->delivered_us = world.mono_us;
        if (!call->resumes) continue;
        if (call->is_upgrade) sessions_known(call->resumes)->may_be_followed = true;
        call->wants = sessions_wanted(call);
        call->was_free = !sessions_carried(call->wants);
        call->moves = call->wants->moves;
    }
}

/* ---- whole replies ---- */

struct bytes tap_field(struct bytes head, struct bytes name)
{
    size_t i, end;

    for (i = 0; i + name.len <= head.len; i++) {
        if (i && head.ptr[i - 1] != '\n') continue;
        if (!bytes_equal_nocase(bytes_part(head, i, name.len), name)) continue;
        end = bytes_index(bytes_from(head, i), '\r');
        return bytes_trim(bytes_part(head, i + name.len, end - name.len));
    }
    return BYTES_NONE;
}

static size_t head_end(struct bytes b) /* behind the empty line; 0: not yet */
{
    size_t i;

    for (i = 0; i + 4 <= b.len; i++)
        if (memcmp(b.ptr + i, "\r\n\r\n", 4) == 0) return i + 4;
    return 0;
}

static int status_of(struct bytes head)
{
    uint64_t status;

    if (!bytes_start_with(head, BYTES("HTTP/1.1 ")) || !bytes_to_u64(&status, bytes_part(head, 9, 3), 599))
        world_fail("an answer is HTTP", "\"%.*s\"", (int)(head.len < 40 ? head.len : 40),
                   (const char *)head.ptr);
    return (int)status;
}

/* How many bytes of b are one whole reply; 0: more must come. */
static size_t take_reply(struct link *link, struct bytes b)
{
    struct tap *tap = &link->tap;
    size_t head_len = head_end(b);
    struct bytes head = bytes_part(b, 0, head_len), length;
    struct request *request = tap->unanswered;
    uint64_t body_len = 0;
    int status;

    if (!head_len) return 0;
    status = status_of(head);
    if (status == 100) return head_len;
    length = tap_field(head, BYTES("Content-Length:"));
    if (!bytes_is_absent(length) && !bytes_to_u64(&body_len, length, MESSAGE_MAX))
        world_fail("an answer says its length", "%.*s", (int)length.len, (const char *)length.ptr);
    /* RFC 9110 §9.3.2; a reply is written whole, so nobody need know that HEAD was asked */
    if ((request && request->is_head) || (tap->is_wild && b.len == head_len)) body_len = 0;
    if (b.len < head_len + body_len) return 0;
    if (!request && tap->is_wild) request = tap_ask(link, REQUEST_BROKEN);
    if (!request || tap->is_last)
        world_fail("one answer a request", "link %u got %d for nothing", link->number, status);
    tap->unanswered = request->next;
    tap->is_last = bytes_equal_nocase(tap_field(head, BYTES("Connection:")), BYTES("close"));
    request->status = status;
    tap->bytes.len -= head_len + body_len; /* for where the message ends; put back below */
    answer_http(link, request, head, bytes_part(b, head_len, body_len));
    tap_say(link, (struct said){.kind = SAID_REPLY, .request = request});
    tap->bytes.len += head_len + body_len;
    return head_len + body_len;
}

/* ---- whole frames ---- */

static size_t take_frame(struct link *link, struct bytes b)
{
    size_t head_len = 2, len;
    struct bytes payload;

    if (b.len < 2) return 0;
    if (!(b.ptr[0] & 0x80) || b.ptr[0] & 0x70 || b.ptr[1] & 0x80)
        world_fail("a server's frame is whole and unmasked", "%02x %02x", b.ptr[0], b.ptr[1]);
    len = b.ptr[1];
    if (len == 126) {
        if (b.len < 4) return 0;
        head_len = 4;
        len = (size_t)b.ptr[2] << 8 | b.ptr[3];
    } else if (len == 127)
        world_fail("a server's frame is small", "link %u", link->number);
    if (b.len < head_len + len) return 0;
    payload = bytes_part(b, head_len, len);
    if (link->tap.session == TAP_CLOSED) world_fail("nothing follows a close frame", "link %u", link->number);
    link->tap.bytes.len -= head_len + len;
    answer_frame(link, (enum ws_opcode)(b.ptr[0] & 15), payload);
    link->tap.bytes.len += head_len + len;
    return head_len + len;
}

void tap_written(struct link *link, struct bytes b)
{
    struct tap *tap = &link->tap;
    size_t used = 1;

    buf_append(&tap->bytes, b);
    tap->written += b.len;
    while (used && tap->bytes.len) {
        used = tap->session == TAP_HTTP ? take_reply(link, buf_bytes(&tap->bytes))
                                        : take_frame(link, buf_bytes(&tap->bytes));
        buf_drop_front(&tap->bytes, used);
    }
}

void tap_closed(struct link *link)
{
    answer_closed(link);
    link->tap.session = TAP_CLOSED;
}
