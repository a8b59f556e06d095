/* One suite for every store: users of all kinds, how they are listed, what they answer, and how they go. */
#include "harness/check.h"
#include "harness/store_round.h"

static struct write someone(const struct uuid *project, uint32_t number, enum user_kind kind)
{
    return (struct write){.kind = WRITE_USER,
                          .user.user = {.id = id_of(1, number),
                                        .project = *project,
                                        .kind = kind,
                                        .created_ms = 1000 + number,
                                        .updated_ms = 2000 + number}};
}

/* --- users --- */

static void keeps_users_without_a_reference_by_their_id(void)
{
    struct row row;
    struct user found;
    struct uuid id = id_of(1, 1);
    begin();
    struct write write = someone(&shop, 1, USER_PARTICIPANT);
    write.user.user.external_id = TEXT("o'hara\0\";--");
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    CHECK(bytes_is_absent(row.user.reference) && row.user.address.type == 0);
    CHECK(uuid_is_zero(&row.user.address.id) && uuid_is_zero(&row.user.address.project));
    struct write again = write;
    again.user.user.external_id = TEXT("somebody else");
    CHECK_INT(write_one(&row, &again), ROW_EXISTS);
    CHECK_BYTES(row.user.external_id, write.user.user.external_id);
    CHECK_INT(row.user.kind, USER_PARTICIPANT);
    again.user.user.project = lab; /* the same id, but not the same user */
    CHECK_INT(write_one(&row, &again), ROW_WRITTEN);
    struct write other = someone(&shop, 2, USER_PARTICIPANT);
    CHECK_INT(write_one(&row, &other), ROW_WRITTEN); /* no two share an absent reference */
    reopen_store();
    CHECK(look_up(&found, READ_USER_BY_ID, &shop, BYTES_NONE, &id));
    CHECK_BYTES(found.external_id, write.user.user.external_id);
    CHECK(bytes_is_absent(found.reference) && bytes_is_absent(found.payload));
    CHECK(found.address.type == 0 && uuid_is_zero(&found.address.project));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, BYTES_NONE, NULL));
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT(""), NULL));
    CHECK(look_up(&found, READ_USER_BY_ID, &lab, BYTES_NONE, &id));
    CHECK_BYTES(found.external_id, TEXT("somebody else"));
    end();
}

static void finds_subscribers_by_their_resource(void)
{
    struct row row;
    struct user found;
    struct uuid resource = id_of(5, 7), other = id_of(5, 8), zero = {0};
    begin();
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write guest = someone(&shop, 2, USER_PARTICIPANT);
    ada.user.user.address.resource = resource;
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &guest), ROW_WRITTEN);
    CHECK(!look_up(&found, READ_USER_BY_RESOURCE, &lab, BYTES_NONE, &resource));
    CHECK(!look_up(&found, READ_USER_BY_RESOURCE, &shop, BYTES_NONE, &other));
    CHECK(!look_up(&found, READ_USER_BY_RESOURCE, &shop, BYTES_NONE, &zero));
    CHECK(look_up(&found, READ_USER_BY_RESOURCE, &shop, BYTES_NONE, &resource));
    CHECK_BYTES(found.reference, TEXT("ada"));
    end();
}

