#include "server/operate.h"

#include "harness/check.h"
#include "store/store.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* ---- as a line ---- */

static void refuses_what_is_no_operation(void)
{
    static const char *const lines[] = {
        "{}",
        "[]",
        "7",
        "{\"verb\":7}",
        "{\"verb\":\"project\"}",
        "{\"verb\":\"Project create\"}",
        "{\"verb\":\"project create\",\"name\":7}",
        "{\"verb\":\"project create\",\"name\":null}",
        "{\"verb\":\"project create\",\"name\":\"a\\u0000\"}",
        "{\"verb\":\"study create\",\"questions\":\"a\"}",
        "{\"verb\":\"study create\",\"questions\":[null]}",
        "{\"verb\":\"study create\",\"questions\":{\"a\":1}}",
        "{\"verb\":\"study create\",\"questions\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}",
    };
    static const struct operation nothing;
    struct operation operation;
    struct json document;
    size_t i;

    for (i = 0; i < COUNT(lines); i++) {
        CHECK_NOTE("%s", lines[i]);
        CHECK_INT(json_read(&document, bytes_of_text(lines[i])), ERR_OK);
        CHECK_INT(operation_read(&operation, document), ERR_MALFORMED);
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both were filled with zeros, gaps and all */
        CHECK(memcmp(&operation, &nothing, sizeof operation) == 0);
        json_free(document);
    }
}

static void reads_back_what_it_writes(void)
{
    struct operation operation = {.question_count = 2}, again;
    struct json document;
    struct buf text;
    size_t i, verb;

    for (verb = 0; verb < OPERATIONS; verb++) {
        operation.verb = (enum operation_verb)verb;
        for (i = 0; i < OPERANDS; i++)
            operation.operand[i] = i % 3 ? BYTES("a \"quoted\" \xc3\xa4") : BYTES_NONE;
        operation.questions[0] = BYTES("");
        operation.questions[1] = BYTES("why?");
        buf_init(&text, OPERATION_LINE_MAX);
        operation_write(&text, &operation);
        CHECK_INT(json_read(&document, buf_bytes(&text)), ERR_OK);
        CHECK_INT(operation_read(&again, document), ERR_OK);
        CHECK_INT(again.verb, verb);
        for (i = 0; i < OPERANDS; i++)
            CHECK(bytes_is_absent(again.operand[i]) == (i % 3 == 0) &&
                  bytes_equal(again.operand[i], operation.operand[i]));
        CHECK_INT(again.question_count, 2);
        json_free(document);
        buf_release(&text);
    }
}

/* ---- carried out ---- */

static struct store *store;
static struct dice_seeded storage;
static struct operate_effects effects;

/* What it answers, kept until the next. */
static struct json run(enum operation_verb verb, const struct operation *with)
{
    static struct json answer;
    struct operation operation = with ? *with : (struct operation){.verb = verb};
    struct operate_means means = {.store = store, .now_ms = INT64_C(1767225600000)};
    struct buf text;

    json_free(answer);
    means.dice = dice_from_seed(&storage, storage.state ? storage.state : 1);
    operation.verb = verb;
    buf_init(&text, OPERATION_ANSWER_MAX);
    operate(&text, &effects, &means, &operation);
    CHECK_INT(json_read(&answer, buf_bytes(&text)), ERR_OK);
    buf_release(&text);
    return answer;
}

static bool is_refused(struct json answer)
{
    return json_text(json_member(answer, "refused")).len > 0 && json_count(answer) == 1;
}

static void begin(void)
{
    struct operation project = {.operand = {[OPERAND_NAME] = BYTES("shop"), [OPERAND_KIND] = BYTES("live")}};

    memset(&storage, 0, sizeof storage);
    CHECK_INT(store_memory_open(&store), ERR_OK);
    CHECK(is_refused(run(OPERATION_KEY_LIST, NULL))); /* there is no project */
    CHECK(!is_refused(run(OPERATION_PROJECT_CREATE, &project)));
    CHECK(effects.facts_changed && !effects.has_cutoff && !effects.has_user);
}

static void end(void)
{
    (void)run(OPERATION_PROJECT_LIST, NULL);
    store->ops->close(store);
}

