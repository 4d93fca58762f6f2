// Passkeys (WebAuthn): made and asked by the browser, their answers in the JSON form of the standard.

import { Stopped, base64url, call } from "./device.js";

export const supported = () => Boolean(window.PublicKeyCredential);
const octets = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (octet) => octet.charCodeAt(0));
const named = (descriptors) => descriptors.map((one) => ({ ...one, id: octets(one.id) }));

/** The credential's members that are octets, as text. */
function told({ id, rawId, type, response }, members) {
  const given = members.filter((member) => response[member]).map((member) => [member, base64url(response[member])]);
  return { id, rawId: base64url(rawId), type, response: Object.fromEntries(given) };
}

async function asked(work) {
  if (!supported()) throw new Stopped("passkey_refused");
  try {
    return await work();
  } catch {
    throw new Stopped("passkey_refused"); // cancelled, timed out or none there: browsers do not say which
  }
}

/** Make a passkey on this device. */
export async function make(options) {
  const publicKey = {
    ...options,
    challenge: octets(options.challenge),
    user: { ...options.user, id: octets(options.user.id) },
    excludeCredentials: named(options.excludeCredentials),
  };
  return told(await asked(() => navigator.credentials.create({ publicKey })), ["clientDataJSON", "attestationObject"]);
}

/** Have a passkey answer a challenge. */
export async function ask(options) {
  const publicKey = {
    ...options,
    challenge: octets(options.challenge),
    allowCredentials: named(options.allowCredentials),
  };
  const members = ["clientDataJSON", "authenticatorData", "signature", "userHandle"];
  return told(await asked(() => navigator.credentials.get({ publicKey })), members);
}

/** A passkey's approval of a new device key. */
export const approve = async (kid) => ask(await call("POST", "/v1/me/devices/approval", { kid }));
