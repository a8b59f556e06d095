#include "server/session_names.h"

#include <stdio.h>
#include <string.h>

#include "harness/check.h"

#define NAMES 3000

struct one {
    struct name_link named;
    char name[SESSION_NAME_LEN + 1];
};

static struct one all[NAMES];

static void finds_nothing_that_is_not_there(void)
{
    struct session_names names;
    struct name_link loose = {0};

    CHECK_INT(session_names_init(&names, 7), ERR_OK);
    CHECK(!session_names_find(&names, BYTES("00000000000000000000000000000000")));
    CHECK(!session_names_find(&names, BYTES("")));
    session_names_take(&names, &loose); /* harmless */
    CHECK_INT(names.count, 0);
    session_names_release(&names);
}

static void finds_each_by_its_whole_name_while_it_grows(void)
{
    struct session_names names;
    size_t i;

    CHECK_INT(session_names_init(&names, 7), ERR_OK);
    for (i = 0; i < NAMES; i++) {
        (void)snprintf(all[i].name, sizeof all[i].name, "%032zx", i);
        session_names_put(&names, &all[i].named, all[i].name);
    }
    CHECK_INT(names.count, NAMES);
    CHECK(names.bucket_count > 64);
    for (i = 0; i < NAMES; i++)
        CHECK(session_names_find(&names, bytes_of(all[i].name, SESSION_NAME_LEN)) == &all[i].named);
    CHECK(!session_names_find(&names, bytes_of(all[1].name, SESSION_NAME_LEN - 1)));
    for (i = 0; i < NAMES; i += 2)
        session_names_take(&names, &all[i].named);
    for (i = 0; i < NAMES; i++)
        CHECK(!session_names_find(&names, bytes_of(all[i].name, SESSION_NAME_LEN)) == (i % 2 == 0));
    for (i = 1; i < NAMES; i += 2)
        session_names_take(&names, &all[i].named);
    CHECK_INT(names.count, 0);
    session_names_release(&names);
}

int main(void)
{
    CHECK_RUN(finds_nothing_that_is_not_there);
    CHECK_RUN(finds_each_by_its_whole_name_while_it_grows);
    return CHECK_END();
}
