/* holder_encode.c — what a token may do and which key it is bound to: the same words in REST answers and
 * on the socket. */
#include "dialect/signalwire/signalwire.h"

#include "wire/json_write.h"

void signalwire_write_scope(struct json_writer *w, const struct holder *holder)
{
    json_key(w, "scope");
    json_array_begin(w);
    if (holder->may_self_refresh) json_put_literal(w, "sat:refresh");
    json_array_end(w);
}

void signalwire_write_binding(struct json_writer *w, const struct holder *holder)
{
    if (bytes_is_absent(holder->jkt)) return;
    json_key(w, "cnf");
    json_object_begin(w);
    json_key(w, "jkt");
    json_put_string(w, holder->jkt);
    json_object_end(w);
}
