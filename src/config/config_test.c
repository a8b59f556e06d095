#include "config/config.h"

#include <unistd.h>

#include "harness/check.h"

static struct config config;
static struct config_error error;

static bool refuses(const char *name, const char *value)
{
    error.why[0] = 0;
    return config_set(&config, name, value, &error) == ERR_CONFIG && error.why[0];
}

static void refuses_what_is_no_setting(void)
{
    config_defaults(&config);
    CHECK(refuses("no_such_thing", "1"));
    CHECK(refuses("", "1"));
    CHECK(refuses("port", ""));
    CHECK(refuses("port", "80 "));
    CHECK(refuses("port", " 80"));
    CHECK(refuses("port", "0x50"));
    CHECK(refuses("port", "-1"));
    CHECK(refuses("port", "65536"));
    CHECK(refuses("port", "99999999999999999999"));
    CHECK(refuses("park_s", "301"));
    CHECK(refuses("log_level", "loud"));
    CHECK(refuses("log_level", ""));
    CHECK(refuses("log_level", "info warn"));
    CHECK(refuses("log_level", "nfo"));
    CHECK(config_set(&config, "log_level", "error", &error) == ERR_OK);
    CHECK_INT(config.port, 8787);
    CHECK_INT(config.park_s, 300);
}

static void refuses_a_text_too_long(void)
{
    char text[CONFIG_TEXT_MAX + 1];

    memset(text, 'a', sizeof text);
    text[CONFIG_TEXT_MAX] = 0;
    config_defaults(&config);
    CHECK(refuses("public_url", text));
    text[CONFIG_TEXT_MAX - 1] = 0;
    CHECK(config_set(&config, "public_url", text, &error) == ERR_OK);
}

static void takes_numbers_and_texts(void)
{
    config_defaults(&config);
    CHECK(config_set(&config, "port", "0", &error) == ERR_OK);
    CHECK_INT(config.port, 0);
    CHECK(config_set(&config, "public_url", "https://a.test", &error) == ERR_OK);
    CHECK(strcmp(config.public_url, "https://a.test") == 0);
}

static void reads_the_environment(void)
{
    config_defaults(&config);
    CHECK(setenv("COATCHECK_PARK_S", "2", 1) == 0);
    CHECK(config_read_environment(&config, &error) == ERR_OK);
    CHECK_INT(config.park_s, 2);
    CHECK(setenv("COATCHECK_PARK_S", "two", 1) == 0);
    CHECK(config_read_environment(&config, &error) == ERR_CONFIG);
    CHECK(strcmp(error.why, "COATCHECK_PARK_S: park_s must be a whole number, not \"two\"") == 0);
    CHECK(unsetenv("COATCHECK_PARK_S") == 0);
}

static void reads_a_file(void)
{
    static const char good[] = "; a comment\n[server]\nport = 9000\npublic_url = https://a.test\n";
    static const char bad[] = "port = 9000\nprot = 1\n", worse[] = "port = 9000\n\nwhat is this\n";
    static const char both[] = "what is this\nport = 9000\nprot = 1\n";
    char wanted[CONFIG_WHY_MAX];
    char path[] = "/tmp/coatcheck-config-XXXXXX";
    int file = mkstemp(path);

    CHECK(file >= 0 && write(file, good, sizeof good - 1) == (ssize_t)sizeof good - 1);
    config_defaults(&config);
    CHECK(config_read_file(&config, path, &error) == ERR_OK);
    CHECK_INT(config.port, 9000);
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, bad, sizeof bad - 1, 0) == (ssize_t)sizeof bad - 1);
    CHECK(config_read_file(&config, path, &error) == ERR_CONFIG);
    (void)snprintf(wanted, sizeof wanted,
                   "%s, line 2: there is no setting \"prot\"; coatcheck serve --help lists them", path);
    CHECK(strcmp(error.why, wanted) == 0);
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, worse, sizeof worse - 1, 0) == (ssize_t)sizeof worse - 1);
    CHECK(config_read_file(&config, path, &error) == ERR_CONFIG);
    (void)snprintf(wanted, sizeof wanted, "%s, line 3: not of the form name = value", path);
    CHECK(strcmp(error.why, wanted) == 0);
    CHECK(ftruncate(file, 0) == 0 && pwrite(file, both, sizeof both - 1, 0) == (ssize_t)sizeof both - 1);
    CHECK(config_read_file(&config, path, &error) == ERR_CONFIG);
    (void)snprintf(wanted, sizeof wanted, "%s, line 1: not of the form name = value", path);
    CHECK(strcmp(error.why, wanted) == 0);
    close(file);
    CHECK(unlink(path) == 0);
    CHECK(config_read_file(&config, path, &error) == ERR_CONFIG);
    CHECK(strstr(error.why, "No such file") != NULL);
    CHECK(config_read_file(&config, "/", &error) == ERR_CONFIG); /* it can be opened, and not read */
    CHECK(strstr(error.why, "directory") != NULL);
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_setting);
    CHECK_RUN(refuses_a_text_too_long);
    CHECK_RUN(takes_numbers_and_texts);
    CHECK_RUN(reads_the_environment);
    CHECK_RUN(reads_a_file);
    return CHECK_END();
}
