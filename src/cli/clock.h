/* clock.h — `coatcheck clock`: what time it is for the server (clock_status.c), and a test project's time
 * moved forward, in the running server if there is one, else in the data folder itself (clock.c). */
#ifndef COATCHECK_CLI_CLOCK_H
#define COATCHECK_CLI_CLOCK_H

/* status and confirm. Returns an exit code; below 0: something else is asked for. */
int clock_status(int argc, char **argv);

#endif
