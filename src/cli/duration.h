/* duration.h — spans of time as people write them: a whole number and its unit, "90s" "15m" "2h" "7d". */
#ifndef COATCHECK_CLI_DURATION_H
#define COATCHECK_CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#define DURATION_TEXT_MAX 48

bool duration_of(int64_t *out_ms, const char *text); /* false: not of this form, or past int64 */
/* "1d 2h 5s", down to the second; not negative */
void duration_write(char out[DURATION_TEXT_MAX], int64_t ms);

#endif
