#include "cli/seed.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/limits.h"
#include "wire/json_read.h"
#include "wire/json_write.h"

#define SEED_FILE     "seed.json"
#define SEED_FILE_MAX 8192

static const struct {
    const char *name;
    size_t offset, size;
} members[] = {
#define MEMBER(field)                                                                                        \
    {                                                                                                        \
#field, offsetof(struct seed, field), sizeof(((struct seed *)NULL)->field)                           \
    }
    MEMBER(project_id), MEMBER(api_token),       MEMBER(client_id), MEMBER(client_secret),
    MEMBER(secret_key), MEMBER(publishable_key), MEMBER(c2c_token), MEMBER(address_id),
    MEMBER(study_id),   MEMBER(admin_token),
#undef MEMBER
};
#define MEMBER_COUNT (sizeof members / sizeof members[0])

static enum err parse_seed(struct seed *out, struct bytes text)
{
    struct json document;
    size_t i;
    enum err e = json_read(&document, text);

    for (i = 0; i < MEMBER_COUNT && !e; i++) {
        struct bytes value = json_text(json_member(document, members[i].name));
        if (!value.len || value.len >= members[i].size)
            e = ERR_CORRUPT;
        else
            memcpy((char *)out + members[i].offset, value.ptr, value.len);
    }
    json_free(document);
    return e == ERR_MALFORMED ? ERR_CORRUPT : e;
}

static enum err read_seed(struct seed *out, const char *path)
{
    uint8_t text[SEED_FILE_MAX];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (file < 0) return ERR_IO;
    len = read(file, text, sizeof text);
    close(file);
    if (len == (ssize_t)sizeof text) return ERR_CORRUPT; /* longer than any that we write */
    return len < 0 ? ERR_IO : parse_seed(out, bytes_of(text, (size_t)len));
}

/* Under another name first: a seed.json that is there is whole. */
static enum err write_seed(const struct seed *seed, const char *path)
{
    char fresh[4200];
    struct buf text;
    struct json_writer w = json_writer_on(&text);
    size_t i;
    int file = -1;
    enum err e = ERR_IO;

    buf_init(&text, SEED_FILE_MAX);
    json_object_begin(&w);
    for (i = 0; i < MEMBER_COUNT; i++) {
        json_key(&w, members[i].name);
        json_put_string(&w, bytes_of_text((const char *)seed + members[i].offset));
    }
    json_object_end(&w);
    if (snprintf(fresh, sizeof fresh, "%s.new", path) < (int)sizeof fresh && !buf_error(&text))
        file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
        if (write(file, text.ptr, text.len) == (ssize_t)text.len && fsync(file) == 0 &&
            rename(fresh, path) == 0)
            e = ERR_OK;
        close(file);
    }
    buf_wipe(&text);
    return e;
}

struct sowing { /* everything the writes point to */
    struct seed *seed;
    struct key_bench bench;
    const struct dice *dice;
    struct write writes[32];
    size_t count;
    struct key_text keys[8];
    size_t key_count;
    struct uuid project, resource, address, study, user, user_resource;
    int64_t now_ms;
};

static struct write *next_write(struct sowing *sowing, enum write_kind kind)
{
    struct write *write = &sowing->writes[sowing->count++];

    memset(write, 0, sizeof *write);
    write->kind = kind;
    return write;
}

/* id and secret may be NULL: not shown. */
static enum err sow_key(struct sowing *sowing, enum key_kind kind, uint32_t permissions, char *id,
                        char *secret)
{
    struct key_text *text = &sowing->keys[sowing->key_count++];
    struct write *write = next_write(sowing, WRITE_KEY);

    key_text_draw(text, kind, true, sowing->dice);
    write->key.kind = kind;
    write->key.project = sowing->project;
    write->key.public_id = bytes_of(text->id, text->id_len);
    write->key.permissions = permissions;
    if (kind == KEY_CLICK_TO_CALL) write->key.resource = sowing->resource;
    if (id) memcpy(id, text->id, text->id_len);
    if (secret) memcpy(secret, text->secret, text->secret_len);
    if (!text->secret_len) return ERR_OK;
    return keyring_hash(write->key.hash, &sowing->bench, bytes_of(text->secret, text->secret_len));
}

static void sow_origins(struct sowing *sowing)
{
    /* any port of this machine, and pages opened from disk: what a newcomer tries first. Test
     * projects only. */
    static const char *const origins[] = {"http://localhost:*",
                                          "https://localhost:*",
                                          "http://127.0.0.1:*",
                                          "https://127.0.0.1:*",
                                          "http://coatcheck.localhost:*",
                                          "https://coatcheck.localhost:*",
                                          "http://[::1]:*",
                                          "null"};
    size_t i;

    for (i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        struct write *write = next_write(sowing, WRITE_ORIGIN);
        write->origin.project = sowing->project;
        write->origin.origin = bytes_of_text(origins[i]);
    }
}

static void sow_project(struct sowing *sowing)
{
    struct write *write = next_write(sowing, WRITE_PROJECT);

    write->project.id = sowing->project;
    write->project.name = BYTES("dev");
    write->project.is_test = true;
    settings_standard(write->project.setting);
}

