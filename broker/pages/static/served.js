// What a page fetches to have a receipt checked: the log's key and its newest checkpoint. No cookie goes with it.

import { Unable } from "./failures.js";

async function fetchMembers(address) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "omit", cache: "no-store" });
  } catch {
    throw new Unable("unreachable");
  }
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Unable("unreachable");
  return answer.json();
}

/** As receipt.js wants it: how the log continues from this size on, or null where it does not reach that far. */
export const latest = (size) => fetchMembers(`/v1/log/proof?from=${size}`);

/** The verifier key that this site publishes; empty where it cannot be had. */
export async function publishedKey() {
  const members = await fetchMembers("/.well-known/consent-broker").catch(() => null);
  return members?.log_vkey ?? "";
}

/** Of the steps told, the one that decides: the first failed, else the first undone. Nothing where all passed. */
export function deciding(told) {
  const first = (state) => told.find((one) => one.state === state && one.code !== "no_results");
  return first("failed") ?? first("unable");
}
