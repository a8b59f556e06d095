#include "engine/assertion.h"

const char *assertion_check_name(enum assertion_check check)
{
    static const char *const names[] = {
        [ASSERTION_GOOD] = "assertion",
        [ASSERTION_TYP] = "assertion.typ",
        [ASSERTION_ISS] = "assertion.iss",
        [ASSERTION_SUB] = "assertion.sub",
        [ASSERTION_CLIENT_ID] = "assertion.client_id",
        [ASSERTION_AUD] = "assertion.aud",
        [ASSERTION_EXP] = "assertion.exp",
        [ASSERTION_EXP_FAR] = "assertion.exp",
        [ASSERTION_IAT] = "assertion.iat",
        [ASSERTION_NBF] = "assertion.nbf",
        [ASSERTION_JTI] = "assertion.jti",
        [ASSERTION_FORGOTTEN] = "assertion.restored",
    };
    return names[check];
}

/* RFC 8725 §3.11: what else this key may have signed is told apart by its type. RFC 7515 §4.1.9: case does
 * not matter, "application/" may be left out. */
static bool is_typ_of_assertions(struct bytes typ)
{
    return bytes_is_absent(typ) || bytes_equal_nocase(typ, BYTES("JWT")) ||
           bytes_equal_nocase(typ, BYTES("client-authentication+jwt")) ||
           bytes_equal_nocase(typ, BYTES("application/client-authentication+jwt"));
}

static bool names(struct bytes text, struct bytes wanted)
{
    return text.len > 0 && bytes_equal(text, wanted);
}

/* What was used before a restore is not known to be any more. Whatever was, ended five minutes after it at
 * the latest and was made by a clock no more than a little ahead. A restore that lies in the future tells
 * nothing: nobody is to be kept out until then. */
static bool may_be_forgotten(const struct assertion_facts *facts, const struct assertion_policy *policy)
{
    int64_t restored_s = policy->restored_s;

    if (policy->now_s + ASSERTION_AHEAD_S < restored_s) return false;
    return facts->exp_s <= restored_s + ASSERTION_LIFE_MAX_S &&
           facts->iat_s <= restored_s + ASSERTION_AHEAD_S;
}

enum assertion_check assertion_check(const struct assertion_facts *facts,
                                     const struct assertion_policy *policy)
{
    if (!is_typ_of_assertions(facts->typ)) return ASSERTION_TYP;
    if (!names(facts->iss, policy->client)) return ASSERTION_ISS;
    if (!names(facts->sub, policy->client))
        return ASSERTION_SUB; /* OpenID Connect Core §9: both the client */
    /* RFC 7521 §4.2: not needed, but if it is there it must name the same */
    if (!bytes_is_absent(policy->client_id) && !names(policy->client_id, policy->client))
        return ASSERTION_CLIENT_ID;
    if (!names(facts->aud, policy->issuer)) return ASSERTION_AUD;
    if (facts->exp_s < 0 || facts->exp_s <= policy->now_s) return ASSERTION_EXP;
    if (facts->exp_s - policy->now_s > ASSERTION_LIFE_MAX_S) return ASSERTION_EXP_FAR;
    if (facts->iat_s >= 0 && facts->iat_s - policy->now_s > ASSERTION_AHEAD_S) return ASSERTION_IAT;
    if (facts->nbf_s >= 0 && facts->nbf_s - policy->now_s > ASSERTION_AHEAD_S) return ASSERTION_NBF;
    if (!facts->jti.len) return ASSERTION_JTI;
    return may_be_forgotten(facts, policy) ? ASSERTION_FORGOTTEN : ASSERTION_GOOD;
}