static void merges_a_payload_only_into_what_was_read(void)
{
    struct row row;
    begin();
    struct write guest = someone(&shop, 1, USER_PARTICIPANT), embedded = someone(&shop, 2, USER_EMBEDDED);
    struct write write = {.kind = WRITE_PAYLOAD,
                          .payload = {.project = shop,
                                      .user = id_of(1, 1),
                                      .payload = TEXT("{\"a\":\"'\0\"}"),
                                      .if_updated_ms = 2001,
                                      .now_ms = 3000}};
    CHECK_INT(write_one(&row, &guest), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &embedded), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &write), ROW_ABSENT); /* not an embedded user */
    CHECK(uuid_is_zero(&row.user.id));
    write.payload.user = id_of(1, 2);
    write.payload.project = lab;
    CHECK_INT(write_one(&row, &write), ROW_ABSENT);
    write.payload.project = shop;
    CHECK_INT(write_one(&row, &write), ROW_EXISTS); /* changed since 2001 */
    CHECK_INT(row.user.updated_ms, 2002);
    CHECK(bytes_is_absent(row.user.payload));
    write.payload.if_updated_ms = 2002;
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    CHECK_BYTES(row.user.payload, write.payload.payload);
    CHECK(bytes_is_absent(row.user.external_id));
    CHECK_INT(row.user.updated_ms, 3000);
    CHECK_INT(write_one(&row, &write), ROW_EXISTS);
    write.payload.if_updated_ms = 3000; /* within the same millisecond, and a clock behind it */
    write.payload.now_ms = 2500;
    write.payload.payload = BYTES_NONE;
    write.payload.external_id = TEXT("e1");
    CHECK_INT(write_one(&row, &write), ROW_WRITTEN);
    CHECK_INT(row.user.updated_ms, 3001);
    CHECK_BYTES(row.user.payload, TEXT("{\"a\":\"'\0\"}")); /* absent stays */
    CHECK_BYTES(row.user.external_id, TEXT("e1"));
    reopen_store();
    CHECK_INT(write_one(&row, &write), ROW_EXISTS);
    CHECK_INT(row.user.updated_ms, 3001);
    CHECK_BYTES(row.user.external_id, TEXT("e1"));
    end();
}

/* --- lists --- */

static void write_crowd(uint32_t count)
{
    char reference[16];
    struct row row;
    for (uint32_t i = 1; i <= count; i++) {
        (void)snprintf(reference, sizeof reference, "u%u", (unsigned)(1000 - i));
        struct write user = user_write(&shop, i, bytes_of_text(reference), BYTES_NONE);
        struct write guest = someone(&shop, 500 + i, USER_PARTICIPANT);
        struct write other = user_write(&lab, i, bytes_of_text(reference), BYTES_NONE);
        guest.user.user.external_id = TEXT("label");
        user.user.user.external_id = i % 2 ? TEXT("label") : BYTES_NONE;
        CHECK_INT(write_one(&row, &user), ROW_WRITTEN);
        CHECK_INT(write_one(&row, &guest), ROW_WRITTEN);
        CHECK_INT(write_one(&row, &other), ROW_WRITTEN);
    }
}

static void gives_pages_of_subscribers_in_their_order(void)
{
    enum { CROWD = 10 };
    struct row row;
    begin();
    write_crowd(CROWD);
    struct write rename = {.kind = WRITE_PROFILE,
                           .profile = {.project = shop, .user = id_of(1, 2), .now_ms = 9}};
    CHECK_INT(write_one(&row, &rename), ROW_WRITTEN); /* moves nobody */
    for (uint32_t limit = 1; limit <= CROWD + 1; limit++) {
        struct store_read read = {.kind = READ_USERS, .project = shop, .limit = limit};
        uint32_t seen = 0;
        CHECK_NOTE("limit %u", (unsigned)limit);
        do {
            read.text = read.next;
            CHECK_INT(read_wait(&read), ERR_OK);
            CHECK(read.user_count > 0 && read.user_count <= limit);
            for (size_t i = 0; i < read.user_count; i++) {
                struct uuid expected = id_of(1, ++seen);
                CHECK(uuid_equal(&read.users[i].id, &expected));
                CHECK(uuid_equal(&read.users[i].project, &shop));
                CHECK_INT(read.users[i].kind, USER_SUBSCRIBER);
            }
        } while (!bytes_is_absent(read.next) && seen <= CROWD);
        CHECK_INT(seen, CROWD);
    }
    CHECK_NOTE("%s", "");
    struct store_read none = {.kind = READ_USERS, .project = nobody, .limit = 5};
    CHECK_INT(read_wait(&none), ERR_OK);
    CHECK(none.user_count == 0 && bytes_is_absent(none.next));
    none.project = shop;
    none.limit = 0;
    CHECK_INT(read_wait(&none), ERR_OK);
    CHECK(none.user_count == 0 && bytes_is_absent(none.next));
    end();
}

