/* secrets.c — the law of log lines: nothing that was issued, or could be presented, stands in one. Lines are
 * kept until the sequence is over, as one may be written before its secret is known here. */
#include <string.h>

#include "sim/sequence/action.h"

#define LINES_MAX ((size_t)1 << 22)
#define TAIL_LEN  20 /* of a secret: the part that is its own, whatever it begins with */

static struct buf lines;

void secrets_begin(void)
{
    buf_init(&lines, LINES_MAX);
}

void secrets_take_line(struct bytes line)
{
    buf_append(&lines, line);
}

static void look_for(const char *what, struct bytes secret)
{
    if (secret.len < TAIL_LEN || !lines.len) return;
    if (memmem(lines.ptr, lines.len, secret.ptr + secret.len - TAIL_LEN, TAIL_LEN))
        world_fail("no secret is in a log line", "%s", what);
}

void secrets_end(void)
{
    size_t i, k;

    for (i = 0; i < PROJECTS; i++)
        for (k = 0; k < KEYS; k++)
            look_for("a key",
                     bytes_of(model.projects[i].keys[k].secret, model.projects[i].keys[k].secret_len));
    for (i = 0; i < model.token_count; i++) {
        look_for("a token", bytes_of(model.tokens[i].text, model.tokens[i].len));
        look_for("a refresh token", bytes_of(model.tokens[i].refresh, model.tokens[i].refresh_len));
    }
    for (i = 0; i < model.proof_count; i++)
        look_for("a proof", bytes_of(model.proofs[i].text, model.proofs[i].len));
    buf_release(&lines);
}
