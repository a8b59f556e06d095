#include "token/jws.h"

#include "base/base64url.h"
#include "wire/json_write.h"

#include <string.h>

/* The three parts; every other number of dots is another format (five parts: JWE). An empty payload is a
 * valid JWS, an empty header or signature is not. */
static bool split_parts(struct bytes part[3], struct bytes token)
{
    struct bytes rest;

    if (!bytes_split(&part[0], &rest, token, '.') || !bytes_split(&part[1], &part[2], rest, '.'))
        return false;
    return part[0].len > 0 && part[2].len > 0 && !bytes_have(part[2], '.');
}

static enum err decode(struct bytes *out, struct arena *arena, struct bytes text)
{
    size_t cap = text.len / 4 * 3 + 3, len;
    uint8_t *decoded = arena_alloc(arena, cap);
    enum err e;

    *out = BYTES_NONE;
    if (!decoded) return ERR_NO_MEMORY;
    if ((e = base64url_read(decoded, cap, &len, text)) != ERR_OK) return e;
    *out = bytes_of(decoded, len);
    return ERR_OK;
}

static bool string_member(struct bytes *out, struct json header, const char *name, bool is_required)
{
    struct json member = json_member(header, name);

    *out = json_text(member);
    if (json_type_of(member) == JSON_IS_ABSENT) return !is_required;
    return json_text_is_clean(member);
}

/* RFC 7515 §4.1: crit names extensions that must be understood, and we understand none; b64 (RFC 7797) and
 * zip change what the payload means. Refused by mere presence, whatever they say. */
static bool has_extension(struct json header)
{
    static const char *const names[] = {"crit", "b64", "zip"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (json_type_of(json_member(header, names[i])) != JSON_IS_ABSENT) return true;
    return false;
}

static enum err read_header(struct jws *out, struct bytes text)
{
    enum err e = json_read(&out->header, text);

    if (e != ERR_OK) return e;
    if (json_type_of(out->header) != JSON_IS_OBJECT || has_extension(out->header)) return ERR_MALFORMED;
    if (!string_member(&out->alg, out->header, "alg", true) ||
        !string_member(&out->typ, out->header, "typ", false) ||
        !string_member(&out->kid, out->header, "kid", false))
        return ERR_MALFORMED;
    return ERR_OK;
}

enum err jws_split(struct jws *out, struct arena *arena, struct bytes token)
{
    struct bytes part[3], header;
    enum err e = ERR_MALFORMED;

    memset(out, 0, sizeof *out);
    if (token.len > JWS_MAX) return ERR_TOO_LARGE;
    if (!split_parts(part, token)) return ERR_MALFORMED;
    TRY(e = decode(&header, arena, part[0]), done);
    TRY(e = decode(&out->payload, arena, part[1]), done);
    TRY(e = decode(&out->signature, arena, part[2]), done);
    TRY(e = read_header(out, header), done);
    out->signing_input = bytes_of(token.ptr, part[0].len + 1 + part[1].len);
done:
    if (e != ERR_OK) jws_release(out);
    return e;
}

void jws_release(struct jws *jws)
{
    json_free(jws->header);
    memset(jws, 0, sizeof *jws);
}

enum err jws_sign(struct buf *out, struct crypto_sign *key, struct bytes header_b64, struct bytes payload)
{
    size_t start = out->len;
    uint8_t signature[64];
    enum err e;

    buf_append(out, header_b64);
    buf_append_byte(out, '.');
    base64url_append(out, payload);
    TRY(e = buf_error(out), done);
    TRY(e = crypto_sign(key, signature, bytes_from(buf_bytes(out), start)), done);
    buf_append_byte(out, '.');
    base64url_append(out, bytes_of(signature, sizeof signature));
    e = buf_error(out);
done:
    if (e != ERR_OK) buf_truncate(out, start); /* nothing unsigned stays behind */
    return e;
}

void jws_header(struct buf *out, enum alg alg, struct bytes typ, struct bytes kid, struct bytes ch)
{
    struct buf text;
    struct json_writer w = json_writer_on(&text);

    buf_init(&text, JWS_MAX);
    json_object_begin(&w);
    json_key(&w, "alg");
    json_put_literal(&w, alg_jose(alg));
    json_key(&w, "typ");
    json_put_string(&w, typ);
    json_key(&w, "kid");
    json_put_string(&w, kid);
    if (!bytes_is_absent(ch)) {
        json_key(&w, "ch");
        json_put_string(&w, ch);
    }
    json_object_end(&w);
    if (buf_error(&text) == ERR_OK)
        base64url_append(out, buf_bytes(&text));
    else
        out->error = buf_error(&text);
    buf_release(&text);
}
