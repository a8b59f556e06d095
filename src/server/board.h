/* board.h — a few bytes that one thread writes and any other may read at any time, without a lock.
 *
 * A mark beside the words is odd while they are being written and another even number afterwards. Whoever
 * reads looks at the mark before and after; if it differs, what was read may be half of one text and half of
 * another, and is read again. The words themselves are atomic, so that reading them early is no race; each is
 * stored with release and loaded with acquire, which orders them against the mark without fences. A reader
 * never holds up a writer. */
#ifndef COATCHECK_SERVER_BOARD_H
#define COATCHECK_SERVER_BOARD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOARD_WORDS(type) ((sizeof(type) + sizeof(uint64_t) - 1) / sizeof(uint64_t))

/* False: another thread is writing there; nothing was written. */
bool board_write(_Atomic uint64_t *mark, _Atomic uint64_t *words, const void *bytes, size_t len);
/* False: it is being written over and over, or was never written; out is not to be used then. */
bool board_read(void *out, size_t len, const _Atomic uint64_t *mark, const _Atomic uint64_t *words);

#endif
