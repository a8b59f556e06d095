/* hear.c — the client's ends of the story's links: pings are answered, as far as anybody is awake. */
#include <stdio.h>

#include "sim/memory.h"
#include "sim/story/story.h"

static struct line *line_of(struct link *link)
{
    return link->client ? HOLDER(link->client, struct line, client) : NULL;
}

static void answer_ping(struct line *line, const struct said *said)
{
    char text[128];

    (void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{}}", said->id);
    line_frame(line, 0x80 | WS_TEXT, bytes_of_text(text), true);
}

static void hear(struct line *line, const struct said *said)
{
    if (said->request && said->request->status == 101) line->client.is_upgraded = true;
    if (line->ear == EAR_AWAKE || line->ear == EAR_MUTE) line->heard_us = world.mono_us;
    if (line->link->tap.is_broken || line->link->tap.close_code) return;
    if (said->kind == SAID_PING && line->ear == EAR_AWAKE) answer_ping(line, said);
    if (said->kind != SAID_PROBE || line->ear == EAR_MUTE || line->ear == EAR_DEAD) return;
    line_frame(line, 0x80 | WS_PONG, bytes_of(said->id, said->id_len), true);
    line->link->tap.pong_end = line->link->up_sent;
}

void client_took(struct link *link)
{
    while (link->tap.said && link->tap.said->down_end <= link->down_taken) {
        struct said *said = link->tap.said;
        link->tap.said = said->next;
        if (line_of(link)) hear(line_of(link), said);
        memory_free(said);
    }
}

void client_lost(struct link *link)
{
    link->is_reset = true;
    if (link->client && link->client->link == link) link->client->link = NULL;
    link->client = NULL;
}
