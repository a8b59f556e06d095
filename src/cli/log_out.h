/* log_out.h — where a server's log lines go: to stderr, without ever waiting for who reads it.
 *
 * A pipe or a terminal that nobody reads would stop the loop that writes. stderr is not made non-blocking for
 * that: the flag belongs to the open file, which the shell or the service manager shares. So it is asked
 * first whether a line fits, by one thread at a time. What does not fit is lost and counted (base/log.h). */
#ifndef COATCHECK_CLI_LOG_OUT_H
#define COATCHECK_CLI_LOG_OUT_H

#include "base/log.h"

void log_out(void *state, enum log_level level, const char *line, size_t len); /* a log_sink_fn */

#endif
