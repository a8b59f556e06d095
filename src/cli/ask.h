/* ask.h — a question to the running server, through the admin socket of its data folder
 * (server/admin_ask.h). */
#ifndef COATCHECK_CLI_ASK_H
#define COATCHECK_CLI_ASK_H

#include "base/buf.h"
#include "wire/json_read.h"

#define ASK_ANSWER_MAX 262144 /* bytes of one answer */

enum ask_end {
    ASK_ANSWERED,
    ASK_NO_FOLDER, /* there is no such folder */
    ASK_NO_SERVER, /* the folder is there, nobody listens in it */
    ASK_NO_RIGHT,  /* it belongs to another user */
    ASK_BROKEN     /* the answer did not come, or is none */
};

/* line: one JSON object, without a newline. The answer is JSON: free it. */
enum ask_end ask_server(struct json *answer, const char *folder, struct bytes line);
/* For the person who asked; ASK_ANSWERED gives "". */
const char *ask_end_text(enum ask_end end);

/* --data, else the environment's, else that of `coatcheck dev`. Kept in static memory. */
const char *ask_folder(const char *given);
/* What the environment says clients call; absent if it does not. */
struct bytes ask_public_url(void);

#endif
