/* run_password.c — a password on its way into the store: as a hash, made off the lane. */
#include "service/service_run.h"

#define SALT_LEN 16

static void hash_password(struct run *run) /* on a pool thread */
{
    struct bytes salt = bytes_of(run->password_hash, SALT_LEN);

    run->error = crypto_scrypt(run->password_hash + SALT_LEN, run->password, salt);
}

static void password_hashed(struct run *run)
{
    run->has_password_hash = !run->error;
    if (run->error)
        run_fail(run, run->error);
    else
        run->then(run);
}

void run_hash_password(struct run *run, struct bytes password, void (*then)(struct run *run))
{
    const struct service_options *options = &run->service->options;
    enum err e;

    run->password = password;
    run->then = then;
    dice_fill(&options->dice, run->password_hash, SALT_LEN);
    e = options->errand(options->lane, run, hash_password, password_hashed);
    if (e) run_fail(run, e);
}
