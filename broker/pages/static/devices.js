// The page /me/devices: adds a passkey of this device. Giving things up needs no script.

import { Stopped, call } from "./device.js";
import { make, supported } from "./passkeys.js";

const element = (id) => document.getElementById(id);
const page = JSON.parse(element("page").textContent);
const button = element("add-passkey");

async function add() {
  const credential = await make(await call("POST", "/v1/me/passkeys/options"));
  await call("POST", "/v1/me/passkeys", { credential, label: page.label });
  location.reload();
}

button.addEventListener("click", async () => {
  button.disabled = true;
  element("passkey-refusal").hidden = true;
  try {
    await add();
  } catch (error) {
    const code = error instanceof Stopped ? error.message : "otherwise";
    if (code === "step_up_required") return location.assign(`${page.step_up}&step=${error.level}`);
    element("passkey-refusal").textContent = page.refusals[code] ?? page.refusals.passkey_refused;
    element("passkey-refusal").hidden = false;
    button.disabled = false;
  }
});
element("passkey-way").hidden = !supported();
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
