/* session_follow.c — a new session takes the place of an old one, whose client has become more. */
#include "base/log.h"
#include "server/phone.h"
#include "server/presence.h"
#include "server/session_inside.h"

enum err session_prepare_upgrade(struct session *session, const struct session *old)
{
    return former_new(&session->formers, old);
}

/* Letters to the old one, from wherever it has been, come to this one. */
static void take_names(struct session *session, struct session *old)
{
    session_take_formers(old);
    session->formers->next = old->formers;
    old->formers = NULL;
    session_put_formers(session);
    session->traces = old->traces;
    old->traces = NULL;
}

/* What waited for the old one's client comes behind the news, in the old one's words. */
static void take_kept(struct session *session, struct session *old)
{
    struct buf none = session->kept;

    session->kept = old->kept;
    old->kept = none;
    session_send_kept(session);
}

void session_follow(struct session *session, struct session *old, bool is_told)
{
    if (!is_told) { /* for want of memory: its client will ask for the old one */
        session_free_formers(session);
        return;
    }
    presence_tell_upgrade(session, old);
    take_kept(session, old);
    phone_session_follows(session, old);
    take_names(session, old);
    log_info("session_upgraded", log_bytes("session", bytes_of(session->name, 8)),
             log_bytes("from", bytes_of(old->name, 8)));
    session_end(old);
}
