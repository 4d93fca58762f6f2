// "Verify" beside a call: fetches its receipt, has receipt.js check it in place, and says in one sentence what it found.

import { Unable } from "./failures.js";
import { check } from "./receipt.js";
import { deciding, latest, publishedKey } from "./served.js";

const words = JSON.parse(document.getElementById("words").textContent);
const reasonOf = ({ code, detail }) => (words.reasons[code] ?? words.reasons.unforeseen).replace("{}", () => detail);

async function receiptOf(index) {
  const answer = await fetch(`${words.receipts ?? "/me/receipts"}/${index}`, { cache: "no-store" }).catch(() => null);
  if (!answer?.ok) throw new Unable("unreachable");
  return answer.text();
}

async function sentenceFor(index) {
  const told = [];
  try {
    const [receipt, key] = await Promise.all([receiptOf(index), publishedKey()]);
    if (!key) throw new Unable("unreachable");
    await check(receipt, key, latest, (_, state, code, detail) => told.push({ state, code, detail }));
  } catch {
    told.push({ state: "unable", code: "unreachable", detail: "" });
  }
  const at = deciding(told);
  return { state: at?.state ?? "passed", text: words[at?.state ?? "passed"].replace("{}", () => (at ? reasonOf(at) : "")) };
}

for (const button of document.querySelectorAll("button[data-receipt]")) {
  const line = button.closest("article").querySelector(".proof");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (line.dataset.state === "running") return;
    line.dataset.state = "running";
    line.textContent = words.checking;
    const { state, text } = await sentenceFor(button.dataset.receipt);
    line.dataset.state = state;
    line.textContent = text;
  });
}
