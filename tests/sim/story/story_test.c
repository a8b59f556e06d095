/* story_test.c — the stories that the SDK's session is tested by (tests/vectors/session) are played on the
 * server: what they say of it is so. What it never does is listed here, with why it is told all the same.
 *
 *     sim_story          all of them
 *     sim_story PART     those with this in their names, telling everything */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "harness/check.h"
#include "harness/vector_json.h"
#include "sim/memory.h"
#include "sim/story/story.h"

#ifndef SEEDS
#define SEEDS 4U /* fewer under the sanitizers: on one loop and on two */
#endif

/* From this step on, 1-based, the server cannot follow; an SDK meets other servers, and older ones. */
static const struct {
    const char *name;
    size_t step;
    const char *why;
} impossible[] = {
    {"an answer without slots: refreshed before the end, and nothing is kept of the slots before", 9,
     "each answer on a socket that takes slots tells them"},
    {"a slot of nothing at all: at once, but not twice in a second", 5,
     "a slot lies in the last quarter of a life, or in what is left of it"},
    {"1011 is no crash: nothing is drawn", 8,
     "1011 comes behind the answer to a connect, never to a session"},
};
#define IMPOSSIBLE (sizeof impossible / sizeof impossible[0])

static const char *wanted;
static unsigned stories, cut_short, unheard;
static bool was_found[IMPOSSIBLE];

static size_t first_impossible(const char *name)
{
    size_t i;

    for (i = 0; i < IMPOSSIBLE; i++)
        if (strcmp(impossible[i].name, name) == 0) {
            was_found[i] = true;
            cut_short++;
            printf("     cut short before step %zu, %s: %s\n", impossible[i].step, name, impossible[i].why);
            return impossible[i].step;
        }
    return SIZE_MAX;
}

static void play_all(const char *file)
{
    json_t *document = vector_own(file), *list = json_object_get(document, "stories");
    size_t i;
    uint64_t seed;

    for (i = 0; i < json_array_size(list); i++) {
        json_t *told = json_array_get(list, i);
        size_t end;
        if (wanted && !strstr(told_text(told, "name"), wanted)) continue;
        end = first_impossible(told_text(told, "name"));
        stories++;
        for (seed = 1; seed <= SEEDS; seed++)
            story_play(told, end, seed);
        unheard += story.unheard;
    }
    CHECK(json_array_size(list) > 0);
    json_decref(document);
}

static void begins_as_told(void)
{
    play_all("session/begin.json");
}

static void loses_as_told(void)
{
    play_all("session/losses.json");
}

static void refreshes_as_told(void)
{
    play_all("session/refresh.json");
}

static void gives_slots_as_told(void)
{
    play_all("session/slots.json");
}

static void what_is_impossible_is_told_still(void)
{
    size_t i;

    for (i = 0; i < IMPOSSIBLE; i++) {
        CHECK_NOTE("%s", impossible[i].name);
        CHECK(was_found[i] || wanted);
    }
}

static void log_to_trace(void *state, enum log_level level, const char *line, size_t len)
{
    (void)state;
    (void)level;
    trace("  log", "%.*s", (int)(len ? len - 1 : 0), line);
}

static int64_t log_clock(void *state)
{
    (void)state;
    return world_wall_ms();
}

int main(int argc, char **argv)
{
    wanted = argc > 1 ? argv[1] : NULL;
    world_is_traced = wanted != NULL;
    log_open(log_to_trace, log_clock, NULL, world_is_traced ? LOG_DEBUG : LOG_ERROR);
    memory_begin();
    model_begin();
    CHECK_RUN(begins_as_told);
    CHECK_RUN(loses_as_told);
    CHECK_RUN(refreshes_as_told);
    CHECK_RUN(gives_slots_as_told);
    CHECK_RUN(what_is_impossible_is_told_still);
    printf("%u stories, %u of them cut short, %u events that nobody hears\n", stories, cut_short, unheard);
    return CHECK_END();
}
