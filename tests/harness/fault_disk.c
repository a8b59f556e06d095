#include "harness/fault_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR    512
#define NAMES_MAX 64
#define NAME_MAX_ 320

enum sector { CLEAN, DIRTY, LOST };

struct image {
    uint8_t *bytes;
    size_t len, room;
};

struct disk_file {
    struct disk_file *next; /* of all */
    struct image now, safe;
    uint8_t *sectors; /* enum sector, for now.room bytes */
};

struct name {
    char text[NAME_MAX_];
    struct disk_file *file;
};
struct folder {
    struct name names[NAMES_MAX];
    size_t count;
};
struct change { /* file: made under this name; to: renamed; neither: taken away */
    char name[NAME_MAX_], to[NAME_MAX_];
    struct disk_file *file;
};

static struct disk_file *files;
static struct folder now, safe;
static struct change changes[NAMES_MAX]; /* between the two, oldest first */
static size_t change_count;

static void *grown(void *old, size_t len)
{
    void *bytes = realloc(old, len);
    if (bytes == NULL) abort();
    return bytes;
}

/* Longer or shorter; what is added is zero. */
static void image_resize(struct image *image, size_t len)
{
    if (len > image->room) {
        image->room = len * 2;
        image->bytes = grown(image->bytes, image->room);
    }
    if (len > image->len) memset(image->bytes + image->len, 0, len - image->len);
    image->len = len;
}

static void file_resize(struct disk_file *file, size_t len)
{
    size_t before = file->now.room;
    image_resize(&file->now, len);
    if (file->now.room == before) return;
    file->sectors = grown(file->sectors, file->now.room / SECTOR + 1);
    size_t known = before == 0 ? 0 : before / SECTOR + 1;
    memset(file->sectors + known, CLEAN, file->now.room / SECTOR + 1 - known);
}

static void mark(struct disk_file *file, size_t from, size_t to)
{
    for (size_t i = from / SECTOR; i * SECTOR < to; i++)
        file->sectors[i] = DIRTY;
}

/* --- names --- */

static struct name *folder_find(struct folder *folder, const char *text)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->names[i].text, text) == 0) return &folder->names[i];
    return NULL;
}

static void folder_remove(struct folder *folder, const char *text)
{
    struct name *name = folder_find(folder, text);
    if (name != NULL) *name = folder->names[--folder->count];
}

static void folder_put(struct folder *folder, const char *text, struct disk_file *file)
{
    folder_remove(folder, text);
    if (folder->count == NAMES_MAX) abort();
    struct name *name = &folder->names[folder->count++];
    (void)snprintf(name->text, sizeof name->text, "%s", text);
    name->file = file;
}

static void folder_apply(struct folder *folder, const struct change *change)
{
    struct name *name = folder_find(folder, change->name);
    struct disk_file *moved = name == NULL ? NULL : name->file;
    if (change->file != NULL) {
        folder_put(folder, change->name, change->file);
        return;
    }
    folder_remove(folder, change->name);
    if (change->to[0] != 0 && moved != NULL) folder_put(folder, change->to, moved);
}

static void change_name(const char *name, const char *to, struct disk_file *file)
{
    if (change_count == NAMES_MAX) abort();
    struct change *change = &changes[change_count++];
    *change = (struct change){.file = file};
    (void)snprintf(change->name, sizeof change->name, "%s", name);
    (void)snprintf(change->to, sizeof change->to, "%s", to);
    folder_apply(&now, change);
}

void disk_rename(const char *from, const char *to)
{
    change_name(from, to, NULL);
}

void disk_unlink(const char *name)
{
    if (disk_find(name) != NULL) change_name(name, "", NULL);
}

void disk_sync_folder(void)
{
    safe = now;
    change_count = 0;
}

/* --- files --- */

static struct disk_file *file_new(void)
{
    struct disk_file *file = calloc(1, sizeof *file);
    if (file == NULL) abort();
    file->next = files;
    files = file;
    return file;
}

void disk_forget(void)
{
    while (files != NULL) {
        struct disk_file *file = files;
        files = file->next;
        free(file->now.bytes);
        free(file->safe.bytes);
        free(file->sectors);
        free(file);
    }
    now.count = safe.count = change_count = 0;
}

