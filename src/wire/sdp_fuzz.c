/* The first byte chooses what happens to candidates, the rest is an offer. Laws: what is checked is
 * rewritten, to lines of the offer in its order; rewriting again changes nothing; a refused offer leaves
 * nothing behind; without candidates none stays. */
#include <stdlib.h>
#include <string.h>

#include "wire/sdp.h"

static void require(bool law)
{
    if (!law) abort();
}

static size_t line_len(struct bytes text)
{
    size_t end = bytes_index(text, '\n');

    return end == BYTES_NOT_FOUND ? text.len : end + 1;
}

/* Each line of `some` is one of `all`, in the same order. */
static void check_lines(struct bytes some, struct bytes all)
{
    while (some.len) {
        struct bytes line = bytes_part(some, 0, line_len(some));
        while (all.len && !bytes_equal(line, bytes_part(all, 0, line_len(all))))
            all = bytes_from(all, line_len(all));
        require(all.len > 0);
        all = bytes_from(all, line_len(all));
        some = bytes_from(some, line.len);
    }
}

static void check_no_candidates(struct bytes text)
{
    for (; text.len; text = bytes_from(text, line_len(text)))
        require(!bytes_start_with(text, BYTES("a=candidate:")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf once, twice;
    enum sdp_candidates candidates;
    struct bytes sdp;
    enum err e;

    if (!size) return 0;
    candidates = (enum sdp_candidates)(data[0] % 3);
    sdp = bytes_of(data + 1, size - 1);
    buf_init(&once, SDP_MAX);
    buf_init(&twice, SDP_MAX);
    e = sdp_rewrite_offer(&once, sdp, candidates);
    require(e == sdp_check(sdp));
    if (e)
        require(once.len == 0);
    else {
        check_lines(buf_bytes(&once), sdp);
        if (candidates == SDP_NONE) check_no_candidates(buf_bytes(&once));
        /* of an offer that was nothing but what goes, nothing is left: no offer any more */
        if (once.len) {
            require(sdp_rewrite_offer(&twice, buf_bytes(&once), candidates) == ERR_OK);
            require(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
        }
    }
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
