#include "engine/proof.h"

struct proof_window {
    int64_t back_s, ahead_s, keep_s;
    bool is_absolute;   /* htu must be a whole URL */
    bool takes_sockets; /* the {rpc, mth} form exists */
};

/* Kept at least as long as the window could let the same proof in again: back + ahead. */
static const struct proof_window windows[PROOF_PROFILE_COUNT] = {
    [PROOF_STRICT] = {.back_s = 60, .ahead_s = 5, .keep_s = 65, .is_absolute = true},
    [PROOF_VENDOR] = {.back_s = 300, .ahead_s = 300, .keep_s = 600, .takes_sockets = true},
};

int64_t proof_keep_s(enum proof_profile profile)
{
    return windows[profile].keep_s;
}

struct target {
    struct bytes scheme, authority; /* absent: a path alone */
    struct bytes path;
};

static struct bytes without_default_port(struct bytes scheme, struct bytes authority)
{
    struct bytes port = bytes_equal_nocase(scheme, BYTES("https")) ? BYTES(":443") : BYTES(":80");
    size_t host_len = authority.len < port.len ? authority.len : authority.len - port.len;

    if (bytes_equal(bytes_from(authority, host_len), port)) authority.len = host_len;
    return authority;
}

static struct target target_of(struct bytes text)
{
    static const char mark[] = {'?', '#'};
    struct target target = {.path = text};

    for (size_t i = 0; i < sizeof mark; i++) {
        size_t at = bytes_index(target.path, (uint8_t)mark[i]);
        if (at != BYTES_NOT_FOUND) target.path.len = at;
    }
    if (target.path.len > 0 && target.path.ptr[0] == '/') return target;
    if (!bytes_split(&target.scheme, &target.path, target.path, ':')) return target;
    if (!bytes_start_with(target.path, BYTES("//"))) return target;
    target.path = bytes_from(target.path, 2);
    target.authority = target.path;
    target.authority.len = bytes_index(target.path, '/');
    if (target.authority.len == BYTES_NOT_FOUND) target.authority.len = target.path.len;
    target.path = bytes_from(target.path, target.authority.len);
    if (target.path.len == 0) target.path = BYTES("/"); /* RFC 3986 §6.2.3 */
    target.authority = without_default_port(target.scheme, target.authority);
    return target;
}

bool proof_same_target(struct bytes a, struct bytes b)
{
    struct target left = target_of(a), right = target_of(b);

    return bytes_is_absent(left.authority) == bytes_is_absent(right.authority) &&
           bytes_equal_nocase(left.scheme, right.scheme) &&
           bytes_equal_nocase(left.authority, right.authority) && bytes_equal(left.path, right.path);
}

/* The form that is due and no other: an HTTP proof is no good on a socket, nor the reverse. */
static bool names_this_call(const struct proof_facts *facts, const struct proof_policy *policy,
                            const struct proof_window *window)
{
    if (!bytes_is_absent(policy->mth))
        return window->takes_sockets && bytes_is_absent(facts->htm) && bytes_is_absent(facts->htu) &&
               !bytes_is_absent(facts->rpc) && bytes_equal(facts->rpc, policy->rpc) &&
               !bytes_is_absent(facts->mth) && bytes_equal(facts->mth, policy->mth);
    if (bytes_is_absent(policy->htm) || bytes_is_absent(policy->htu))
        return false; /* an incomplete policy: refuse */
    if (!bytes_is_absent(facts->rpc) || !bytes_is_absent(facts->mth)) return false;
    if (bytes_is_absent(facts->htm) || bytes_is_absent(facts->htu)) return false;
    if (bytes_is_absent(target_of(facts->htu).authority) == window->is_absolute) return false;
    return bytes_equal(facts->htm, policy->htm) && proof_same_target(facts->htu, policy->htu);
}

static bool is_fresh(int64_t iat_s, int64_t now_s, const struct proof_window *window)
{
    if (iat_s < 0 || now_s < 0) return false; /* also keeps the differences below from overflowing */
    return now_s - iat_s <= window->back_s && iat_s - now_s <= window->ahead_s;
}

static bool has_good_nonce(struct bytes nonce, const struct proof_policy *policy)
{
    if (bytes_is_absent(nonce)) return false;
    for (size_t i = 0; i < PROOF_NONCES; i++)
        if (!bytes_is_absent(policy->nonces[i]) && bytes_equal(nonce, policy->nonces[i])) return true;
    return false;
}

enum refusal proof_check(const struct proof_facts *facts, const struct proof_policy *policy)
{
    const struct proof_window *window;

    if ((size_t)policy->profile >= PROOF_PROFILE_COUNT) return REFUSAL_PROOF_INVALID;
    window = &windows[policy->profile];
    if (facts->jti.len == 0 || facts->jkt.len == 0) return REFUSAL_PROOF_INVALID;
    if (!names_this_call(facts, policy, window)) return REFUSAL_PROOF_INVALID;
    if (!is_fresh(facts->iat_s, policy->now_s, window)) return REFUSAL_PROOF_INVALID;
    if (!bytes_is_absent(policy->ath) &&
        (bytes_is_absent(facts->ath) || !bytes_equal(facts->ath, policy->ath)))
        return REFUSAL_PROOF_INVALID;
    if (!bytes_is_absent(policy->jkt) && !bytes_equal(facts->jkt, policy->jkt)) return REFUSAL_PROOF_INVALID;
    /* Last: the answer to a missing nonce hands one out, and only to a proof that is good in all else. */
    if (policy->needs_nonce && !has_good_nonce(facts->nonce, policy)) return REFUSAL_PROOF_NONCE;
    return REFUSAL_NONE;
}
