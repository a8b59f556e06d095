/* key-store.ts — this browser's key: ECDSA P-256, made by WebCrypto, which never gives its private half away, kept in IndexedDB
 * so that a page that is loaded again still has it, or in memory where there is no IndexedDB. Any trouble with a kept key (an
 * old entry, another kind) is answered by a new one. */

const DATABASE = "coatcheck";
const STORE = "keys";
const ENTRY = "proof";

export interface KeyStore {
    load(): Promise<CryptoKeyPair | undefined>;
    save(pair: CryptoKeyPair): Promise<void>;
    wipe(): Promise<void>;
}

const KIND = { name: "ECDSA", namedCurve: "P-256" } as const;

/** The key there is, or a new one; undefined where the platform has none to give (a page without https). */
export async function openKey(store: KeyStore): Promise<CryptoKeyPair | undefined>
{
    if (typeof crypto !== "object" || !crypto.subtle) return undefined;
    const kept = await store.load().catch(() => undefined);
    if (kept && isGood(kept)) return kept;
    const made = await crypto.subtle.generateKey(KIND, false, ["sign", "verify"]);
    await store.save(made).catch(() => {}); // it is good as long as the page is
    return made;
}

function isGood({ privateKey, publicKey }: CryptoKeyPair): boolean
{
    return [privateKey, publicKey].every((key) => key instanceof CryptoKey && key.algorithm.name === KIND.name) && !privateKey.extractable;
}

/** IndexedDB, opened for each use: a connection that is held keeps other tabs from deleting. */
export function browserKeyStore(): KeyStore
{
    return {
        load: () => inStore<CryptoKeyPair | undefined>("readonly", (store) => store.get(ENTRY)),
        save: async (pair) => { await inStore("readwrite", (store) => store.put(pair, ENTRY)); },
        wipe: async () => { await inStore("readwrite", (store) => store.delete(ENTRY)); },
    };
}

async function inStore<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest): Promise<T>
{
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => { opening.result.createObjectStore(STORE); };
    const database = await settled<IDBDatabase>(opening);
    try {
        return await settled<T>(run(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
        database.close();
    }
}

function settled<T>(request: IDBRequest): Promise<T>
{
    return new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result as T);
        request.onerror = () => reject(request.error);
        if (request instanceof IDBOpenDBRequest) request.onblocked = () => reject(new DOMException("blocked", "InvalidStateError"));
    });
}