struct disk_file *disk_find(const char *name)
{
    struct name *found = folder_find(&now, name);
    return found == NULL ? NULL : found->file;
}

struct disk_file *disk_create(const char *name)
{
    struct disk_file *file = file_new();
    change_name(name, "", file);
    return file;
}

struct disk_file *disk_adopt(const char *name, const uint8_t *content, size_t len)
{
    struct disk_file *file = file_new();
    folder_put(&now, name, file);
    folder_put(&safe, name, file);
    disk_write(file, content, len, 0);
    disk_sync(file);
    return file;
}

void disk_write(struct disk_file *file, const void *data, size_t len, size_t at)
{
    if (len == 0) return;
    size_t before = file->now.len;
    if (at + len > before) file_resize(file, at + len);
    if (at > before) mark(file, before, at);
    memcpy(file->now.bytes + at, data, len);
    mark(file, at, at + len);
}

void disk_truncate(struct disk_file *file, size_t len)
{
    size_t before = file->now.len;
    file_resize(file, len);
    if (len > before) mark(file, before, len);
}

/* The part of a sector that lies in the file. */
static size_t sector_len(const struct image *image, size_t sector)
{
    size_t at = sector * SECTOR;
    return at >= image->len ? 0 : image->len - at < SECTOR ? image->len - at : SECTOR;
}

static void sector_copy(struct disk_file *file, size_t sector)
{
    size_t len = sector_len(&file->now, sector), room = sector_len(&file->safe, sector);
    if (len > 0 && room > 0)
        memcpy(file->safe.bytes + sector * SECTOR, file->now.bytes + sector * SECTOR,
               len < room ? len : room);
}

void disk_sync(struct disk_file *file)
{
    image_resize(&file->safe, file->now.len);
    for (size_t i = 0; i * SECTOR < file->now.len; i++) {
        if (file->sectors[i] != DIRTY) continue;
        sector_copy(file, i);
        file->sectors[i] = CLEAN;
    }
}

void disk_fail_sync(struct disk_file *file)
{
    for (size_t i = 0; i * SECTOR < file->now.len; i++)
        if (file->sectors[i] == DIRTY) file->sectors[i] = LOST;
}

/* --- the cut --- */

static void survive(struct disk_file *file, enum disk_survival survival, const struct dice *dice)
{
    size_t shorter = file->now.len < file->safe.len ? file->now.len : file->safe.len;
    size_t longer = file->now.len < file->safe.len ? file->safe.len : file->now.len;
    if (survival == SURVIVES_SAFE) return;
    if (survival == SURVIVES_ALL)
        image_resize(&file->safe, file->now.len);
    else
        image_resize(&file->safe, shorter + (size_t)dice_below(dice, longer - shorter + 1));
    for (size_t i = 0; i * SECTOR < file->now.len; i++)
        if (file->sectors[i] != CLEAN && (survival == SURVIVES_ALL || dice_below(dice, 2) == 0))
            sector_copy(file, i);
}

static void put_down(const struct name *name)
{
    FILE *out = fopen(name->text, "wb");
    const struct image *image = &name->file->safe;
    if (out == NULL) abort();
    if (image->len > 0 && fwrite(image->bytes, 1, image->len, out) != image->len) abort();
    if (fclose(out) != 0) abort();
}

/* Names survive in the order of their changes. */
void disk_cut_power(enum disk_survival survival, const struct dice *dice)
{
    size_t kept = survival == SURVIVES_SAFE  ? 0
                  : survival == SURVIVES_ALL ? change_count
                                             : (size_t)dice_below(dice, change_count + 1);
    for (size_t i = 0; i < now.count; i++)
        (void)unlink(now.names[i].text);
    for (size_t i = 0; i < kept; i++)
        folder_apply(&safe, &changes[i]);
    for (struct disk_file *file = files; file != NULL; file = file->next)
        survive(file, survival, dice);
    for (size_t i = 0; i < safe.count; i++)
        put_down(&safe.names[i]);
    disk_forget();
}
