#include <jansson.h>

#include "dialect/signalwire/signalwire.h"
#include "harness/check.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define U(n)        "0" #n "000000-0000-0000-0000-000000000000"

static struct buf body;

/* Encodes, and compares the whole body, member by member, with the wanted JSON (quotes written as '). */
static void check_body(outcome_encode_fn *encode, const struct outcome *outcome, int status,
                       const char *wanted)
{
    struct dialect_reply reply = {.body = &body};
    char text[4096];
    json_t *got, *expected;
    size_t i;

    (void)snprintf(text, sizeof text, "%s", wanted);
    for (i = 0; text[i]; i++)
        if (text[i] == '\'') text[i] = '"';
    buf_reset(&body);
    encode(&reply, outcome);
    CHECK_INT(buf_error(&body), ERR_OK);
    CHECK_INT(reply.status, status);
    got = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, NULL);
    expected = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    CHECK(expected != NULL);
    if (!CHECK(got && expected && json_equal(got, expected)))
        fprintf(stderr, "    got %.*s\n    wanted %s\n", (int)body.len, (const char *)body.ptr, text);
    json_decref(got);
    json_decref(expected);
}

static outcome_encode_fn *const encoders[] = {
    signalwire_encode_subscriber, signalwire_encode_subscriber_made, signalwire_encode_subscribers,
    signalwire_encode_resource,   signalwire_encode_resources,       signalwire_encode_owned_addresses,
    signalwire_encode_gone,       signalwire_encode_key_made};

static void an_empty_page_names_its_owner(void)
{
    struct outcome outcome = {.kind = OUTCOME_ADDRESSES};

    outcome.addresses.owner = (struct uuid){{1}};
    outcome.addresses.page.size = 50;
    check_body(signalwire_encode_owned_addresses, &outcome, 200,
               "{'data':[],'links':{"
               "'self':'/api/fabric/resources/01000000-0000-0000-0000-000000000000/"
               "addresses?page_number=0&page_size=50',"
               "'first':'/api/fabric/resources/01000000-0000-0000-0000-000000000000/"
               "addresses?page_number=0&page_size=50'}}");
}

static void says_no_in_the_vendors_words(void)
{
    struct outcome refused = {.kind = OUTCOME_REFUSED},
                   failed = {.kind = OUTCOME_FAILED, .error = ERR_STORE_BUSY};
    size_t i;

    for (i = 0; i < COUNT(encoders); i++) {
        CHECK_NOTE("encoder %zu", i);
        refused.refused = (struct refused){REFUSAL_NOT_FOUND, FIELD_NONE, "no such id"};
        check_body(encoders[i], &refused, 404, "{'error':'Not Found'}");
        refused.refused = (struct refused){REFUSAL_PARAMETER_TAKEN, FIELD_EMAIL, "has already been taken"};
        check_body(
            encoders[i], &refused, 422,
            "{'errors':[{'type':'validation_error','code':'value_not_unique','message':'email has already "
            "been taken','attribute':'email','url':'https://signalwire.com/docs/apis/error-codes'}]}");
        check_body(encoders[i], &failed, 503, "{'error':'Service Unavailable'}");
    }
}

static const struct user ada = {.id = {{1}},
                                .project = {{2}},
                                .kind = USER_SUBSCRIBER,
                                .reference = {(const uint8_t *)"ada@x.example", 13},
                                .profile = {.value = {[PROFILE_TIME_ZONE] = {(const uint8_t *)"UTC", 3}}},
                                .address = {.id = {{3}},
                                            .resource = {{4}},
                                            .name = {(const uint8_t *)"/private/ada", 12},
                                            .display_name = {(const uint8_t *)"Ada", 3},
                                            .type = ADDRESS_SUBSCRIBER}};
#define ADA                                                                                                  \
    "{'id':'" U(4) "','project_id':'" U(                                                                     \
        2) "','display_name':'ada@x.example','type':'subscriber',"                                           \
           "'created_at':'1970-01-01T00:00:00.000Z','updated_at':'1970-01-01T00:00:00.000Z','subscriber':{"  \
           "'id':'" U(1) "','email':'ada@x.example','first_name':null,'last_name':null,'display_name':null," \
                         "'job_title':null,'timezone':'UTC','country':null,'company_name':null}}"
