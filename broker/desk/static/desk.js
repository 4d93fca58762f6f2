// The counter's keys, its lock, and the code's live state. Every page works without this but for those three.

const AWAKE_EVERY = 60_000;
const SOON = 60;
const SWITCH = "desk-single-keys";

/** Keys are numbers that are shown beside what they do. */
function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !singleKeys()) return;
  if (event.target.closest("input:not([type=radio], [type=checkbox]), textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const found = [...document.querySelectorAll(`[data-key="${CSS.escape(event.key)}"]`)];
  if (event.key === "" || found.length === 0) return;
  event.preventDefault();
  reach(found.find((one) => one !== document.activeElement) ?? found[0]);
}

function reach(element) {
  element.focus();
  if (element.matches("a, button, input[type=checkbox]")) element.click();
  if (element.matches("input[type=radio]")) element.checked = true;
}

function singleKeys() {
  return localStorage.getItem(SWITCH) !== "off";
}

function showSwitch() {
  const button = document.querySelector("#single-keys");
  if (!button) return;
  const on = singleKeys();
  button.textContent = on ? button.dataset.on : button.dataset.off;
  button.setAttribute("aria-pressed", String(on));
  document.body.classList.toggle("no-keys", !on);
}

/** A scanner types and ends with Enter: go on to what is still empty instead of sending half a form. */
function scanned(event) {
  if (event.key !== "Enter" || !event.target.matches("[data-scanner] input:not([type=radio])")) return;
  const empty = [...event.target.form.elements].find((one) => one.required && one.type !== "radio" && !one.value);
  if (!empty || empty === event.target) return;
  event.preventDefault();
  empty.focus();
}

/** Nobody there: the page goes, and the window locks itself. */
function watchIdle() {
  const seconds = Number(document.body.dataset.idle);
  if (!seconds) return;
  let timer = 0;
  let told = Date.now();
  const again = () => {
    clearTimeout(timer);
    timer = setTimeout(lock, seconds * 1000);
    if (Date.now() - told > AWAKE_EVERY) {
      told = Date.now();
      post("/awake");
    }
  };
  for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, again, { passive: true });
  again();
}

function lock() {
  post("/lock").finally(() => location.replace("/cases"));
}

function post(address) {
  return fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: "",
    redirect: "manual",
  }).catch(() => null);
}

/** What becomes of the code, as the desk hears it. */
function listen() {
  const live = document.querySelector("#live");
  if (!live) return;
  const heard = new EventSource(live.dataset.address);
  const status = document.querySelector("#status");
  heard.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    status.textContent = told.words;
    status.dataset.status = told.status;
  });
  heard.addEventListener("moved", () => {
    heard.close();
    location.reload();
  });
  addEventListener("pagehide", () => heard.close());
  countDown(Number(live.dataset.left));
}

function countDown(seconds) {
  const left = document.querySelector("#left");
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const now = Math.max(0, Math.round((until - Date.now()) / 1000));
    const words = now === 0 ? left.dataset.over : now <= SOON ? left.dataset.soon : left.dataset.words;
    left.textContent = words.replace("{}", String(now));
    left.classList.toggle("notice", now <= SOON);
    if (now > 0) setTimeout(tick, 1000);
  };
  tick();
}

document.addEventListener("keydown", press);
document.addEventListener("keydown", scanned);
document.querySelector("#print")?.addEventListener("click", () => print());
document.querySelector("#single-keys")?.addEventListener("click", () => {
  localStorage.setItem(SWITCH, singleKeys() ? "off" : "on");
  showSwitch();
});
document.querySelector("[data-into]")?.addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (file) document.querySelector(`#${event.target.dataset.into}`).value = await file.text();
});
showSwitch();
watchIdle();
listen();
