// browser-crypto.mjs — what every browser has and Node 18 only as a module: the global `crypto`. Run before the unit tests.
import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto;
