/* fault_disk.h — what a disk holds now, and what of it would be there after a power cut.
 *
 * Kept in memory beside the real files, by name. A write is safe once its file has been synced; a name
 * (made, moved, taken away) once its folder has. What is not safe may survive or not, sector by sector: of
 * bytes outside a write nothing is lost, which is what SQLite assumes of disks, too. A sync that failed
 * leaves its sectors lost for later syncs until they are written again, as the kernel does. Not for threads:
 * the caller holds a lock. */
#ifndef COATCHECK_TESTS_FAULT_DISK_H
#define COATCHECK_TESTS_FAULT_DISK_H

#include "base/dice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_file;

void disk_forget(void); /* all files */

struct disk_file *disk_find(const char *name); /* NULL: not known */
struct disk_file *disk_create(const char *name);
/* One that was there before anybody looked: its name is safe, and its content too. */
struct disk_file *disk_adopt(const char *name, const uint8_t *content, size_t len);

void disk_write(struct disk_file *file, const void *data, size_t len, size_t at);
void disk_truncate(struct disk_file *file, size_t len);
void disk_sync(struct disk_file *file);
void disk_fail_sync(struct disk_file *file);

void disk_rename(const char *from, const char *to);
void disk_unlink(const char *name);
void disk_sync_folder(void); /* all names; there is one folder */

enum disk_survival { SURVIVES_SAFE, SURVIVES_ALL, SURVIVES_SOME };
/* Puts onto the real disk what is left. Nobody may have the files open. */
void disk_cut_power(enum disk_survival survival, const struct dice *dice);

#endif