static void refuses_cursor(const struct uuid *project, struct bytes text)
{
    struct store_read read = {.kind = READ_USERS, .project = *project, .text = text, .limit = 5};
    CHECK_INT(read_wait(&read), ERR_MALFORMED);
    CHECK(read.user_count == 0 && read.users == NULL && !read.found && bytes_is_absent(read.next));
}

static void refuses_a_cursor_that_is_none(void)
{
    static const char *const bad[] = {"",
                                      " ",
                                      "x",
                                      "0",
                                      "1",
                                      "-1",
                                      "' OR 1=1",
                                      "9223372036854775808",
                                      "00000000-0000-0000-0000-000000000000",
                                      "01000000-0000-0000-0000-00000000000",
                                      "01000000-0000-0000-0000-0000000000010",
                                      "01000000-0000-0000-0000-000000000003",
                                      "{01000000-0000-0000-0000-000000000001}"};
    struct row row;
    begin();
    write_crowd(2);
    for (size_t i = 0; i < COUNT(bad); i++) {
        CHECK_NOTE("cursor '%s'", bad[i]);
        refuses_cursor(&shop, bytes_of_text(bad[i]));
    }
    CHECK_NOTE("%s", "");
    struct store_read page = {.kind = READ_USERS, .project = shop, .limit = 1};
    CHECK_INT(read_wait(&page), ERR_OK);
    CHECK_BYTES(page.next, TEXT("01000000-0000-0000-0000-000000000001")); /* says who, not how many */
    struct write other = user_write(&lab, 7, TEXT("only here"), BYTES_NONE);
    struct write guest = someone(&shop, 8, USER_PARTICIPANT);
    CHECK_INT(write_one(&row, &other), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &guest), ROW_WRITTEN);
    refuses_cursor(&shop, TEXT("01000000-0000-0000-0000-000000000007"));
    refuses_cursor(&nobody, page.next);
    refuses_cursor(&shop, TEXT("01000000-0000-0000-0000-000000000008")); /* on no page of subscribers */
    struct write gone = {.kind = WRITE_USER_GONE, .user_gone = {.project = shop, .user = id_of(1, 1)}};
    CHECK_INT(write_one(&row, &gone), ROW_WRITTEN);
    refuses_cursor(&shop, page.next);
    end();
}

static void lists_all_who_carry_a_label(void)
{
    struct store_read read = {
        .kind = READ_USERS_BY_EXTERNAL_ID, .project = shop, .text = TEXT("label"), .limit = 100};
    begin();
    write_crowd(4);
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK_INT(read.user_count, 6); /* every participant, and each other subscriber */
    CHECK(bytes_is_absent(read.next));
    read.limit = 2;
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK_INT(read.user_count, 2);
    read.project = lab;
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK_INT(read.user_count, 0);
    read.project = shop;
    read.text = BYTES_NONE;
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK_INT(read.user_count, 0);
    end();
}

static void gives_addresses_of_resources_and_users_by_id(void)
{
    struct uuid ids[] = {id_of(2, 1), id_of(3, 1), id_of(3, 2), id_of(2, 9), {.byte = {0}}, id_of(2, 2)};
    struct store_read read = {.kind = READ_ADDRESSES, .project = shop, .ids = ids, .id_count = COUNT(ids)};
    begin();
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write bob = user_write(&lab, 2, TEXT("bob"), TEXT("/private/bob"));
    struct write guest = someone(&shop, 3, USER_PARTICIPANT);
    struct write desk = {.kind = WRITE_ADDRESS,
                         .address = {.id = id_of(3, 1),
                                     .project = shop,
                                     .name = TEXT("/public/desk"),
                                     .display_name = TEXT("De'sk"),
                                     .type = ADDRESS_ROOM,
                                     .created_ms = 8}};
    struct write other = desk;
    other.address.id = id_of(3, 2);
    other.address.project = lab;
    CHECK_INT(put_fact(&ada), ROW_WRITTEN);
    CHECK_INT(put_fact(&bob), ROW_WRITTEN);
    CHECK_INT(put_fact(&guest), ROW_WRITTEN);
    CHECK_INT(put_fact(&desk), ROW_WRITTEN);
    CHECK_INT(put_fact(&other), ROW_WRITTEN);
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK_INT(read.address_count, 2);
    for (size_t i = 0; i < read.address_count; i++) {
        bool is_desk = read.addresses[i].type == ADDRESS_ROOM;
        CHECK(uuid_equal(&read.addresses[i].project, &shop));
        CHECK(uuid_equal(&read.addresses[i].id, is_desk ? &ids[1] : &ids[0]));
        CHECK_BYTES(read.addresses[i].name, is_desk ? TEXT("/public/desk") : TEXT("/private/ada"));
        CHECK_BYTES(read.addresses[i].display_name, is_desk ? TEXT("De'sk") : BYTES_NONE);
    }
    read.project = nobody;
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK_INT(read.address_count, 0);
    end();
}

