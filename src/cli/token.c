/* token.c — `coatcheck token inspect`: what a token is, what it says, and whether it is ours. Takes it apart
 * right here; the running server is asked only for its public keys, and never shown the token. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/instant.h"
#include "base/secret.h"
#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/options.h"
#include "cli/tell.h"
#include "engine/age.h"
#include "server/host.h"
#include "service/key_text.h"
#include "service/presented.h"
#include "token/dpop.h"
#include "token/seal.h"

#define INPUT_MAX 65536

struct inspection {
    struct tell tell;
    struct arena arena;
    struct crypto *crypto;
    struct json server; /* the answer to "keys"; absent: unchecked says why */
    const char *unchecked, *folder;
    int64_t now_s;
    bool was_argument; /* it stands in the shell's history and in the list of processes */
};

static int print_help(int code)
{
    fputs("usage: coatcheck token inspect [TOKEN|-] [--data DIR] [--json]\n\n"
          "Says what a text is: an access token (with header, claims, times, key, signature), a proof, a "
          "sealed\n"
          "refresh token, a key or secret, or none of these. Without TOKEN, or with -, it reads standard "
          "input,\n"
          "which is better: an argument stays in the shell's history.\n\n"
          "  --data DIR  the data folder of the server whose keys are asked for [COATCHECK_DATA, else "
          ".coatcheck]\n"
          "  --json      one line of JSON\n\n"
          "exit codes: 0 it is something this server issues or takes, 1 it is not\n",
          code ? stderr : stdout);
    return code;
}

/* ---- keys ---- */

static struct json listed_key(struct json server, const char *use, struct bytes id)
{
    struct json list = json_member(server, "keys");
    size_t i;

    for (i = 0; i < json_count(list); i++) {
        struct json key = json_item(list, i);
        if (bytes_equal(json_text(json_member(key, "id")), id) &&
            bytes_equal(json_text(json_member(key, "use")), bytes_of_text(use)))
            return key;
    }
    return (struct json){NULL};
}

/* A retired key still proves what it signed; a text that names it is an old one. */
static void tell_retired(struct inspection *it, struct json key)
{
    char since[INSTANT_SHORT_MAX], until[INSTANT_SHORT_MAX];
    int64_t since_ms, gone_ms;

    if (!bytes_equal(json_text(json_member(key, "state")), BYTES("retired")) ||
        !json_int64(&since_ms, json_member(key, "since_ms")) ||
        !json_int64(&gone_ms, json_member(key, "next_ms")))
        return;
    instant_write_short(since, since_ms / 1000);
    instant_write_short(until, gone_ms / 1000);
    tell_line(&it->tell, "but", "key retired %s; it is kept until %s for what is under it", since, until);
}

static void tell_key(struct inspection *it, const char *use, struct bytes id)
{
    struct json key = listed_key(it->server, use, id);
    struct bytes state = json_text(json_member(key, "state"));
    int len = (int)(id.len < 64 ? id.len : 64);

    if (it->unchecked)
        tell_line(&it->tell, "key", "%.*s (not looked up: %s)", len, (const char *)id.ptr, it->unchecked);
    else if (state.len)
        tell_line(&it->tell, "key", "%.*s, ours, %.*s", len, (const char *)id.ptr, (int)state.len,
                  (const char *)state.ptr);
    else
        tell_line(&it->tell, "key", "%.*s, which is no key of this server", len,
                  id.len ? (const char *)id.ptr : "");
    tell_retired(it, key);
}

static struct json public_key(struct json server, struct bytes kid)
{
    struct json keys = json_member(json_member(server, "jwks"), "keys");
    size_t i;

    for (i = 0; i < json_count(keys); i++)
        if (bytes_equal(json_text(json_member(json_item(keys, i), "kid")), kid)) return json_item(keys, i);
    return (struct json){NULL};
}

static const char *signature_verdict(struct inspection *it, const struct jws *jws)
{
    struct crypto_check *check = NULL;
    struct crypto_public public;
    struct jwk jwk;
    bool is_good;

    if (it->unchecked) return "not checked";
    if (jwk_read(&jwk, public_key(it->server, jws->kid)))
        return "not checked: it is of no key of this server";
    if (!bytes_equal(jws->alg, bytes_of_text(alg_jose(jwk.alg))))
        return "does not verify: the key has another algorithm";
    public = jwk_public(&jwk);
    if (crypto_check_new(&check, it->crypto, &public)) return "not checked: the crypto library failed";
    is_good = crypto_check(check, jws->signing_input, jws->signature);
    crypto_check_free(check);
    return is_good ? "verifies" : "does not verify: altered, or signed by somebody else";
}

