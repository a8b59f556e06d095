/* builtin.h — which paths are no vendor's and yet public, for who lists them: each takes GET, and
 * no credential. */
#ifndef COATCHECK_SERVER_BUILTIN_H
#define COATCHECK_SERVER_BUILTIN_H

#include <stddef.h>

const char *builtin_path(size_t index); /* NULL: there are no more */

#endif
