#include "dialect/status_words.h"

const char *status_words(int status)
{
    switch (status) {
    case 401:
        return "The credential is missing, wrong, or no longer good.";
    case 403:
        return "This page may not ask for it.";
    case 404:
        return "There is nothing of that name.";
    case 405:
        return "The path takes another method.";
    case 413:
        return "The request is too large.";
    case 415:
        return "The body must be application/json.";
    case 429:
        return "Too many requests; wait as long as Retry-After says.";
    case 500:
        return "Something went wrong on our side.";
    case 503:
        return "Try again in a moment.";
    default:
        return "The request is not what the API defines.";
    }
}
