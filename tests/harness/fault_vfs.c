#include "harness/fault_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows but this */
static _Thread_local bool is_inside; /* this thread holds it: what it allocates is the harness's own */
static sqlite3_vfs *real;
static struct fault armed;
static unsigned calls_seen;
static bool is_on, is_armed, has_struck, has_power = true;

struct shim { /* what SQLite takes for a file; the real one lies behind it */
    sqlite3_file base;
    struct disk_file *disk; /* NULL: a temporary one */
    bool makes_name_safe;   /* with the first sync, as SQLite does for logs it has made */
    sqlite3_file real;
};

static struct shim *shim_of(sqlite3_file *file)
{
    return (struct shim *)(void *)file;
}

static void hold(void)
{
    (void)pthread_mutex_lock(&lock);
    is_inside = true;
}

static void let_go(void)
{
    is_inside = false;
    (void)pthread_mutex_unlock(&lock);
}

/* --- what goes wrong, and when --- */

/* The lock is held. */
static bool strikes(unsigned call)
{
    if (!has_power) return true;
    if (!is_armed || !(armed.calls & call)) return false;
    calls_seen++;
    if (calls_seen != armed.at && !(armed.stays && calls_seen > armed.at)) return false;
    has_struck = true;
    if (armed.effect == FAULT_POWER) has_power = false;
    return true;
}

static int code_of(int on_error)
{
    return has_power && (armed.effect == FAULT_FULL || armed.effect == FAULT_SHORT) ? SQLITE_FULL : on_error;
}

/* For calls that change nothing the model knows. */
static bool fails(unsigned call, int *code, int on_error)
{
    hold();
    bool does = strikes(call);
    bool is_quiet = does && has_power && armed.effect == FAULT_GARBAGE;
    *code = does && !is_quiet ? code_of(on_error) : SQLITE_OK;
    let_go();
    return does;
}

/* --- files --- */

static int shim_close(sqlite3_file *file)
{
    sqlite3_file *behind = &shim_of(file)->real;
    return behind->pMethods == NULL ? SQLITE_OK : behind->pMethods->xClose(behind);
}

static int shim_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    sqlite3_file *behind = &shim_of(file)->real;
    int code;
    if (!fails(FAULT_READ, &code, SQLITE_IOERR_READ)) return behind->pMethods->xRead(behind, out, len, at);
    if (code == SQLITE_OK) memset(out, 0xA5, (size_t)len);
    return code;
}

static int put(struct shim *shim, const void *data, int len, sqlite3_int64 at)
{
    if (shim->disk != NULL) disk_write(shim->disk, data, (size_t)len, (size_t)at);
    return shim->real.pMethods->xWrite(&shim->real, data, len, at);
}

static int shim_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct shim *shim = shim_of(file);
    int code;
    hold();
    bool had_power = has_power;
    if (!strikes(FAULT_WRITE)) {
        code = put(shim, data, len, at);
    } else {
        code = code_of(SQLITE_IOERR_WRITE);
        if (had_power && (armed.effect == FAULT_SHORT || armed.effect == FAULT_POWER))
            (void)put(shim, data, len / 2, at); /* an error anyway */
    }
    let_go();
    return code;
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 len)
{
    struct shim *shim = shim_of(file);
    int code;
    hold();
    if (strikes(FAULT_TRUNCATE)) {
        code = code_of(SQLITE_IOERR_TRUNCATE);
    } else {
        if (shim->disk != NULL) disk_truncate(shim->disk, (size_t)len);
        code = shim->real.pMethods->xTruncate(&shim->real, len);
    }
    let_go();
    return code;
}

/* The real file is not synced: what is safe is the model's to say, and the test is quick. */
static int shim_sync(sqlite3_file *file, int flags)
{
    struct shim *shim = shim_of(file);
    int code = SQLITE_OK;
    (void)flags;
    hold();
    if (strikes(FAULT_SYNC)) {
        code = code_of(SQLITE_IOERR_FSYNC);
        if (has_power && shim->disk != NULL) disk_fail_sync(shim->disk);
    } else if (shim->disk != NULL) {
        disk_sync(shim->disk);
        if (shim->makes_name_safe) disk_sync_folder();
        shim->makes_name_safe = false;
    }
    let_go();
    return code;
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *out)
{
    sqlite3_file *behind = &shim_of(file)->real;
    int code;
    *out = 0;
    return fails(FAULT_SIZE, &code, SQLITE_IOERR_FSTAT) ? code : behind->pMethods->xFileSize(behind, out);
}

