/* tell.c — what the story says, and what its words stand for here. */
#include <stdio.h>
#include <string.h>

#include "sim/story/story.h"

const char *told_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

int64_t told_number(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : otherwise;
}

const json_t *told_event(size_t step)
{
    return json_object_get(json_array_get(story.steps, step), "event");
}

bool told_is(const json_t *event, const char *kind)
{
    return strcmp(told_text(event, "is"), kind) == 0;
}

const json_t *told_effect(size_t step, const char *what)
{
    const json_t *effects = json_object_get(json_array_get(story.steps, step), "effects");
    size_t i;

    for (i = 0; i < json_array_size(effects); i++)
        if (strcmp(told_text(json_array_get(effects, i), "do"), what) == 0) return json_array_get(effects, i);
    return NULL;
}

const json_t *told_next(unsigned socket, const char *kinds)
{
    const json_t *event;
    size_t step;

    for (step = story.at + 1; (event = told_event(step)); step++)
        if (told_number(event, "socket", 0) == socket && strstr(kinds, told_text(event, "is"))) return event;
    return NULL;
}

bool told_anywhere(const char *kind, int64_t code)
{
    const json_t *event;
    size_t step;

    for (step = 0; (event = told_event(step)); step++)
        if (told_is(event, kind) && told_number(event, "code", 0) == code) return true;
    return false;
}

/* ---- labels ---- */

struct story_label *label_of(const char *name)
{
    size_t i;

    for (i = 0; i < story.label_count; i++)
        if (strcmp(story.labels[i].name, name) == 0) return &story.labels[i];
    return NULL;
}

struct story_label *label_new(const char *name)
{
    struct story_label *label = &story.labels[story.label_count];

    if (story.label_count == LABELS_MAX || strlen(name) >= sizeof label->name)
        story_fail("too many labels, or too long a one: %s", name);
    story.label_count++;
    *label = (struct story_label){0};
    (void)snprintf(label->name, sizeof label->name, "%s", name);
    return label;
}
