/* What a core file of a running server would show: a child opens a key ring and uses it, the parent reads
 * the child's memory as the kernel would dump it, and looks for the keys, which it has worked out by
 * itself from the data folder. Then the child releases its keys, and not even the memory that is never
 * dumped may have them. */
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/uuid.h"
#include "harness/check.h"
#include "service/keys.h"
#include "service/master.h"
#include "token/crypto_memory.h"

#define NEEDLE_LEN  16
#define NEEDLES_MAX 64
#define PIECE       (1u << 20)
/* Sanitizers map terabytes for themselves that hold nothing of the program's. */
#define MAPPING_MAX (UINT64_C(4) << 30)

static char folder[] = "/tmp/coatcheck-dump-XXXXXX";
static char database[sizeof folder + 16];

static void draw(void *source, uint8_t *out, size_t len)
{
    (void)source;
    if (getrandom(out, len, 0) != (ssize_t)len) _exit(9);
}
static const struct dice dice = {draw, NULL};

/* ---- the child: a server's use of its keys ---- */

static bool use_keys(struct key_bench *bench)
{
    struct sealed sealed = {.id = {.byte = {1}}, .project = {.byte = {2}}, .iat_s = 1, .exp_s = 2}, read;
    uint8_t signature[64], hash[KEY_HASH_LEN];
    struct arena arena;
    struct buf text;
    bool ok = crypto_sign(bench->sign, signature, BYTES("header.payload")) == ERR_OK &&
              keyring_hash(hash, bench, BYTES("a secret of a project")) == ERR_OK;

    arena_init(&arena, 4096);
    buf_init(&text, 4096);
    for (enum seal_kind kind = 0; kind < SEAL_KIND_COUNT; kind++) {
        buf_reset(&text);
        seal_write(&text, bench->seals[0], kind, &sealed);
        ok = ok && buf_error(&text) == ERR_OK &&
             seal_read(&read, &arena, bench->seals[0], kind, buf_bytes(&text)) == ERR_OK;
    }
    buf_release(&text);
    arena_release(&arena);
    return ok;
}

static void step(int from_parent, int to_parent, char name)
{
    char answer;
    if (write(to_parent, &name, 1) != 1 || read(from_parent, &answer, 1) != 1) _exit(8);
}

static int child_run(int from_parent, int to_parent)
{
    struct secret *master = secret_new();
    struct keyring *ring = NULL;
    struct key_bench benches[2];
    struct store *store = NULL;
    const char *why;

    if (crypto_memory_guard() || !master) return 1;
    if (store_sqlite_open(&store, database, &why) || master_load(master, folder, true, &dice, &why)) return 2;
    if (keyring_open(&ring, store, master, &dice, 1, &why)) return 3;
    secret_free(master);
    for (int i = 0; i < 2; i++)
        if (key_bench_open(&benches[i], ring, 7) || !use_keys(&benches[i])) return 4;
    step(from_parent, to_parent, 'u');
    for (int i = 0; i < 2; i++)
        key_bench_release(&benches[i]);
    keyring_free(ring);
    store->ops->close(store);
    step(from_parent, to_parent, 'r');
    return 0;
}

/* ---- the parent: what to look for ---- */

struct needle {
    char name[40];
    uint8_t bytes[NEEDLE_LEN];
    bool is_held; /* a server keeps it: it must be found in the vault, or the search would prove nothing */
    int in_dump, in_vault;
};
static struct needle needles[NEEDLES_MAX];
static size_t needle_count;

static void add(const char *name, const uint8_t *bytes, size_t len, bool is_held)
{
    for (size_t at = 0; at + NEEDLE_LEN <= len; at += NEEDLE_LEN) {
        struct needle *needle = &needles[needle_count++];
        if (!CHECK(needle_count <= NEEDLES_MAX)) abort();
        (void)snprintf(needle->name, sizeof needle->name, "%s, byte %zu", name, at);
        memcpy(needle->bytes, bytes + at, NEEDLE_LEN);
        needle->is_held = is_held;
    }
}

