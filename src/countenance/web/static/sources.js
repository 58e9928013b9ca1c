// Registering a source, and reading one with live progress.

import { Problem, call, counted, reloadWith } from "/static/api.js";
import { formError } from "/static/page.js";

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const time = (seconds) =>
  seconds < 90 ? `${Math.ceil(seconds)} seconds` : seconds < 5400 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds / 3600)} hours`;

function words(run) {
  const p = run.progress;
  if (!p) return "Starting…";
  const total = p.total === null ? "" : ` of ${p.total.toLocaleString("en")}`;
  const rate = p.rate ? `, ${p.rate.toFixed(p.rate < 10 ? 1 : 0)} a second` : "";
  const left = p.total === null || !p.rate ? "" : `, about ${time((p.total - p.done) / p.rate)} left`;
  return `${p.done.toLocaleString("en")}${total} pictures, ${p.faces.toLocaleString("en")} faces, ${p.skipped.toLocaleString("en")} not read${rate}${left}`;
}

async function follow(place, id) {
  const line = place.querySelector(".run");
  const bar = line.querySelector("progress");
  const text = line.querySelector(".run-text");
  place.querySelector("[data-ingest]").disabled = true;
  line.hidden = false;
  for (;;) {
    const run = await call("GET", `/runs/${id}`);
    if (run.progress && run.progress.total !== null) {
      bar.max = Math.max(1, run.progress.total);
      bar.value = run.progress.done;
    } else bar.removeAttribute("value");
    text.textContent = words(run);
    if (run.state === "done") {
      const { summary } = await call("GET", `/sources/${run.source}`);
      reloadWith(`${run.source} was read: ${counted(summary.images, "picture")}, ${counted(summary.indexed, "searchable face")}.`);
      return;
    }
    if (run.state !== "running") {
      line.hidden = true;
      const error = run.error || { message: "it was stopped; the next run goes on from there" };
      throw new Problem(0, { detail: error.message, advice: error.advice });
    }
    await wait(700);
  }
}

for (const place of document.querySelectorAll("[data-source]")) {
  const button = place.querySelector("[data-ingest]");
  const guarded = async (act) => {
    formError(place, "");
    button.disabled = true;
    try {
      await act();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      formError(place, problem.words);
      button.disabled = false;
    }
  };
  button.addEventListener("click", () =>
    guarded(async () => follow(place, (await call("POST", `/sources/${place.dataset.source}/runs`, { json: {} })).id)),
  );
  if (place.dataset.run) guarded(() => follow(place, place.dataset.run));
}

document.querySelector("#add-form")?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
  given.retain_days = Number(given.retain_days);
  given.keep_originals = "keep_originals" in given;
  if (form.querySelector("[data-document]").hidden) delete given.basis_document;
  formError(form, "");
  try {
    const source = await call("POST", "/sources", { json: given });
    reloadWith(`${source.name} is registered. Nothing was read yet.`);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    formError(form, problem.words);
  }
});
