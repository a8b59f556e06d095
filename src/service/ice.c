#include "service/ice.h"

#include "service/service_run.h"
#include "token/turn.h"
#include "wire/json_write.h"

bool ice_next_url(struct bytes *url, struct bytes *urls)
{
    size_t end;

    while (urls->len && urls->ptr[0] == ' ')
        *urls = bytes_from(*urls, 1);
    end = bytes_index(*urls, ' ');
    *url = bytes_part(*urls, 0, end);
    *urls = bytes_from(*urls, end);
    return url->len > 0;
}

static void write_urls(struct json_writer *w, struct bytes urls)
{
    struct bytes url;

    json_key(w, "urls");
    json_array_begin(w);
    while (ice_next_url(&url, &urls))
        json_put_string(w, url);
    json_array_end(w);
}

static enum err write_turn(struct json_writer *w, struct service *service, struct bytes whom, int64_t wall_ms)
{
    const struct ice_options *options = &service->options.ice;
    struct buf user, password;
    enum err e;

    buf_init(&user, TURN_TEXT_MAX);
    buf_init(&password, TURN_TEXT_MAX);
    TRY(e = turn_credential(&user, &password, service->bench.crypto, options->secret,
                            wall_ms / 1000 + options->life_s, whom),
        done);
    json_object_begin(w);
    write_urls(w, options->urls);
    json_key(w, "username");
    json_put_string(w, buf_bytes(&user));
    json_key(w, "credential");
    json_put_string(w, buf_bytes(&password));
    json_key(w, "credentialType");
    json_put_literal(w, "password");
    json_object_end(w);
done:
    buf_release(&user);
    buf_wipe(&password);
    return e;
}

static bool is_space(uint8_t byte) /* RFC 8259 §2 */
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static struct bytes without_space(struct bytes text)
{
    while (text.len && is_space(text.ptr[0]))
        text = bytes_from(text, 1);
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* What stands between the brackets of a JSON array. */
static struct bytes inside(struct bytes array)
{
    array = without_space(array);
    return array.len < 2 ? BYTES_NONE : without_space(bytes_part(array, 1, array.len - 2));
}

void ice_servers_write(struct buf *out, struct service *service, struct bytes whom, int64_t wall_ms)
{
    const struct ice_options *options = &service->options.ice;
    struct json_writer w = json_writer_on(out);
    struct bytes configured = inside(options->servers);
    enum err e;

    json_array_begin(&w);
    if (configured.len) json_put_verbatim(&w, configured);
    if (options->urls.len) {
        e = write_turn(&w, service, whom, wall_ms);
        if (e && !buf_error(out)) out->error = e;
    }
    json_array_end(&w);
}
