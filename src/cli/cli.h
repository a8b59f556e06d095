/* cli.h — the commands of the one binary. Each is a row: name, what it is for, its function. Exit codes are
 * the same for all of them, so that scripts and service managers can tell what to do. */
#ifndef COATCHECK_CLI_CLI_H
#define COATCHECK_CLI_CLI_H

enum exit_code {
    EXIT_OK = 0,
    EXIT_FAILED = 1, /* anything not below */
    EXIT_USAGE = 2,  /* unknown command or option */
    EXIT_CONFIG = 3, /* a setting is missing, malformed or refused */
    EXIT_LOCKED = 4, /* another process holds the data folder */
    EXIT_DATA = 5,   /* the data is damaged, or written by a newer version */
    EXIT_LISTEN = 6  /* an address or port cannot be used */
};

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};
extern const struct command commands[];
extern const unsigned command_count;

int cli_address(int argc, char **argv);
int cli_backup(int argc, char **argv);
int cli_clock(int argc, char **argv);
int cli_dev(int argc, char **argv);
int cli_init(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_origin(int argc, char **argv);
int cli_project(int argc, char **argv);
int cli_resource(int argc, char **argv);
int cli_revoke(int argc, char **argv);
int cli_keyring(int argc, char **argv);
int cli_restore(int argc, char **argv);
int cli_routes(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_study(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_main(int argc, char **argv);

/* One sentence to stderr, "coatcheck: " before it; returns code. */
int cli_fail(enum exit_code code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