/* --- interviews --- */

static struct write interview_write(uint32_t number)
{
    return (struct write){.kind = WRITE_INTERVIEW,
                          .interview = {.id = id_of(9, number),
                                        .project = shop,
                                        .study = id_of(4, 1),
                                        .user = id_of(1, 1),
                                        .state = INTERVIEW_OPEN,
                                        .created_ms = 50}};
}

static struct write step_write(uint32_t from, enum interview_state to)
{
    return (struct write){
        .kind = WRITE_INTERVIEW_STEP,
        .interview_step = {
            .project = shop, .id = id_of(9, 1), .user = id_of(1, 1), .from = from, .to = to, .now_ms = 70}};
}

static struct write answer_write(struct bytes question, struct bytes answer)
{
    return (struct write){.kind = WRITE_ANSWER,
                          .answer = {.project = shop,
                                     .interview = id_of(9, 1),
                                     .user = id_of(1, 1),
                                     .question = question,
                                     .answer = answer,
                                     .now_ms = 60}};
}

static void leads_an_interview_in_its_order(void)
{
    struct row row;
    begin();
    struct write begin_it = interview_write(1), agree = step_write(1u << INTERVIEW_OPEN, INTERVIEW_AGREED),
                 complete = step_write(1u << INTERVIEW_AGREED, INTERVIEW_DONE),
                 answer = answer_write(TEXT("q'1\0"), TEXT("a\0;--"));
    CHECK_INT(write_one(&row, &answer), ROW_ABSENT);
    CHECK_INT(write_one(&row, &agree), ROW_ABSENT);
    CHECK_INT(write_one(&row, &begin_it), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &begin_it), ROW_EXISTS);
    CHECK(uuid_equal(&row.interview.id, &begin_it.interview.id));
    CHECK_INT(write_one(&row, &answer), ROW_EXISTS); /* before consent */
    CHECK_INT(row.interview.state, INTERVIEW_OPEN);
    CHECK_INT(row.interview.answer_count, 0);
    CHECK_INT(write_one(&row, &complete), ROW_EXISTS);
    struct write stolen = agree, foreign = agree, stolen_answer = answer;
    stolen.interview_step.user = stolen_answer.answer.user = id_of(1, 2);
    foreign.interview_step.project = lab;
    CHECK_INT(write_one(&row, &stolen), ROW_ABSENT);
    CHECK_INT(write_one(&row, &foreign), ROW_ABSENT);
    CHECK(uuid_is_zero(&row.interview.id));
    CHECK_INT(write_one(&row, &agree), ROW_WRITTEN);
    CHECK_INT(row.interview.state, INTERVIEW_AGREED);
    CHECK_INT(row.interview.completed_ms, 0);
    CHECK_INT(write_one(&row, &stolen_answer), ROW_ABSENT);
    CHECK_INT(write_one(&row, &answer), ROW_WRITTEN);
    CHECK_INT(row.interview.answer_count, 1);
    answer.answer.answer = TEXT("another");
    CHECK_INT(write_one(&row, &answer), ROW_WRITTEN); /* put again: still one */
    CHECK_INT(row.interview.answer_count, 1);
    answer.answer.question = TEXT("q'1");
    CHECK_INT(write_one(&row, &answer), ROW_WRITTEN);
    CHECK_INT(row.interview.answer_count, 2);
    CHECK_INT(write_one(&row, &complete), ROW_WRITTEN);
    CHECK_INT(row.interview.completed_ms, 70);
    CHECK_INT(write_one(&row, &answer), ROW_EXISTS); /* too late */
    CHECK_INT(row.interview.state, INTERVIEW_DONE);
    reopen_store();
    struct store_read read = {
        .kind = READ_INTERVIEW, .project = shop, .id = id_of(9, 1), .owner = id_of(1, 1)};
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK(read.found && read.interview.state == INTERVIEW_DONE && read.interview.answer_count == 2);
    CHECK(uuid_equal(&read.interview.study, &begin_it.interview.study));
    CHECK(uuid_equal(&read.interview.user, &begin_it.interview.user));
    CHECK(uuid_equal(&read.interview.project, &shop));
    CHECK_INT(read.interview.created_ms, 50);
    read.owner = id_of(1, 2);
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK(!read.found && uuid_is_zero(&read.interview.id));
    read.owner = id_of(1, 1);
    read.project = lab;
    CHECK_INT(read_wait(&read), ERR_OK);
    CHECK(!read.found);
    end();
}

