/* model.h — what the clients of a world know and may expect: projects, keys, references, tokens, proofs.
 *
 * The model is written from the contract (design §3-5), not from the product: it says for each request which
 * answers are right, given what was asked, when, and which failures were injected meanwhile. */
#ifndef COATCHECK_TESTS_SIM_MODEL_H
#define COATCHECK_TESTS_SIM_MODEL_H

#include "service/key_text.h"
#include "service/keys.h"
#include "sim/disk.h"
#include "sim/voided.h"
#include "token/jwk.h"

#define PROJECTS   2
#define REFERENCES 6 /* of each project */
#define BROWSERS   2
#define TOKENS_MAX 512
#define PROOFS_MAX 512
#define KNOWN_MAX  64 /* keys of the ring, over one seed */
#define SIM_URL    "http://coat.test"

enum sim_key { KEY_GOOD, KEY_TOGGLED, KEY_POWERLESS, KEYS };

struct sim_project {
    struct uuid id;
    char text[UUID_TEXT_LEN + 1];
    const char *origin; /* the only one it lists */
    bool is_test;
    struct key_text keys[KEYS];
    struct fact_key stored[KEYS];
    int64_t toggled_us; /* when KEY_TOGGLED was last retired or brought back */
    bool was_toggled;
};

struct sim_user {
    const char *reference;
    unsigned acked_at;    /* the place in its history of the newest display name that was acknowledged */
    unsigned acked_on[4]; /* by lane: what another lane did it may not know if a letter was lost */
    unsigned life;        /* of the node, in which that was */
    unsigned failures;    /* of memory, when it was asked for */
};

struct sim_family;
struct token {
    char text[2048];
    size_t len;
    char refresh[1024]; /* the refresh token beside it */
    size_t refresh_len;
    unsigned project, user;
    struct uuid jti;
    int64_t iat_s, exp_s, end_s; /* end: of its family, as it says itself; 0: it does not */
    int64_t made_us;
    struct lineage_known line;
    int browser;               /* bound to its key; -1: unbound */
    struct sim_family *family; /* NULL: not known */
    bool is_known;             /* a client has received it */
    int64_t over_us;           /* first refused for its end, at a time that was not lost since; 0: not yet */
    bool is_lost;              /* made at a time that no floor had reached when the process died */
    bool may_self_refresh;
    /* of an unbound one: who has shown a good proof, as bits, and who got a token by it; -1: nobody yet */
    unsigned shown_by;
    int bound_to;
    /* of a guest (guests.h): its family, and the connects with it that were sent and that were granted */
    struct uuid guest; /* zero: it is a subscriber's */
    unsigned tried, granted;
};

struct proof { /* one signed text, as often as it is sent */
    char text[1024];
    size_t len;
    int browser;
    int64_t iat_s;
    unsigned sent;
    bool is_good, was_granted; /* good: for the call it names, with a time of now */
    bool is_renewal;           /* that is not connect */
    const struct token *about; /* the other form: for a call over HTTP with this token; NULL: for a socket */
    bool renews, has_ath;
};

struct model {
    struct sim_project projects[PROJECTS];
    struct sim_user users[PROJECTS][REFERENCES];
    struct token tokens[TOKENS_MAX];
    size_t token_count;
    struct proof proofs[PROOFS_MAX];
    size_t proof_count;
    unsigned shown;    /* display names drawn so far: each is used once */
    struct known_key { /* of the node's ring, those that are retired too */
        char id[SEAL_KEY_ID_LEN];
        struct crypto_check *check; /* one of the two */
        struct seal_key *seal;
    } known[KNOWN_MAX];
    size_t known_count, founded_count;
    struct crypto *cryptos[KNOWN_MAX]; /* that they were made with */
    size_t crypto_count;
};
extern struct model model;

void model_begin(void); /* once a process: the browsers' keys */
/* The key of this name; looks into the node's ring for one that is new. NULL: there is none. */
const struct known_key *model_known(struct bytes id);
void model_reset(void);
void model_end(void);
/* For many worlds on one founding: back to what was known right after it, and the crypto dice begin anew. */
void model_rewind(void);
struct bytes browser_jkt(int browser);

/* Writes the two projects and their keys, and learns the key ring; at a seed's first start. */
void model_found(struct store *store, const struct keyring *ring);
void model_toggle_key(struct store *store, unsigned project);
bool model_key_is_settled(unsigned project); /* long enough for every lane to know */

struct bytes model_reference(unsigned user);
const struct disk_user *model_disk_user(unsigned project, unsigned user);

/* It was refused for its end: what is asked from now on stays refused, also over crashes. */
void model_token_is_over(const struct token *token);
bool model_token_was_over(const struct token *token, int64_t asked_us);

struct token *model_pick_token(void); /* a subscriber's that a client has; NULL: none yet */
bool model_is_guest(const struct token *token);
struct token *model_add_token(void);
void model_keep_refresh(struct token *token, struct bytes text);
struct token *model_token_of(struct bytes text); /* by its exact text; NULL */

/* A proof by this browser for a connect. method: "signalwire.connect" makes it good. NULL: no more room. */
struct proof *model_prove(int browser, const char *method, int64_t iat_s);
/* The same for a call over HTTP that binds or renews this token. */
struct proof *model_prove_http(int browser, const struct token *about, bool renews, bool has_ath,
                               int64_t iat_s);
#define SIM_PATH_TO_BIND  "/api/fabric/subscriber/devices/token"
#define SIM_PATH_TO_RENEW "/api/fabric/subscriber/devices/refresh"

#endif
