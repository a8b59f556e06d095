/* footprint.h — gives back what only the start needed.
 *
 * Opening the store, the keys and the TLS library runs through megabytes of code that is not run again. Its
 * pages are copies of files, which the kernel would take back one day when memory is short; until then they
 * count as ours. A page that is wanted after all comes back from the cache of files. */
#ifndef COATCHECK_CLI_FOOTPRINT_H
#define COATCHECK_CLI_FOOTPRINT_H

void footprint_shrink(void);

#endif
