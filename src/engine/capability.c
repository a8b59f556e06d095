#include "engine/capability.h"

/* clang-format off: a table is read by columns */
static const bool may[TOKEN_KINDS][CAPABILITIES] = {
    /*                     connect register dial_any dial_listed invite refresh bind ask_who be_interviewed */
    [TOKEN_SUBSCRIBER] = {true, true, true, false, true, true, true, true, false},
    [TOKEN_GUEST] = {true, false, false, true, false, true, false, true, false},
    [TOKEN_INVITE] = {true, false, false, true, false, false, false, true, false},
    [TOKEN_EMBED] = {true, false, false, true, false, false, false, true, false},
    [TOKEN_PARTICIPANT] = {false, false, false, false, false, false, false, false, true},
    [TOKEN_EMBEDDED] = {false, false, false, false, false, false, false, false, false},
};
/* clang-format on */

bool capability_has(enum token_kind kind, enum capability capability)
{
    return may[kind][capability];
}
