/* sandbox.h — what a started server may still ask of the kernel: a list of system calls, and no way back.
 *
 * Code smuggled into the process can then start no program, open no connection, load no code and look at no
 * other process: such a call is logged (`forbidden_system_call`) and ends the process. The list is closed
 * once all listeners and long-lived threads are there, and binds all threads. The filter is a small program
 * for the kernel (seccomp(2)) that is made from one table, see docs/adr. */
#ifndef COATCHECK_CLI_SANDBOX_H
#define COATCHECK_CLI_SANDBOX_H

#include <stdbool.h>

#include "base/err.h"

/* False for a build with sanitizers, which ask the kernel for more, and for processors without a list. */
bool sandbox_is_possible(void);

void sandbox_renounce_privileges(void); /* no program started from here gains rights; nothing else changes */
MUST_USE enum err sandbox_close(void);  /* for good. ERR_CONFIG: the kernel refuses */

#endif