/* An operation without anything it needs is refused, changes nothing, and takes back what it had written. */
static void refuses_operations_without_operands(void)
{
    static const enum operation_verb lists[] = {
        OPERATION_PROJECT_LIST, OPERATION_PROJECT_SHOW, OPERATION_KEY_LIST,      OPERATION_ORIGIN_LIST,
        OPERATION_ADDRESS_LIST, OPERATION_USER_LIST,    OPERATION_RESOURCE_LIST, OPERATION_STUDY_LIST};
    size_t verb, i;

    begin();
    for (verb = 0; verb < OPERATIONS; verb++) {
        struct json answer = run((enum operation_verb)verb, NULL);
        bool is_list = false;
        for (i = 0; i < COUNT(lists); i++)
            is_list |= lists[i] == (enum operation_verb)verb;
        CHECK_NOTE("%s", operation_words((enum operation_verb)verb));
        CHECK(is_refused(answer) == !is_list);
        CHECK(!effects.facts_changed && !effects.has_cutoff && !effects.has_user);
    }
    end();
}

static void tells_what_a_removal_voids(void)
{
    struct operation room = {.operand = {[OPERAND_KIND] = BYTES("room"), [OPERAND_NAME] = BYTES("Board")}};
    struct operation gone = {.verb = OPERATION_RESOURCE_DELETE};
    struct uuid id;
    char text[UUID_TEXT_LEN];

    begin();
    CHECK_INT(uuid_read(&id, json_text(json_member(run(OPERATION_RESOURCE_CREATE, &room), "id"))), ERR_OK);
    uuid_write(text, &id);
    gone.operand[OPERAND_ID] = bytes_of(text, sizeof text);
    CHECK(!is_refused(run(OPERATION_RESOURCE_DELETE, &gone)));
    CHECK(effects.facts_changed && effects.has_cutoff && !effects.has_user);
    CHECK_INT(effects.cutoff.of, CUTOFF_RESOURCE);
    CHECK_BYTES(effects.cutoff.id, uuid_bytes(&id));
    CHECK(effects.cutoff.t_ms > INT64_C(1767225600000));
    CHECK(is_refused(run(OPERATION_RESOURCE_DELETE, &gone)));
    CHECK(!effects.has_cutoff);
    end();
}

/* A label may be many users', and decides nothing: it only finds them. */
static void finds_users_by_the_customers_own_id(void)
{
    struct operation show = {.operand = {[OPERAND_EXTERNAL_ID] = BYTES("crm-42")}};
    struct write write = {.kind = WRITE_USER};
    struct json answer;
    struct facts *facts;
    struct arena arena;
    struct row row;
    size_t i;

    begin();
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    arena_init(&arena, 4096);
    for (i = 1; i < 4; i++) {
        write.user.user =
            (struct user){.id = {{(uint8_t)i}}, .project = facts->projects[0].id, .kind = USER_EMBEDDED};
        write.user.user.external_id = i < 3 ? BYTES("crm-42") : BYTES("crm-43");
        CHECK_INT(store_commit_wait(store, &write, 1, &row, &arena), ERR_OK);
        CHECK_INT(row.state, ROW_WRITTEN);
    }
    arena_release(&arena);
    facts_free(facts);
    answer = run(OPERATION_USER_SHOW, &show);
    CHECK_INT(json_count(json_member(answer, "users")), 2);
    CHECK_BYTES(json_text(json_member(json_item(json_member(answer, "users"), 0), "kind")),
                BYTES("embedded"));
    CHECK(is_refused(run(OPERATION_USER_DELETE, &show))); /* which of the two? */
    CHECK(!effects.has_user);
    show.operand[OPERAND_EXTERNAL_ID] = BYTES("crm-43");
    CHECK(!is_refused(run(OPERATION_USER_DELETE, &show)));
    CHECK(effects.has_user && effects.has_cutoff && !effects.facts_changed);
    CHECK_INT(effects.cutoff.of, CUTOFF_USER);
    CHECK(is_refused(run(OPERATION_USER_SHOW, &show)));
    show.operand[OPERAND_EXTERNAL_ID] = BYTES("");
    CHECK(is_refused(run(OPERATION_USER_SHOW, &show)));
    end();
}

static void makes_no_secret_without_the_ring(void)
{
    struct operation key = {.operand = {[OPERAND_KIND] = BYTES("client")}};
    struct operation publishable = {.operand = {[OPERAND_KIND] = BYTES("publishable")}};

    begin();
    CHECK(is_refused(run(OPERATION_KEY_CREATE, &key)));
    CHECK(!is_refused(run(OPERATION_KEY_CREATE, &publishable)));
    CHECK_INT(json_count(json_member(run(OPERATION_KEY_LIST, NULL), "keys")), 1);
    end();
}

int main(void)
{
    CHECK_RUN(refuses_what_is_no_operation);
    CHECK_RUN(reads_back_what_it_writes);
    CHECK_RUN(refuses_operations_without_operands);
    CHECK_RUN(tells_what_a_removal_voids);
    CHECK_RUN(finds_users_by_the_customers_own_id);
    CHECK_RUN(makes_no_secret_without_the_ring);
    return CHECK_END();
}
