#include "cli/options.h"

#include "harness/check.h"

#define WORDS_MAX 8

/* A command line as the kernel gives it: writable words, NULL at the end. */
struct line {
    char text[WORDS_MAX][32];
    char *argv[WORDS_MAX + 1];
    int argc;
};

static struct options line_of(struct line *line, const char *const *words)
{
    line->argc = 0;
    for (; words[line->argc]; line->argc++) {
        (void)snprintf(line->text[line->argc], sizeof line->text[0], "%s", words[line->argc]);
        line->argv[line->argc] = line->text[line->argc];
    }
    line->argv[line->argc] = NULL;
    return options_of(line->argc, line->argv);
}

static bool is_text(const char *got, const char *wanted)
{
    return got == wanted || (got && wanted && strcmp(got, wanted) == 0);
}

static void stops_at_what_is_no_option(void)
{
    static const char *const rows[][3] = {
        {"dev", "word"}, {"dev", "-p"}, {"dev", "--"}, {"dev", "-"}, {"dev", ""},
    };
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct line line;
        struct options options = line_of(&line, rows[i]);
        CHECK_NOTE("\"%s\"", rows[i][1]);
        CHECK(!options_next(&options));
        CHECK(options.name == NULL && options.value == NULL);
        CHECK(options.at < options.argc); /* so that the caller can name the word */
        CHECK(!options_next(&options));   /* and does not get past it */
    }
}

static void has_nothing_in_an_empty_line(void)
{
    static const char *const words[] = {"dev", NULL};
    struct line line;
    struct options options = line_of(&line, words);

    CHECK(!options_next(&options));
    CHECK_INT(options.at, options.argc);
    options = line_of(&line, words + 1); /* not even the command's name */
    CHECK(!options_next(&options));
    CHECK(options_value(&options) == NULL);
}

static void misses_a_value_at_the_end(void)
{
    static const char *const words[] = {"dev", "--port", NULL};
    struct line line;
    struct options options = line_of(&line, words);

    CHECK(options_next(&options) && is_text(options.name, "port"));
    CHECK(options_value(&options) == NULL);
    CHECK(!options_next(&options));
}

static void reads_every_form(void)
{
    static const char *const words[] = {"dev",        "--port",  "1",     "--json",
                                        "--data=a=b", "--host=", "--tls", NULL};
    static const struct {
        const char *name, *value;
        bool takes;
    } rows[] = {
        {"port", "1", true}, {"json", NULL, false}, {"data", "a=b", true},
        {"host", "", true},  {"tls", NULL, false},
    };
    struct line line;
    struct options options = line_of(&line, words);
    size_t i;

    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("--%s", rows[i].name);
        CHECK(options_next(&options));
        CHECK(is_text(options.name, rows[i].name));
        if (rows[i].takes) CHECK(is_text(options_value(&options), rows[i].value));
        CHECK(is_text(options.value, rows[i].value));
    }
    CHECK(!options_next(&options) && options.at == options.argc);
}

static void takes_a_dashed_word_as_a_value_only_when_asked(void)
{
    static const char *const words[] = {"dev", "--port", "-1", "--data", "--json", NULL};
    struct line line;
    struct options options = line_of(&line, words);

    CHECK(options_next(&options) && is_text(options_value(&options), "-1"));
    CHECK(options_next(&options) && is_text(options.name, "data"));
    CHECK(is_text(options_value(&options), "--json"));
    CHECK(is_text(options_value(&options), "--json")); /* asked again: the same, not the next */
    CHECK(!options_next(&options));
}

int main(void)
{
    CHECK_RUN(stops_at_what_is_no_option);
    CHECK_RUN(has_nothing_in_an_empty_line);
    CHECK_RUN(misses_a_value_at_the_end);
    CHECK_RUN(reads_every_form);
    CHECK_RUN(takes_a_dashed_word_as_a_value_only_when_asked);
    return CHECK_END();
}