static int shim_lock(sqlite3_file *file, int level)
{
    sqlite3_file *behind = &shim_of(file)->real;
    int code;
    return fails(FAULT_LOCK, &code, SQLITE_IOERR_LOCK) ? code : behind->pMethods->xLock(behind, level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *behind = &shim_of(file)->real;
    return behind->pMethods->xUnlock(behind, level);
}

static int shim_is_reserved(sqlite3_file *file, int *out)
{
    sqlite3_file *behind = &shim_of(file)->real;
    return behind->pMethods->xCheckReservedLock(behind, out);
}

static int shim_control(sqlite3_file *file, int op, void *argument)
{
    sqlite3_file *behind = &shim_of(file)->real;
    return behind->pMethods->xFileControl(behind, op, argument);
}

static int shim_sector_size(sqlite3_file *file)
{
    sqlite3_file *behind = &shim_of(file)->real;
    return behind->pMethods->xSectorSize(behind);
}

/* No more than the model does. */
static int shim_traits(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int shim_share(sqlite3_file *file, int region, int len, int may_grow, void volatile **out)
{
    sqlite3_file *behind = &shim_of(file)->real;
    int code;
    *out = NULL;
    if (fails(FAULT_SHARE, &code, SQLITE_IOERR_SHMSIZE)) return code;
    return behind->pMethods->xShmMap(behind, region, len, may_grow, out);
}

static int shim_share_lock(sqlite3_file *file, int offset, int count, int flags)
{
    sqlite3_file *behind = &shim_of(file)->real;
    int code;
    if ((flags & SQLITE_SHM_LOCK) && fails(FAULT_LOCK, &code, SQLITE_IOERR_SHMLOCK)) return code;
    return behind->pMethods->xShmLock(behind, offset, count, flags);
}

static void shim_share_barrier(sqlite3_file *file)
{
    sqlite3_file *behind = &shim_of(file)->real;
    behind->pMethods->xShmBarrier(behind);
}

static int shim_unshare(sqlite3_file *file, int takes_away)
{
    sqlite3_file *behind = &shim_of(file)->real;
    return behind->pMethods->xShmUnmap(behind, takes_away);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* without xFetch: all is read and written by calls */
    .xClose = shim_close,
    .xRead = shim_read,
    .xWrite = shim_write,
    .xTruncate = shim_truncate,
    .xSync = shim_sync,
    .xFileSize = shim_size,
    .xLock = shim_lock,
    .xUnlock = shim_unlock,
    .xCheckReservedLock = shim_is_reserved,
    .xFileControl = shim_control,
    .xSectorSize = shim_sector_size,
    .xDeviceCharacteristics = shim_traits,
    .xShmMap = shim_share,
    .xShmLock = shim_share_lock,
    .xShmBarrier = shim_share_barrier,
    .xShmUnmap = shim_unshare,
};

/* --- names --- */

static struct disk_file *adopt(const char *name, const struct stat *info)
{
    uint8_t *content = malloc((size_t)info->st_size + 1);
    int file = open(name, O_RDONLY | O_CLOEXEC);
    if (content == NULL || file < 0 || read(file, content, (size_t)info->st_size) != info->st_size) abort();
    (void)close(file); /* was only read */
    struct disk_file *adopted = disk_adopt(name, content, (size_t)info->st_size);
    free(content);
    return adopted;
}

/* Before the real call: the file as the model knows it, or will. */
static struct disk_file *note_open(const char *name, bool may_create, bool *is_new)
{
    struct disk_file *file = disk_find(name);
    struct stat info;
    *is_new = false;
    if (file != NULL) return file;
    if (stat(name, &info) == 0) return adopt(name, &info);
    if (!may_create) return NULL;
    *is_new = true;
    return disk_create(name);
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *flags_out)
{
    struct shim *shim = shim_of(file);
    int code, kind = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    bool is_new = false;
    (void)vfs;
    memset(shim, 0, sizeof *shim);
    hold();
    if (strikes(FAULT_OPEN)) {
        code = code_of(SQLITE_CANTOPEN);
    } else {
        if (name != NULL) shim->disk = note_open(name, flags & SQLITE_OPEN_CREATE, &is_new);
        shim->makes_name_safe = is_new && (flags & kind);
        code = real->xOpen(real, name, &shim->real, flags, flags_out);
    }
    let_go();
    if (shim->real.pMethods != NULL) shim->base.pMethods = &methods;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int syncs_folder)
{
    int code;
    (void)vfs;
    hold();
    if (strikes(FAULT_DELETE)) {
        code = code_of(SQLITE_IOERR_DELETE);
    } else {
        code = real->xDelete(real, name, 0);
        if (code == SQLITE_OK) disk_unlink(name);
        if (code == SQLITE_OK && syncs_folder) disk_sync_folder();
    }
    let_go();
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    int code;
    (void)vfs;
    *out = 0;
    return fails(FAULT_SIZE, &code, SQLITE_IOERR_ACCESS) ? code : real->xAccess(real, name, flags, out);
}

/* --- the calls the store makes itself --- */

int __real_open(const char *name, int flags, ...);
int __real_unlink(const char *name);
int __real_rename(const char *from, const char *to);
int __real_fsync(int file);
int __wrap_open(const char *name, int flags, ...);
int __wrap_unlink(const char *name);
int __wrap_rename(const char *from, const char *to);
int __wrap_fsync(int file);

/* The lock is held. */
static bool door_fails(void)
{
    if (!is_on || !strikes(FAULT_FOLDER)) return false;
    errno = has_power && armed.effect == FAULT_FULL ? ENOSPC : EIO;
    return true;
}

int __wrap_open(const char *name, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    unsigned mode = flags & O_CREAT ? va_arg(arguments, unsigned) : 0;
    va_end(arguments);
    if (!(flags & O_CREAT)) return __real_open(name, flags); /* SQLite's files come by vfs_open */
    hold();
    int file = door_fails() ? -1 : __real_open(name, flags, mode);
    if (is_on && file >= 0 && disk_find(name) == NULL) (void)disk_create(name);
    let_go();
    return file;
}

int __wrap_unlink(const char *name)
{
    hold();
    int result = door_fails() ? -1 : __real_unlink(name);
    if (is_on && result == 0) disk_unlink(name);
    let_go();
    return result;
}

int __wrap_rename(const char *from, const char *to)
{
    hold();
    int result = door_fails() ? -1 : __real_rename(from, to);
    if (is_on && result == 0) disk_rename(from, to);
    let_go();
    return result;
}

/* The store syncs only folders itself. */
int __wrap_fsync(int file)
{
    if (!is_on) return __real_fsync(file);
    hold();
    int result = door_fails() ? -1 : 0;
    if (result == 0) disk_sync_folder();
    let_go();
    return result;
}

/* --- memory --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

/* SQLite asks with a lock of its own held, and is asked with ours held: so this takes none. */
static atomic_long allocations_left; /* the last of them fails */
static atomic_bool was_refused;

static bool no_memory(void)
{
    if (is_inside || atomic_load(&allocations_left) <= 0) return false;
    if (atomic_fetch_sub(&allocations_left, 1) != 1) return false;
    atomic_store(&was_refused, true);
    return true;
}

void *__wrap_malloc(size_t size)
{
    return no_memory() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return no_memory() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return no_memory() ? NULL : __real_strdup(text);
}

static void *sqlite_malloc(int size)
{
    return malloc((size_t)size);
}

static void *sqlite_realloc(void *old, int size)
{
    return realloc(old, (size_t)size);
}

static int sqlite_size(void *block)
{
    return (int)malloc_usable_size(block);
}

static int sqlite_round(int size)
{
    return (size + 7) & ~7;
}

static int sqlite_begin(void *nothing)
{
    (void)nothing;
    return SQLITE_OK;
}

static void sqlite_end(void *nothing)
{
    (void)nothing;
}

static sqlite3_mem_methods memory = {sqlite_malloc, free,         sqlite_realloc, sqlite_size,
                                     sqlite_round,  sqlite_begin, sqlite_end,     NULL};

/* --- for the test --- */

static sqlite3_vfs shim_vfs;

void fault_set_up(bool counts_memory)
{
    if (counts_memory) { /* without its stock of small blocks each of SQLite's allocations is one of ours */
        if (sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) != SQLITE_OK) abort();
        if (sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK) abort();
    }
    real = sqlite3_vfs_find("unix");
    if (real == NULL) abort();
    shim_vfs = *real; /* what is not set below is the real one's */
    shim_vfs.zName = "fault";
    shim_vfs.szOsFile = (int)sizeof(struct shim) + real->szOsFile;
    shim_vfs.xOpen = vfs_open;
    shim_vfs.xDelete = vfs_delete;
    shim_vfs.xAccess = vfs_access;
}

void fault_begin(void)
{
    if (sqlite3_vfs_register(&shim_vfs, 1) != SQLITE_OK) abort();
    disk_forget();
    has_power = is_on = true;
    fault_arm(NULL);
}

void fault_end(void)
{
    (void)sqlite3_vfs_unregister(&shim_vfs); /* cannot fail for one that is registered */
    if (sqlite3_vfs_register(real, 1) != SQLITE_OK) abort();
    is_on = false;
    fault_arm(NULL);
    disk_forget();
}

void fault_arm(const struct fault *fault)
{
    hold();
    is_armed = fault != NULL;
    if (fault != NULL) armed = *fault;
    if (fault != NULL) has_struck = false;
    calls_seen = 0;
    if (fault != NULL) atomic_store(&was_refused, false);
    atomic_store(&allocations_left, fault != NULL && fault->calls == FAULT_MEMORY ? (long)fault->at : 0);
    let_go();
}

bool fault_has_struck(void)
{
    hold();
    bool has = has_struck || atomic_load(&was_refused);
    let_go();
    return has;
}

void fault_power_off(void)
{
    hold();
    has_power = false;
    let_go();
}

void fault_cut_power(enum disk_survival survival, uint64_t seed)
{
    struct dice_seeded seeded;
    struct dice dice = dice_from_seed(&seeded, seed);
    disk_cut_power(survival, &dice);
    has_power = true;
}
