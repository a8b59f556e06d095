/* pages.h — files built into the binary (cmake/embed.cmake): the pages of `coatcheck dev` from console/dev/,
 * and docs/openapi.json. */
#ifndef COATCHECK_CLI_PAGES_H
#define COATCHECK_CLI_PAGES_H

#include "server/node.h"

extern const struct page dev_pages[];
extern const size_t dev_page_count;
extern const struct document openapi_document;

#endif
