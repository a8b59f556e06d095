#include "server/presence.h"

#include <stdlib.h>
#include <string.h>

#include "engine/capability.h"
#include "server/node.h"
#include "server/session.h"

struct presence_round {
    struct mail mail;            /* first */
    struct presence_round *next; /* of those whose users are looked after here */
    struct lane *home;
    struct uuid project, user;
    unsigned lane;          /* where it is */
    struct index_walk walk; /* there */
    unsigned online, undisturbed;
    bool is_under_way, is_telling, is_again;
    struct deadline deadline;
};

enum presence presence_of(const struct session *session)
{
    if (!session->is_registered || session->is_away || session->is_expired) return PRESENCE_OFFLINE;
    return session->is_undisturbed ? PRESENCE_UNDISTURBED : PRESENCE_ONLINE;
}

/* ---- a round ---- */

static struct presence_round **bucket_of(const struct presence_round *round)
{
    return &round->home->presences[bytes_hash(uuid_bytes(&round->user), 0) % LANE_PRESENCES];
}

static struct presence_round **find(const struct presence_round *like)
{
    struct presence_round **at = bucket_of(like);

    while (*at && !(uuid_equal(&(*at)->user, &like->user) && uuid_equal(&(*at)->project, &like->project)))
        at = &(*at)->next;
    return at;
}

static void end(struct presence_round *round)
{
    *find(round) = round->next;
    deadline_clear(round->home->loop, &round->deadline);
    free(round);
}

static void count(void *arg, struct session *session)
{
    struct presence_round *round = arg;
    enum presence presence = presence_of(session);

    session->is_presence_noted = false;
    if (presence == PRESENCE_ONLINE) round->online++;
    if (presence == PRESENCE_UNDISTURBED) round->undisturbed++;
}

static void tell(void *arg, struct session *session)
{
    const struct presence_round *round = arg;
    enum presence presence = round->online        ? PRESENCE_ONLINE
                             : round->undisturbed ? PRESENCE_UNDISTURBED
                                                  : PRESENCE_OFFLINE;
    bool knows = session->presence_told == presence && !session->is_presence_unsure;
    struct buf *body = lane_body(session->lane);
    struct dialect_session words;

    /* one that has changed since it was counted has asked for another round */
    if (!session->socket || session->is_presence_noted || knows) return;
    words = session_words(session);
    dialect_of_socket()->tell_presence(body, &words, presence);
    if (!session_has_room(session, body)) return;
    session->presence_told = presence;
    session->is_presence_sent = true;
    session->is_presence_unsure = false;
    session_send(session, body);
}

static void begin(struct deadline *deadline);

static void come_home(struct mail *mail)
{
    struct presence_round *round = (struct presence_round *)(void *)mail;
    struct loop *loop = round->home->loop;

    round->is_under_way = false;
    if (!round->is_again || round->home->is_stopping)
        end(round);
    else if (deadline_set(loop, &round->deadline, loop_tick_ms(loop) + PRESENCE_WAIT_MS, begin))
        begin(&round->deadline); /* at once: who has asked for it asks no more until it was counted */
}

static void visit(struct mail *mail)
{
    struct presence_round *round = (struct presence_round *)(void *)mail;
    struct node *node = round->home->node;
    struct lane *lane = node->lanes[round->lane];
    unsigned room = lane->looks_per_turn;

    if (lane->is_stopping)
        session_index_walk_end(&round->walk);
    else if (!sessions_some_of_user(lane, &round->walk, &round->project, &round->user,
                                    round->is_telling ? tell : count, round, &room)) {
        loop_post_later(lane->loop, mail); /* the rest in another turn */
        return;
    }
    if (++round->lane == node->lane_count && !round->is_telling) {
        round->is_telling = true;
        round->lane = 0;
    }
    if (lane->is_stopping || round->lane == node->lane_count) {
        mail->open = come_home;
        loop_post(round->home->loop, mail);
    } else
        loop_post(node->lanes[round->lane]->loop, mail);
}

static void begin(struct deadline *deadline)
{
    struct presence_round *round =
        (struct presence_round *)(void *)((char *)deadline - offsetof(struct presence_round, deadline));

    round->is_under_way = true;
    round->is_telling = round->is_again = false;
    round->lane = round->online = round->undisturbed = 0;
    round->mail.open = visit;
    loop_post(round->home->node->lanes[0]->loop, &round->mail);
}

/* ---- a change ---- */

