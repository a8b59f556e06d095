#include "server/records.h"

#include "harness/check.h"

static struct records *records;

static struct finding finding_of(unsigned project, bool has_credential)
{
    struct finding finding;

    finding_clear(&finding);
    finding.project.byte[0] = (uint8_t)project;
    finding.has_credential = has_credential;
    return finding;
}

static void add(const char *id, unsigned project, bool has_credential, const char *peer)
{
    struct finding finding = finding_of(project, has_credential);

    memcpy(records_add(records, &finding, peer)->id, id, RECORD_ID_LEN);
}

static bool has(const char *id)
{
    return records_find(records, bytes_of_text(id)) != NULL;
}

static void open_with(size_t records_max)
{
    records_free(records);
    CHECK(records_new(&records, records_max, 7) == ERR_OK);
}

static void finds_nothing_in_an_empty_house(void)
{
    open_with(96);
    CHECK(!has("AAAAAAAAAAAAAAAA"));
    CHECK(!has(""));
    CHECK(!has("AAAAAAAAAAAAAAA"));
    CHECK(records_find(records, bytes_of("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16)) == NULL);
}

static void finds_what_was_put(void)
{
    const struct record *record;

    open_with(96);
    add("AAAAAAAAAAAAAAAA", 0, true, "127.0.0.1");
    record = records_find(records, BYTES("AAAAAAAAAAAAAAAA"));
    CHECK(record && strcmp(record->peer, "127.0.0.1") == 0 && record->finding.has_credential);
    CHECK(!has("AAAAAAAAAAAAAAAB"));
}

static void forgets_the_oldest_of_a_ring_first(void)
{
    open_with(48 * 2);
    add("AAAAAAAAAAAAAAAA", 0, false, "10.0.0.1");
    add("BBBBBBBBBBBBBBBB", 0, false, "10.0.0.1");
    add("CCCCCCCCCCCCCCCC", 0, false, "10.0.0.1");
    CHECK(!has("AAAAAAAAAAAAAAAA"));
    CHECK(has("BBBBBBBBBBBBBBBB") && has("CCCCCCCCCCCCCCCC"));
}

/* The whole of one class, from every address there is, leaves the others alone. */
static void keeps_the_evidence_of_others_in_a_flood(void)
{
    char id[RECORD_ID_LEN + 1], peer[46];
    unsigned i;

    open_with(48);
    add("keptCredential00", 0, true, "10.0.0.1");
    add("keptProject00000", 9, true, "10.0.0.1");
    for (i = 0; i < 20000; i++) {
        (void)snprintf(id, sizeof id, "flood%011u", i);
        (void)snprintf(peer, sizeof peer, "10.%u.%u.%u", i >> 16, (i >> 8) & 255, i & 255);
        add(id, 0, false, peer);
    }
    CHECK(has("keptCredential00"));
    CHECK(has("keptProject00000"));
    CHECK(has("flood00000019999"));
}

/* One address, and one project, can drive out at most those who share its ring. */
static void gives_one_flooder_one_ring(void)
{
    char id[RECORD_ID_LEN + 1], peer[46];
    unsigned i, kept_peers = 0, kept_projects = 0;

    open_with(48);
    for (i = 1; i < 200; i++) {
        (void)snprintf(id, sizeof id, "peer%012u", i);
        (void)snprintf(peer, sizeof peer, "10.0.0.%u", i);
        add(id, 0, true, peer);
        (void)snprintf(id, sizeof id, "proj%012u", i);
        add(id, i, true, peer);
    }
    for (i = 0; i < 5000; i++) {
        (void)snprintf(id, sizeof id, "flood%011u", i);
        add(id, 0, true, "192.0.2.1");
        add(id, 255, true, "192.0.2.1");
    }
    for (i = 1; i < 200; i++) {
        (void)snprintf(id, sizeof id, "peer%012u", i);
        kept_peers += has(id);
        (void)snprintf(id, sizeof id, "proj%012u", i);
        kept_projects += has(id);
    }
    CHECK_INT(kept_peers, RECORDS_SLOTS - 1);
    CHECK_INT(kept_projects, RECORDS_SLOTS - 1);
}

static void counts_an_ip6_network_as_one_peer(void)
{
    static const char *const same[] = {"2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", "2001:db8:1:2::9"};
    size_t i;

    open_with(48);
    for (i = 0; i < sizeof same / sizeof same[0]; i++) {
        char id[RECORD_ID_LEN + 1];
        (void)snprintf(id, sizeof id, "network%09zu", i);
        add(id, 0, false, same[i]);
    }
    CHECK(!has("network000000000") && !has("network000000001"));
    CHECK(has("network000000002"));
}

int main(void)
{
    CHECK_RUN(finds_nothing_in_an_empty_house);
    CHECK_RUN(finds_what_was_put);
    CHECK_RUN(forgets_the_oldest_of_a_ring_first);
    CHECK_RUN(keeps_the_evidence_of_others_in_a_flood);
    CHECK_RUN(gives_one_flooder_one_ring);
    CHECK_RUN(counts_an_ip6_network_as_one_peer);
    records_free(records);
    return CHECK_END();
}
