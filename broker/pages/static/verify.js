// The page /verify: takes a receipt and a key from its fields, has receipt.js check them, and says what came of it.

import { check } from "./receipt.js";
import { deciding, latest, publishedKey } from "./served.js";

const words = JSON.parse(document.getElementById("words").textContent);
const field = (id) => document.getElementById(id);
const FILE_LIMIT = 1 << 20;

const named = (name) => words.names[name] ?? name;
const reasonOf = (code, detail) =>
  (words.reasons[code] ?? words.reasons.unforeseen).replace("{}", () => detail.split(" / ").map(named).join(" / "));

function tell(step, state, code, detail) {
  const line = field(`step-${step}`);
  line.dataset.state = state;
  line.querySelector(".state").textContent = words.states[state];
  line.querySelector(".meaning").hidden = state !== "passed";
  line.querySelector(".reason").textContent = code && reasonOf(code, detail);
}

function showFacts({ entry: { index, event, time, body }, newest, checkpoint, key }) {
  const moment = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "long", timeStyle: "medium" });
  const items = [body.items, body.results].flatMap((list) => (Array.isArray(list) ? list : []));
  const facts = {
    index,
    event: words.events[event] ?? event,
    time: moment.format(new Date(time)),
    requester: body.requester,
    items: [...new Set(items.map((item) => named(item?.item)))].filter(Boolean).join(words.between),
    case: body.case,
    log: key.name,
    size: checkpoint.size,
    newest: newest?.size,
  };
  for (const [name, fact] of Object.entries(facts)) {
    const told = typeof fact === "number" || (typeof fact === "string" && fact !== "");
    field(`fact-${name}`).textContent = told ? fact : "";
    field(`fact-${name}`).parentElement.hidden = !told;
  }
}

function conclude(told, found, fetched) {
  const at = deciding(told);
  const verdict = at?.state ?? "passed";
  field("outcome").dataset.state = verdict;
  field("verdict").textContent = words.verdicts[verdict];
  field("cause").textContent = at ? reasonOf(at.code, at.detail) : "";
  field("cause").hidden = !at;
  field("advice").textContent = words.advice[verdict];
  field("own-key").hidden = !fetched || verdict === "failed";
  field("facts").hidden = found.failure !== "";
  if (!found.failure) showFacts(found);
}

async function run() {
  const told = [];
  const given = field("vkey").value.trim();
  const found = await check(field("receipt").value, given || (await publishedKey()), latest, (step, state, code, detail) => {
    told.push({ state, code, detail });
    tell(step, state, code, detail);
  });
  conclude(told, found, !given);
  field("outcome").hidden = false;
  field("verdict").focus();
}

field("file").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  if (!file) return;
  field("receipt").value = file.size > FILE_LIMIT ? "" : await file.text();
  field("file-too-large").hidden = file.size <= FILE_LIMIT;
  target.value = ""; // so that the same file, mended, can be chosen again
  field("file-name").textContent = file.name;
  field("file-name").hidden = false;
});

field("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  field("nothing").hidden = field("receipt").value.trim() !== "";
  if (!field("nothing").hidden) return field("receipt").focus();
  field("run").disabled = true;
  await run().finally(() => (field("run").disabled = false));
});

field("form").hidden = false;
