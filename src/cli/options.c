#include "cli/options.h"

#include <stddef.h>
#include <string.h>

struct options options_of(int argc, char **argv)
{
    return (struct options){.argc = argc, .at = 1, .argv = argv};
}

bool options_next(struct options *options)
{
    char *word, *equals;

    options->name = options->value = NULL;
    if (options->at >= options->argc) return false;
    word = options->argv[options->at];
    if (strncmp(word, "--", 2) != 0 || !word[2]) return false;
    options->at++;
    options->name = word + 2;
    equals = strchr(word, '=');
    if (equals) {
        *equals = 0;
        options->value = equals + 1;
    }
    return true;
}

const char *options_value(struct options *options)
{
    if (!options->value && options->at < options->argc) options->value = options->argv[options->at++];
    return options->value;
}
