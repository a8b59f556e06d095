/* frame.h — a client's WebSocket frame (RFC 6455 §5.3), as good or as odd as it is asked for. */
#ifndef COATCHECK_TESTS_SIM_FRAME_H
#define COATCHECK_TESTS_SIM_FRAME_H

#include "base/buf.h"

/* first: FIN, reserved bits and opcode. mask: four bytes; NULL: it is not masked, which breaks the protocol.
 */
void frame_append(struct buf *out, uint8_t first, struct bytes payload, const uint8_t *mask);

#endif
