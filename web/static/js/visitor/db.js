// What the telephone keeps: IndexedDB with promises, and AES-GCM under the account's key.
// Stores: meta (the signed-in account and its key), outbox (unsent forms), drafts, sealed (records that only the
// plate opens). The key is forgotten at sign-out; what it had encrypted is noise until the same account returns.
const NAME = "xunfang-visitor";
const STORES = { meta: "name", outbox: "key", drafts: "id", sealed: "caseId" };
let opened;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () =>
      Object.entries(STORES).forEach(([store, keyPath]) => asked.result.createObjectStore(store, { keyPath }));
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function run(store, mode, ask) {
  const db = await open();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(store, mode);
    const asked = ask(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(asked.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

export const get = (store, key) => run(store, "readonly", (each) => each.get(key));
export const all = (store) => run(store, "readonly", (each) => each.getAll());
export const put = (store, value) => run(store, "readwrite", (each) => each.put(value));
export const remove = (store, key) => run(store, "readwrite", (each) => each.delete(key));
export const clear = (store) => run(store, "readwrite", (each) => each.clear());

export const account = () => get("meta", "account");

// A key that was changed on the server stays beside the new one: what waits was encrypted with it.
export async function signedIn(user, key) {
  const known = await account();
  const other = known && known.user !== user;
  const keys = [key, ...(known && !other ? known.keys.filter((each) => each !== key) : [])];
  await put("meta", { name: "account", user, keys });
  return Boolean(other);
}

const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const cipher = (hex) => crypto.subtle.importKey("raw", bytes(hex), "AES-GCM", false, ["encrypt", "decrypt"]);

export async function encrypt(what) {
  const { keys } = await account();
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const text = new TextEncoder().encode(JSON.stringify(what));
  return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await cipher(keys[0]), text) };
}

export async function decrypt({ iv, data }) {
  const { keys } = await account();
  for (const key of keys) {
    try {
      const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await cipher(key), data);
      return JSON.parse(new TextDecoder().decode(text));
    } catch {
      // of an older key
    }
  }
  return null;
}
