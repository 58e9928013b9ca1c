// Granting and revoking.

import { Problem, call, reloadWith } from "/static/api.js";
import { formError } from "/static/page.js";

const DAY = 24 * 60 * 60 * 1000;

async function send(form, act) {
  formError(form, "");
  try {
    await act();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    formError(form, problem.words);
  }
}

document.querySelector("#grant-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const fields = new FormData(form);
  const asked = {
    purpose: fields.get("purpose"),
    basis: fields.get("basis"),
    case: fields.get("case"),
    collections: fields.getAll("collections"),
    expires: new Date(Date.now() + Number(fields.get("days")) * DAY).toISOString(),
    searches: Number(fields.get("searches")),
    stated_by: fields.get("stated_by"),
  };
  if (!form.querySelector("[data-document]").hidden) asked.basis_document = fields.get("basis_document");
  if (fields.get("holder")) asked.holder = fields.get("holder");
  if (!asked.collections.length) {
    formError(form, "Choose at least one collection.");
    return;
  }
  send(form, async () => {
    const authority = await call("POST", "/authorities", { json: asked });
    reloadWith(`Granted, as entry ${authority.entry} of the ledger${authority.self_approved ? ". It is marked as self-approved." : "."}`);
  });
});

const revoke = document.querySelector("#revoke");
let revoked = null;
for (const button of document.querySelectorAll("[data-revoke]"))
  button.addEventListener("click", () => {
    revoked = button.dataset.revoke;
    document.querySelector("#revoke-what").textContent = button.dataset.purpose;
    revoke.showModal();
  });
document.querySelector("#revoke-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target, async () => {
    await call("POST", `/authorities/${revoked}/revoke`, { json: { reason: event.target.elements.reason.value } });
    reloadWith("Revoked.");
  });
});
