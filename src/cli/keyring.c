#include "cli/keyring.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/instant.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/folder.h"
#include "cli/options.h"

static int print_help(void)
{
    fputs("usage: coatcheck keyring [list] [--data DIR] [--json]\n"
          "       coatcheck keyring rotate [--use sign|seal] [--emergency] [--data DIR] [--json]\n"
          "       coatcheck keyring retire|remove ID [--emergency] [--data DIR] [--json]\n"
          "       coatcheck keyring rewrap [--new-key FILE] [--data DIR] [--json]\n\n"
          "The keys that sign access tokens and seal refresh tokens and tickets. A key is published until "
          "verifiers\n"
          "know it, then it signs, then it is retired until what is under it has expired, then it is gone. "
          "The server\n"
          "does all that by itself (settings signing_key_days, seal_key_days, signing_alg).\n\n"
          "  list    every key, its state and its next step\n"
          "  rotate  the next step now: a new key, or the turn of the published one\n"
          "  retire  the key that signs hands over to the published one\n"
          "  remove  the key is gone, and what is under it cannot be verified any more\n"
          "  rewrap  another master key: a new one in the data folder, or the one in FILE or in\n"
          "          COATCHECK_NEW_MASTER_KEY (32 bytes in base64url); the old one opens nothing any more\n\n"
          "  --emergency  also what is not safe yet; says first what it breaks\n"
          "  --data DIR   the server's data folder [COATCHECK_DATA, else " FOLDER_DEFAULT "]\n"
          "  --json       one line of JSON\n\n"
          "A running server is asked, and has done it when this returns; without one the folder is opened.\n",
          stdout);
    return EXIT_OK;
}

/* ---- words ---- */

static int read_option(struct keyring_order *order, struct options *options)
{
    const char **room = NULL, *name = options->name;

    if (strcmp(name, "help") == 0) return print_help();
    if (strcmp(name, "json") == 0 && !options->value)
        order->wants_json = true;
    else if (strcmp(name, "emergency") == 0 && !options->value)
        order->order.is_emergency = true;
    else if (strcmp(name, "data") == 0)
        room = &order->data;
    else if (strcmp(name, "use") == 0)
        room = &order->use;
    else if (strcmp(name, "new-key") == 0)
        room = &order->new_key;
    else
        return cli_fail(EXIT_USAGE, "there is no option --%.40s; coatcheck keyring --help lists them", name);
    if (room && !(*room = options_value(options))) return cli_fail(EXIT_USAGE, "--%s needs a value", name);
    return -1;
}

static int read_words(struct keyring_order *order, const char **verb, int argc, char **argv)
{
    struct options options = options_of(argc, argv);

    *verb = NULL;
    while (options.at < argc) {
        int code = -1;
        if (options_next(&options))
            code = read_option(order, &options);
        else if (!*verb)
            *verb = argv[options.at++];
        else if (!order->id)
            order->id = argv[options.at++];
        else
            return cli_fail(EXIT_USAGE, "\"%.40s\" is one word too many", argv[options.at]);
        if (code >= 0) return code;
    }
    if (!*verb) *verb = "list";
    return -1;
}

static bool is_id(const char *text)
{
    return strlen(text) == 8 && strspn(text, "0123456789abcdef") == 8;
}

static int check_words(struct keyring_order *order, const char *verb)
{
    bool needs_id = order->order.want && order->order.want != RING_WANT_ROTATE;

    if (needs_id && (!order->id || !is_id(order->id)))
        return cli_fail(EXIT_USAGE,
                        "which key? coatcheck keyring %s ID: coatcheck keyring list shows the ids", verb);
    if (order->id && !needs_id) return cli_fail(EXIT_USAGE, "keyring %s takes no \"%.40s\"", verb, order->id);
    if (order->use && order->order.want != RING_WANT_ROTATE)
        return cli_fail(EXIT_USAGE, "--use is for keyring rotate");
    if (order->new_key && strcmp(verb, "rewrap") != 0)
        return cli_fail(EXIT_USAGE, "--new-key is for keyring rewrap");
    if (order->order.is_emergency && !order->order.want)
        return cli_fail(EXIT_USAGE, "keyring %s breaks nothing: it takes no --emergency", verb);
    order->order.use = RING_SIGN;
    if (order->use && !ring_use_of_text(&order->order.use, bytes_of_text(order->use)))
        return cli_fail(EXIT_USAGE, "\"%.40s\" is no use of a key: sign or seal", order->use);
    if (order->id) order->order.id = bytes_of_text(order->id);
    return -1;
}

/* ---- answers ---- */

static void print_instant(int64_t ms)
{
    char text[INSTANT_SHORT_MAX];

    instant_write_short(text, ms / 1000);
    printf("%s", text);
}

static void print_bytes(struct json object, const char *member, int width)
{
    struct bytes text = json_text(json_member(object, member));

    if (text.len)
        printf("%-*.*s", width, (int)text.len, (const char *)text.ptr);
    else
        printf("%-*s", width, "-");
}

static void print_keys(struct json keys)
{
    size_t i;

    printf("id        use   alg    state      since                 next\n");
    for (i = 0; i < json_count(keys); i++) {
        struct json key = json_item(keys, i);
        int64_t since_ms, next_ms;
        print_bytes(key, "id", 10);
        print_bytes(key, "use", 6);
        print_bytes(key, "alg", 7);
        print_bytes(key, "state", 11);
        if (json_int64(&since_ms, json_member(key, "since_ms"))) print_instant(since_ms);
        if (json_int64(&next_ms, json_member(key, "next_ms"))) {
            struct bytes next = json_text(json_member(key, "next"));
            printf("  %.*s ", (int)next.len, (const char *)next.ptr);
            print_instant(next_ms);
        }
        putchar('\n');
    }
}

