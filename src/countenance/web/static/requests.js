// Asking for an authority, and deciding on what was asked.

import { Problem, call, reloadWith } from "/static/api.js";
import { formError } from "/static/page.js";

const DAY = 24 * 60 * 60 * 1000;

async function send(say, act) {
  say("");
  try {
    await act();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    say(problem.words);
  }
}

const ask = document.querySelector("#ask-form");
ask?.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(ask);
  const asked = {
    urgent: fields.has("urgent"),
    collections: fields.getAll("collections"),
    expires: new Date(Date.now() + Number(fields.get("days")) * DAY).toISOString(),
    searches: Number(fields.get("searches")),
  };
  for (const name of ["purpose", "case", "basis", "necessity", "proportionality", "subject", "outcome", "stated_by"])
    asked[name] = fields.get(name);
  if (!ask.querySelector("[data-document]").hidden) asked.basis_document = fields.get("basis_document");
  if (!asked.collections.length) {
    formError(ask, "Choose at least one collection.");
    return;
  }
  send((words) => formError(ask, words), async () => {
    const made = await call("POST", "/authority-requests", { json: asked });
    const use = made.due ? ` You may search under ${made.authority} at once.` : "";
    reloadWith(`Asked, as entry ${made.entry} of the ledger.${use}`);
  });
});

function say(words) {
  const place = document.querySelector("#request-error");
  place.hidden = !words;
  place.textContent = words;
}

for (const [name, done] of [["approve", "Approved."], ["withdraw", "Taken back."]])
  document.querySelector(`[data-${name}]`)?.addEventListener("click", (event) =>
    send(say, async () => {
      await call("POST", `/authority-requests/${event.target.dataset[name]}/${name}`);
      reloadWith(done);
    }));

const decline = document.querySelector("#decline-form");
decline?.addEventListener("submit", (event) => {
  event.preventDefault();
  send((words) => formError(decline, words), async () => {
    await call("POST", `/authority-requests/${decline.dataset.request}/decline`, { json: { reason: decline.elements.reason.value } });
    reloadWith("Declined.");
  });
});
