#include "cli/folder.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/check.h"

static char base[] = "/tmp/coatcheck-folder-XXXXXX";
static char path[64], lock_path[80];

static void refuses_what_is_no_folder(void)
{
    struct folder folder;
    FILE *file;
    char plain[64];

    CHECK_INT(folder_open(&folder, "/nonexistent/coatcheck/data"), ERR_IO);
    CHECK_INT(folder.lock, -1);
    CHECK_INT(folder_open(&folder, ""), ERR_IO);
    (void)snprintf(plain, sizeof plain, "%s/plain", base);
    file = fopen(plain, "w");
    if (CHECK(file != NULL)) fclose(file);
    CHECK_INT(folder_open(&folder, plain), ERR_IO);
    folder_close(&folder); /* harmless after a failure */
    (void)unlink(plain);
}

static void makes_it_private(void)
{
    struct folder folder;
    struct stat status;

    CHECK_INT(folder_open(&folder, path), ERR_OK);
    CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0700);
    CHECK(stat(lock_path, &status) == 0 && (status.st_mode & 0777) == 0600);
    CHECK(folder.path[0] == '/' && strcmp(folder.path, path) == 0);
    folder_close(&folder);
    CHECK_INT(folder.lock, -1);
    folder_close(&folder);
}

/* Another process takes the folder, says so through a pipe, and keeps it until it is killed. */
static pid_t start_holder(void)
{
    int told[2];
    char word = 0;
    pid_t pid;

    if (pipe(told) < 0) return -1;
    pid = fork();
    if (pid == 0) {
        struct folder folder;
        word = folder_open(&folder, path) == ERR_OK ? 'y' : 'n';
        (void)!write(told[1], &word, 1);
        for (;;)
            pause();
    }
    CHECK(read(told[0], &word, 1) == 1 && word == 'y');
    close(told[0]);
    close(told[1]);
    return pid;
}

static void tells_who_holds_it(void)
{
    pid_t pid = start_holder();
    struct folder folder;
    int status;

    if (!CHECK(pid > 0)) return;
    CHECK_INT(folder_open(&folder, path), ERR_LOCKED);
    CHECK_INT(folder.holder, pid);
    CHECK_INT(folder.lock, -1);
    CHECK(strcmp(folder.path, path) == 0);             /* for the message */
    CHECK_INT(folder_open(&folder, path), ERR_LOCKED); /* asking did not disturb the holder's mark */
    CHECK_INT(folder.holder, pid);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
    CHECK_INT(folder_open(&folder, path), ERR_OK); /* a killed holder leaves no lock behind */
    folder_close(&folder);
}

static void says_when_the_holder_left_no_mark(void)
{
    static const struct {
        const char *mark;
        long holder;
    } rows[] = {{"", 0}, {"garbage\n", 0}, {"77\n", 77}};
    struct folder holder, folder;
    size_t i;

    CHECK_INT(folder_open(&holder, path), ERR_OK);
    for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_NOTE("mark \"%s\"", rows[i].mark);
        CHECK(ftruncate(holder.lock, 0) == 0);
        CHECK(pwrite(holder.lock, rows[i].mark, strlen(rows[i].mark), 0) == (ssize_t)strlen(rows[i].mark));
        CHECK_INT(folder_open(&folder, path), ERR_LOCKED);
        CHECK_INT(folder.holder, rows[i].holder);
    }
    folder_close(&holder);
}

/* One folder under two names is one folder. */
static void is_the_same_by_any_name(void)
{
    struct folder one, two;
    char other[64], round_about[96];

    (void)snprintf(other, sizeof other, "%s/link", base);
    (void)snprintf(round_about, sizeof round_about, "%s/./../%s/data", base, strrchr(base, '/') + 1);
    CHECK(symlink(path, other) == 0);
    CHECK_INT(folder_open(&one, path), ERR_OK);
    CHECK_INT(folder_open(&two, other), ERR_LOCKED);
    CHECK_INT(two.holder, getpid());
    CHECK_INT(folder_open(&two, round_about), ERR_LOCKED);
    folder_close(&one);
    CHECK_INT(folder_open(&two, other), ERR_OK);
    CHECK(strcmp(two.path, path) == 0);
    folder_close(&two);
    (void)unlink(other);
}

static void names_files_in_it(void)
{
    struct folder folder;
    char text[80];

    CHECK_INT(folder_open(&folder, path), ERR_OK);
    CHECK_INT(folder_file(text, sizeof text, &folder, "x.db"), ERR_OK);
    CHECK(strncmp(text, path, strlen(path)) == 0 && strcmp(text + strlen(path), "/x.db") == 0);
    CHECK_INT(folder_file(text, strlen(path) + 5, &folder, "x.db"), ERR_TOO_LARGE);
    CHECK_INT(folder_file(text, strlen(path) + 6, &folder, "x.db"), ERR_OK);
    folder_close(&folder);
}

int main(void)
{
    if (!mkdtemp(base)) return EXIT_FAILURE;
    (void)snprintf(path, sizeof path, "%s/data", base);
    (void)snprintf(lock_path, sizeof lock_path, "%s/lock", path);
    CHECK_RUN(refuses_what_is_no_folder);
    CHECK_RUN(makes_it_private);
    CHECK_RUN(tells_who_holds_it);
    CHECK_RUN(says_when_the_holder_left_no_mark);
    CHECK_RUN(is_the_same_by_any_name);
    CHECK_RUN(names_files_in_it);
    (void)unlink(lock_path);
    (void)rmdir(path);
    (void)rmdir(base);
    return CHECK_END();
}
