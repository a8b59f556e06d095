/* ed25519_point.h — which encoded points may stand for a key, or for the R of a signature.
 *
 * Eight points of the curve have a small order. A key among them makes one signature good for many messages,
 * which RFC 8032 §8.9 leaves to the application to refuse; libraries accept it. A y coordinate of p or more
 * is a second spelling of a small y, so that one key would have two thumbprints. Whether the point exists at
 * all is not asked. */
#ifndef COATCHECK_TOKEN_ED25519_POINT_H
#define COATCHECK_TOKEN_ED25519_POINT_H

#include "base/bytes.h"

#define ED25519_LEN 32

bool ed25519_point_is_sound(const uint8_t encoded[ED25519_LEN]);

#endif
