/* sign_in.h — the sign-in that a product has already, in its smallest form: a random name in a cookie, and
 * whose it is in `sessions`, an object that the caller keeps. Only this says who is asking. Sign-ins end
 * with the program. */
#ifndef COATCHECK_EXAMPLES_SIGN_IN_H
#define COATCHECK_EXAMPLES_SIGN_IN_H
#include "pages.h"

/* NULL: nobody. Good until the next sign-in or sign-out. */
const char *who_is_signed_in(json_t *sessions, const struct ask *ask, const char *cookie);
bool sign_in(json_t *sessions, struct ask *ask, const char *cookie, const char *user);
void sign_out(json_t *sessions, struct ask *ask, const char *cookie);

#endif
