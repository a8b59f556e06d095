#include "dialect/member.h"

bool member_is_given(struct json value)
{
    enum json_type type = json_type_of(value);

    return type != JSON_IS_ABSENT && type != JSON_IS_NULL;
}

struct bytes member_text(struct json body, const char *name, enum ask_field field, struct refused *refused)
{
    struct json value = json_member(body, name);

    if (!member_is_given(value)) return BYTES_NONE;
    if (json_type_of(value) == JSON_IS_STRING && json_text_is_clean(value)) return json_text(value);
    member_refuse_invalid(refused, field, "must be a string");
    return BYTES_NONE;
}

void member_refuse(struct refused *refused, enum refusal refusal, enum ask_field field, const char *because)
{
    if (!refused->refusal) *refused = (struct refused){refusal, field, because};
}

void member_refuse_invalid(struct refused *refused, enum ask_field field, const char *because)
{
    member_refuse(refused, REFUSAL_PARAMETER_INVALID, field, because);
}
