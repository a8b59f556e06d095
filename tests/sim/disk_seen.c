#include "sim/disk.h"

#include "sim/world.h"

#define SEEN_MAX (4096 * PLAN_WRITES_MAX) /* as many as the log can hold writes */

static struct {
    struct user people[SEEN_MAX]; /* project and id alone */
    struct uuid once[SEEN_MAX];
    size_t people_count, once_count;
} seen;

void disk_seen_begin(void)
{
    seen.people_count = seen.once_count = 0;
}

bool disk_has_user(const struct uuid *project, const struct uuid *id)
{
    size_t i;

    for (i = 0; i < seen.people_count; i++)
        if (uuid_equal(&seen.people[i].project, project) && uuid_equal(&seen.people[i].id, id)) return true;
    return false;
}

bool disk_has_once(const struct uuid *id)
{
    size_t i;

    for (i = 0; i < seen.once_count; i++)
        if (uuid_equal(&seen.once[i], id)) return true;
    return false;
}

void disk_see(const struct write *write, const struct row *row)
{
    const struct user *user = &row->user;

    if (write->kind == WRITE_ONCE) seen.once[seen.once_count++] = write->once.id;
    if (write->kind != WRITE_USER || !bytes_is_absent(user->reference)) return;
    if (disk_has_user(&user->project, &user->id)) world_fail("an id is one user", "the store wrote it twice");
    seen.people[seen.people_count++] = (struct user){.project = user->project, .id = user->id};
}

/* A ticket or a proof that was used before takes nothing along: whoever comes second changes nobody. */
void disk_see_commit(const struct store_commit *commit)
{
    bool is_used = false, has_written = false;
    size_t i;

    for (i = 0; i < commit->write_count; i++) {
        if (commit->writes[i].kind == WRITE_ONCE && commit->rows[i].state == ROW_EXISTS) is_used = true;
        if (commit->rows[i].state == ROW_WRITTEN) has_written = true;
    }
    if (is_used && has_written) world_fail("what was used before changes nothing", "a commit was written");
}

void disk_seen_compare(struct store *tables, struct arena *arena, void (*post)(void *to, struct mail *mail))
{
    size_t i;

    for (i = 0; i < seen.people_count; i++) {
        struct store_read read = {.post = post, .kind = READ_USER_BY_ID, .arena = arena};
        read.project = seen.people[i].project;
        read.id = seen.people[i].id;
        tables->ops->read(tables, &read);
        if (read.error || !read.found)
            world_fail("what is durable is there after a restart", "a user without a reference");
    }
}
