#include "server/showroom.h"

#include <stdlib.h>

enum err showroom_open(struct node *node, const struct uuid *project)
{
    struct showroom *showroom = calloc(1, sizeof *showroom + node->lane_count * sizeof showroom->flows[0]);
    unsigned i;

    if (!showroom) return ERR_NO_MEMORY;
    showroom->project = *project;
    showroom->lane_count = node->lane_count;
    for (i = 0; i < node->lane_count; i++) {
        showroom->flows[i].numbers = &showroom->numbers;
        node->lanes[i]->flow = &showroom->flows[i];
    }
    node->showroom = showroom;
    return ERR_OK;
}

void showroom_free(struct showroom *showroom)
{
    free(showroom);
}

/* Of other projects, which a data folder may have, the test project's page tells nothing. */
static bool is_shown(const struct lane *lane, const struct uuid *project)
{
    return lane->flow && (uuid_is_zero(project) || uuid_equal(project, &lane->node->showroom->project));
}

/* A user whom this lane has met lately has a name; of others the page may remember it. */
static void put_user(struct happening *out, const struct lane *lane, const struct holder *holder)
{
    const struct user *user = service_known_user(lane->service, &holder->project, &holder->user);

    out->user = holder->user;
    if (user) flow_put(out->who, sizeof out->who, user->reference);
}

static void put_whose(struct happening *out, const struct exchange *x, const struct outcome *outcome)
{
    switch (outcome->kind) {
    case OUTCOME_MINTED:
        out->user = outcome->minted.user;
        if (x->run.ask.kind == ASK_MINT_SUBSCRIBER)
            flow_put(out->who, sizeof out->who, x->run.ask.mint.reference);
        return;
    case OUTCOME_TICKET:
        out->user = outcome->ticket.user;
        return;
    case OUTCOME_WHO:
        out->user = outcome->who.id;
        flow_put(out->who, sizeof out->who, outcome->who.reference);
        return;
    case OUTCOME_ADDRESSES:
        put_user(out, x->conn->lane, &outcome->holder);
        return;
    case OUTCOME_FAILED:
    case OUTCOME_REFUSED:
    case OUTCOME_USERS:
    case OUTCOME_CONNECTED:
    case OUTCOME_DIALLED:
    case OUTCOME_REAUTHENTICATED:
    case OUTCOME_RESOURCE:
    case OUTCOME_RESOURCES:
    case OUTCOME_GONE:
    case OUTCOME_KEY_MADE:
    case OUTCOME_REVOKED:
    case OUTCOME_STUDY:
    case OUTCOME_INTERVIEW:
    case OUTCOME_INTROSPECTED:
    case OUTCOME_REVOCATIONS:
    case OUTCOME_DESCRIBED:
        return;
    }
}

static void put_refusal(struct happening *out, const struct finding *finding, const char *error_id)
{
    out->slug = finding_slug(finding);
    out->user = finding->user;
    flow_put(out->error_id, sizeof out->error_id, bytes_of(error_id, RECORD_ID_LEN));
}

void showroom_request(const struct exchange *x, const struct outcome *outcome, const struct finding *finding,
                      int status, const char *error_id)
{
    struct lane *lane = x->conn->lane;
    bool takes_key = x->row && x->row->route.credential == ROUTE_KEY;
    /* what was refused before it was run may find an older ask there */
    enum ask_kind kind = outcome == &x->run.outcome ? x->run.ask.kind : ASK_NONE;
    struct happening happening = {.at_ms = loop_wall_ms(lane->loop), .status = status};

    if (!x->row || !is_shown(lane, finding ? &finding->project : &x->run.of)) return;
    happening.what = flow_what(kind);
    happening.format = x->dialect->name;
    flow_put(happening.route, sizeof happening.route, bytes_of_text(x->row->route.path));
    if (finding) {
        happening.stations = flow_refused_at(kind, takes_key, status);
        put_refusal(&happening, finding, error_id);
    } else {
        happening.stations = flow_stations(kind) | (takes_key ? FLOW_BIT(FLOW_SECRET) : 0);
        put_whose(&happening, x, outcome);
    }
    if (happening.stations) flow_note(lane->flow, &happening, true);
}

static void note_session(struct lane *lane, const struct holder *holder, const char *what, uint32_t stations,
                         bool counts)
{
    struct happening happening = {.what = what, .stations = stations};

    if (!is_shown(lane, &holder->project)) return;
    happening.at_ms = loop_wall_ms(lane->loop);
    happening.format = dialect_of_socket()->name;
    put_user(&happening, lane, holder);
    flow_note(lane->flow, &happening, counts);
}

void showroom_session(struct lane *lane, const struct holder *holder, const char *what, uint32_t stations)
{
    note_session(lane, holder, what, stations, true);
}

void showroom_parted(struct lane *lane, const struct holder *holder, const char *what)
{
    note_session(lane, holder, what, FLOW_BIT(FLOW_SESSION), false);
}

void showroom_socket_refused(struct lane *lane, const struct finding *finding, const char *route,
                             const char *error_id)
{
    struct happening happening = {.what = "socket", .stations = FLOW_BIT(FLOW_SESSION)};

    if (!is_shown(lane, &finding->project)) return;
    happening.at_ms = loop_wall_ms(lane->loop);
    happening.format = dialect_of_socket()->name;
    flow_put(happening.route, sizeof happening.route, bytes_of_text(route));
    put_refusal(&happening, finding, error_id);
    flow_note(lane->flow, &happening, true);
}
