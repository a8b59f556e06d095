/* rest_inside.h — words that the encoders of this dialect's REST calls share. Not for other folders. */
#ifndef COATCHECK_DIALECT_SIGNALWIRE_REST_INSIDE_H
#define COATCHECK_DIALECT_SIGNALWIRE_REST_INSIDE_H

#include "dialect/dialect.h"

void signalwire_write_uuid(struct json_writer *w, const char *key, const struct uuid *id);
void signalwire_write_address(struct json_writer *w, const struct address *address);
void signalwire_write_addresses(struct json_writer *w, const struct outcome *outcome); /* member "data" */
struct bytes signalwire_email_of(const struct user *user);
/* A refusal, where this call has its own name for the member that FIELD_EXPIRE_AT is. */
void signalwire_encode_refused_as(struct dialect_reply *reply, const struct outcome *outcome,
                                  const char *expiry);

#endif
