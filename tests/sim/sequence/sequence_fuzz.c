/* sequence_fuzz.c — sequences of requests, sockets, calls and mishaps against one real node in the simulator
 * (docs/simulator.md). The law: no crash; after every step the simulator's laws; each answer one that the
 * contract allows for what was asked, every whole request answered once and in order, a refusal with an error
 * id; no secret in a log line; at the end of its life the node has given all its memory back.
 *
 *     sim_sequence_fuzz --show FILE     tells what an input does, and what the server says to it */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sequence/action.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two, size_t two_size,
                                 uint8_t *out, size_t max_size, unsigned seed);

static struct action action_at(const uint8_t *letters)
{
    return (struct action){.verb = letters[0] % VERBS,
                           .party = letters[1] % PARTIES,
                           .a = letters[2],
                           .b = letters[3],
                           .c = letters[4],
                           .d = letters[5],
                           .send = letters[6],
                           .wait = letters[7]};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t i, count = size ? (size - 1) / ACTION_BYTES : 0;

    lives_prepare();
    if (!count) return 0;
    life_begin(data[0]);
    for (i = 0; i < count && i < ACTIONS_MAX; i++) {
        struct action action = action_at(data + 1 + i * ACTION_BYTES);
        parties_act(&action);
    }
    life_end();
    return 0;
}

/* ---- changing whole actions ---- */

static uint64_t luck;

static size_t draw(size_t limit)
{
    luck = luck * 6364136223846793005u + 1442695040888963407u;
    return limit ? (size_t)(luck >> 33) % limit : 0;
}

/* A party that mints and connects: most of what can go wrong begins there. */
static void put_story(uint8_t *at)
{
    static const uint8_t rows[4][ACTION_BYTES] = {{VERB_MINT, 0, 0, 0, 0, 0, 0, 4},
                                                  {VERB_UPGRADE, 1, 0, 0, 0, 0, 0, 4},
                                                  {VERB_CONNECT, 1, 0, 0, 0, 1, 0, 4},
                                                  {VERB_CALL, 1, 0, 0, 0, 1, 0, 4}};

    memcpy(at, rows[draw(4)], ACTION_BYTES);
}

static void put_any(uint8_t *at)
{
    int i;

    for (i = 0; i < ACTION_BYTES; i++)
        at[i] = (uint8_t)draw(256);
    at[0] = (uint8_t)draw(draw(3) ? VERB_TAMPER : VERBS); /* mostly what is whole */
    at[1] = (uint8_t)draw(draw(4) ? 2 : PARTIES);
    if (draw(2)) at[6] = 0;
    if (draw(2)) at[7] = (uint8_t)draw(5);
    if (draw(2)) at[3] = at[4] = at[5] = 0;
}

static size_t insert(uint8_t *actions, size_t count, size_t most)
{
    size_t at = draw(count + 1);

    if (count >= most) return count;
    memmove(actions + (at + 1) * ACTION_BYTES, actions + at * ACTION_BYTES, (count - at) * ACTION_BYTES);
    if (draw(4) == 0)
        put_story(actions + at * ACTION_BYTES);
    else if (count && draw(3) == 0) { /* one that is there already, once more */
        size_t from = draw(count);
        if (from >= at) from++;
        memcpy(actions + at * ACTION_BYTES, actions + from * ACTION_BYTES, ACTION_BYTES);
    } else
        put_any(actions + at * ACTION_BYTES);
    return count + 1;
}

static size_t remove_one(uint8_t *actions, size_t count)
{
    size_t at = draw(count);

    memmove(actions + at * ACTION_BYTES, actions + (at + 1) * ACTION_BYTES, (count - at - 1) * ACTION_BYTES);
    return count - 1;
}

static void swap_two(uint8_t *actions, size_t count)
{
    uint8_t kept[ACTION_BYTES], *one = actions + draw(count) * ACTION_BYTES,
                                *two = actions + draw(count) * ACTION_BYTES;

    memcpy(kept, one, ACTION_BYTES);
    memmove(one, two, ACTION_BYTES);
    memcpy(two, kept, ACTION_BYTES);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size_t count = size > ACTION_BYTES ? (size - 1) / ACTION_BYTES : 0, most, rounds;
    uint8_t *actions = data + 1;

    luck = seed;
    if (max_size < 1 + ACTION_BYTES) return size;
    most = (max_size - 1) / ACTION_BYTES;
    if (most > ACTIONS_MAX) most = ACTIONS_MAX;
    if (count > most) count = most;
    if (!size) data[0] = 0;
    for (rounds = 1 + draw(3); rounds; rounds--) {
        size_t kind = draw(10);
        if (!count || kind < 3)
            count = insert(actions, count, most);
        else if (kind < 4 && count > 1)
            count = remove_one(actions, count);
        else if (kind < 5)
            swap_two(actions, count);
        else if (kind == 5 && draw(4) == 0)
            data[0] = (uint8_t)draw(256);
        else /* one letter: often the small ones matter */
            actions[draw(count) * ACTION_BYTES + draw(ACTION_BYTES)] = (uint8_t)draw(draw(2) ? 16 : 256);
    }
    return 1 + count * ACTION_BYTES;
}

/* The beginning of one, then the end of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *one, size_t one_size, const uint8_t *two, size_t two_size,
                                 uint8_t *out, size_t max_size, unsigned seed)
{
    size_t first, second, at;

    luck = seed;
    if (one_size <= ACTION_BYTES || two_size <= ACTION_BYTES) return 0;
    first = 1 + draw((one_size - 1) / ACTION_BYTES + 1) * ACTION_BYTES;
    at = 1 + draw((two_size - 1) / ACTION_BYTES) * ACTION_BYTES;
    second = two_size - at;
    if (first > max_size) return 0;
    if (second > max_size - first) second = max_size - first;
    memcpy(out, one, first);
    memcpy(out + first, two + at, second);
    return first + second;
}

/* ---- beginning, and showing ---- */

static void show(const char *path)
{
    static uint8_t data[1 + ACTIONS_MAX * ACTION_BYTES];
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof data, file) : 0;

    if (file) fclose(file);
    world_is_traced = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)LLVMFuzzerTestOneInput(data, size);
    exit(EXIT_SUCCESS);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    lives_prepare();
    if (argc && *argc == 3 && strcmp((*argv)[1], "--show") == 0) show((*argv)[2]);
    return 0;
}
