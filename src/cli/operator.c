#include "cli/operator.h"

#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/data.h"
#include "cli/options.h"
#include "server/host.h"

struct order {
    const struct operator_noun *noun;
    const struct operator_verb *verb;
    struct operation operation;
    unsigned words;
    const char *data;
    bool wants_json;
};

static char where[4200]; /* " --data DIR", if it was given: for commands that we propose */

/* ---- the command line ---- */

static const struct {
    const char *name;
    enum operand operand;
} options_known[] = {
    {"project", OPERAND_PROJECT},         {"name", OPERAND_NAME},       {"permissions", OPERAND_PERMISSIONS},
    {"address", OPERAND_ADDRESS},         {"reaches", OPERAND_REACHES}, {"reference", OPERAND_REFERENCE},
    {"external-id", OPERAND_EXTERNAL_ID}, {"after", OPERAND_AFTER},     {"public-key", OPERAND_PUBLIC_KEY}};

static int print_help(const struct operator_noun *noun)
{
    unsigned i;

    for (i = 0; i < noun->verb_count; i++)
        printf("%s coatcheck %s %s%s%s\n", i ? "      " : "usage:", noun->name, noun->verbs[i].word,
               *noun->verbs[i].usage ? " " : "", noun->verbs[i].usage);
    printf("\n%s\n"
           "  --project ID  where a usage names it; may be left out if there is only one project\n"
           "  --data DIR    the server's data folder [COATCHECK_DATA, else " FOLDER_DEFAULT "]\n"
           "  --json        one line of JSON\n\n"
           "A running server is asked, and every change holds everywhere when this returns; without one the\n"
           "folder is opened.\n",
           noun->about);
    return EXIT_OK;
}

static int usage(const struct order *order)
{
    return cli_fail(EXIT_USAGE, "usage: coatcheck %s %s %s", order->noun->name, order->verb->word,
                    order->verb->usage);
}

static bool take_switch(struct order *order, const char *name)
{
    bool is_kind = strcmp(name, "live") == 0 || strcmp(name, "test") == 0;

    if (!is_kind || !(order->verb->options & TAKES_KIND_SWITCH)) return false;
    order->operation.operand[OPERAND_KIND] = bytes_of_text(name);
    return true;
}

/* Where the value of an option goes; NULL: this verb has no such option. */
static struct bytes *room_of(struct order *order, const char *name)
{
    struct operation *operation = &order->operation;
    size_t i;

    if (strcmp(name, "question") == 0 && (order->verb->options & TAKES_QUESTIONS))
        return operation->question_count < OPERATION_QUESTIONS_MAX
                   ? &operation->questions[operation->question_count++]
                   : NULL;
    for (i = 0; i < sizeof options_known / sizeof options_known[0]; i++)
        if (strcmp(name, options_known[i].name) == 0 &&
            (order->verb->options & TAKES(options_known[i].operand)))
            return &operation->operand[options_known[i].operand];
    return NULL;
}

static int take_option(struct order *order, struct options *options)
{
    const char *name = options->name, *value;
    struct bytes *room;

    if (strcmp(name, "json") == 0 && !options->value) {
        order->wants_json = true;
        return -1;
    }
    if (!options->value && take_switch(order, name)) return -1;
    if (strcmp(name, "data") == 0) {
        order->data = options_value(options);
        if (order->data)
            (void)snprintf(where, sizeof where, " --data %s", order->data); /* cut, it still helps */
        return order->data ? -1 : cli_fail(EXIT_USAGE, "--data needs a folder");
    }
    room = room_of(order, name);
    if (!room)
        return cli_fail(
            EXIT_USAGE,
            "coatcheck %s %s takes no --%.40s, or no more of them; coatcheck %s --help shows what it takes",
            order->noun->name, order->verb->word, name, order->noun->name);
    value = options_value(options);
    if (!value) return cli_fail(EXIT_USAGE, "--%.40s needs a value", name);
    *room = bytes_of_text(value);
    return -1;
}

