/* facts.h — what the engine may know when it decides: the tenant's settings and the user in question.
 *
 * Projects, keys, resources, addresses and origins make one immutable snapshot per process (struct facts),
 * owned by an arena of its own; it is found by pointer and freed when every loop has passed it. Users are
 * too many for that: they are looked up one at a time (struct user). Nothing here is ever written to after
 * it was published. */
#ifndef COATCHECK_ENGINE_FACTS_H
#define COATCHECK_ENGINE_FACTS_H

#include "base/arena.h"
#include "base/uuid.h"
#include "engine/setting.h"

#define PROFILE_TEXT_MAX  255 /* bytes of one profile value */
#define REFERENCE_MAX     255 /* bytes of a user's reference */
#define ADDRESS_NAME_MAX  200 /* bytes of "/private/ada" */
#define KEY_PUBLIC_ID_MAX 32
#define KEY_HASH_LEN      32
#define KEY_PUBLIC_MAX    1024 /* bytes of a public key as JWK: RSA of 4096 bits takes 730 */
#define ORIGIN_MAX        255
#define KEY_NAME_MAX      100  /* bytes of the name an operator gives a key */
#define EXTERNAL_ID_MAX   255  /* bytes of a customer's own id for a user */
#define PAYLOAD_MAX       2048 /* bytes of the JSON object a customer attaches to an embedded user */
#define JKT_LEN           43   /* characters of a key's thumbprint (RFC 7638): base64url of SHA-256 */
#define ADDRESSES_MAX     10   /* addresses one limited token may reach */

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
#define KEY_BIT(kind) (1u << (kind))

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
const char *permission_text(enum permission permission); /* "calling" */
bool permission_of(enum permission *out, struct bytes text);
#define PERMISSIONS_TO_MINT (PERMISSION_CALLING | PERMISSION_MESSAGING | PERMISSION_FAX | PERMISSION_VIDEO)

struct fact_key {
    enum key_kind kind;
    struct uuid project;
    struct bytes public_id;     /* the part that is looked up; unique over all projects */
    uint8_t hash[KEY_HASH_LEN]; /* keyed hash of the whole secret; meaningless for a publishable key */
    struct bytes public_key;    /* whose private half signs the client's assertions, as a JWK of RFC 7638
                                   §3's members; absent: it has a secret instead */
    uint32_t permissions;
    bool is_retired;   /* mints no more; what it minted lives on, unless a cutoff voids it */
    struct bytes name; /* for people; may be absent */
    int64_t created_ms;
    struct uuid resource; /* click-to-call: what it leads to; zero otherwise */
};

