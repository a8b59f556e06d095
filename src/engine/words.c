#include "engine/words.h"

#include <string.h>

#include "engine/facts.h"

bool words_are_blank(struct bytes words)
{
    size_t i;

    for (i = 0; i < words.len; i++)
        if (words.ptr[i] != ' ' && words.ptr[i] != '\t' && words.ptr[i] != '\n' && words.ptr[i] != '\r')
            return false;
    return true;
}

bool words_have_control(struct bytes words)
{
    size_t i;

    for (i = 0; i < words.len; i++)
        if (words.ptr[i] < 0x20 || words.ptr[i] == 0x7f) return true;
    return false;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

size_t words_slug(char out[ADDRESS_SLUG_MAX], struct bytes words, const char *otherwise)
{
    size_t i, len = 0;

    for (i = 0; i < words.len && words.ptr[i] != '@' && len < ADDRESS_SLUG_MAX; i++) {
        uint8_t c = lower(words.ptr[i]);
        if (is_plain(c))
            out[len++] = (char)c;
        else if (len && out[len - 1] != '-')
            out[len++] = '-';
    }
    while (len && (out[len - 1] == '-' || out[len - 1] == '.'))
        len--;
    if (!len || out[0] == '.') {
        len = strlen(otherwise);
        memcpy(out, otherwise, len);
    }
    return len;
}

bool words_are_address(struct bytes name)
{
    static const char *const contexts[] = {"/public/", "/private/"};
    struct bytes rest = BYTES_NONE;
    size_t i;

    for (i = 0; i < sizeof contexts / sizeof contexts[0]; i++)
        if (bytes_start_with(name, bytes_of_text(contexts[i]))) rest = bytes_from(name, strlen(contexts[i]));
    if (!rest.len || name.len > ADDRESS_NAME_MAX || rest.ptr[0] == '.') return false;
    for (i = 0; i < rest.len; i++)
        if (!is_plain(lower(rest.ptr[i]))) return false;
    return true;
}