static int read_words(struct order *order, int argc, char **argv)
{
    struct options options = options_of(argc, argv);
    int code;

    options.at = 2; /* behind the verb */
    while (options.at < argc) {
        if (options_next(&options)) {
            if (strcmp(options.name, "help") == 0) return print_help(order->noun);
            code = take_option(order, &options);
            if (code >= 0) return code;
        } else if (order->words < order->verb->word_count)
            order->operation.operand[order->verb->words[order->words++]] = bytes_of_text(argv[options.at++]);
        else
            return cli_fail(EXIT_USAGE, "\"%.40s\" is one word too many: coatcheck %s %s %s",
                            argv[options.at], order->noun->name, order->verb->word, order->verb->usage);
    }
    if (order->words < order->verb->words_needed) return usage(order);
    if (order->verb->fixed) order->operation.operand[OPERAND_VALUE] = bytes_of_text(order->verb->fixed);
    if (order->verb->prepare && !order->verb->prepare(&order->operation)) return EXIT_USAGE;
    return -1; /* go on */
}

const char *operator_where(void)
{
    return where;
}

/* ---- the answer ---- */

struct bytes operator_text(struct json answer, const char *member)
{
    return json_text(json_member(answer, member));
}

static void append_printable(struct buf *out, struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++)
        buf_append_byte(out, text.ptr[i] < 0x20 || text.ptr[i] == 0x7f ? '?' : text.ptr[i]);
}

static bool is_instant(struct bytes text)
{
    return text.len == 24 && text.ptr[4] == '-' && text.ptr[10] == 'T' && text.ptr[23] == 'Z';
}

/* A list of words becomes "a,b"; a moment loses its seconds: people compare days and minutes. */
static void append_value(struct buf *out, struct json value)
{
    struct bytes text = json_text(value);
    int64_t number;
    size_t i;

    if (json_int64(&number, value))
        buf_append_i64(out, number);
    else if (json_type_of(value) == JSON_IS_TRUE || json_type_of(value) == JSON_IS_FALSE)
        buf_append_text(out, json_type_of(value) == JSON_IS_TRUE ? "yes" : "no");
    else if (json_type_of(value) == JSON_IS_ARRAY) {
        for (i = 0; i < json_count(value); i++) {
            struct json item = json_item(value, i), name = json_member(item, "name");
            if (i) buf_append_byte(out, ',');
            append_printable(out, json_text(json_type_of(name) == JSON_IS_STRING ? name : item));
        }
    } else if (is_instant(text)) {
        buf_append(out, bytes_part(text, 0, 10));
        buf_append_byte(out, ' ');
        buf_append(out, bytes_part(text, 11, 5));
    } else
        append_printable(out, text);
}

#define LABEL_WIDTH 12

void operator_lines(struct json answer, const struct operator_line *lines, unsigned count)
{
    struct buf text;
    unsigned i;

    buf_init(&text, ASK_ANSWER_MAX);
    for (i = 0; i < count; i++) {
        buf_reset(&text);
        append_value(&text, json_member(answer, lines[i].member));
        if (text.len)
            printf("  %-*s %.*s\n", LABEL_WIDTH, lines[i].label, (int)text.len, (const char *)text.ptr);
    }
    buf_wipe(&text);
}

static void write_cell(struct buf *out, struct json row, const struct operator_column *column)
{
    buf_reset(out);
    append_value(out, json_member(row, column->member));
    if (!out->len) buf_append_text(out, column->otherwise ? column->otherwise : "-");
}

#define COLUMNS_MAX 10

static void measure(size_t widths[COLUMNS_MAX], struct json rows, const struct operator_column *columns,
                    unsigned count, struct buf *cell)
{
    size_t r;
    unsigned c;

    for (c = 0; c < count; c++) {
        widths[c] = strlen(columns[c].title);
        for (r = 0; r < json_count(rows); r++) {
            write_cell(cell, json_item(rows, r), &columns[c]);
            if (cell->len > widths[c]) widths[c] = cell->len;
        }
    }
}

