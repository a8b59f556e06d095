/* vault.h — memory for key material that lives long: never written to swap, never in a core file, never
 * inherited by a fork, with an inaccessible page on both sides, and wiped block by block on release.
 *
 * One vault a process, opened by its first use; its address range is fixed, so that vault_holds() is two
 * comparisons. A thread keeps the blocks it has released for its next ones: nothing is locked and no other
 * thread is waited for. Where the limit of locked memory (RLIMIT_MEMLOCK) is too small, the log says so once
 * and the rest of the promises still hold. */
#ifndef COATCHECK_BASE_VAULT_H
#define COATCHECK_BASE_VAULT_H

#include <stdbool.h>
#include <stddef.h>

#define VAULT_BYTES     (64u << 20) /* of addresses; pages are taken as they are used */
#define VAULT_BLOCK_MAX 65536

void *vault_take(size_t len); /* zeroed, aligned for anything; NULL: no room, or len 0 or past the maximum */
void vault_release(void *data); /* wipes; NULL is fine */
bool vault_holds(const void *data);
size_t vault_room(const void *data); /* bytes that may be used, at least as many as asked for */
bool vault_is_locked(void);          /* all that was handed out so far is kept from swap */

#endif
