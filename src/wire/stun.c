#include "wire/stun.h"

#include <string.h>

#define HEADER_LEN      20
#define COOKIE          0x2112A442u /* RFC 8489 §5 */
#define BINDING_REQUEST 0x0001
#define BINDING_SUCCESS 0x0101
#define BINDING_ERROR   0x0111
#define ERROR_CODE      0x0009
#define UNKNOWN         0x000A /* UNKNOWN-ATTRIBUTES */
#define XOR_ADDRESS     0x0020 /* XOR-MAPPED-ADDRESS */
#define MAY_BE_IGNORED  0x8000 /* attributes from here on (§14) */
#define CHECKED_ELSEWHERE                                                                                    \
    0x001F /* up to here RFC 8489 and its elders: known, and no matter without a user                        \
            */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(struct buf *out, unsigned value)
{
    buf_append_byte(out, (uint8_t)(value >> 8));
    buf_append_byte(out, (uint8_t)value);
}

static void put32(struct buf *out, uint32_t value)
{
    put16(out, value >> 16);
    put16(out, value & 0xFFFF);
}

/* Attributes are type, length, value, padded to four bytes. False: one does not fit. */
static bool read_attributes(struct stun_request *out, struct bytes rest)
{
    while (rest.len) {
        uint16_t type;
        size_t len;
        if (rest.len < 4) return false;
        type = get16(rest.ptr);
        len = 4 + (((size_t)get16(rest.ptr + 2) + 3) & ~(size_t)3);
        if (len > rest.len) return false;
        if (type < MAY_BE_IGNORED && type > CHECKED_ELSEWHERE && out->unknown_count < STUN_UNKNOWN_MAX)
            out->unknown[out->unknown_count++] = type;
        rest = bytes_from(rest, len);
    }
    return true;
}

bool stun_read(struct stun_request *out, struct bytes datagram)
{
    memset(out, 0, sizeof *out);
    if (datagram.len < HEADER_LEN || get16(datagram.ptr) != BINDING_REQUEST ||
        get32(datagram.ptr + 4) != COOKIE || (size_t)get16(datagram.ptr + 2) + HEADER_LEN != datagram.len ||
        datagram.len % 4)
        return false;
    memcpy(out->transaction, datagram.ptr + 8, STUN_TRANSACTION);
    return read_attributes(out, bytes_from(datagram, HEADER_LEN));
}

static void put_header(struct buf *out, unsigned type, size_t len, const struct stun_request *request)
{
    put16(out, type);
    put16(out, (unsigned)len);
    put32(out, COOKIE);
    buf_append(out, bytes_of(request->transaction, STUN_TRANSACTION));
}

/* §14.2: the port and the address, each xored with cookie and transaction, so that no router in between
 * takes them for addresses that it ought to translate. */
static void put_address(struct buf *out, const struct stun_request *request, const struct stun_address *from)
{
    uint8_t mask[16] = {0x21, 0x12, 0xA4, 0x42};

    memcpy(mask + 4, request->transaction, STUN_TRANSACTION);
    put16(out, XOR_ADDRESS);
    put16(out, (unsigned)(4 + from->ip_len));
    put16(out, from->ip_len == 4 ? 1 : 2);
    put16(out, from->port ^ (COOKIE >> 16));
    for (size_t i = 0; i < from->ip_len; i++)
        buf_append_byte(out, from->ip[i] ^ mask[i]);
}

/* 420 and its reason, then the list (§14.8, §14.9). */
static void put_unknown(struct buf *out, const struct stun_request *request)
{
    static const char reason[] = "Unknown "; /* a multiple of four bytes */
    size_t i, list = 2 * request->unknown_count;

    put_header(out, BINDING_ERROR, 4 + 4 + 8 + 4 + ((list + 3) & ~(size_t)3), request);
    put16(out, ERROR_CODE);
    put16(out, 4 + 8);
    put32(out, 4 << 8 | 20);
    buf_append_text(out, reason);
    put16(out, UNKNOWN);
    put16(out, (unsigned)list);
    for (i = 0; i < request->unknown_count; i++)
        put16(out, request->unknown[i]);
    if (i % 2) put16(out, 0);
}

void stun_write(struct buf *out, const struct stun_request *request, const struct stun_address *from)
{
    if (request->unknown_count) {
        put_unknown(out, request);
        return;
    }
    put_header(out, BINDING_SUCCESS, 4 + 4 + from->ip_len, request);
    put_address(out, request, from);
}