/* ---- access tokens and proofs ---- */

static void tell_time(struct inspection *it, const char *label, struct json number, const char *past)
{
    char at[INSTANT_SHORT_MAX], span[INSTANT_SPAN_MAX];
    int64_t at_s;

    if (!json_int64(&at_s, number)) return;
    instant_write_short(at, at_s);
    instant_write_span(span, at_s, it->now_s);
    tell_line(&it->tell, label, "%s, %s%s", at, at_s <= it->now_s ? past : "", span);
}

static void tell_issuer(struct inspection *it, struct json claims)
{
    struct bytes iss = json_text(json_member(claims, "iss")),
                 ours = json_text(json_member(it->server, "issuer"));

    tell_bytes(&it->tell, "issuer", iss);
    if (!it->unchecked && !bytes_equal(iss, ours))
        tell_line(&it->tell, "but", "the server on this folder is %.*s", (int)ours.len,
                  (const char *)ours.ptr);
}

/* How far the server has moved the clock of the token's project; 0 if there is nobody to ask. */
static int64_t ask_age(struct inspection *it, struct json claims)
{
    char line[128], text[UUID_TEXT_LEN];
    struct json answer;
    struct uuid project;
    int64_t age_ms = 0;

    if (it->unchecked || uuid_read(&project, json_text(json_member(claims, "prj")))) return 0;
    uuid_write(text, &project);
    (void)snprintf(line, sizeof line, "{\"command\":\"keys\",\"project\":\"%.*s\"}", UUID_TEXT_LEN, text);
    if (ask_server(&answer, it->folder, bytes_of_text(line))) return 0;
    if (!json_int64(&age_ms, json_member(answer, "age_ms"))) age_ms = 0;
    json_free(answer);
    return age_ms;
}

static void tell_expiry(struct inspection *it, struct json claims)
{
    const int64_t real_s = it->now_s;
    int64_t theirs_ms, moved_s;
    char span[DURATION_TEXT_MAX];

    if (!json_int64(&theirs_ms, json_member(claims, "age"))) theirs_ms = 0;
    moved_s = age_now_ms(real_s * 1000, ask_age(it, claims), theirs_ms) / 1000 - real_s;
    it->now_s = real_s + moved_s;
    tell_time(it, "expires", json_member(claims, "exp"), "expired ");
    it->now_s = real_s;
    if (moved_s == 0) return;
    duration_write(span, moved_s * 1000);
    tell_line(&it->tell, "clock", "moved %s forward since this was issued", span);
}

static void tell_access(struct inspection *it, const struct jws *jws, struct json claims)
{
    struct json jkt = json_member(json_member(claims, "cnf"), "jkt");

    tell_bytes(&it->tell, "kind", json_text(json_member(claims, "kind")));
    tell_issuer(it, claims);
    tell_time(it, "issued", json_member(claims, "iat"), "");
    tell_expiry(it, claims);
    tell_bytes(&it->tell, "project", json_text(json_member(claims, "prj")));
    tell_bytes(&it->tell, "user", json_text(json_member(claims, "sub")));
    if (json_text(jkt).len) tell_bytes(&it->tell, "bound to", json_text(jkt));
    tell_key(it, "sign", jws->kid);
    tell_line(&it->tell, "signature", "%s", signature_verdict(it, jws));
}

static void tell_proof(struct inspection *it, struct bytes text, struct json claims)
{
    struct dpop dpop;
    bool is_good = dpop_read(&dpop, &it->arena, it->crypto, text) == ERR_OK;

    tell_time(it, "made", json_member(claims, "iat"), "");
    if (is_good) tell_bytes(&it->tell, "key", bytes_of(dpop.jkt, sizeof dpop.jkt));
    tell_line(&it->tell, "signature", "%s",
              is_good ? "verifies, by the key it carries" : "does not verify, or the proof is not whole");
}

