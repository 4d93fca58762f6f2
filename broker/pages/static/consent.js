// The page /a/{ticket}: collects what the person ticked, shows what is to be signed as it will be signed, and signs it.

import { Stopped, call, complete, signingKey } from "./device.js";

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page").textContent);
const address = `/v1/me/requests/${page.ticket}`;
const ticks = [...document.querySelectorAll(".tick input")];
const PARTS = ["ask", "sign", "done"];
let composed = null; // {key, input}: what the second screen shows, and no other, is signed

const octetsOf = (base64) => Uint8Array.from(atob(base64), (octet) => octet.charCodeAt(0));
const membersOf = (base64) => JSON.parse(new TextDecoder().decode(octetsOf(base64)));
const payloadOf = (input) => membersOf(input.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));

function show(part) {
  for (const one of PARTS) element(one).hidden = one !== part;
  for (const one of document.querySelectorAll("#mistake-needed, #mistake-nothing, #ask-refusal, #sign-refusal")) one.hidden = true;
  scrollTo(0, 0);
  element(part).querySelector("h1").focus();
}

/** The ticked fields by item: a sensitive part that is not ticked stays out of what is composed. */
function choices() {
  const fields = new Map();
  for (const { checked, dataset } of ticks)
    if (checked) fields.set(dataset.item, [...(fields.get(dataset.item) ?? []), ...dataset.fields.split(" ")]);
  return [...fields].map(([item, chosen]) => ({ item, fields: chosen }));
}

/** Whether a payload says what this page shows: the same request, words and choices, nothing more. */
async function isMine(payload, chosen) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(element("notice").textContent));
  const shown = [...new Uint8Array(digest)].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  const listed = (items) => items.map(({ item, fields }) => `${item}: ${[...fields].sort()}`).sort().join("; ");
  return (
    payload.req === page.id &&
    payload.client_id === page.requester &&
    payload.matter === page.matter &&
    payload.case === page.case &&
    payload.uses === page.uses &&
    payload.notice.sha256 === page.notice.sha256 &&
    shown === page.notice.sha256 &&
    listed(payload.authorization_details) === listed(chosen)
  );
}

function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function tell(payload) {
  const items = payload.authorization_details.map(({ item, fields, purpose, params = {}, expect = {}, keep_days: days }) => {
    const { name, department, fields: names, params: limits, meanings } = page.names[item];
    const claims = Object.entries(expect).map(([field, value]) => names[field] + page.is + (meanings[field]?.[value] ?? value));
    const limited = Object.entries(params).map(([limit, value]) => limits[limit] + page.is + value);
    const told = document.createElement("li");
    told.append(
      line("strong", page.from.replace("{}", () => department) + name),
      line("p", fields.map((field) => names[field]).join(page.between)),
      ...[...claims, ...limited, purpose, page.kept.replace("{}", () => days)].map((text) => line("p", text)),
    );
    return told;
  });
  element("chosen").replaceChildren(...items);
  const granted = new Set(payload.authorization_details.flatMap(({ item, fields }) => fields.map((field) => `${item} ${field}`)));
  const left = Object.entries(page.names).flatMap(([item, { name, fields }]) => {
    const missing = Object.keys(fields).filter((field) => !granted.has(`${item} ${field}`));
    if (missing.length === Object.keys(fields).length) return [name];
    return missing.length ? [`${name}${page.of.replace("{}", () => missing.map((field) => fields[field]).join(page.between))}`] : [];
  });
  element("left-out").textContent = page.left_out + left.join(page.apart);
  const moment = { dateStyle: "long", timeStyle: "short", timeZone: "Asia/Shanghai" };
  element("until").textContent = new Intl.DateTimeFormat(document.documentElement.lang, moment).format(payload.exp * 1000);
  element("uses").textContent = payload.uses;
  return left.length > 0;
}

async function prepare() {
  const missing = ticks.filter((tick) => "needed" in tick.dataset && !tick.checked);
  const chosen = choices();
  element("mistake-needed").hidden = missing.length === 0;
  element("mistake-nothing").hidden = missing.length > 0 || chosen.length > 0;
  for (const tick of ticks) tick.toggleAttribute("aria-invalid", missing.includes(tick));
  if (missing.length) return missing[0].focus();
  if (!chosen.length) return ticks[0].focus();
  const key = await signingKey(page.devices, page.label);
  const { signing_input: input } = await call("POST", `${address}/compose`, { items: chosen, kid: key.kid });
  const payload = payloadOf(input);
  if (!(await isMine(payload, chosen))) throw new Stopped("consent_mismatch");
  composed = { key, input };
  const leftOut = tell(payload);
  if (history.state?.part !== "sign") history.pushState({ part: "sign" }, "");
  show("sign");
  element("left-out").hidden = !leftOut;
}

async function sign() {
  const { key, input } = composed;
  const { receipt } = await call("POST", `${address}/consent`, { consent: await complete(key, input) });
  composed = null;
  element("receipt").href = `/me/receipts/${membersOf(receipt.entry).index}`;
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
    if (["already_decided", "not_signed_in", "request_expired", "step_up_required"].includes(code)) return location.reload();
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
