#include "token/turn.h"

#include "base/base64url.h"

enum err turn_credential(struct buf *user, struct buf *password, struct crypto *crypto, struct bytes secret,
                         int64_t end_s, struct bytes whom)
{
    uint8_t mac[SHA1_LEN];
    enum err e;

    buf_append_i64(user, end_s);
    buf_append_byte(user, ':');
    buf_append(user, whom);
    TRY(e = buf_error(user), done);
    TRY(e = crypto_hmac_sha1(crypto, mac, secret, buf_bytes(user)), done);
    base64_append(password, bytes_of(mac, sizeof mac));
    e = buf_error(password);
done:
    return e;
}
