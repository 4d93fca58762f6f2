// Verifies a receipt of the log in the reader's browser. Sends nothing anywhere: what must be fetched, the caller fetches.
// RFC 9162 (trees), C2SP signed-note, tlog-checkpoint and tlog-proof.

import { Failed, Unable } from "./failures.js";
import { canonical, parseJson } from "./strict_json.js";

const HASH = 32;
const TEXT_LIMIT = 1 << 20;
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
const same = (a, b) => a.length === b.length && a.every((octet, at) => octet === b[at]);
const half = (number) => Math.floor(number / 2);

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
}

/** Base64 in its one canonical way, and not empty. */
function base64(text, code) {
  let binary = "";
  try {
    binary = atob(text);
  } catch {} // told apart below, as what is not canonical
  if (!binary || btoa(binary) !== text) throw new Failed(code);
  return Uint8Array.from(binary, (octet) => octet.charCodeAt(0));
}

/** A verifier key (C2SP signed-note) of type Ed25519. Its id is computed anew. */
export async function parseVkey(vkey) {
  const [, name, id, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(vkey.trim()) ?? [];
  if (!name) throw new Failed("vkey_form");
  if (!crypto.subtle) throw new Unable("no_ed25519");
  const material = base64(encoded, "vkey_form");
  const computed = (await sha256(utf8(`${name}\n`), material)).slice(0, 4);
  if (material.length !== 1 + HASH || material[0] !== 1 || hex(computed) !== id) throw new Failed("vkey_form");
  try {
    return { name, id: computed, key: await crypto.subtle.importKey("raw", material.slice(1), "Ed25519", false, ["verify"]) };
  } catch {
    throw new Unable("no_ed25519");
  }
}

/** A checkpoint signed by this key under its own name: { size, root }. */
export async function openCheckpoint(note, { name, id, key }) {
  const at = note.lastIndexOf("\n\n");
  const text = note.slice(0, at + 1);
  const lines = note.slice(at + 2).split("\n");
  if (at < 0 || lines.pop() || !lines.length || lines.length > 100 || /[\0-\x09\x0b-\x1f]/.test(note)) throw new Failed("note_form");
  let signed = false;
  for (const line of lines) {
    const [, signer, encoded] = /^\u2014 ([^\s+]+) (\S+)$/.exec(line) ?? [];
    const signature = base64(encoded ?? "", "note_form");
    if (signature.length <= 4) throw new Failed("note_form");
    if (signer !== name || !same(signature.slice(0, 4), id)) continue;
    signed = await crypto.subtle.verify("Ed25519", key, signature.slice(4), utf8(text));
    if (!signed) throw new Failed("bad_signature");
  }
  const [, origin, digits, root] = /^([^\n]+)\n(0|[1-9]\d{0,15})\n([^\n]+)\n(?:[^\n]+\n)*$/.exec(text) ?? [];
  if (!origin) throw new Failed("note_form");
  if (origin !== name) throw new Failed("other_log", origin);
  if (!signed) throw new Failed("other_key");
  const checkpoint = { size: Number(digits), root: base64(root, "note_form") };
  if (checkpoint.root.length !== HASH || !Number.isSafeInteger(checkpoint.size)) throw new Failed("note_form");
  return checkpoint;
}

/** A tlog-proof taken apart: { index, path, note }. That verifies nothing in it. */
export function parseProof(text) {
  const found = /^c2sp\.org\/tlog-proof@v1\n(?:extra ([^\n]+)\n)?index (0|[1-9]\d{0,15})\n((?:[^\n]+\n)*)\n/.exec(text);
  if (!found) throw new Failed("proof_form");
  if (found[1]) base64(found[1], "proof_form");
  const path = found[3].split("\n").slice(0, -1).map((line) => base64(line, "proof_form"));
  return { index: Number(found[2]), path, note: text.slice(found[0].length) };
}

export const hashLeaf = (entry) => sha256(Uint8Array.of(0), entry);
const children = (left, right) => sha256(Uint8Array.of(1), left, right);

function hashes(code, ...all) {
  if (all.some((node) => node.length !== HASH)) throw new Failed(code);
}

/** RFC 9162, 2.1.3.2. */
export async function verifyInclusion(leaf, index, path, size, root) {
  hashes("not_included", leaf, root, ...path);
  if (!(index < size)) throw new Failed("not_included");
  let [fn, sn, node] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (!sn) throw new Failed("not_included");
    if (fn % 2 || fn === sn) {
      node = await children(sibling, node);
      while (fn && fn % 2 === 0) [fn, sn] = [half(fn), half(sn)];
    } else node = await children(node, sibling);
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn || !same(node, root)) throw new Failed("not_included");
}

