/* run_make_key.c — a key that may, makes another: drawn, hashed, stored, shown once. */
#include "engine/make_key.h"

#include <string.h>

#include "base/secret.h"
#include "service/key_text.h"
#include "service/service_run.h"

static void end_made(struct run *run)
{
    run_finish(run, OUTCOME_KEY_MADE);
}

static void draw(struct run *run);

static void settle(struct run *run)
{
    if (make_key_settle(&run->plan, run->rows))
        run_facts_changed(run, end_made);
    else if (run->tries++ < 2)
        draw(run);
    else
        run_fail(run, ERR_STORE_FAILED); /* three draws of 64 bits that were all there: the dice are broken */
}

static void draw(struct run *run)
{
    struct service *service = run->service;
    uint8_t hash[KEY_HASH_LEN] = {0};
    struct key_text text;
    struct bytes public_id, secret;
    enum err e = ERR_NO_MEMORY;

    key_text_draw(&text, KEY_API_TOKEN, run->project->is_test, &service->options.dice);
    public_id = arena_copy(run->arena, bytes_of(text.id, text.id_len));
    secret = arena_copy(run->arena, bytes_of(text.secret, text.secret_len));
    if (!bytes_is_absent(public_id) && !bytes_is_absent(secret))
        e = keyring_hash(hash, &service->bench, secret);
    secret_wipe(&text, sizeof text);
    if (e) {
        run_fail(run, e);
        return;
    }
    make_key_plan(&run->plan, run->project, KEY_API_TOKEN, &run->ask.make_key, public_id, hash, run->now_ms);
    run->outcome.key_made.key = &run->plan.writes[0].key;
    run->outcome.key_made.secret = secret;
    run_commit(run, settle);
}

void run_make_key(struct run *run)
{
    struct refused refused;

    if (!run_authenticate_key(run)) return;
    if (run->unreadable) {
        run_fail(run, run->unreadable);
        return;
    }
    refused = make_key_may(run->key);
    if (!refused.refusal) refused = make_key_check(&run->ask.make_key, KEY_API_TOKEN);
    if (run_passes(run, refused)) draw(run);
}
