/* options.h — command-line options, read one at a time: --name VALUE, --name=VALUE, and switches
 * without a value. */
#ifndef COATCHECK_CLI_OPTIONS_H
#define COATCHECK_CLI_OPTIONS_H

#include <stdbool.h>

struct options {
    int argc, at;
    char **argv;
    const char *name;  /* of the option at hand, without the dashes */
    const char *value; /* what stands behind '=', or NULL */
};
struct options options_of(int argc, char **argv); /* argv[0] is skipped */
bool options_next(struct options *options); /* false: none left, or a word that is no option (then name is
                                               NULL and at < argc) */
const char *options_value(struct options *options); /* takes the next word if there was no '='; NULL: none */

#endif
