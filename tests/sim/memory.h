/* memory.h — whose every allocation is, and which one fails.
 *
 * The linker sends the product's malloc, calloc, realloc and free here (--wrap), and with them the JSON
 * library's, which asks through the product; the crypto library keeps its own. While the simulator is inside
 * the product the owner is the node: such allocations can be told to fail, are counted at the end of a node's
 * life, and go at once when it crashes, as a process's memory does. */
#ifndef COATCHECK_TESTS_SIM_MEMORY_H
#define COATCHECK_TESTS_SIM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

enum memory_owner { MEMORY_SIM, MEMORY_NODE };

void memory_begin(void); /* once a process, before anything else */

/* Both give the owner before, to be put back. */
enum memory_owner memory_enter(enum memory_owner owner);
void memory_leave(enum memory_owner before);

void *memory_new(size_t size); /* zeroed, the simulator's own; never NULL */
void memory_free(void *block);

/* From the after-th allocation of the node on, count of them fail. */
void memory_fail(unsigned after, unsigned count);
void memory_fail_large(size_t least, unsigned after, unsigned count); /* only of so many bytes or more */
unsigned memory_failures(void);                                       /* of this seed */
bool memory_refuses(void); /* a door that would allocate asks this in its place */

size_t memory_node_blocks(void); /* still held by the node */
void memory_tell_blocks(void);   /* their sizes, into the trace */
void memory_sweep(void);         /* the node's process is gone */

#endif