static void take_note(struct mail *mail)
{
    struct presence_round *note = (struct presence_round *)(void *)mail, **at = find(note);
    struct loop *loop = note->home->loop;

    if (note->home->is_stopping || *at) {
        if (*at) (*at)->is_again = (*at)->is_under_way;
        free(note);
        return;
    }
    *at = note;
    if (deadline_set(loop, &note->deadline, loop_tick_ms(loop) + PRESENCE_WAIT_MS, begin))
        begin(&note->deadline);
}

/* Each user's rounds are one lane's. */
static struct lane *home_of(const struct node *node, const struct uuid *user)
{
    return node->lanes[bytes_hash(uuid_bytes(user), node->parking_seed) % node->lane_count];
}

void presence_changed(struct session *session)
{
    const struct holder *holder = &session->holder;
    struct node *node = session->lane->node;
    struct presence_round *note;

    if (session->is_presence_noted || session->lane->is_stopping || node->has_ended ||
        !capability_has(holder->kind, MAY_REGISTER))
        return;
    note = calloc(1, sizeof *note);
    if (!note) return;
    session->is_presence_noted = true;
    note->home = home_of(node, &holder->user);
    note->project = holder->project;
    note->user = holder->user;
    note->mail.open = take_note;
    loop_post(note->home->loop, &note->mail);
}

void presence_free(struct lane *lane)
{
    size_t i;

    for (i = 0; i < LANE_PRESENCES; i++)
        while (lane->presences[i]) {
            struct presence_round *round = lane->presences[i];
            lane->presences[i] = round->next;
            free(round);
        }
}

/* ---- upgrades ---- */

struct upgrade_news {
    struct mail mail; /* first */
    struct node *node;
    unsigned lane;          /* where it is */
    struct index_walk walk; /* there */
    struct uuid project, from_user, to_user;
    char from_name[SESSION_NAME_LEN], to_name[SESSION_NAME_LEN];
    char from_first_jti[UUID_TEXT_LEN], to_first_jti[UUID_TEXT_LEN];
};

static void write_upgrade(struct buf *body, const struct session *session, const struct upgrade_news *news)
{
    struct dialect_session words = session_words(session);
    struct dialect_upgrade upgrade = {.from_name = bytes_of(news->from_name, sizeof news->from_name),
                                      .from_first_jti =
                                          bytes_of(news->from_first_jti, sizeof news->from_first_jti),
                                      .to_name = bytes_of(news->to_name, sizeof news->to_name),
                                      .to_first_jti = bytes_of(news->to_first_jti, sizeof news->to_first_jti),
                                      .from_user = news->from_user,
                                      .to_user = news->to_user};

    dialect_of_socket()->tell_upgrade(body, &words, &upgrade);
}

static void tell_other(void *arg, struct session *session)
{
    const struct upgrade_news *news = arg;
    struct buf *body = lane_body(session->lane);

    if (!session->socket || !memcmp(session->name, news->to_name, sizeof news->to_name)) return;
    write_upgrade(body, session, news);
    if (session_has_room(session, body)) session_send(session, body);
}

static void tell_lane(struct mail *mail)
{
    struct upgrade_news *news = (struct upgrade_news *)(void *)mail;
    struct lane *lane = news->node->lanes[news->lane];
    unsigned room = lane->looks_per_turn;

    if (lane->is_stopping)
        session_index_walk_end(&news->walk);
    else if (!sessions_some_of_user(lane, &news->walk, &news->project, &news->to_user, tell_other, news,
                                    &room)) {
        loop_post_later(lane->loop, mail); /* the rest in another turn */
        return;
    }
    if (lane->is_stopping || ++news->lane == news->node->lane_count)
        free(news);
    else
        loop_post(news->node->lanes[news->lane]->loop, mail);
}

void presence_tell_upgrade(struct session *session, const struct session *old)
{
    struct node *node = session->lane->node;
    struct upgrade_news news = {.mail.open = tell_lane,
                                .node = node,
                                .project = session->holder.project,
                                .from_user = old->holder.user,
                                .to_user = session->holder.user};
    struct upgrade_news *letter = calloc(1, sizeof *letter);
    struct buf *body = lane_body(session->lane);

    memcpy(news.from_name, old->name, sizeof news.from_name);
    memcpy(news.to_name, session->name, sizeof news.to_name);
    memcpy(news.from_first_jti, old->first_jti, sizeof news.from_first_jti);
    memcpy(news.to_first_jti, session->first_jti, sizeof news.to_first_jti);
    write_upgrade(body, session, &news);
    session_send(session, body);
    if (!letter) return; /* whom it concerns knows */
    *letter = news;
    loop_post(node->lanes[0]->loop, &letter->mail);
}
