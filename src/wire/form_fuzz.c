/* Laws: what was read, written again with every byte escaped, reads the same; no name comes twice; nothing
 * decoded holds a control byte; and a decoded text is never longer than its spelling. */
#include "wire/form.h"

#include "base/hex.h"
#include "base/utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_escaped(struct buf *out, struct bytes text)
{
    size_t i;

    for (i = 0; i < text.len; i++) {
        buf_append_byte(out, '%');
        hex_append(out, bytes_of(text.ptr + i, 1));
    }
}

static void check_text(struct bytes text)
{
    size_t i;

    if (!utf8_is_valid(text)) abort();
    for (i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] == 0x7F) abort();
}

static void check_again(const struct form *form)
{
    struct buf text;
    struct arena arena;
    struct form again;
    size_t i;

    buf_init(&text, SIZE_MAX);
    arena_init(&arena, 1 << 22);
    for (i = 0; i < form->count; i++) {
        if (i) buf_append_byte(&text, '&');
        write_escaped(&text, form->field[i].name);
        buf_append_byte(&text, '=');
        write_escaped(&text, form->field[i].value);
    }
    if (form_read(&again, &arena, buf_bytes(&text)) || again.count != form->count) abort();
    for (i = 0; i < form->count; i++) {
        if (!bytes_equal(again.field[i].name, form->field[i].name)) abort();
        if (!bytes_equal(again.field[i].value, form->field[i].value)) abort();
    }
    arena_release(&arena);
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct form form;
    size_t i, k, len = 0;

    if (size > 65536) return 0;
    arena_init(&arena, 1 << 22);
    if (form_read(&form, &arena, bytes_of(data, size)) == ERR_OK) {
        for (i = 0; i < form.count; i++) {
            check_text(form.field[i].name);
            check_text(form.field[i].value);
            len += form.field[i].name.len + form.field[i].value.len + 1;
            for (k = 0; k < i; k++)
                if (bytes_equal(form.field[i].name, form.field[k].name)) abort();
        }
        if (len > size) abort();
        check_again(&form);
    } else if (form.count)
        abort();
    arena_release(&arena);
    return 0;
}
