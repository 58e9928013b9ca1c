// Naming the person of a session, once two people ask.

import { Problem, call } from "/static/api.js";
import { formError } from "/static/page.js";

const form = document.querySelector("#unmask");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  formError(form, "");
  const fields = new FormData(form);
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const found = await call("POST", form.dataset.path, { json: { reason: fields.get("reason"), second: fields.get("second") } });
    form.querySelector("[name=second]").value = "";
    document.querySelector("#unmasked-who").textContent = found.who;
    document.querySelector("#unmasked-addresses").textContent = found.addresses.join(", ");
    document.querySelector("#unmasked-second").textContent = found.second;
    const entry = document.querySelector("#unmasked-entry");
    entry.textContent = `entry ${found.entry}`;
    entry.href = `/ledger/receipts/${found.entry}`;
    document.querySelector("#unmasked-lines").textContent = found.lines.map((line) => `${line.file}:${line.line}  ${line.text}`).join("\n");
    const place = document.querySelector("#unmasked");
    place.hidden = false;
    place.focus();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    formError(form, problem.words);
  } finally {
    button.disabled = false;
  }
});
