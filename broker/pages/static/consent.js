// The page /a/{ticket}: collects what the person ticked, shows what is to be signed as it will be signed, and signs it.

import { Stopped, call, complete, signingKey } from "./device.js";
import { approve, ask } from "./passkeys.js";

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page").textContent);
const ticks = [...document.querySelectorAll(".tick input")];
const PARTS = ["ask", "sign", "done"];
let composed = null; // [{part, key, input, evidence}]: what the second screen shows, and no other, is signed

const addressOf = (part) => `/v1/me/requests/${page.parts[part].address}`;
const within = (part, name) => document.querySelector(`.signing[data-part="${part}"] .${name}`);
const octetsOf = (base64) => Uint8Array.from(atob(base64), (octet) => octet.charCodeAt(0));
const membersOf = (base64) => JSON.parse(new TextDecoder().decode(octetsOf(base64)));
const payloadOf = (input) => membersOf(input.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));

function show(screen) {
  for (const one of PARTS) element(one).hidden = one !== screen;
  for (const one of document.querySelectorAll("#mistake-needed, #mistake-nothing, #ask-refusal, #sign-refusal")) one.hidden = true;
  scrollTo(0, 0);
  element(screen).querySelector("h1").focus();
}

const ofPart = (part) => ticks.filter(({ dataset }) => Number(dataset.part) === part);

/** The ticked fields of one part by item: a sensitive part that is not ticked stays out of what is composed. */
function choices(part) {
  const fields = new Map();
  for (const { checked, dataset } of ofPart(part))
    if (checked) fields.set(dataset.item, [...(fields.get(dataset.item) ?? []), ...dataset.fields.split(" ")]);
  return [...fields].map(([item, chosen]) => ({ item, fields: chosen }));
}

/** Whether a payload says what this page shows of the part: the same request, words and choices, nothing more. */
async function isMine(payload, part, chosen) {
  const told = page.parts[part];
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(within(part, "notice").textContent));
  const shown = [...new Uint8Array(digest)].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  const listed = (items) => items.map(({ item, fields }) => `${item}: ${[...fields].sort()}`).sort().join("; ");
  return (
    payload.req === told.id &&
    payload.client_id === told.requester &&
    payload.matter === told.matter &&
    payload.case === told.case &&
    payload.uses === told.uses &&
    payload.notice.sha256 === told.notice.sha256 &&
    shown === told.notice.sha256 &&
    listed(payload.authorization_details) === listed(chosen)
  );
}

function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function tell(part, payload) {
  const { names } = page.parts[part];
  const items = payload.authorization_details.map(({ item, fields, purpose, params = {}, expect = {}, keep_days: days }) => {
    const { name, department, fields: called, params: limits, meanings } = names[item];
    const claims = Object.entries(expect).map(([field, value]) => called[field] + page.is + (meanings[field]?.[value] ?? value));
    const limited = Object.entries(params).map(([limit, value]) => limits[limit] + page.is + value);
    const told = document.createElement("li");
    told.append(
      line("strong", page.from.replace("{}", () => department) + name),
      line("p", fields.map((field) => called[field]).join(page.between)),
      ...[...claims, ...limited, purpose, page.kept.replace("{}", () => days)].map((text) => line("p", text)),
    );
    return told;
  });
  within(part, "chosen").replaceChildren(...items);
  const granted = new Set(payload.authorization_details.flatMap(({ item, fields }) => fields.map((field) => `${item} ${field}`)));
  const left = Object.entries(names).flatMap(([item, { name, fields }]) => {
    const missing = Object.keys(fields).filter((field) => !granted.has(`${item} ${field}`));
    if (missing.length === Object.keys(fields).length) return [name];
    return missing.length ? [`${name}${page.of.replace("{}", () => missing.map((field) => fields[field]).join(page.between))}`] : [];
  });
  within(part, "left-out").textContent = page.left_out + left.join(page.apart);
  within(part, "left-out").hidden = left.length === 0;
  const moment = { dateStyle: "long", timeStyle: "short", timeZone: "Asia/Shanghai" };
  within(part, "until").textContent = new Intl.DateTimeFormat(document.documentElement.lang, moment).format(payload.exp * 1000);
  within(part, "uses").textContent = payload.uses;
}

