/* found_http.h — explains to the operator what was wrong with a request before anybody was asked: its bytes,
 * its route, its body, its upgrade. Inside the server; called once the refusal is decided. */
#ifndef COATCHECK_SERVER_FOUND_HTTP_H
#define COATCHECK_SERVER_FOUND_HTTP_H

#include "server/exchange.h"
#include "wire/ws_handshake.h"

/* "POST /api/…": the row's own path where there is a row. */
void found_route(char out[RECORD_ROUTE_MAX], const struct exchange *x);

void found_bytes(struct finding *finding, const struct exchange *x); /* http_request refused */
void found_slow(struct finding *finding, const struct exchange *x);  /* a clock ran out */
void found_target(struct finding *finding); /* the target or the Origin fields cannot be read */
void found_no_row(struct finding *finding, const struct exchange *x, enum refusal refusal, const char *allow);
void found_body(struct finding *finding, const struct exchange *x, enum err error);
void found_upgrade(struct finding *finding, const struct exchange *x, int status);

#endif
