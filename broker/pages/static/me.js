// The page /me: a withdrawal is signed by this device where it can be; where it cannot, the form goes as it is.

import { findKey, shortLived } from "./device.js";

const { devices } = JSON.parse(document.getElementById("page").textContent);

async function signed(consent) {
  const key = await findKey(devices.kids);
  return key && shortLived(key, devices, "withdrawal+jwt", { consent });
}

for (const form of document.querySelectorAll("form[data-consent]"))
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.dataset.sent) return;
    form.dataset.sent = "yes";
    const withdrawal = form.dataset.action === "withdraw" && (await signed(form.dataset.consent).catch(() => null));
    if (withdrawal) {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: "withdrawal", value: withdrawal });
      form.append(field);
    }
    form.submit();
  });
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