static int inspect_jws(struct inspection *it, struct bytes text)
{
    struct json claims = {NULL};
    struct jws jws;
    bool is_proof;
    enum err e = jws_split(&jws, &it->arena, text);

    if (e) {
        tell_line(&it->tell, "what", "three parts, but no token: %s",
                  e == ERR_TOO_LARGE ? "it is too long"
                                     : "not strict base64url, or the header is no JSON of ours");
        jws_release(&jws);
        return EXIT_FAILED;
    }
    is_proof = bytes_equal(jws.typ, BYTES("dpop+jwt"));
    if (json_read(&claims, jws.payload) || json_type_of(claims) != JSON_IS_OBJECT) {
        json_free(claims);
        jws_release(&jws);
        tell_line(&it->tell, "what", "a signed thing whose payload is no JSON object: no token of ours");
        return EXIT_FAILED;
    }
    tell_line(&it->tell, "what", "%s", is_proof ? "a proof of possession (DPoP)" : "an access token");
    if (is_proof)
        tell_proof(it, text, claims);
    else
        tell_access(it, &jws, claims);
    tell_value(&it->tell, "header", jws.header);
    tell_value(&it->tell, "claims", claims);
    json_free(claims);
    jws_release(&jws);
    return EXIT_OK;
}

/* ---- the rest ---- */

static int inspect_sealed(struct inspection *it, enum presented kind, enum seal_kind seal, struct bytes text)
{
    struct bytes key = seal_named_key(seal, text);

    tell_line(&it->tell, "what", "%s, sealed: only the server can open it", presented_text(kind));
    tell_line(&it->tell, "length", "%zu characters", text.len);
    if (bytes_is_absent(key)) {
        tell_line(&it->tell, "but", "it is not whole: cut, or with something added");
        return EXIT_FAILED;
    }
    tell_key(it, "seal", key);
    return EXIT_OK;
}

static int inspect_key(struct inspection *it, enum presented kind, enum key_kind key, struct bytes text)
{
    bool is_whole = presented_is_whole(kind, text);

    tell_line(&it->tell, "what", "%s: no token", presented_text(kind));
    tell_line(&it->tell, "length", "%zu characters", text.len);
    if (key) tell_bytes(&it->tell, "public id", key_text_public_id(key, text));
    if (!is_whole) tell_line(&it->tell, "but", "it is not whole: cut, mistyped, or with something added");
    if (presented_is_secret(kind))
        tell_line(&it->tell, "beware",
                  "this is a secret: it belongs in a backend's settings and nowhere else%s",
                  it->was_argument ? "; it now stands in your shell's history" : "");
    return is_whole ? EXIT_OK : EXIT_FAILED;
}

static int inspect(struct inspection *it, struct bytes text)
{
    enum presented kind = presented_kind(text);

    switch (kind) {
    case PRESENTED_JWS:
        return inspect_jws(it, text);
    case PRESENTED_REFRESH:
        return inspect_sealed(it, kind, SEAL_REFRESH, text);
    case PRESENTED_BOOTSTRAP:
        return inspect_sealed(it, kind, SEAL_BOOTSTRAP, text);
    case PRESENTED_LAUNCH:
        return inspect_sealed(it, kind, SEAL_LAUNCH, text);
    case PRESENTED_RESUME:
        return inspect_sealed(it, kind, SEAL_RESUME, text);
    case PRESENTED_API_TOKEN:
        return inspect_key(it, kind, KEY_API_TOKEN, text);
    case PRESENTED_CLIENT_ID:
        return inspect_key(it, kind, KEY_CLIENT, text);
    case PRESENTED_CLIENT:
        return inspect_key(it, kind, 0, text);
    case PRESENTED_SECRET_KEY:
        return inspect_key(it, kind, KEY_SECRET, text);
    case PRESENTED_PUBLISHABLE:
        return inspect_key(it, kind, KEY_PUBLISHABLE, text);
    case PRESENTED_CLICK:
        return inspect_key(it, kind, KEY_CLICK_TO_CALL, text);
    case PRESENTED_UUID:
    case PRESENTED_NOTHING:
    case PRESENTED_UNKNOWN:
        break;
    }
    tell_line(&it->tell, "what", "no token: %s", presented_text(kind));
    tell_line(&it->tell, "length", "%zu bytes", text.len);
    return EXIT_FAILED;
}

