/* phoning.c — what callers do about calls. */
#include <stdio.h>

#include "sim/link.h"
#include "sim/phones.h"
#include "sim/world.h"

static void speak(struct client *client, enum call_kind kind, const char *method, const char *leg,
                  const char *destination, unsigned dial)
{
    char params[512];

    (void)snprintf(
        params, sizeof params,
        "{\"message\":{\"jsonrpc\":\"2.0\",\"id\":\"m\",\"method\":\"%s\",\"params\":{\"dialogParams\":"
        "{\"callID\":\"%s\",\"destination_number\":\"%s\"},\"sdp\":\"v=0\\r\\ns=%u\\r\\n\"}}}",
        method, leg, destination, dial);
    caller_send_call(client, kind, "webrtc.verto", bytes_of_text(params));
}

/* Somebody of the caller's project who is there to be called; or anybody. */
static unsigned pick_callee(const struct link *caller)
{
    const struct link *link;
    unsigned found = (unsigned)roll(REFERENCES), seen = 0;

    for (link = links; link; link = link->next) {
        const struct token *token = link->tap.token;
        if (link == caller || link->tap.session != TAP_LIVE || !link->tap.is_registered) continue;
        if (!token || token->user >= REFERENCES || !caller->tap.token) continue;
        if (token->project == caller->tap.token->project && !roll(++seen)) found = token->user;
    }
    return found;
}

static void dial(struct client *client)
{
    static const struct {
        const char *destination, *reference;
    } rows[REFERENCES + 2] = {{"/private/ada", "ada"},
                              {"/private/ada?channel=audio", "ada"},
                              {"/private/bob-c", "Bob C"},
                              {"/private/carl", "carl"},
                              {"/private/d.e.f?channel=video", "d.e.f"},
                              {"/private/ve", "\xc3\xa9ve"},
                              {"/private/nobody", NULL},
                              {"/private/Ada", NULL}};
    size_t row = chance(85) ? pick_callee(client->link) : (size_t)roll(sizeof rows / sizeof rows[0]);
    unsigned number = phones_dial(client->dialled, client->link, rows[row].reference);

    if (number) speak(client, CALL_DIAL, "verto.invite", client->dialled, rows[row].destination, number);
}

void phones_act(struct client *client)
{
    unsigned kind = (unsigned)roll(100);
    const char *leg = *client->rang && chance(50) ? client->rang : client->dialled;

    if (*client->rang && kind < 40)
        speak(client, CALL_PHONE, "verto.answer", client->rang, "room", phones_answer(client->rang));
    else if (*leg && kind < 65)
        speak(client, CALL_PHONE, "verto.bye", leg, "", 0);
    else if (*leg && kind < 75)
        speak(client, CALL_PHONE, "verto.modify", leg, "", 0);
    else
        dial(client);
}
