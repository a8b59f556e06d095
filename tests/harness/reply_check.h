/* reply_check.h — what an encoder wrote, compared with the JSON it should be. For test programs alone; each
 * includes it once. */
#ifndef COATCHECK_TESTS_REPLY_CHECK_H
#define COATCHECK_TESTS_REPLY_CHECK_H

#include <jansson.h>
#include <stdio.h>

#include "dialect/dialect.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static struct buf body;

/* Encodes, and compares the whole body, member by member, with the wanted JSON (quotes written as '). */
static inline void check_body(outcome_encode_fn *encode, const struct outcome *outcome, int status,
                              const char *wanted)
{
    struct dialect_reply reply = {.body = &body};
    char text[1024];
    json_t *got, *expected;
    size_t i;

    (void)snprintf(text, sizeof text, "%s", wanted);
    for (i = 0; text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    buf_reset(&body);
    encode(&reply, outcome);
    CHECK_INT(buf_error(&body), ERR_OK);
    CHECK_INT(reply.status, status);
    got = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
    expected = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!CHECK(got && expected && json_equal(got, expected)))
        fprintf(stderr, "    got %.*s\n    wanted %s\n", (int)body.len, (const char *)body.ptr, text);
    json_decref(got);
    json_decref(expected);
}

#endif
