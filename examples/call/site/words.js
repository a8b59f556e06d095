// words.js — what people read when a call ends, or could not begin. Causes and codes are those of the package.

/** Why a call is over. cause: what the package says; name: the other side. */
export function reasonOf(cause, name, wasOurs)
{
    if (wasOurs) return "You hung up.";
    return new Map(Object.entries({
        NORMAL_CLEARING: `${name} hung up.`,
        USER_BUSY: `${name} is busy. Please try again later.`,
        NO_ANSWER: `${name} did not answer.`,
        USER_NOT_REGISTERED: `${name} cannot be reached right now.`,
        CALL_REJECTED: "The call was refused.",
        DESTINATION_OUT_OF_ORDER: `The connection to ${name} was lost.`,
        MEDIA_TIMEOUT: "The sound did not come through. Please try again, on another network if you can.",
        ANSWERED_ELSEWHERE: "Answered on another device.",
        ORIGINATOR_CANCEL: `You missed a call from ${name}.`,
    })).get(cause) ?? "The call has ended.";
}

const TROUBLE = {
    NotAllowedError: "The microphone is blocked. Allow it for this page, beside its address, and try again.",
    NotFoundError: "No microphone was found. Connect one and try again.",
    NotReadableError: "The microphone is in use by another program. Close that and try again.",
    unknown_destination: "Nobody can be reached here. The address may have been closed.",
    rate_limited: "There are too many calls at the moment. Please try again in a few minutes.",
    budget_spent: "This was used as often as it may be. Please ask for a new one.",
    disabled: "This line is closed at the moment.",
    not_found: "This line does not exist any more.",
    network: "The telephone server does not answer. Check your connection and try again.",
    timeout: "The telephone server took too long to answer. Please try again.",
    provider_failed: "We could not sign you in to the telephone. Please try again in a minute.",
    credential_expired: "This is over: its time has run out. Ask for a new link, or sign in again.",
    credential_revoked: "This was taken back. Ask for a new link, or sign in again.",
    credential_refused: "This is not valid any more. Ask for a new link, or sign in again.",
    session_elsewhere: "This telephone is open in another tab. Close that, and load this page again.",
    media_failed: "Sound does not work here: it needs a page by https and a browser with WebRTC.",
};

/** What went wrong and what to do. The innermost cause that has words says it best. */
export function troubleOf(error)
{
    const names = [];
    for (let one = error; one; one = one.cause) names.unshift(one.name, one.code);
    const known = names.find((name) => Object.hasOwn(TROUBLE, name ?? ""));
    return TROUBLE[known] ?? "The call could not be made. Please try again.";
}