/** The second screen shows the parts that will be signed, and names those that will not. */
function tellParts(signed) {
  for (const section of document.querySelectorAll(".signing")) section.hidden = !signed.has(Number(section.dataset.part));
  for (const link of document.querySelectorAll("#receipts li")) link.hidden = !signed.has(Number(link.dataset.part));
  const others = page.parts.filter((_, part) => !signed.has(part)).map(({ recipient }) => recipient);
  element("not-agreed").textContent = page.not_agreed + [...new Set(others)].join(page.between);
  element("not-agreed").hidden = others.length === 0;
}

/** One part's exact words to sign, held against what the page shows. */
async function composePart(part, chosen, key) {
  const { signing_input: input, evidence } = await call("POST", `${addressOf(part)}/compose`, { items: chosen, kid: key.kid });
  const payload = payloadOf(input);
  if (!(await isMine(payload, part, chosen))) throw new Stopped("consent_mismatch");
  tell(part, payload);
  return { part, key, input, evidence };
}

async function prepare() {
  const chosen = page.parts.map((_, part) => choices(part));
  const wanted = page.parts.map((_, part) => part).filter((part) => page.parts.length === 1 || chosen[part].length);
  const missing = wanted.flatMap((part) => ofPart(part).filter((tick) => "needed" in tick.dataset && !tick.checked));
  const nothing = chosen.every((of) => of.length === 0);
  element("mistake-needed").hidden = missing.length === 0;
  element("mistake-nothing").hidden = missing.length > 0 || !nothing;
  for (const tick of ticks) tick.toggleAttribute("aria-invalid", missing.includes(tick));
  if (missing.length) return missing[0].focus();
  if (nothing) return ticks[0].focus();
  const key = await signingKey(page.devices, page.label, approve);
  const made = [];
  for (const part of wanted) made.push(await composePart(part, chosen[part], key));
  composed = made;
  tellParts(new Set(wanted));
  if (history.state?.part !== "sign") history.pushState({ part: "sign" }, "");
  show("sign");
  element("evidence").hidden = !made.some(({ evidence }) => evidence);
}

async function sign() {
  for (const { part, key, input, evidence } of composed) {
    const assertion = evidence && (await ask(evidence)); // over the very text that is signed below
    const { receipt } = await call("POST", `${addressOf(part)}/consent`, { consent: await complete(key, input), assertion });
    document.querySelector(`#receipts li[data-part="${part}"] a`).href = `/me/receipts/${membersOf(receipt.entry).index}`;
  }
  const signed = new Set(composed.map(({ part }) => part));
  for (const [part] of page.parts.entries()) if (!signed.has(part)) await call("POST", `${addressOf(part)}/decline`);
  composed = null;
  history.replaceState({ part: "done" }, "");
  show("done");
}

/** One press, one deed: the buttons rest until it is done, and what stops it is said in a sentence. */
async function once(work, refusal) {
  const buttons = [...document.querySelectorAll(".choices button")];
  for (const button of buttons) button.disabled = true;
  element(refusal).hidden = true;
  try {
    await work();
  } catch (error) {
    const code = error instanceof Stopped ? error.message : "otherwise";
    if (code === "step_up_required") return location.assign(`${page.step_up}&step=${error.level}`);
    if (["already_decided", "not_signed_in", "request_expired"].includes(code)) return location.reload();
    element(refusal).textContent = page.refusals[code] ?? page.refusals.otherwise;
    element(refusal).hidden = false;
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

element("agree").addEventListener("click", () => once(prepare, "ask-refusal"));
element("confirm").addEventListener("click", () => once(sign, "sign-refusal"));
element("return").addEventListener("click", () => history.back());
addEventListener("popstate", () => {
  if (element("done").hidden) show(history.state?.part === "sign" && composed ? "sign" : "ask");
  else location.reload(); // what was signed cannot be unsigned by going back
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
if (history.state) history.replaceState(null, "");
element("agree").disabled = false;