static void sow_front_desk(struct sowing *sowing)
{
    struct write *write = next_write(sowing, WRITE_RESOURCE);
    struct user *user;

    write->resource.id = sowing->resource;
    write->resource.project = sowing->project;
    write->resource.type = ADDRESS_CALL;
    write->resource.name = BYTES("front-desk");
    write->resource.display_name = BYTES("Front desk");
    write->resource.user = sowing->user;
    write->resource.created_ms = write->resource.updated_ms = sowing->now_ms;

    write = next_write(sowing, WRITE_ADDRESS);
    write->address.id = sowing->address;
    write->address.project = sowing->project;
    write->address.resource = sowing->resource;
    write->address.name = BYTES(SEED_ADDRESS);
    write->address.display_name = BYTES("Front desk");
    write->address.type = ADDRESS_CALL;
    write->address.created_ms = sowing->now_ms;

    write = next_write(sowing, WRITE_USER);
    user = &write->user.user;
    user->id = sowing->user;
    user->project = sowing->project;
    user->kind = USER_SUBSCRIBER;
    user->reference = BYTES("front-desk@example.com");
    user->profile.value[PROFILE_DISPLAY_NAME] = BYTES("Front desk");
    user->created_ms = user->updated_ms = sowing->now_ms;
    uuid_draw(&user->address.id, sowing->dice);
    user->address.resource = sowing->user_resource;
    user->address.project = sowing->project;
    user->address.name = BYTES("/private/front-desk");
    user->address.display_name = BYTES("Front desk");
    user->address.type = ADDRESS_SUBSCRIBER;
    user->address.created_ms = sowing->now_ms;
    write->user.address_name_alt = BYTES("/private/front-desk-1");
}

static void sow_study(struct sowing *sowing)
{
    struct write *write = next_write(sowing, WRITE_STUDY);

    write->study.id = sowing->study;
    write->study.project = sowing->project;
    write->study.title = BYTES("How was your visit?");
    write->study.questions_json = BYTES("[{\"id\":\"q1\",\"text\":\"What brought you here today?\"},"
                                        "{\"id\":\"q2\",\"text\":\"What worked well?\"},"
                                        "{\"id\":\"q3\",\"text\":\"What should we change first?\"}]");
}

static enum err sow_all(struct sowing *sowing)
{
    struct seed *seed = sowing->seed;
    struct key_text admin;
    enum err e;

    sow_project(sowing);
    sow_origins(sowing);
    TRY(e = sow_key(sowing, KEY_API_TOKEN, PERMISSION_ALL, NULL, seed->api_token), done);
    TRY(e = sow_key(sowing, KEY_CLIENT, 0, seed->client_id, seed->client_secret), done);
    TRY(e = sow_key(sowing, KEY_SECRET, 0, NULL, seed->secret_key), done);
    TRY(e = sow_key(sowing, KEY_PUBLISHABLE, 0, seed->publishable_key, NULL), done);
    TRY(e = sow_key(sowing, KEY_CLICK_TO_CALL, 0, NULL, seed->c2c_token), done);
    sow_front_desk(sowing);
    sow_study(sowing);
    /* a form of its own: it opens the operator's door, not the project's */
    key_text_draw(&admin, KEY_CLIENT, true, sowing->dice);
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): sow() gave it the seed it had just made */
    memcpy(seed->admin_token, "adm_", 4);
    memcpy(seed->admin_token + 4, admin.secret + 4, admin.secret_len - 4);
    uuid_write(seed->project_id, &sowing->project);
    uuid_write(seed->address_id, &sowing->address);
    uuid_write(seed->study_id, &sowing->study);
done:
    secret_wipe(&admin, sizeof admin);
    return e;
}

/* seed.json first: a project whose credentials nobody knows would be of no use, while credentials without a
 * project are replaced at the next start, because the project they name is not there. */
static enum err sow(struct seed *out, const char *path, struct store *store, const struct keyring *ring,
                    const struct dice *dice, int64_t now_ms)
{
    static struct sowing sowing; /* large, and used once */
    struct row rows[32];
    struct arena arena;
    enum err e;

    arena_init(&arena, 65536);
    memset(&sowing, 0, sizeof sowing);
    memset(out, 0, sizeof *out);
    sowing.seed = out;
    sowing.dice = dice;
    sowing.now_ms = now_ms;
    uuid_draw(&sowing.project, dice);
    uuid_draw(&sowing.resource, dice);
    uuid_draw(&sowing.address, dice);
    uuid_draw(&sowing.study, dice);
    uuid_draw(&sowing.user, dice);
    uuid_draw(&sowing.user_resource, dice);
    TRY(e = key_bench_open(&sowing.bench, ring, 0), done);
    TRY(e = sow_all(&sowing), done);
    TRY(e = write_seed(out, path), done);
    e = store_commit_wait(store, sowing.writes, sowing.count, rows, &arena);
done:
    key_bench_release(&sowing.bench);
    secret_wipe(sowing.keys, sizeof sowing.keys);
    arena_release(&arena);
    return e;
}

/* A store that cannot answer has not said that the project is gone: then its credentials are kept. */
static enum err find_project(bool *found, struct store *store, const struct seed *seed)
{
    struct facts *facts = NULL;
    struct uuid project;
    enum err e;

    *found = false;
    if (uuid_read(&project, bytes_of_text(seed->project_id))) return ERR_CORRUPT;
    if ((e = store->ops->facts(store, &facts))) return e;
    *found = facts_project(facts, &project) != NULL;
    facts_free(facts);
    return ERR_OK;
}

enum err seed_open(struct seed *out, const struct folder *folder, struct store *store,
                   const struct keyring *ring, const struct dice *dice, int64_t now_ms)
{
    char path[4096 + 16];
    bool is_there = false;
    enum err e = folder_file(path, sizeof path, folder, SEED_FILE);

    memset(out, 0, sizeof *out);
    if (!e && access(path, F_OK) == 0) {
        e = read_seed(out, path);
        if (!e) e = find_project(&is_there, store, out);
    }
    if (!e && !is_there) e = sow(out, path, store, ring, dice, now_ms);
    if (e) secret_wipe(out, sizeof *out);
    return e;
}
