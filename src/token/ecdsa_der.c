#include "token/ecdsa_der.h"

#include <string.h>

#define HALF 32 /* bytes of r and of s */

/* Returns the bytes used, 0 if der does not begin with an INTEGER as we take it. */
static size_t integer_read(uint8_t out[HALF], struct bytes der)
{
    size_t len, sign;

    if (der.len < 3 || der.ptr[0] != 0x02) return 0;
    len = der.ptr[1];
    if (len == 0 || len > HALF + 1 || len + 2 > der.len) return 0;
    if (der.ptr[2] & 0x80) return 0; /* negative */
    sign = len > 1 && der.ptr[2] == 0;
    if (sign && !(der.ptr[3] & 0x80)) return 0; /* not minimal (X.690 §8.3.2) */
    if (len - sign > HALF) return 0;
    memcpy(out + HALF - (len - sign), der.ptr + 2 + sign, len - sign);
    return len + 2;
}

bool ecdsa_der_read(uint8_t rs[ECDSA_RS_LEN], struct bytes der)
{
    size_t used_r, used_s;

    memset(rs, 0, ECDSA_RS_LEN);
    /* Two integers of 33 bytes make 70: the length always fits one byte, and a longer form is not minimal. */
    if (der.len < 2 || der.len > ECDSA_DER_MAX || der.ptr[0] != 0x30 || der.ptr[1] != der.len - 2)
        return false;
    der = bytes_from(der, 2);
    used_r = integer_read(rs, der);
    used_s = used_r ? integer_read(rs + HALF, bytes_from(der, used_r)) : 0;
    if (used_s && used_r + used_s == der.len) return true;
    memset(rs, 0, ECDSA_RS_LEN);
    return false;
}

static size_t integer_write(uint8_t *out, const uint8_t number[HALF])
{
    size_t skip = 0, sign;

    while (skip < HALF - 1 && number[skip] == 0)
        skip++;
    sign = number[skip] & 0x80 ? 1 : 0; /* a set top bit would read as negative */
    out[0] = 0x02;
    out[1] = (uint8_t)(HALF - skip + sign);
    out[2] = 0; /* overwritten unless it is the sign */
    memcpy(out + 2 + sign, number + skip, HALF - skip);
    return 2 + sign + HALF - skip;
}

size_t ecdsa_der_write(uint8_t der[ECDSA_DER_MAX], const uint8_t rs[ECDSA_RS_LEN])
{
    size_t len = 2;

    len += integer_write(der + len, rs);
    len += integer_write(der + len, rs + HALF);
    der[0] = 0x30;
    der[1] = (uint8_t)(len - 2);
    return len;
}