static int print_answer(const struct keyring_order *order, struct json answer)
{
    struct json keys = json_member(answer, "keys");
    bool is_printed;

    if (json_type_of(keys) != JSON_IS_ARRAY) return cli_fail(EXIT_FAILED, "%s", ask_end_text(ASK_BROKEN));
    if (order->wants_json) {
        struct buf line;
        struct json_writer w;
        buf_init(&line, ASK_ANSWER_MAX);
        w = json_writer_on(&line);
        json_object_begin(&w);
        json_key(&w, "keys");
        json_put_value(&w, keys);
        json_object_end(&w);
        buf_append_byte(&line, '\n');
        is_printed = !buf_error(&line) && fwrite(line.ptr, 1, line.len, stdout) == line.len;
        buf_release(&line);
    } else {
        print_keys(keys);
        is_printed = true;
    }
    if (is_printed && fflush(stdout) == 0) return EXIT_OK;
    return cli_fail(EXIT_FAILED, "the answer cannot be printed");
}

static void append_harms(struct buf *text, struct json answer)
{
    struct json harms = json_member(answer, "harms");
    size_t i;

    for (i = 0; i < json_count(harms); i++) {
        if (i) buf_append_text(text, ". Also, ");
        buf_append(text, json_text(json_item(harms, i)));
    }
}

static int refused(struct json answer)
{
    struct bytes because = json_text(json_member(answer, "refused"));
    struct json may_force = json_member(answer, "may_force");
    char moment[INSTANT_SHORT_MAX];
    struct buf text;
    int64_t from_ms;

    buf_init(&text, 4096);
    buf_append(&text, because);
    if (json_int64(&from_ms, json_member(answer, "from_ms"))) {
        instant_write_short(moment, from_ms / 1000 + 1);
        buf_append_text(&text, ". It is safe from ");
        buf_append_text(&text, moment);
    }
    if (json_type_of(may_force) == JSON_IS_TRUE) {
        buf_append_text(&text, ". --emergency does it now: ");
        append_harms(&text, answer);
    }
    (void)cli_fail(EXIT_FAILED, "%.*s", (int)text.len, (const char *)text.ptr);
    buf_release(&text);
    return EXIT_FAILED;
}

static void warn_of_harms(struct json answer)
{
    struct buf text;

    buf_init(&text, 4096);
    append_harms(&text, answer);
    if (text.len) (void)cli_fail(EXIT_OK, "this breaks: %.*s", (int)text.len, (const char *)text.ptr);
    buf_release(&text);
}

/* ---- asking ---- */

static const char *want_text(enum ring_want want)
{
    return want == RING_WANT_ROTATE ? "rotate" : want == RING_WANT_RETIRE ? "retire" : "remove";
}

/* An exit code, or -1: answered. */
static int ask(struct json *answer, const char *folder, const struct keyring_order *order)
{
    char line[256] = "{\"command\":\"keys\"}";
    enum ask_end end;

    if (order->order.want)
        (void)snprintf(line, sizeof line,
                       "{\"command\":\"keyring\",\"want\":\"%s\",\"use\":\"%s\",\"id\":\"%.8s\","
                       "\"emergency\":%s,\"look\":%s}",
                       want_text(order->order.want), ring_use_text(order->order.use),
                       order->id ? order->id : "", order->order.is_emergency ? "true" : "false",
                       order->is_look ? "true" : "false");
    end = ask_server(answer, folder, bytes_of_text(line));
    if (end == ASK_NO_SERVER)
        return order->order.want ? keyring_order_in_folder(answer, folder, order)
                                 : keyring_list_in_folder(answer, folder);
    return end ? cli_fail(EXIT_FAILED, "%.200s: %s", folder, ask_end_text(end)) : -1;
}

static int ask_and_print(const char *folder, const struct keyring_order *order)
{
    struct json answer = {NULL};
    int code = ask(&answer, folder, order);

    if (code >= 0) return code;
    if (json_type_of(json_member(answer, "refused")) != JSON_IS_ABSENT)
        code = refused(answer);
    else if (order->is_look)
        warn_of_harms(answer);
    else
        code = print_answer(order, answer);
    json_free(answer);
    return code;
}

int cli_keyring(int argc, char **argv)
{
    static const struct {
        const char *verb;
        enum ring_want want;
    } verbs[] = {{"list", 0},
                 {"rotate", RING_WANT_ROTATE},
                 {"retire", RING_WANT_RETIRE},
                 {"remove", RING_WANT_REMOVE},
                 {"rewrap", 0}};
    struct keyring_order order = {.data = NULL};
    const char *verb, *folder;
    size_t i;
    int code = read_words(&order, &verb, argc, argv);

    if (code >= 0) return code;
    for (i = 0; i < sizeof verbs / sizeof verbs[0] && strcmp(verb, verbs[i].verb) != 0; i++)
        continue;
    if (i == sizeof verbs / sizeof verbs[0])
        return cli_fail(EXIT_USAGE, "\"%.40s\" is nothing a key ring does; coatcheck keyring --help", verb);
    order.order.want = verbs[i].want;
    if ((code = check_words(&order, verb)) >= 0) return code;
    folder = ask_folder(order.data);
    if (strcmp(verb, "rewrap") == 0) return keyring_rewrap_master(folder, order.new_key, order.wants_json);
    if (order.order.is_emergency) { /* first what it breaks */
        order.is_look = true;
        if ((code = ask_and_print(folder, &order)) >= 0) return code;
        order.is_look = false;
    }
    return ask_and_print(folder, &order);
}