#define ROOM                                                                                                 \
    "{'id':'" U(5) "','project_id':'" U(                                                                     \
        2) "','display_name':'Board','type':'video_room',"                                                   \
           "'created_at':'1970-01-01T00:00:00.000Z','updated_at':'1970-01-01T00:00:00.000Z','video_room':{"  \
           "'id':'" U(5) "','name':'board','display_name':'Board'}}"

static const struct resource room = {.id = {{5}},
                                     .project = {{2}},
                                     .type = ADDRESS_ROOM,
                                     .name = {(const uint8_t *)"board", 5},
                                     .display_name = {(const uint8_t *)"Board", 5}};

static void tells_subscribers(void)
{
    struct outcome outcome = {.kind = OUTCOME_WHO, .who = ada};

    check_body(signalwire_encode_subscriber, &outcome, 200, ADA);
    check_body(signalwire_encode_subscriber_made, &outcome, 201, ADA);
    check_body(signalwire_encode_resource, &outcome, 200, ADA);
    outcome.kind = OUTCOME_USERS;
    outcome.users.list = &ada;
    outcome.users.count = 1;
    outcome.users.page = (struct list_page){50, 1, BYTES("a b"), BYTES("c/d")};
    check_body(signalwire_encode_subscribers, &outcome, 200,
               "{'data':[" ADA "],'links':{"
               "'self':'/api/fabric/resources/subscribers?page_number=1&page_size=50&page_token=a%20b',"
               "'first':'/api/fabric/resources/subscribers?page_number=0&page_size=50',"
               "'prev':'/api/fabric/resources/subscribers?page_number=0&page_size=50',"
               "'next':'/api/fabric/resources/subscribers?page_number=2&page_size=50&page_token=c%2Fd'}}");
}

static void tells_resources(void)
{
    struct outcome outcome = {.kind = OUTCOME_RESOURCE, .resource = room};
    struct resource button = room;

    check_body(signalwire_encode_resource, &outcome, 200, ROOM);
    button.type = ADDRESS_CALL;
    button.is_disabled = true;
    outcome.resource = button;
    check_body(signalwire_encode_resource, &outcome, 200,
               "{'id':'" U(5) "','project_id':'" U(
                   2) "','display_name':'Board','type':'click_to_call',"
                      "'created_at':'1970-01-01T00:00:00.000Z','updated_at':'1970-01-01T00:00:00.000Z','"
                      "click_to_call':{"
                      "'id':'" U(5) "','name':'board','display_name':'Board','disabled':true}}");
    outcome = (struct outcome){.kind = OUTCOME_RESOURCES};
    outcome.resources.list = &room;
    outcome.resources.users = &ada;
    outcome.resources.count = outcome.resources.user_count = 1;
    outcome.resources.page.size = 2;
    check_body(signalwire_encode_resources, &outcome, 200,
               "{'data':[" ROOM "," ADA "],'links':{'self':'/api/fabric/resources?page_number=0&page_size=2',"
               "'first':'/api/fabric/resources?page_number=0&page_size=2'}}");
}

static void tells_keys_and_ends(void)
{
    static const struct fact_key key = {.public_id = {(const uint8_t *)"PT1", 3},
                                        .name = {(const uint8_t *)"k", 1},
                                        .permissions = PERMISSION_VIDEO | PERMISSION_CALLING};
    struct outcome outcome = {.kind = OUTCOME_KEY_MADE};
    struct dialect_reply reply = {.body = &body};

    outcome.key_made.key = &key;
    outcome.key_made.secret = BYTES("PT1secret");
    check_body(signalwire_encode_key_made, &outcome, 200,
               "{'id':'PT1','name':'k','permissions':['calling','video'],'token':'PT1secret'}");
    outcome.kind = OUTCOME_GONE;
    buf_reset(&body);
    signalwire_encode_gone(&reply, &outcome);
    CHECK_INT(reply.status, 204);
    CHECK_INT(body.len, 0);
}

int main(void)
{
    buf_init(&body, 65536);
    CHECK_RUN(an_empty_page_names_its_owner);
    CHECK_RUN(says_no_in_the_vendors_words);
    CHECK_RUN(tells_subscribers);
    CHECK_RUN(tells_resources);
    CHECK_RUN(tells_keys_and_ends);
    buf_release(&body);
    return CHECK_END();
}
