/* key-store.ts — this browser's key: ECDSA P-256, made by WebCrypto, which never gives its private half away, kept in IndexedDB
 * so that a page that is loaded again still has it, or in memory where there is no IndexedDB, or one that does not answer. Any
 * trouble with a kept key (an old entry, another kind) is answered by a new one. Tabs that make one at once agree: the first stays. */
import { within } from "./http.js";

const DATABASE = "coatcheck";
const STORE = "keys";
const ENTRY = "proof";

const STORE_MS = 5_000; // a store that takes longer, as one that another tab keeps from being upgraded, is done without

const KIND = { name: "ECDSA", namedCurve: "P-256" } as const;

/** The key there is, or a new one; undefined where the platform has none to give (a page without https). */
export async function openKey(): Promise<CryptoKeyPair | undefined>
{
    if (!globalThis.crypto?.subtle) return undefined;
    const kept = await inStore("readonly", async (store) => ({ pair: await keyIn(store) })).catch(() => undefined);
    if (kept?.pair) return kept.pair;
    const made = await crypto.subtle.generateKey(KIND, false, ["sign", "verify"]);
    if (!kept) return made; // without a store it is good as long as the page is
    return inStore("readwrite", async (store) => await keyIn(store) ?? settled(store.put(made, ENTRY)).then(() => made)).catch(() => made);
}

export async function wipeKey(): Promise<void>
{
    await inStore("readwrite", (store) => settled(store.delete(ENTRY))).catch(() => {}); // none was kept
}

async function keyIn(store: IDBObjectStore): Promise<CryptoKeyPair | undefined>
{
    const { privateKey, publicKey } = (await settled<Partial<CryptoKeyPair> | undefined>(store.get(ENTRY))) ?? {};
    const isGood = privateKey?.algorithm?.name === KIND.name && !privateKey.extractable && publicKey;
    return isGood ? { privateKey, publicKey } : undefined;
}

/** Opened for each use: a connection that is held keeps other tabs from deleting. */
function inStore<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => Promise<T>): Promise<T>
{
    return within(STORE_MS, undefined, "the key store", async () => {
        const opening = indexedDB.open(DATABASE, 1);
        opening.onupgradeneeded = () => { opening.result.createObjectStore(STORE); };
        const database = await settled(opening);
        try {
            return await run(database.transaction(STORE, mode).objectStore(STORE));
        } finally {
            database.close();
        }
    });
}

function settled<T>(request: IDBRequest<T>): Promise<T>
{
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}