/* Big numbers lie in memory with their last byte first. */
static void add_number(const char *name, const struct secret *secret)
{
    uint8_t reversed[SECRET_MAX];
    for (size_t i = 0; i < secret->len; i++)
        reversed[i] = secret->data[secret->len - 1 - i];
    add(name, reversed, secret->len, true);
}

static void add_seal_keys(struct crypto *crypto, const struct secret *root)
{
    static const char *const kinds[] = {"refresh", "bootstrap", "launch", "resume"};
    for (size_t i = 0; i < 4; i++) {
        struct secret key;
        char info[64];
        (void)snprintf(info, sizeof info, "coatcheck seal v1 %s", kinds[i]);
        if (CHECK(crypto_derive(crypto, &key, 64, root, bytes_of_text(info)) == ERR_OK))
            add(kinds[i], key.data, key.len, false); /* some processors keep it in another form */
    }
}

static void add_ring_key(struct crypto *crypto, struct crypto_siv *siv, const struct ring_key *stored)
{
    static const char *const names[] = {[RING_SIGN] = "sign", [RING_SEAL] = "seal", [RING_HASH] = "hash"};
    uint8_t use = (uint8_t)stored->use;
    struct bytes ad[3] = {BYTES("coatcheck ring v1"), stored->id, bytes_of(&use, 1)};
    struct secret key = {.len = stored->wrapped.len - CRYPTO_SIV_TAG};

    if (!CHECK(key.len == 32 && crypto_siv_open(siv, key.data, stored->wrapped, ad, 3))) return;
    add(names[stored->use], key.data, key.len, true);
    if (stored->use == RING_SIGN) add_number("sign as a number", &key);
    if (stored->use == RING_SEAL) add_seal_keys(crypto, &key);
}

static void add_master_text(void)
{
    char path[sizeof folder + 16], text[64] = "";
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/master.key", folder);
    file = fopen(path, "re");
    if (!CHECK(file && fgets(text, sizeof text, file))) return;
    (void)fclose(file);
    add("master as text", (const uint8_t *)text, 43, false);
}

static void find_out_keys(void)
{
    struct secret master, wrapping;
    struct store_ring *ring = NULL;
    struct crypto_siv *siv = NULL;
    struct crypto *crypto = NULL;
    struct store *store = NULL;
    const char *why;

    if (!CHECK(store_sqlite_open(&store, database, &why) == ERR_OK)) return;
    if (!CHECK(crypto_new(&crypto) == ERR_OK) ||
        !CHECK(master_load(&master, folder, false, &dice, &why) == ERR_OK) ||
        !CHECK(crypto_derive(crypto, &wrapping, 64, &master, BYTES("coatcheck wrap v1")) == ERR_OK) ||
        !CHECK(crypto_siv_new(&siv, crypto, &wrapping) == ERR_OK) ||
        !CHECK(store->ops->ring(store, &ring) == ERR_OK))
        goto done;
    add("master", master.data, master.len, false);
    add("wrapping", wrapping.data, wrapping.len, false);
    add_master_text();
    CHECK_INT(ring->count, 3);
    for (size_t i = 0; i < ring->count; i++)
        add_ring_key(crypto, siv, &ring->keys[i]);
done:
    store_ring_free(ring);
    crypto_siv_free(siv);
    crypto_free(crypto);
    store->ops->close(store);
}

/* ---- the parent: where to look ---- */

static size_t bytes_read;

static void search(int memory, uint64_t from, uint64_t to, bool is_dumped)
{
    static uint8_t piece[PIECE + NEEDLE_LEN];

    for (uint64_t at = from; at < to; at += PIECE) {
        size_t wanted = to - at < sizeof piece ? (size_t)(to - at) : sizeof piece;
        ssize_t len = pread(memory, piece, wanted, (off_t)at);
        if (len <= 0) return; /* a guard, or a page of the kernel's own */
        bytes_read += (size_t)len;
        for (size_t i = 0; i < needle_count; i++)
            if (memmem(piece, (size_t)len, needles[i].bytes, NEEDLE_LEN))
                ++*(is_dumped ? &needles[i].in_dump : &needles[i].in_vault);
    }
}

