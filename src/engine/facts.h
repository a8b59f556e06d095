/* facts.h — what the engine may know when it decides: the tenant's settings and the user in question.
 *
 * Projects, keys, resources, addresses and origins make one immutable snapshot per process (struct facts),
 * owned by an arena of its own; it is found by pointer and freed when every loop has passed it. Users are too
 * many for that: they are looked up one at a time (struct user). Nothing here is ever written to after it was
 * published. */
#ifndef COATCHECK_ENGINE_FACTS_H
#define COATCHECK_ENGINE_FACTS_H

#include "base/arena.h"
#include "base/uuid.h"

#define PROFILE_TEXT_MAX  255 /* bytes of one profile value */
#define REFERENCE_MAX     255 /* bytes of a user's reference */
#define ADDRESS_NAME_MAX  200 /* bytes of "/private/ada" */
#define KEY_PUBLIC_ID_MAX 32
#define KEY_HASH_LEN      32
#define ORIGIN_MAX        255

enum profile_field {
#define PROFILE_ROW(name, member) PROFILE_##name,
#include "engine/profile.def"
#undef PROFILE_ROW
    PROFILE_COUNT
};
const char *profile_member(enum profile_field field); /* "first_name" */

struct profile {
    struct bytes value[PROFILE_COUNT]; /* absent: not set, or in an ask: leave alone */
};

enum key_kind { KEY_API_TOKEN = 1, KEY_CLIENT, KEY_SECRET, KEY_PUBLISHABLE, KEY_CLICK_TO_CALL };

/* What an api token may do, as bits; the names are the REST API's (permission_of). */
enum permission {
    PERMISSION_CALLING = 1 << 0,
    PERMISSION_MESSAGING = 1 << 1,
    PERMISSION_FAX = 1 << 2,
    PERMISSION_VIDEO = 1 << 3,
    PERMISSION_CHAT = 1 << 4,
    PERMISSION_DATASPHERE = 1 << 5,
    PERMISSION_MANAGEMENT = 1 << 6,
    PERMISSION_NUMBERS = 1 << 7,
    PERMISSION_PUBSUB = 1 << 8,
    PERMISSION_STORAGE = 1 << 9,
    PERMISSION_TASKING = 1 << 10,
    PERMISSION_ALL = (1 << 11) - 1
};
#define PERMISSIONS_TO_MINT (PERMISSION_CALLING | PERMISSION_MESSAGING | PERMISSION_FAX | PERMISSION_VIDEO)

struct fact_key {
    enum key_kind kind;
    struct uuid project;
    struct bytes public_id;     /* the part that is looked up; unique over all projects */
    uint8_t hash[KEY_HASH_LEN]; /* keyed hash of the whole secret; meaningless for a publishable key */
    uint32_t permissions;
    bool is_retired;      /* mints no more */
    struct uuid resource; /* click-to-call: what it leads to; zero otherwise */
};

struct fact_project {
    struct uuid id;
    struct bytes name;
    bool is_test; /* fixed at creation: origins may be "null", secrets may come from browsers, time can be
                     moved */
    int64_t sat_life_s, sat_life_max_s; /* 7200, 86400 */
    int64_t family_max_age_s;           /* 30 days */
    int64_t age_ms; /* how far its clock has been moved (engine/age.h); 0 in live projects */
    const struct bytes *origins;
    size_t origin_count;
};

enum address_type { ADDRESS_APP = 1, ADDRESS_CALL, ADDRESS_ROOM, ADDRESS_SUBSCRIBER };
const char *address_type_text(enum address_type type); /* "app" */

struct address {
    struct uuid id, project, resource;
    struct bytes name; /* "/public/front-desk" */
    struct bytes display_name;
    enum address_type type;
    int64_t created_ms;
};

/* A void-before stamp: everything of the named thing granted at or before t_ms is void. */
enum cutoff_of { CUTOFF_PROJECT = 1, CUTOFF_KEY, CUTOFF_USER, CUTOFF_FAMILY, CUTOFF_RESOURCE };

struct facts {
    struct arena arena; /* owns everything below */
    uint64_t version;   /* of the store's version row */
    uint64_t epoch;     /* deployment epoch: raised when a backup is restored */
    const struct fact_project *projects;
    size_t project_count;  /* by id */
    uint64_t age_total_ms; /* of all projects: it moves when any clock was moved */
    const struct fact_key *keys;
    size_t key_count; /* by public_id */
    const struct address *addresses;
    size_t address_count; /* of resources, by project and name */
    const struct bytes *origins;
    size_t origin_count; /* of all projects, sorted: for preflights */
    const struct bytes *test_origins;
    size_t test_origin_count; /* of test projects only */
};
const struct fact_project *facts_project(const struct facts *facts, const struct uuid *id);
const struct fact_key *facts_key(const struct facts *facts, struct bytes public_id);
const struct address *facts_address(const struct facts *facts, const struct uuid *project, struct bytes name);
/* Origins are listed exactly. A test project may also list "http://localhost:*": that host on any port. */
bool facts_project_lists(const struct fact_project *project, struct bytes origin);
bool facts_any_lists(const struct facts *facts, struct bytes origin);
bool facts_any_test_lists(const struct facts *facts, struct bytes origin);
/* Puts the arrays into the order the look-ups need; called once by whoever fills a snapshot. */
void facts_sort(struct fact_project *projects, size_t project_count, struct fact_key *keys, size_t key_count,
                struct address *addresses, size_t address_count, struct bytes *origins, size_t origin_count);

enum user_kind { USER_SUBSCRIBER = 1, USER_PARTICIPANT, USER_EMBEDDED };

struct user {
    struct uuid id, project;
    enum user_kind kind;
    struct bytes reference;
    struct profile profile;
    struct address address; /* the user's own: "/private/ada" */
    int64_t created_ms, updated_ms;
};

#endif
