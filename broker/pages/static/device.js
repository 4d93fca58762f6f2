// This browser's own signing keys: P-256, made here, never to be taken out, kept in IndexedDB under their thumbprint.

const STORE = "device-keys";
const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const loaded = Date.now();
const LIFE = 60; // seconds, the longest that a short-lived token may live

/** What could not be done: a code that the page has a sentence for; of a step-up also the level needed. */
export class Stopped extends Error {
  constructor(code, level = "") {
    super(code);
    this.level = level;
  }
}

const utf8 = (text) => new TextEncoder().encode(text);
export const base64url = (octets) =>
  btoa(String.fromCharCode(...new Uint8Array(octets)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** Call the API; its refusals are thrown by their code. */
export async function call(method, address, members) {
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (members) headers["Content-Type"] = "application/json";
  let answer;
  let told;
  try {
    answer = await fetch(address, { method, headers, body: members && JSON.stringify(members), cache: "no-store" });
    told = answer.status === 204 ? null : await answer.json();
  } catch {
    throw new Stopped("unreachable");
  }
  if (!answer.ok) throw new Stopped(told.code, told.assurance);
  return told;
}

/** The base64url parts of a token, signed. */
export async function complete(key, signingInput) {
  const signature = await crypto.subtle.sign(ECDSA, key.pair.privateKey, utf8(signingInput));
  return `${signingInput}.${base64url(signature)}`;
}

/** A token that lives a minute by the server's clock. `site` is {issuer, now}; `now` was true when the page was made. */
export function shortLived(key, site, typ, members) {
  const iat = Math.floor(site.now + (Date.now() - loaded) / 1000);
  const jti = base64url(crypto.getRandomValues(new Uint8Array(16)));
  const claims = { iss: key.kid, aud: site.issuer, iat, exp: iat + LIFE, jti, ...members };
  const parts = [{ alg: "ES256", kid: key.kid, typ }, claims].map((part) => base64url(utf8(JSON.stringify(part))));
  return complete(key, parts.join("."));
}

/** The first of these keys that this browser holds, or null. */
export async function findKey(kids) {
  for (const kid of kids) {
    const pair = await inStore("readonly", (store) => store.get(kid)).catch(() => null);
    if (pair) return { kid, pair };
  }
  return null;
}

/** This person's key in this browser, made and enrolled at first use; `approve(kid)` asks a passkey where one must. */
export async function signingKey(site, label, approve) {
  const { devices } = await call("GET", "/v1/me/devices");
  const kids = devices.filter((device) => !device.removed_at).map((device) => device.kid);
  return (await findKey(kids)) ?? enrolled(site, label, approve);
}

async function enrolled(site, label, approve) {
  const { key, jwk } = await madeKey().catch(() => Promise.reject(new Stopped("no_storage")));
  const send = async (more) => {
    const { nonce } = await call("GET", "/v1/me/devices/nonce");
    const proof = await shortLived(key, site, "device-proof+jwt", { nonce });
    await call("POST", "/v1/me/devices", { jwk, proof, label, ...more });
  };
  try {
    await send({});
  } catch (error) {
    if (error.message !== "step_up_required") throw error;
    const approval = await approve(key.kid).catch((why) => Promise.reject(why.message === "not_found" ? error : why));
    await send({ approval });
  }
  return key;
}

/** A new key that was stored, read again and seen to sign: one that is lost at once would lock the person out. */
async function madeKey() {
  const made = await crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"]);
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", made.publicKey);
  const jwk = { crv, kty, x, y };
  const kid = base64url(await crypto.subtle.digest("SHA-256", utf8(JSON.stringify(jwk)))); // RFC 7638: in this order
  await inStore("readwrite", (store) => store.put(made, kid));
  const pair = await inStore("readonly", (store) => store.get(kid));
  const trial = crypto.getRandomValues(new Uint8Array(32));
  const signature = await crypto.subtle.sign(ECDSA, pair.privateKey, trial);
  if (!(await crypto.subtle.verify(ECDSA, made.publicKey, signature, trial))) throw new Stopped("no_storage");
  return { key: { kid, pair }, jwk };
}

async function inStore(mode, work) {
  const database = await settled(indexedDB.open("consent-broker", 1), (opening) => {
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  });
  try {
    const transaction = database.transaction(STORE, mode);
    const written = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const found = await settled(work(transaction.objectStore(STORE)));
    await written;
    return found;
  } finally {
    database.close();
  }
}

function settled(request, prepare = () => {}) {
  return new Promise((resolve, reject) => {
    prepare(request);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Stopped("no_storage"));
  });
}
