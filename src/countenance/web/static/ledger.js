// Checking the ledger and taking it away.

import { Problem, call, save, sentence } from "/static/api.js";

const verified = document.querySelector("#verified");

function tell(kind, text) {
  verified.className = `verdict verdict-${kind}`;
  verified.textContent = text;
  verified.hidden = false;
}

document.querySelector("#verify")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  tell("none", "Checking every entry…");
  try {
    const answer = await call("POST", "/ledger/verify");
    tell("reliable", `Sound: every entry, the tree and its signature agree${answer.size ? `, ${answer.size.toLocaleString("en")} entries` : ""}.`);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    tell("broken", problem.words);
  } finally {
    event.target.disabled = false;
  }
});

document.querySelector("#bundle")?.addEventListener("click", async () => {
  try {
    save(await call("POST", "/ledger/bundle", { as: "blob" }), "countenance-ledger.zip");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    tell("broken", sentence(problem.words));
  }
});

for (const button of document.querySelectorAll("[data-save]"))
  button.addEventListener("click", () =>
    save(new Blob([document.getElementById(button.dataset.save).textContent], { type: "application/json" }), button.dataset.name),
  );