static void takes_all_that_is_a_users_with_them(void)
{
    struct row row;
    struct user found;
    begin();
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/private/ada"));
    struct write gone = {.kind = WRITE_USER_GONE, .user_gone = {.project = lab, .user = id_of(1, 1)}};
    struct write interview = interview_write(1), other = interview_write(2);
    other.interview.user = id_of(1, 2);
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &interview), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &other), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &(struct write){0}), ROW_ABSENT);
    struct write agree = step_write(1u << INTERVIEW_OPEN, INTERVIEW_AGREED);
    struct write answer = answer_write(TEXT("q"), TEXT("a"));
    CHECK_INT(write_one(&row, &agree), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &answer), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &gone), ROW_ABSENT); /* not in that project */
    gone.user_gone.project = shop;
    CHECK_INT(write_one(&row, &gone), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &gone), ROW_ABSENT);
    CHECK(!look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_ADDRESS, &shop, TEXT("/private/ada"), NULL));
    CHECK(!look_up(&found, READ_USER_BY_ID, &shop, BYTES_NONE, &ada.user.user.id));
    CHECK_INT(write_one(&row, &answer), ROW_ABSENT);
    CHECK_INT(write_one(&row, &other), ROW_EXISTS);
    struct write again = user_write(&shop, 7, TEXT("ada"), TEXT("/private/ada"));
    CHECK_INT(write_one(&row, &again), ROW_WRITTEN); /* name and reference are free */
    CHECK_BYTES(row.user.address.name, TEXT("/private/ada"));
    CHECK(look_up(&found, READ_USER_BY_REFERENCE, &shop, TEXT("ada"), NULL));
    CHECK(uuid_equal(&found.id, &again.user.user.id));
    CHECK_INT(write_one(&row, &interview), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &agree), ROW_WRITTEN);
    CHECK_INT(row.interview.answer_count, 0);
    end();
}

static struct write cutoff_write(enum cutoff_of of, const struct uuid *id, int64_t now_ms)
{
    return (struct write){.kind = WRITE_CUTOFF,
                          .cutoff = {.cutoff = {.of = of, .project = shop, .id = uuid_bytes(id)},
                                     .now_ms = now_ms,
                                     .keep_s = 100}};
}

