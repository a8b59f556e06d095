/* status_words.h — a sentence for each status, for dialects whose error bodies speak to people. It tells no
 * more than the status does. */
#ifndef COATCHECK_DIALECT_STATUS_WORDS_H
#define COATCHECK_DIALECT_STATUS_WORDS_H

const char *status_words(int status);

#endif
