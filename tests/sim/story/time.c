/* time.c — the story's clock and the world's. */
#include "sim/node.h"
#include "sim/story/story.h"

static struct item alarm_item;

static void on_alarm(struct item *item)
{
    (void)item;
}

static void one_step(void)
{
    if (!world_step()) story_fail("nothing is left to happen");
    node_crash_if_dead();
}

void run_for_us(int64_t us)
{
    agenda_put(&alarm_item, us, on_alarm);
    while (alarm_item.place)
        one_step();
}

int64_t server_ms(int64_t wall_ms)
{
    return wall_ms - story.epoch_ms;
}

void run_to_ms(int64_t at_ms)
{
    int64_t ahead_ms = STORY_ZERO_MS + at_ms + story.slept_ms - server_ms(world_wall_ms());

    if (ahead_ms > 0) run_for_us(ahead_ms * 1000);
}

bool run_until(bool (*has_come)(void *what), void *what, int64_t most_ms)
{
    agenda_put(&alarm_item, most_ms * 1000, on_alarm);
    while (alarm_item.place && !has_come(what))
        one_step();
    agenda_remove(&alarm_item);
    return has_come(what);
}