/* What a credential of before the cutoff asks for is refused, with all that was to come with it. */
static void refuses_all_at(int64_t gt_ms, bool is_refused)
{
    struct row row, rows[2];
    struct write user = someone(&shop, 1, USER_PARTICIPANT), interview = interview_write(1);
    struct write writes[] = {interview, step_write(1u << INTERVIEW_OPEN, INTERVIEW_AGREED),
                             answer_write(TEXT("q"), TEXT("a"))};
    struct write once = {
        .kind = WRITE_ONCE, .is_gate = true, .once = {.id = id_of(6, (uint32_t)gt_ms), .bucket_s = 60}};
    CHECK_NOTE("gt %lld", (long long)gt_ms);
    user.gt_ms = gt_ms;
    CHECK_INT(store_commit_wait(store, (struct write[]){once, user}, 2, rows, &arena), ERR_OK);
    CHECK_INT(rows[0].state, is_refused ? ROW_SKIPPED : ROW_WRITTEN);
    CHECK_INT(rows[1].state, is_refused ? ROW_ABSENT : ROW_WRITTEN);
    CHECK_INT(write_one(&row, &once), is_refused ? ROW_WRITTEN : ROW_EXISTS);
    for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        writes[i].gt_ms = gt_ms;
        CHECK_INT(write_one(&row, &writes[i]), is_refused ? ROW_ABSENT : ROW_WRITTEN);
    }
}

static void lets_nobody_come_back_who_was_removed(void)
{
    struct uuid id = id_of(1, 1), stranger = id_of(1, 2);
    struct row row;
    struct write gone = {.kind = WRITE_USER_GONE, .user_gone = {.project = shop, .user = id}};
    struct write cutoff = cutoff_write(CUTOFF_USER, &stranger, 90000);
    begin();
    CHECK_INT(write_one(&row, &cutoff), ROW_WRITTEN);
    cutoff = cutoff_write(CUTOFF_KEY, &id, 90000);
    CHECK_INT(write_one(&row, &cutoff), ROW_WRITTEN);
    refuses_all_at(5000, false); /* those were others */
    CHECK_INT(write_one(&row, &gone), ROW_WRITTEN);
    cutoff = cutoff_write(CUTOFF_USER, &id, 100000);
    CHECK_INT(write_one(&row, &cutoff), ROW_WRITTEN);
    refuses_all_at(5001, true);
    refuses_all_at(row.t_ms, true);
    refuses_all_at(row.t_ms + 1, false);
    struct write interview = interview_write(5);
    interview.gt_ms = 5001;
    CHECK_INT(write_one(&row, &interview), ROW_ABSENT); /* also while somebody new of the id is there */
    CHECK_INT(write_one(&row, &gone), ROW_WRITTEN);
    cutoff = cutoff_write(CUTOFF_PROJECT, &shop, 200000);
    CHECK_INT(write_one(&row, &cutoff), ROW_WRITTEN);
    refuses_all_at(150000, true);
    refuses_all_at(row.t_ms + 1, false);
    end();
}

static void removes_interviews_of_who_has_no_row(void)
{
    struct row row;
    struct write gone = {.kind = WRITE_USER_GONE, .user_gone = {.project = shop, .user = id_of(1, 1)}};
    struct write interview = interview_write(1), other = interview_write(2);
    begin();
    other.interview.user = id_of(1, 2);
    CHECK_INT(write_one(&row, &gone), ROW_ABSENT);
    CHECK_INT(write_one(&row, &interview), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &other), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &gone), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &gone), ROW_ABSENT);
    CHECK_INT(write_one(&row, &interview), ROW_WRITTEN);
    CHECK_INT(write_one(&row, &other), ROW_EXISTS);
    end();
}

static void suite(void)
{
    CHECK_RUN(keeps_users_without_a_reference_by_their_id);
    CHECK_RUN(finds_subscribers_by_their_resource);
    CHECK_RUN(merges_a_payload_only_into_what_was_read);
    CHECK_RUN(gives_pages_of_subscribers_in_their_order);
    CHECK_RUN(refuses_a_cursor_that_is_none);
    CHECK_RUN(lists_all_who_carry_a_label);
    CHECK_RUN(gives_addresses_of_resources_and_users_by_id);
    CHECK_RUN(leads_an_interview_in_its_order);
    CHECK_RUN(takes_all_that_is_a_users_with_them);
    CHECK_RUN(lets_nobody_come_back_who_was_removed);
    CHECK_RUN(removes_interviews_of_who_has_no_row);
}

int main(void)
{
    return run_rounds(suite);
}