void operator_table(struct json answer, const char *list, const struct operator_column *columns,
                    unsigned count, const char *none)
{
    struct json rows = json_member(answer, list);
    size_t widths[COLUMNS_MAX], r;
    struct buf cell;
    unsigned c;

    if (!json_count(rows)) {
        printf("%s\n", none);
        return;
    }
    buf_init(&cell, ASK_ANSWER_MAX);
    measure(widths, rows, columns, count, &cell);
    for (c = 0; c < count; c++)
        printf("%s%-*s", c ? "  " : "", c + 1 < count ? (int)widths[c] : 0, columns[c].title);
    printf("\n");
    for (r = 0; r < json_count(rows); r++) {
        for (c = 0; c < count; c++) {
            write_cell(&cell, json_item(rows, r), &columns[c]);
            printf("%s%.*s%*s", c ? "  " : "", (int)cell.len, (const char *)cell.ptr,
                   c + 1 < count ? (int)(widths[c] - cell.len) : 0, "");
        }
        printf("\n");
    }
    if (operator_text(answer, "next").len)
        printf("there are more: add --after %.*s\n", OPERATOR_TEXT(answer, "next"));
    buf_release(&cell);
}

static int print_answer(const struct order *order, struct json answer)
{
    struct bytes refused = operator_text(answer, "refused");
    struct json_writer w;
    struct buf line;
    int code = EXIT_OK;

    if (refused.len) return cli_fail(EXIT_FAILED, "%.*s", (int)refused.len, (const char *)refused.ptr);
    if (order->wants_json) {
        buf_init(&line, ASK_ANSWER_MAX * 2);
        w = json_writer_on(&line);
        json_put_value(&w, answer);
        if (buf_error(&line))
            code = EXIT_FAILED;
        else
            printf("%.*s\n", (int)line.len, (const char *)line.ptr);
        buf_wipe(&line);
    } else
        order->verb->tell(answer);
    if (fflush(stdout) || ferror(stdout)) code = EXIT_FAILED;
    if (!code) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "it is done, but the answer cannot be printed");
}

/* ---- carrying it out ---- */

static int carry_out_here(const struct order *order, const char *folder)
{
    const struct host *host = host_machine();
    enum data_use use = operation_needs_ring(order->operation.verb) ? DATA_WITH_SECRETS : DATA_TO_OPERATE;
    struct operate_effects effects;
    struct json answer = {NULL};
    struct operate_means means;
    struct data data;
    struct buf text;
    enum err e;
    int code = data_open(&data, folder, use);

    if (code) return code;
    buf_init(&text, OPERATION_ANSWER_MAX);
    means = (struct operate_means){
        .store = data.store, .ring = data.keys.ring, .dice = host->dice, .url = ask_public_url()};
    e = data_now_ms(&means.now_ms, data.store);
    (void)e; /* a store that cannot tell its floor fails the operation for the same reason */
    operate(&text, &effects, &means, &order->operation);
    if (buf_error(&text) || json_read(&answer, buf_bytes(&text)))
        code = cli_fail(EXIT_FAILED, "there is not enough memory for the answer");
    else
        code = print_answer(order, answer);
    json_free(answer);
    buf_wipe(&text);
    data_close(&data);
    return code;
}

static int carry_out(const struct order *order)
{
    const char *folder = ask_folder(order->data);
    struct json answer;
    struct buf line;
    enum ask_end end = ASK_BROKEN;
    int code;

    buf_init(&line, OPERATION_LINE_MAX - 1);
    operation_write(&line, &order->operation);
    if (buf_error(&line)) {
        buf_release(&line);
        return cli_fail(EXIT_USAGE, "that is too much text for one command");
    }
    end = ask_server(&answer, folder, buf_bytes(&line));
    buf_release(&line);
    if (end == ASK_NO_SERVER || end == ASK_NO_FOLDER) return carry_out_here(order, folder);
    if (end) return cli_fail(EXIT_FAILED, "%.200s: %s", folder, ask_end_text(end));
    code = print_answer(order, answer);
    json_free(answer);
    return code;
}

int operator_main(const struct operator_noun *noun, int argc, char **argv)
{
    struct order order = {.noun = noun};
    unsigned i;
    int code;

    if (argc < 2) {
        (void)print_help(noun);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0) return print_help(noun);
    for (i = 0; i < noun->verb_count && !order.verb; i++)
        if (strcmp(argv[1], noun->verbs[i].word) == 0) order.verb = &noun->verbs[i];
    if (!order.verb)
        return cli_fail(EXIT_USAGE, "there is no \"%s %.40s\"; coatcheck %s --help lists what there is",
                        noun->name, argv[1], noun->name);
    order.operation.verb = order.verb->operation;
    code = read_words(&order, argc, argv);
    if (code >= 0) return code;
    return carry_out(&order);
}