/* ---- in and out ---- */

static bool read_input(struct buf *out)
{
    uint8_t part[4096];
    ssize_t len;

    while ((len = read(STDIN_FILENO, part, sizeof part)) > 0)
        buf_append(out, bytes_of(part, (size_t)len));
    secret_wipe(part, sizeof part);
    return len == 0 && buf_error(out) == ERR_OK;
}

/* What people copy: blanks and line ends around it, or a whole "Bearer ..." value. */
static struct bytes without_wrapping(struct bytes text)
{
    size_t start = 0;

    while (start < text.len && text.ptr[start] <= ' ')
        start++;
    while (text.len > start && text.ptr[text.len - 1] <= ' ')
        text.len--;
    text = bytes_from(text, start);
    if (bytes_equal_nocase(bytes_part(text, 0, 7), BYTES("Bearer "))) text = bytes_trim(bytes_from(text, 7));
    return text;
}

static int inspect_and_tell(struct bytes text, const char *folder, bool is_json, bool was_argument)
{
    const struct host *host = host_machine();
    struct inspection it = {
        .now_s = host->wall_ms(host->state) / 1000, .was_argument = was_argument, .folder = folder};
    enum ask_end end = ask_server(&it.server, folder, BYTES("{\"command\":\"keys\"}"));
    int64_t now_ms;
    int code;

    if (end) it.unchecked = ask_end_text(end);
    if (json_int64(&now_ms, json_member(it.server, "now_ms"))) it.now_s = now_ms / 1000; /* as it decides */
    arena_init(&it.arena, 4 * INPUT_MAX);
    if (crypto_new(&it.crypto)) {
        json_free(it.server);
        return cli_fail(EXIT_FAILED, "the crypto library cannot be set up");
    }
    tell_begin(&it.tell, is_json);
    code = inspect(&it, text);
    if (!tell_end(&it.tell)) code = cli_fail(EXIT_FAILED, "the answer cannot be printed");
    crypto_free(it.crypto);
    arena_release(&it.arena);
    json_free(it.server);
    return code;
}

struct words {
    const char *token, *data;
    bool is_json, wants_help;
};

static int read_words(struct words *out, int argc, char **argv)
{
    struct options options = options_of(argc, argv);

    while (options.at < argc) {
        if (!options_next(&options)) {
            if (out->token)
                return cli_fail(EXIT_USAGE, "one token at a time; coatcheck token inspect --help");
            out->token = argv[options.at++];
        } else if (strcmp(options.name, "help") == 0)
            out->wants_help = true;
        else if (strcmp(options.name, "json") == 0 && !options.value)
            out->is_json = true;
        else if (strcmp(options.name, "data") == 0) {
            out->data = options_value(&options);
            if (!out->data) return cli_fail(EXIT_USAGE, "--data needs a folder");
        } else
            return cli_fail(EXIT_USAGE,
                            "there is no option --%.40s; coatcheck token inspect --help lists them",
                            options.name);
    }
    return EXIT_OK;
}

static int inspect_words(const struct words *words)
{
    bool is_argument = words->token && strcmp(words->token, "-") != 0;
    struct buf input;
    int code;

    buf_init(&input, INPUT_MAX);
    if (is_argument)
        buf_append_text(&input, words->token);
    else if (!read_input(&input)) {
        buf_wipe(&input);
        return cli_fail(EXIT_FAILED, "standard input holds more than %d bytes, or cannot be read: no token",
                        INPUT_MAX);
    }
    code = inspect_and_tell(without_wrapping(buf_bytes(&input)), ask_folder(words->data), words->is_json,
                            is_argument);
    buf_wipe(&input);
    return code;
}

int cli_token(int argc, char **argv)
{
    struct words words = {.token = NULL};
    int code;

    if (argc < 2) return print_help(EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0) return print_help(EXIT_OK);
    if (strcmp(argv[1], "inspect") != 0)
        return cli_fail(EXIT_USAGE, "there is no \"token %.40s\"; coatcheck token --help", argv[1]);
    code = read_words(&words, argc - 1, argv + 1);
    if (code) return code;
    return words.wants_help ? print_help(EXIT_OK) : inspect_words(&words);
}
