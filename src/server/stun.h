/* stun.h — answers STUN on UDP, for `coatcheck dev` alone: a browser must learn an address of its own before
 * it lets two tabs of one machine talk.
 *
 * The port it tells is wrong on purpose. Without a router in between the true answer equals an address
 * that the browser knows already, and it would throw it away; one that differs it keeps. Media then
 * takes the other addresses. A server for real clients tells the truth: run one of those, and name it
 * in ice_servers. */
#ifndef COATCHECK_SERVER_STUN_H
#define COATCHECK_SERVER_STUN_H

#include "server/loop.h"

/* Listens until the loop ends; before it has started. port 0: any; *bound says which. *why: for people. */
MUST_USE enum err stun_answer(int *bound, struct loop *loop, const char *host, int port, const char **why);

#endif
