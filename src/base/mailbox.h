/* mailbox.h — many threads put mail in, one thread takes all of it out; C11 atomics, no lock.
 *
 * Mail is embedded in what it carries, so posting allocates nothing and cannot fail. Mail put in by one
 * thread comes out in that thread's order. mailbox_post tells whether the box was empty, so that the poster
 * wakes the reader once per batch and not once per letter. A letter may be in one box at a time. */
#ifndef COATCHECK_BASE_MAILBOX_H
#define COATCHECK_BASE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct mail {
    struct mail *next;
    void (*open)(struct mail *mail); /* what the reader does with it; may free or repost the mail */
};

struct mailbox {
    _Atomic(struct mail *) newest; /* a stack; reversed when taken */
};

/* true: it was empty, wake the reader */
static inline bool mailbox_post(struct mailbox *box, struct mail *mail)
{
    struct mail *top = atomic_load_explicit(&box->newest, memory_order_relaxed);
    do {
        mail->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&box->newest, &top, mail, memory_order_release,
                                                    memory_order_relaxed));
    return top == NULL;
}

/* All mail, oldest first, linked by next; the box is empty afterwards. */
static inline struct mail *mailbox_take(struct mailbox *box)
{
    struct mail *newest = atomic_exchange_explicit(&box->newest, NULL, memory_order_acquire), *oldest = NULL;
    while (newest) {
        struct mail *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

#endif
