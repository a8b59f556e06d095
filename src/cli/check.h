/* check.h — settings that need more than a range: URLs, host names, JSON, files. Said before
 * anything is opened. */
#ifndef COATCHECK_CLI_CHECK_H
#define COATCHECK_CLI_CHECK_H

#include "config/config.h"

/* EXIT_OK, or EXIT_CONFIG after saying which setting, what is wrong with it, and what it should look like.
 * Empty settings are not judged: whether one may be missing is the command's matter. */
int cli_check_settings(const struct config *config);

#endif
