/* One suite for every store: what belongs to a project and is in each snapshot, and how it goes. */
#include "harness/check.h"
#include "harness/store_round.h"

static struct facts *facts_now(void)
{
    struct facts *facts;
    CHECK_INT(store->ops->facts(store, &facts), ERR_OK);
    return facts;
}

static uint64_t version_now(void)
{
    uint64_t version;
    CHECK_INT(store->ops->facts_version(store, &version), ERR_OK);
    return version;
}

static void keeps_settings_that_differ(void)
{
    begin();
    struct write write = {.kind = WRITE_SETTING,
                          .setting = {.project = shop, .setting = SETTING_EMBED_LIFE, .value = 60}};
    uint64_t before = version_now();
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    CHECK(version_now() > before);
    reopen_store();
    struct facts *facts = facts_now();
    CHECK_INT(facts_project(facts, &shop)->setting[SETTING_EMBED_LIFE], 60);
    CHECK_INT(facts_project(facts, &lab)->setting[SETTING_EMBED_LIFE], 3600);
    CHECK_INT(facts_project(facts, &shop)->setting[SETTING_SAT_LIFE], 7200);
    facts_free(facts);
    write.setting.value = 3600;
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    facts = facts_now();
    CHECK_INT(facts_project(facts, &shop)->setting[SETTING_EMBED_LIFE], 3600);
    facts_free(facts);
    struct write project = {.kind = WRITE_PROJECT, .project = {.id = shop, .name = TEXT("B")}};
    settings_standard(project.project.setting);
    project.project.setting[SETTING_REFRESH_GRACE] = 0;
    CHECK_INT(put_fact(&project), ROW_WRITTEN); /* says all of them */
    facts = facts_now();
    CHECK_INT(facts_project(facts, &shop)->setting[SETTING_REFRESH_GRACE], 0);
    facts_free(facts);
    end();
}

static void drops_an_origin(void)
{
    begin();
    struct write origin = {.kind = WRITE_ORIGIN, .origin = {.project = shop, .origin = TEXT("https://a.b")}};
    struct write gone = origin;
    gone.kind = WRITE_ORIGIN_GONE;
    CHECK_INT(put_fact(&origin), ROW_WRITTEN);
    gone.origin.project = lab;
    CHECK_INT(put_fact(&gone), ROW_ABSENT);
    gone.origin.project = shop;
    CHECK_INT(put_fact(&gone), ROW_WRITTEN);
    CHECK_INT(put_fact(&gone), ROW_ABSENT);
    struct facts *facts = facts_now();
    CHECK(facts->origin_count == 0 && facts_project(facts, &shop)->origin_count == 0);
    facts_free(facts);
    CHECK_INT(put_fact(&origin), ROW_WRITTEN);
    end();
}

static void keeps_resources_and_studies(void)
{
    begin();
    struct write write = {.kind = WRITE_RESOURCE,
                          .resource = {.id = id_of(5, 1),
                                       .project = shop,
                                       .type = ADDRESS_CALL,
                                       .name = TEXT("de'sk\0"),
                                       .user = id_of(1, 1),
                                       .created_ms = 5,
                                       .updated_ms = 5}};
    struct write study = {
        .kind = WRITE_STUDY,
        .study = {.id = id_of(4, 1), .project = lab, .title = TEXT("T;"), .questions_json = TEXT("[]")}};
    CHECK_INT(put_fact(&study), ROW_WRITTEN);
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    struct write foreign = write, other_type = write;
    foreign.resource.project = lab;
    other_type.resource.type = ADDRESS_APP;
    CHECK_INT(put_fact(&foreign), ROW_EXISTS);
    CHECK_INT(put_fact(&other_type), ROW_EXISTS);
    write.resource = (struct resource){.id = id_of(5, 1),
                                       .project = shop,
                                       .type = ADDRESS_CALL,
                                       .display_name = TEXT("Desk"),
                                       .is_disabled = true,
                                       .created_ms = 99,
                                       .updated_ms = 6};
    reopen_store();
    struct facts *facts = facts_now();
    const struct resource *kept = facts_resource(facts, &shop, &write.resource.id);
    CHECK_BYTES(kept->name, TEXT("de'sk\0"));
    CHECK(bytes_is_absent(kept->display_name) && !kept->is_disabled && kept->type == ADDRESS_CALL);
    CHECK(kept->user.byte[0] == 1 && kept->updated_ms == 5);
    CHECK(facts_resource(facts, &lab, &write.resource.id) == NULL);
    CHECK_BYTES(facts_study(facts, &lab, &study.study.id)->title, TEXT("T;"));
    CHECK_BYTES(facts_study(facts, &lab, &study.study.id)->questions_json, TEXT("[]"));
    facts_free(facts);
    CHECK_INT(put_fact(&write), ROW_WRITTEN);
    facts = facts_now();
    kept = facts_resource(facts, &shop, &write.resource.id);
    CHECK(bytes_is_absent(kept->name) && kept->is_disabled && uuid_is_zero(&kept->user));
    CHECK_BYTES(kept->display_name, TEXT("Desk"));
    CHECK(kept->created_ms == 5 && kept->updated_ms == 6);
    facts_free(facts);
    end();
}