/* A core file leaves out what is marked "dd", do not dump (proc(5)). */
static void search_all(pid_t child)
{
    char path[64], line[512];
    uint64_t from = 0, to = 0;
    FILE *maps;
    int memory;

    for (size_t i = 0; i < needle_count; i++)
        needles[i].in_dump = needles[i].in_vault = 0;
    bytes_read = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/mem", (long)child);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    (void)snprintf(path, sizeof path, "/proc/%ld/smaps", (long)child);
    maps = fopen(path, "re");
    if (!CHECK(memory >= 0 && maps)) return;
    while (fgets(line, sizeof line, maps)) {
        uint64_t start, end;
        char *rest;
        start = strtoull(line, &rest, 16);
        end = *rest == '-' ? strtoull(rest + 1, NULL, 16) : 0;
        if (*rest == '-') {
            from = start;
            to = end;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && to - from <= MAPPING_MAX)
            search(memory, from, to, strstr(line, " dd") == NULL);
    }
    (void)fclose(maps);
    (void)close(memory);
    CHECK(bytes_read > 1000000);
}

static pid_t child;
static int to_child, from_child;

static void await(char step_name)
{
    char got = 0;
    CHECK(read(from_child, &got, 1) == 1 && got == step_name);
}

static void no_key_is_in_a_core_file(void)
{
    await('u');
    find_out_keys();
    search_all(child);
    for (size_t i = 0; i < needle_count; i++) {
        CHECK_NOTE("%.39s", needles[i].name);
        CHECK_INT(needles[i].in_dump, 0);
        CHECK(!needles[i].is_held || needles[i].in_vault > 0);
    }
}

static void a_closed_master_key_is_nowhere(void)
{
    for (size_t i = 0; i < needle_count; i++) {
        bool is_closed =
            strncmp(needles[i].name, "master", 6) == 0 || strncmp(needles[i].name, "wrapping", 8) == 0;
        CHECK_NOTE("%.39s", needles[i].name);
        CHECK(!is_closed || needles[i].in_vault == 0);
    }
}

static void nothing_is_left_after_release(void)
{
    int status = 0;

    CHECK(write(to_child, "g", 1) == 1);
    await('r');
    search_all(child);
    for (size_t i = 0; i < needle_count; i++) {
        CHECK_NOTE("%.39s", needles[i].name);
        CHECK_INT(needles[i].in_dump, 0);
        CHECK_INT(needles[i].in_vault, 0);
    }
    CHECK(write(to_child, "g", 1) == 1);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
}

static void remove_folder(void)
{
    static const char *const files[] = {"/coatcheck.db", "/coatcheck.db-wal", "/coatcheck.db-shm",
                                        "/master.key", ""};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[sizeof folder + 32];
        (void)snprintf(path, sizeof path, "%s%s", folder, files[i]);
        (void)remove(path); /* some are gone after a clean close */
    }
}

int main(void)
{
    int down[2], up[2];

    if (!mkdtemp(folder) || pipe(down) < 0 || pipe(up) < 0) return EXIT_FAILURE;
    (void)snprintf(database, sizeof database, "%s/coatcheck.db", folder);
    child = fork();
    if (child == 0) {
        (void)close(down[1]);
        (void)close(up[0]);
        return child_run(down[0], up[1]);
    }
    (void)close(down[0]);
    (void)close(up[1]);
    to_child = down[1];
    from_child = up[0];
    CHECK_RUN(no_key_is_in_a_core_file);
    CHECK_RUN(a_closed_master_key_is_nowhere);
    CHECK_RUN(nothing_is_left_after_release);
    remove_folder();
    return CHECK_END();
}
