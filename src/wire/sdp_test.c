#include "wire/sdp.h"

#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

#define HEAD   "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
#define BUNDLE "a=group:BUNDLE 0 1\r\n"
#define AUDIO  "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n"
#define VIDEO  "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
#define HOST   "a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0\r\n"
#define HOST_6 "a=candidate:2 1 tcp 1518280447 2001:db8::1 9 typ host tcptype active\r\n"
#define SRFLX  "a=candidate:3 1 udp 1677729535 198.51.100.7 40000 typ srflx raddr 0.0.0.0 rport 0\r\n"
#define RELAY  "a=candidate:4 1 udp 33562623 203.0.113.9 3478 typ relay raddr 198.51.100.7 rport 40000\r\n"

static struct buf out;

static const char *rewritten(struct bytes sdp, enum sdp_candidates candidates)
{
    buf_reset(&out);
    CHECK_INT(sdp_rewrite_offer(&out, sdp, candidates), ERR_OK);
    buf_append_byte(&out, 0);
    return (const char *)out.ptr;
}

static void refuses(void)
{
    static const struct {
        struct bytes sdp;
        enum err error;
    } rows[] = {
        {{NULL, 0}, ERR_MALFORMED},
        {BYTES(""), ERR_MALFORMED},
        {BYTES("v=0\r\n\0a=x\r\n"), ERR_MALFORMED},
        {BYTES("v=0\0"), ERR_MALFORMED},
        {BYTES("v=0\ra=candidate:1\r\n"), ERR_MALFORMED}, /* a line to some readers */
        {BYTES("v=0\r\r\n"), ERR_MALFORMED},
        {BYTES("\r\rv=0"), ERR_MALFORMED},
        {BYTES("v=0\r\ns=\r-\r\n"), ERR_MALFORMED},
    };
    static uint8_t large[SDP_MAX + 1];
    size_t i;

    for (i = 0; i < COUNT(rows); i++) {
        CHECK_NOTE("row %zu", i);
        CHECK_INT(sdp_check(rows[i].sdp), rows[i].error);
        buf_reset(&out);
        CHECK_INT(sdp_rewrite_offer(&out, rows[i].sdp, SDP_ALL), rows[i].error);
        CHECK_INT(out.len, 0);
    }
    CHECK_NOTE("size");
    memset(large, 'a', sizeof large);
    CHECK_INT(sdp_check(bytes_of(large, SDP_MAX)), ERR_OK);
    CHECK_INT(sdp_check(bytes_of(large, SDP_MAX + 1)), ERR_TOO_LARGE);
    CHECK_INT(sdp_rewrite_offer(&out, bytes_of(large, SDP_MAX + 1), SDP_ALL), ERR_TOO_LARGE);
}

static void takes_the_bundle_out_of_several_media(void)
{
    CHECK(!strcmp(rewritten(BYTES(HEAD BUNDLE AUDIO VIDEO), SDP_ALL), HEAD AUDIO VIDEO));
    CHECK(!strcmp(rewritten(BYTES(HEAD "a=group:BUNDLE\r\n" AUDIO VIDEO), SDP_ALL), HEAD AUDIO VIDEO));
    CHECK_NOTE("one medium keeps it");
    CHECK(!strcmp(rewritten(BYTES(HEAD BUNDLE AUDIO), SDP_ALL), HEAD BUNDLE AUDIO));
    CHECK(!strcmp(rewritten(BYTES(HEAD BUNDLE), SDP_ALL), HEAD BUNDLE));
    CHECK_NOTE("other lines stay");
    CHECK(
        !strcmp(rewritten(BYTES(HEAD "a=group:LS 0 1\r\na=group:BUNDLED 0\r\n" AUDIO VIDEO BUNDLE), SDP_ALL),
                HEAD "a=group:LS 0 1\r\na=group:BUNDLED 0\r\n" AUDIO VIDEO BUNDLE));
    CHECK_NOTE("lines that end in LF, and a last one that does not end");
    CHECK(!strcmp(rewritten(BYTES("v=0\na=group:BUNDLE 0 1\nm=audio 9\nm=video 9"), SDP_NONE),
                  "v=0\nm=audio 9\nm=video 9"));
}

static void takes_candidates_out_as_configured(void)
{
    const struct bytes sdp = BYTES(HEAD AUDIO HOST SRFLX "a=end-of-candidates\r\n" VIDEO HOST_6 RELAY);

    CHECK(
        !strcmp(rewritten(sdp, SDP_ALL), HEAD AUDIO HOST SRFLX "a=end-of-candidates\r\n" VIDEO HOST_6 RELAY));
    CHECK(!strcmp(rewritten(sdp, SDP_DROP_HOST), HEAD AUDIO SRFLX "a=end-of-candidates\r\n" VIDEO RELAY));
    CHECK(!strcmp(rewritten(sdp, SDP_NONE), HEAD AUDIO "a=end-of-candidates\r\n" VIDEO));
}

/* Only the type itself counts, not a word that looks like it. */
static void tells_types_by_their_place(void)
{
    static const struct bytes stay[] = {
        BYTES("m=audio 9\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ srflx raddr typ host\r\n"),
        BYTES("m=audio 9\r\na=candidate:1 1 udp 1 host 5 typ relay\r\n"),
        BYTES("m=audio 9\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ hosted\r\n"),
        BYTES("m=audio 9\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ\r\n"),
        BYTES("m=audio 9\r\na=candidat:1 1 udp 1 192.0.2.1 5 typ host\r\n"),
        BYTES("m=audio 9\r\ns=a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n"),
    };
    size_t i;

    for (i = 0; i < COUNT(stay); i++) {
        CHECK_NOTE("row %zu", i);
        CHECK(!strcmp(rewritten(stay[i], SDP_DROP_HOST), (const char *)stay[i].ptr));
    }
}

static void changes_nothing_twice(void)
{
    static char once[4096];
    int candidates;

    for (candidates = SDP_ALL; candidates <= SDP_NONE; candidates++) {
        (void)snprintf(once, sizeof once, "%s",
                       rewritten(BYTES(HEAD BUNDLE AUDIO HOST SRFLX VIDEO HOST_6 RELAY),
                                 (enum sdp_candidates)candidates));
        CHECK(!strcmp(rewritten(bytes_of_text(once), (enum sdp_candidates)candidates), once));
    }
}

static void tells_of_a_full_buffer(void)
{
    struct buf small;

    buf_init(&small, 8);
    CHECK_INT(sdp_rewrite_offer(&small, BYTES(HEAD), SDP_ALL), ERR_TOO_LARGE);
    buf_release(&small);
}

int main(void)
{
    buf_init(&out, 2 * SDP_MAX);
    CHECK_RUN(refuses);
    CHECK_RUN(takes_the_bundle_out_of_several_media);
    CHECK_RUN(takes_candidates_out_as_configured);
    CHECK_RUN(tells_types_by_their_place);
    CHECK_RUN(changes_nothing_twice);
    CHECK_RUN(tells_of_a_full_buffer);
    buf_release(&out);
    return CHECK_END();
}
