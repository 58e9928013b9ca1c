// Accounts, for administrators.

import { Problem, call } from "/static/api.js";
import { formError } from "/static/page.js";

const WORDS = {
  reset: ["New set-up code", "Password, authenticator and passkeys of “NAME” are forgotten, every session ends, and a new code is made.", (a) => handOver(a)],
  disable: ["Disable", "“NAME” gets in no more, at once, and the tokens of this account open nothing.", () => location.reload()],
  enable: ["Enable", "“NAME” gets in again as before.", () => location.reload()],
};

async function attempt(form, act) {
  formError(form, "");
  try {
    await act();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    formError(form, problem.words);
  }
}

function handOver(account) {
  for (const open of document.querySelectorAll("dialog[open]")) open.close();
  const dialog = document.querySelector("#handed");
  dialog.querySelector("[data-who]").textContent = account.name;
  document.querySelector("#handed-link").textContent = `${location.origin}/set-up#${account.setup_code}`;
  dialog.showModal();
}
document.querySelector("#handed-over").addEventListener("click", () => location.reload());
document.querySelector("#handed").addEventListener("cancel", (event) => event.preventDefault());

document.querySelector("#add-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = new FormData(form);
  attempt(form, async () => handOver(await call("POST", "/accounts", { json: { name: fields.get("name"), roles: fields.getAll("roles") } })));
});

const change = document.querySelector("#change-roles");
let changed = null;
for (const button of document.querySelectorAll("[data-roles]"))
  button.addEventListener("click", () => {
    changed = button.dataset.roles;
    change.querySelector("[data-who]").textContent = button.dataset.name;
    const held = button.dataset.held.split(" ");
    for (const box of change.querySelectorAll("[name=roles]")) box.checked = held.includes(box.value);
    change.showModal();
  });
document.querySelector("#roles-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const roles = new FormData(event.target).getAll("roles");
  attempt(event.target, async () => {
    await call("POST", `/accounts/${changed}/roles`, { json: { roles } });
    location.reload();
  });
});

const sure = document.querySelector("#sure");
let asked = null;
for (const button of document.querySelectorAll("[data-act]"))
  button.addEventListener("click", () => {
    asked = button.dataset;
    const [title, what] = WORDS[asked.act];
    document.querySelector("#t-sure").textContent = title;
    document.querySelector("#sure-what").textContent = what.replace("NAME", asked.name);
    sure.showModal();
  });
document.querySelector("#sure-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(event.target, async () => WORDS[asked.act][2](await call("POST", `/accounts/${asked.id}/${asked.act}`)));
});
