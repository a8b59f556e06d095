/* key-store.ts — this browser's key: ECDSA P-256, made by WebCrypto, which never gives its private half away, kept in IndexedDB
 * so that a page that is loaded again still has it, or in memory where there is no IndexedDB. Any trouble with a kept key (an
 * old entry, another kind) is answered by a new one. */

const DATABASE = "coatcheck";
const STORE = "keys";
const ENTRY = "proof";

const KIND = { name: "ECDSA", namedCurve: "P-256" } as const;

/** The key there is, or a new one; undefined where the platform has none to give (a page without https). */
export async function openKey(): Promise<CryptoKeyPair | undefined>
{
    if (!globalThis.crypto?.subtle) return undefined;
    const kept = await inStore<Partial<CryptoKeyPair> | undefined>("readonly", (store) => store.get(ENTRY)).catch(() => undefined);
    if (kept?.privateKey?.algorithm?.name === KIND.name && kept.publicKey && !kept.privateKey.extractable) return kept as CryptoKeyPair;
    const made = await crypto.subtle.generateKey(KIND, false, ["sign", "verify"]);
    await inStore("readwrite", (store) => store.put(made, ENTRY)).catch(() => {}); // it is good as long as the page is
    return made;
}

export async function wipeKey(): Promise<void>
{
    await inStore("readwrite", (store) => store.delete(ENTRY)).catch(() => {}); // none was kept
}

/** Opened for each use: a connection that is held keeps other tabs from deleting. */
async function inStore<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T>): Promise<T>
{
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => { opening.result.createObjectStore(STORE); };
    const database = await settled(opening);
    try {
        return await settled(run(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
        database.close();
    }
}

function settled<T>(request: IDBRequest<T>): Promise<T>
{
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
    });
}