/* One operator switches a button off while another sets a bound of it: neither undoes the other unseen. */
static void changes_a_resource_as_it_was_read(void)
{
    struct write made = {
        .kind = WRITE_RESOURCE,
        .resource = {.id = id_of(5, 1), .project = shop, .type = ADDRESS_CALL, .updated_ms = 5}};
    struct write off = made, bound = made, gone = made;
    off.if_updated_ms = bound.if_updated_ms = 5;
    off.resource.is_disabled = true;
    off.resource.updated_ms = 6;
    bound.resource.budget[BUDGET_DAY] = 9;
    bound.resource.updated_ms = 7;
    gone.kind = WRITE_RESOURCE_GONE;
    begin();
    CHECK_INT(put_fact(&bound), ROW_EXISTS); /* a change makes nothing */
    CHECK_INT(put_fact(&made), ROW_WRITTEN);
    CHECK_INT(put_fact(&off), ROW_WRITTEN);
    CHECK_INT(put_fact(&bound), ROW_EXISTS);
    reopen_store();
    struct facts *facts = facts_now();
    const struct resource *kept = facts_resource(facts, &shop, &made.resource.id);
    CHECK(kept->is_disabled && kept->budget[BUDGET_DAY] == 0);
    facts_free(facts);
    bound.if_updated_ms = 6;
    CHECK_INT(put_fact(&bound), ROW_WRITTEN);
    CHECK_INT(put_fact(&gone), ROW_WRITTEN);
    off.if_updated_ms = 7;
    CHECK_INT(put_fact(&off), ROW_EXISTS); /* nor what was removed again */
    facts = facts_now();
    CHECK_INT(facts->resource_count, 0);
    facts_free(facts);
    end();
}

static void takes_all_that_is_a_resources_with_it(void)
{
    begin();
    struct write resource = {.kind = WRITE_RESOURCE,
                             .resource = {.id = id_of(5, 1), .project = shop, .type = ADDRESS_CALL}};
    struct write key = {.kind = WRITE_KEY,
                        .key = {.project = shop,
                                .kind = KEY_CLICK_TO_CALL,
                                .public_id = TEXT("c1"),
                                .name = TEXT("But'ton"),
                                .created_ms = 44,
                                .resource = id_of(5, 1)}};
    struct write other = key, gone = resource;
    other.key.public_id = TEXT("c2");
    other.key.resource = id_of(5, 2);
    gone.kind = WRITE_RESOURCE_GONE;
    gone.resource.project = lab;
    CHECK_INT(put_fact(&resource), ROW_WRITTEN);
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    CHECK_INT(put_fact(&other), ROW_WRITTEN);
    for (uint32_t i = 1; i <= 3; i++) {
        struct write address = {.kind = WRITE_ADDRESS,
                                .address = {.id = id_of(3, i),
                                            .project = shop,
                                            .resource = id_of(5, i == 3 ? 2 : 1),
                                            .name = i == 1   ? TEXT("/public/1")
                                                    : i == 2 ? TEXT("/public/2")
                                                             : TEXT("/public/3"),
                                            .type = ADDRESS_CALL}};
        CHECK_INT(put_fact(&address), ROW_WRITTEN);
    }
    CHECK_INT(put_fact(&gone), ROW_ABSENT);
    gone.resource.project = shop;
    CHECK_INT(put_fact(&gone), ROW_WRITTEN);
    CHECK_INT(put_fact(&gone), ROW_ABSENT);
    reopen_store();
    struct facts *facts = facts_now();
    struct uuid left = id_of(3, 3), lost = id_of(3, 1);
    CHECK_INT(facts->resource_count, 0);
    CHECK_INT(facts->address_count, 1);
    CHECK(facts_address_by_id(facts, &shop, &left) != NULL);
    CHECK(facts_address_by_id(facts, &shop, &lost) == NULL);
    CHECK(facts_address_by_id(facts, &lab, &left) == NULL);
    CHECK(facts_key(facts, TEXT("c1"))->is_retired && !facts_key(facts, TEXT("c2"))->is_retired);
    CHECK_BYTES(facts_key(facts, TEXT("c1"))->name, TEXT("But'ton"));
    CHECK_INT(facts_key(facts, TEXT("c1"))->created_ms, 44);
    facts_free(facts);
    struct write ada = user_write(&shop, 1, TEXT("ada"), TEXT("/public/1"));
    struct row row;
    CHECK_INT(write_one(&row, &ada), ROW_WRITTEN); /* the name is free again */
    CHECK_BYTES(row.user.address.name, TEXT("/public/1"));
    end();
}