/** RFC 9162, 2.1.4.2. */
export async function verifyConsistency(path, oldSize, oldRoot, size, root) {
  const wrong = () => new Failed("log_rewritten");
  hashes("log_rewritten", oldRoot, root, ...path);
  if (!(oldSize > 0 && oldSize <= size)) throw wrong();
  if (oldSize === size || !path.length) {
    if (path.length || oldSize !== size || !same(oldRoot, root)) throw wrong();
    return;
  }
  let [fn, sn] = [oldSize - 1, size - 1];
  while (fn % 2) [fn, sn] = [half(fn), half(sn)];
  const [first, ...rest] = fn ? path : [oldRoot, ...path];
  let [old, now] = [first, first];
  for (const node of rest) {
    if (!sn) throw wrong();
    if (fn % 2 || fn === sn) {
      [old, now] = [await children(node, old), await children(node, now)];
      while (fn && fn % 2 === 0) [fn, sn] = [half(fn), half(sn)];
    } else now = await children(now, node);
    [fn, sn] = [half(fn), half(sn)];
  }
  if (sn || !same(old, oldRoot) || !same(now, root)) throw wrong();
}

const isText = (value) => typeof value === "string";
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** An entry's exact bytes as an object of exactly v, index, time, event and body. */
export function parseEntry(octets) {
  try {
    const entry = parseJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(octets));
    const names = Object.keys(entry).sort().join();
    const timed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(entry.time) && !Number.isNaN(Date.parse(entry.time));
    if (names === "body,event,index,time,v" && entry.v === 1 && timed && isText(entry.event) && isObject(entry.body)) return entry;
  } catch {} // whatever it is, it is not an entry
  throw new Failed("entry_form");
}

/** Hex SHA-256 over the salt and the canonical bytes of the result without it. */
export async function saltedDigest({ salt, ...result }) {
  if (!/^[\w-]{22}$/.test(salt)) throw new Failed("result_form");
  const octets = base64(`${salt.replaceAll("-", "+").replaceAll("_", "/")}==`, "result_form");
  return hex(await sha256(octets, utf8(canonical(result))));
}

const nameOf = ({ party, item }) => `${party} / ${item}`;

async function verifyResults({ event, body }, results) {
  const recorded = Array.isArray(body.results) ? body.results : [];
  if (event !== "exchange.released" || !recorded.length) throw new Failed("not_a_release");
  const waiting = new Map(recorded.map((one) => [nameOf(one), one.digest]));
  for (const result of results) {
    const name = nameOf(result);
    if (!waiting.has(name)) throw new Failed("result_unknown", name);
    if ((await saltedDigest(result)) !== waiting.get(name)) throw new Failed("result_changed", name);
    waiting.delete(name);
  }
  for (const name of waiting.keys()) throw new Failed("result_missing", name);
}

const STEPS = {
  read(found, text) {
    if (text.length > TEXT_LIMIT) throw new Failed("too_large");
    const answer = parseJson(text);
    const receipt = answer?.receipt ?? answer;
    if (!isText(receipt?.entry) || !isText(receipt.proof)) throw new Failed("no_receipt");
    found.octets = base64(receipt.entry, "entry_base64");
    found.proof = parseProof(receipt.proof);
    found.results = answer.results;
  },
  async signature(found, _, vkey) {
    found.key = await parseVkey(vkey);
    found.checkpoint = await openCheckpoint(found.proof.note, found.key);
  },
  async inclusion({ octets, proof, checkpoint }) {
    await verifyInclusion(await hashLeaf(octets), proof.index, proof.path, checkpoint.size, checkpoint.root);
  },
  entry(found) {
    found.entry = parseEntry(found.octets);
    if (found.entry.index !== found.proof.index) throw new Failed("wrong_index");
  },
  async results({ entry, results }) {
    if (results === undefined) throw new Unable("no_results");
    if (!Array.isArray(results) || !results.every(isObject)) throw new Failed("result_form");
    await verifyResults(entry, results);
  },
  async consistency(found, _, __, latest) {
    const { size, root } = found.checkpoint;
    const served = await latest(size);
    if (!served) throw new Failed("log_shorter");
    const path = served.path.map((node) => base64(node, "log_rewritten"));
    found.newest = await openCheckpoint(served.checkpoint, found.key).catch(() => Promise.reject(new Failed("log_other")));
    await verifyConsistency(path, size, root, found.newest.size, found.newest.root);
  },
};

/**
 * Check a receipt, or an exchange's whole answer, against a verifier key; what was found on the way, and `failure`.
 *
 * `latest(size)` gives what GET /v1/log/proof?from=size answers, or null where the log does not reach that far.
 * `tell(step, state, code, detail)` hears each step once: passed, failed, unable, or skipped after a failure.
 */
export async function check(text, vkey, latest, tell) {
  const found = { failure: "" };
  for (const [step, run] of Object.entries(STEPS)) {
    if (found.failure) tell(step, "skipped", "", "");
    else
      try {
        await run(found, text, vkey, latest);
        tell(step, "passed", "", "");
      } catch (error) {
        const unable = error instanceof Unable;
        const code = error instanceof Failed ? error.message : step;
        if (!unable || !["results", "consistency"].includes(step)) found.failure = code;
        tell(step, unable ? "unable" : "failed", code, error.detail ?? "");
      }
  }
  return found;
}
