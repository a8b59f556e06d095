/* pages.h — the pages of `coatcheck dev`, built into the binary from console/dev/ (cmake/embed.cmake). */
#ifndef COATCHECK_CLI_PAGES_H
#define COATCHECK_CLI_PAGES_H

#include "server/node.h"

extern const struct page dev_pages[];
extern const size_t dev_page_count;

#endif
