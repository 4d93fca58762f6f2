// The ways in: a passkey, where the browser has them. Everything else on the page is links and forms.

import { Stopped, call } from "./device.js";
import { ask, supported } from "./passkeys.js";

const element = (id) => document.getElementById(id);
const { back, refusals } = JSON.parse(element("page").textContent);
const button = element("passkey");
const address = button.dataset.way === "step-up" ? "/v1/session/passkey/step-up" : "/v1/session/passkey";

async function prove() {
  const credential = await ask(await call("POST", `${address}/options`));
  await call("POST", address, { credential });
  location.assign(back);
}

button.addEventListener("click", async () => {
  button.disabled = true;
  element("passkey-refusal").hidden = true;
  try {
    await prove();
  } catch (error) {
    const code = error instanceof Stopped ? error.message : "otherwise";
    element("passkey-refusal").textContent = refusals[code] ?? refusals.passkey_refused;
    element("passkey-refusal").hidden = false;
    button.disabled = false;
  }
});
element("passkey-way").hidden = !supported();
