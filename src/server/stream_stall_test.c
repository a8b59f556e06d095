/* How long a stream keeps bytes for a peer that takes none of them. */
#include "harness/stream_scene.h"

static void stuff_bytes(void *owner, uint8_t *bytes, size_t len)
{
    static const uint8_t block[32768];
    struct conn *conn = owner;
    (void)bytes;
    count_bytes(conn, len);
    while (!stream_unsent(conn->stream)) /* until the kernels are full */
        stream_write(conn->stream, bytes_of(block, sizeof block));
    sem_post(&conn->scene->held);
}
static const struct stream_user stuff = {stuff_bytes, on_end_close, on_sent_count, on_gone};

struct passing {
    struct mail mail;
    struct scene *scene;
    struct deadline deadline;
    sem_t over;
    size_t unsent;
};

static void on_passed(struct deadline *deadline)
{
    struct passing *it = (struct passing *)(void *)((char *)deadline - offsetof(struct passing, deadline));
    it->unsent = it->scene->stream ? stream_unsent(it->scene->stream) : 0;
    sem_post(&it->over);
}

static void pass(struct mail *mail) /* what was due before is over when this is */
{
    struct passing *it = (struct passing *)mail;
    CHECK(deadline_set(it->scene->loop, &it->deadline, monotonic_ms(NULL), on_passed) == ERR_OK);
}

static size_t pass_time(struct scene *scene, int64_t ms) /* what is kept for the peer by then */
{
    struct passing it = {.mail.open = pass, .scene = scene};
    sem_init(&it.over, 0, 0);
    ahead_ms += ms;
    loop_post(scene->loop, &it.mail);
    CHECK(bell_wait(&it.over));
    return it.unsent;
}

static void cuts_a_peer_that_stops_reading(bool with_tls)
{
    struct scene scene;
    struct client client;
    scene_open(&scene, &stuff, with_tls);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("x")), 1);
    CHECK(bell_wait(&scene.held));
    CHECK(pass_time(&scene, STREAM_STALL_MS - 1) > 0);
    CHECK_INT(scene.gones, 0);
    (void)pass_time(&scene, 1);
    CHECK(bell_wait(&scene.gone));
    client_close(&client);
    scene_close(&scene);
    CHECK_INT(scene.gones, 1);
}

static void cuts_who_stops_reading(void)
{
    cuts_a_peer_that_stops_reading(false);
    cuts_a_peer_that_stops_reading(true);
}

/* Whoever takes a little each time is slow, and no more: its bytes reach it, however long that takes. */
static void keeps_who_reads_slowly(void)
{
    static uint8_t back[65536];
    struct client client;
    struct scene scene;
    size_t kept;
    scene_open(&scene, &stuff, false);
    CHECK(client_open(&client, &scene));
    CHECK_INT(client_write(&client, BYTES("x")), 1);
    CHECK(bell_wait(&scene.held));
    while ((kept = pass_time(&scene, 0)) > 0) {
        while (pass_time(&scene, 0) == kept) /* until the kernels have room again */
            (void)client_read(&client, back, sizeof back);
        (void)pass_time(&scene, STREAM_STALL_MS);
    }
    CHECK_INT(scene.sents, 1);
    CHECK_INT(scene.gones, 0);
    (void)pass_time(&scene, 10 * STREAM_STALL_MS); /* with nothing kept there is no such time */
    CHECK_INT(scene.gones, 0);
    client_close(&client);
    CHECK(bell_wait(&scene.gone));
    scene_close(&scene);
}

int main(void)
{
    CHECK_RUN(cuts_who_stops_reading);
    CHECK_RUN(keeps_who_reads_slowly);
    remove_dev_files();
    return CHECK_END();
}
