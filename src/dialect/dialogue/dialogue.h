/* dialogue.h — the Dialogue dialect: bootstrap tokens, sessions, and what a participant does with one.
 *
 * Where each rule comes from is in README.md beside this file. Tickets and sessions in session_decode.c,
 * studies and interviews in interview_decode.c, all answers in reply_encode.c. */
#ifndef COATCHECK_DIALECT_DIALOGUE_DIALOGUE_H
#define COATCHECK_DIALECT_DIALOGUE_DIALOGUE_H

#include "dialect/dialect.h"

extern const struct dialect dialogue_dialect;

ask_decode_fn dialogue_decode_bootstrap, dialogue_decode_redeem, dialogue_decode_visit, dialogue_decode_me,
    dialogue_decode_study, dialogue_decode_begin, dialogue_decode_read, dialogue_decode_consent,
    dialogue_decode_answer, dialogue_decode_complete;
outcome_encode_fn dialogue_encode_bootstrap, dialogue_encode_session, dialogue_encode_me,
    dialogue_encode_study, dialogue_encode_interview, dialogue_encode_begun, dialogue_encode_refused;

#endif