static void keeps_a_public_key(void)
{
    begin();
    struct write key = {.kind = WRITE_KEY,
                        .key = {.project = shop,
                                .kind = KEY_CLIENT,
                                .public_id = TEXT("cli_1"),
                                .public_key = TEXT("{\"kty\":\"EC\"}")}};
    struct write other = key, none = key, plain = key;
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    other.key.public_key = TEXT("{\"kty\":\"RSA\"}");
    CHECK_INT(put_fact(&other), ROW_EXISTS); /* who signs for a key is settled when it is made */
    none.key.public_key = BYTES_NONE;
    CHECK_INT(put_fact(&none), ROW_EXISTS);
    key.key.is_retired = true;
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    plain.key.public_id = TEXT("cli_2");
    plain.key.public_key = BYTES_NONE;
    CHECK_INT(put_fact(&plain), ROW_WRITTEN);
    reopen_store();
    struct facts *facts = facts_now();
    CHECK_BYTES(facts_key(facts, TEXT("cli_1"))->public_key, TEXT("{\"kty\":\"EC\"}"));
    CHECK(facts_key(facts, TEXT("cli_1"))->is_retired);
    CHECK(bytes_is_absent(facts_key(facts, TEXT("cli_2"))->public_key));
    facts_free(facts);
    end();
}

static void raises_the_epoch(void)
{
    begin();
    uint64_t before = version_now();
    CHECK_INT(put_fact(&(struct write){.kind = WRITE_EPOCH}), ROW_WRITTEN);
    reopen_store();
    struct facts *facts = facts_now();
    CHECK_INT(facts->epoch, 2);
    CHECK(facts->version > before);
    facts_free(facts);
    end();
}

static void tells_when_a_key_was_last_used(void)
{
    struct store_key_uses *uses;
    begin();
    struct write key = {.kind = WRITE_KEY,
                        .key = {.project = shop, .kind = KEY_SECRET, .public_id = TEXT("k1")}};
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    key.key.public_id = TEXT("k2");
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    key.key.public_id = TEXT("k3");
    key.key.project = lab;
    CHECK_INT(put_fact(&key), ROW_WRITTEN);
    uint64_t before = version_now();
    struct write used = {.kind = WRITE_KEY_USED, .key_used = {.public_id = TEXT("k1"), .used_ms = 50}};
    CHECK_INT(put_fact(&used), ROW_WRITTEN);
    used.key_used.used_ms = 40;
    CHECK_INT(put_fact(&used), ROW_EXISTS);
    CHECK_INT(version_now(), before);
    reopen_store();
    CHECK_INT(store->ops->key_uses(store, &shop, &uses), ERR_OK);
    CHECK_INT(uses->count, 2);
    for (size_t i = 0; i < uses->count; i++)
        CHECK_INT(uses->list[i].used_ms, bytes_equal(uses->list[i].public_id, TEXT("k1")) ? 50 : 0);
    store_key_uses_free(uses);
    CHECK_INT(store->ops->key_uses(store, &nobody, &uses), ERR_OK);
    CHECK_INT(uses->count, 0);
    store_key_uses_free(uses);
    end();
}

static void suite(void)
{
    CHECK_RUN(keeps_settings_that_differ);
    CHECK_RUN(drops_an_origin);
    CHECK_RUN(keeps_resources_and_studies);
    CHECK_RUN(changes_a_resource_as_it_was_read);
    CHECK_RUN(takes_all_that_is_a_resources_with_it);
    CHECK_RUN(keeps_a_public_key);
    CHECK_RUN(raises_the_epoch);
    CHECK_RUN(tells_when_a_key_was_last_used);
}

int main(void)
{
    return run_rounds(suite);
}
