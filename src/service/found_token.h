/* found_token.h — explains to the operator what was wrong with an access token or a proof. Inside the
 * service; called after the refusal is decided, by whoever decided it. */
#ifndef COATCHECK_SERVICE_FOUND_TOKEN_H
#define COATCHECK_SERVICE_FOUND_TOKEN_H

#include "engine/proof.h"
#include "service/finding.h"
#include "service/keys.h"
#include "token/jws.h"

#define ACCESS_TYP BYTES("SAT")

void found_no_token(struct finding *finding, struct bytes token);
void found_in_header(struct finding *finding, enum refusal refusal, const struct key_bench *bench,
                     const struct jws *jws);
void found_other_typ(struct finding *finding, const struct jws *jws, const char *kind, struct bytes typ);
void found_no_claims(struct finding *finding, struct bytes payload);
/* The signature was good: what the claims say of project, user and family is proved. */
void found_in_claims(struct finding *finding, enum refusal refusal, const struct claims *claims,
                     const struct claims_policy *policy);
void found_in_proof(struct finding *finding, const struct proof_facts *facts,
                    const struct proof_policy *policy);

#endif