struct fact_project {
    struct uuid id;
    struct bytes name;
    bool is_test; /* fixed at creation: origins may be "null", secrets may come from browsers, time can be
                     moved */
    int64_t setting[SETTING_COUNT]; /* each within its bounds */
    int64_t age_ms;                 /* how far its clock has been moved (engine/age.h); 0 in live projects */
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

/* What bounds the use of a credential (engine/budget.h). A bound of 0 is none. */
enum budget_part { BUDGET_USES, BUDGET_HOUR, BUDGET_DAY, BUDGET_SESSIONS, BUDGET_PARTS };

/* What an address leads to: an app, a room, a click-to-call button. Users are not resources here, though the
 * REST API calls them that: they are too many for a snapshot. */
struct resource {
    struct uuid id, project;
    enum address_type type;
    struct bytes name, display_name;
    struct uuid user; /* who is rung; zero: nobody */
    bool is_disabled; /* its click-to-call tokens are refused, nothing is lost */
    int64_t created_ms, updated_ms;
    int64_t budget[BUDGET_PARTS]; /* of its click-to-call token; 0: as its project says */
};

struct study {
    struct uuid id, project;
    struct bytes title, questions_json;
};

/* Everything of the named thing granted at or before t_ms is void: a credential whose gt_ms <= t_ms. The id
 * is a uuid's 16 bytes, or a key's public id. An append-only table beside the snapshot: service/cutoffs.h. */
enum cutoff_of { CUTOFF_PROJECT = 1, CUTOFF_KEY, CUTOFF_USER, CUTOFF_FAMILY, CUTOFF_RESOURCE };
struct cutoff {
    enum cutoff_of of;
    struct uuid project;
    struct bytes id;
    int64_t t_ms;
};

/* What an access token is; no kind stands in for another (engine/capability.h says what each may do). */
enum token_kind {
    TOKEN_NONE,
    TOKEN_SUBSCRIBER,
    TOKEN_GUEST,
    TOKEN_INVITE,
    TOKEN_EMBED,
    TOKEN_PARTICIPANT,
    TOKEN_EMBEDDED,
    TOKEN_KINDS
};

struct facts {
    struct arena arena;       /* owns everything below */
    uint64_t version;         /* of the store's version row */
    uint64_t epoch;           /* deployment epoch: when a backup was restored, in seconds; else few */
    int64_t pruned_through_s; /* any sealed credential with exp <= this is expired whatever the clock says:
                                 what told that it was used is forgotten */
    const struct fact_project *projects;
    size_t project_count;  /* by id */
    uint64_t age_total_ms; /* of all projects: it moves when any clock was moved */
    const struct fact_key *keys;
    size_t key_count; /* by public_id */
    const struct address *addresses;
    size_t address_count;                         /* of resources, by project and name */
    const struct address *const *addresses_by_id; /* the same */
    const struct resource *resources;
    size_t resource_count; /* by id */
    const struct study *studies;
    size_t study_count; /* by id */
    const struct bytes *origins;
    size_t origin_count; /* of all projects, sorted: for preflights */
    const struct bytes *test_origins;
    size_t test_origin_count; /* of test projects only */
};
const struct fact_project *facts_project(const struct facts *facts, const struct uuid *id);
const struct fact_key *facts_key(const struct facts *facts, struct bytes public_id);
const struct address *facts_address(const struct facts *facts, const struct uuid *project, struct bytes name);
const struct address *facts_address_by_id(const struct facts *facts, const struct uuid *project,
                                          const struct uuid *id);
const struct resource *facts_resource(const struct facts *facts, const struct uuid *project,
                                      const struct uuid *id);
/* project NULL: of whichever project it is. */
const struct study *facts_study(const struct facts *facts, const struct uuid *project, const struct uuid *id);
/* Origins are listed exactly. A test project may also list "http://localhost:*": that host on any port. */
bool facts_project_lists(const struct fact_project *project, struct bytes origin);
bool facts_any_lists(const struct facts *facts, struct bytes origin);
bool facts_any_test_lists(const struct facts *facts, struct bytes origin);
/* Puts the arrays into the order the look-ups need; called once by whoever fills a snapshot. */
void facts_sort(struct fact_project *projects, size_t project_count, struct fact_key *keys, size_t key_count,
                struct address *addresses, size_t address_count, struct bytes *origins, size_t origin_count);
void facts_sort_resources(struct resource *resources, size_t resource_count, struct study *studies,
                          size_t study_count, const struct address **by_id, size_t address_count);

/* Guests and anonymous visitors have no row: an id that was drawn for them is all there is. */
enum user_kind { USER_SUBSCRIBER = 1, USER_PARTICIPANT, USER_EMBEDDED, USER_GUEST, USER_ANONYMOUS };

struct user {
    struct uuid id, project;
    enum user_kind kind;
    struct bytes reference; /* subscribers: unique in their project; absent for all others */
    /* the customer's own id: participants are found by it, for others it is a label */
    struct bytes external_id;
    struct bytes payload; /* embedded users: a JSON object, at most PAYLOAD_MAX bytes; absent: none */
    struct profile profile;
    struct address address; /* a subscriber's own: "/private/ada"; zeroed for all others */
    int64_t created_ms, updated_ms;
};

#endif
