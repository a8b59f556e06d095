/* log_check.h — whether a write-ahead log can be what a crash has left.
 *
 * SQLite takes a log's frames up to the first whose check sum is wrong, and is silent about the rest. After a
 * crash that is right: the rest was never acknowledged. After damage it would lose acknowledged commits
 * without a word. Two signs tell damage, as every commit is synced before the next begins and the header
 * before the first frame: a wrong header in front of frames, and beyond the wrong frame one that was written
 * after a later commit. A log that merely ends too early shows neither, and passes. */
#ifndef COATCHECK_STORE_LOG_CHECK_H
#define COATCHECK_STORE_LOG_CHECK_H

#include "base/err.h"

MUST_USE enum err log_check(const char *path); /* of the log itself. ERR_CORRUPT, ERR_IO or ERR_NO_MEMORY */

#endif
