#include "server/stun.h"

#include <stdlib.h>
#include <string.h>

#include "server/loop_inside.h"
#include "wire/stun.h"

#define DATAGRAM_MAX 1500 /* longer questions are cut, and cut ones are not answered */

struct answerer {
    uv_udp_t udp; /* first member */
    uint8_t room[DATAGRAM_MAX];
    struct buf out;
};

static void on_closed(uv_handle_t *handle)
{
    struct answerer *answerer = (struct answerer *)handle;

    buf_release(&answerer->out);
    free(answerer);
}

static void close_udp(uv_handle_t *handle)
{
    uv_close(handle, on_closed);
}

static struct loop_part answerer_part = {close_udp};

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct answerer *answerer = (struct answerer *)handle;

    (void)wanted;
    *out = uv_buf_init((char *)answerer->room, sizeof answerer->room);
}

static struct stun_address altered(const struct sockaddr *from)
{
    struct stun_address address = {.ip_len = 0};

    if (from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
        address.ip_len = 4;
        memcpy(address.ip, &v4->sin_addr, 4);
        address.port = ntohs(v4->sin_port);
    } else {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
        address.ip_len = 16;
        memcpy(address.ip, &v6->sin6_addr, 16);
        address.port = ntohs(v6->sin6_port);
    }
    address.port ^= 1;
    return address;
}

static void on_datagram(uv_udp_t *udp, ssize_t len, const uv_buf_t *room, const struct sockaddr *from,
                        unsigned flags)
{
    struct answerer *answerer = (struct answerer *)udp;
    struct stun_request request;
    struct stun_address address;
    uv_buf_t datagram;

    if (len <= 0 || !from || (flags & UV_UDP_PARTIAL)) return;
    if (!stun_read(&request, bytes_of(room->base, (size_t)len))) return;
    address = altered(from);
    buf_reset(&answerer->out);
    stun_write(&answerer->out, &request, &address);
    if (buf_error(&answerer->out)) return;
    datagram = uv_buf_init((char *)answerer->out.ptr, (unsigned)answerer->out.len);
    (void)uv_udp_try_send(udp, &datagram, 1, from); /* what is lost is asked again: RFC 8489 §6.2.1 */
}

static enum err listen_on(int *bound, struct answerer *answerer, const char *host, int port, const char **why)
{
    struct sockaddr_storage address;
    int len = sizeof address;

    memset(&address, 0, sizeof address);
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) != 0 &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address) != 0) {
        *why = "the address to answer STUN on is none";
        return ERR_CONFIG;
    }
    if (uv_udp_bind(&answerer->udp, (struct sockaddr *)&address, 0) != 0 ||
        uv_udp_getsockname(&answerer->udp, (struct sockaddr *)&address, &len) != 0 ||
        uv_udp_recv_start(&answerer->udp, on_room, on_datagram) != 0) {
        *why = "the UDP port for STUN is in use";
        return ERR_IO;
    }
    *bound = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                 : ((struct sockaddr_in *)&address)->sin_port);
    return ERR_OK;
}

enum err stun_answer(int *bound, struct loop *loop, const char *host, int port, const char **why)
{
    struct answerer *answerer = calloc(1, sizeof *answerer);
    enum err e;

    *bound = 0;
    *why = "not enough memory";
    if (!answerer) return ERR_NO_MEMORY;
    if (uv_udp_init(&loop->uv, &answerer->udp) != 0) {
        free(answerer);
        return ERR_NO_MEMORY;
    }
    answerer->udp.data = &answerer_part;
    buf_init(&answerer->out, STUN_ANSWER_MAX);
    e = listen_on(bound, answerer, host, port, why);
    if (e) uv_close((uv_handle_t *)&answerer->udp, on_closed);
    return e;
}
