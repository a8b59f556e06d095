/* signalwire.h — the SignalWire dialect: Subscriber Access Tokens over REST, JSON-RPC on a WebSocket.
 *
 * Where each rule comes from is in README.md beside this file. REST in rest_decode.c and rest_encode.c,
 * limited and client-bound tokens in limited_decode.c and limited_encode.c, the socket in socket.c, calls in
 * verto_decode.c and verto_encode.c; the rows are in routes.c. */
#ifndef COATCHECK_DIALECT_SIGNALWIRE_SIGNALWIRE_H
#define COATCHECK_DIALECT_SIGNALWIRE_SIGNALWIRE_H

#include "dialect/dialect.h"

extern const struct dialect signalwire_dialect;

ask_decode_fn signalwire_decode_mint, signalwire_decode_refresh, signalwire_decode_who,
    signalwire_decode_addresses, signalwire_decode_address, signalwire_decode_connect,
    signalwire_decode_reauthenticate;
ask_decode_fn signalwire_decode_guest, signalwire_decode_invite, signalwire_decode_embed,
    signalwire_decode_activate, signalwire_decode_renew;
outcome_encode_fn signalwire_encode_minted, signalwire_encode_refreshed, signalwire_encode_who,
    signalwire_encode_addresses, signalwire_encode_address, signalwire_encode_refused;
outcome_encode_fn signalwire_encode_guest, signalwire_encode_invite, signalwire_encode_embed,
    signalwire_encode_bound;

/* Subscribers, resources and keys, for backends: objects_decode.c, objects_encode.c. */
ask_decode_fn signalwire_decode_subscriber_create, signalwire_decode_subscriber_read,
    signalwire_decode_subscriber_update, signalwire_decode_subscriber_delete, signalwire_decode_subscribers,
    signalwire_decode_subscriber_addresses, signalwire_decode_room_create, signalwire_decode_resource_read,
    signalwire_decode_resource_delete, signalwire_decode_resources, signalwire_decode_resource_addresses,
    signalwire_decode_make_key;
outcome_encode_fn signalwire_encode_subscriber, signalwire_encode_subscriber_made,
    signalwire_encode_subscribers, signalwire_encode_resource, signalwire_encode_resources,
    signalwire_encode_owned_addresses, signalwire_encode_gone, signalwire_encode_key_made;

void signalwire_welcome(struct buf *out, const struct dialect_session *session, struct bytes id);
void signalwire_refuse_call(struct buf *out, struct bytes id, const struct refused *refused, enum err error,
                            struct bytes data);
void signalwire_give_state(struct buf *out, const struct dialect_session *session, struct bytes state);
/* The name of the session in a protocol as we make them; absent if it is no such text. */
struct bytes signalwire_session_of(struct bytes protocol);
void signalwire_ping(struct buf *out, const struct dialect_session *session);
void signalwire_tell_upgrade(struct buf *out, const struct dialect_session *session,
                             const struct dialect_upgrade *upgrade);
void signalwire_tell_presence(struct buf *out, const struct dialect_session *session, enum presence presence);
void signalwire_tell_expiry(struct buf *out, const struct dialect_session *session);

#define SIGNALWIRE_CALLS 3
extern const struct socket_call signalwire_calls[SIGNALWIRE_CALLS];

/* Calls: verto_decode.c, verto_encode.c. */
#define SIGNALWIRE_PHONE_METHOD "webrtc.verto"
void signalwire_decode_phone(struct phone_ask *ask, struct refused *refused, const struct rpc_message *call);
void signalwire_answer_phone(struct buf *out, const struct dialect_session *session,
                             const struct phone_ask *ask);
void signalwire_refuse_phone(struct buf *out, const struct phone_ask *ask, const struct refused *refused,
                             enum err error, struct bytes data);
void signalwire_tell_phone(struct buf *out, const struct dialect_session *session,
                           const struct phone_news *news);

/* An event's frame; its params go between the two. */
struct json_writer;
void signalwire_event_begin(struct json_writer *w, struct buf *out, const struct dialect_session *session,
                            const char *type);
void signalwire_event_end(struct json_writer *w);

/* Members of an object that speaks of a token: "scope", and "cnf" if it is bound. */
void signalwire_write_scope(struct json_writer *w, const struct holder *holder);
void signalwire_write_binding(struct json_writer *w, const struct holder *holder);

#endif
