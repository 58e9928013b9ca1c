// The search page: photographs, faces, authority, search, candidates.

import { Problem, call, counted, save } from "/static/api.js";
import { openDetail } from "/static/detail.js";
import { intake } from "/static/intake.js";
import { formError } from "/static/page.js";
import { add, onChange, probes, ready } from "/static/probes.js";
import { forgetCrops, show } from "/static/results.js";

const form = document.querySelector("#search");
const button = document.querySelector("#go");
const error = document.querySelector("#search-error");
const readiness = document.querySelector("#readiness");
const announcer = document.querySelector("#announcer");
const exporting = document.querySelector("#export");
let result = null;

function chosenAuthority() {
  return form.querySelector("input[name=authority]:checked")?.value;
}

function whatIsMissing() {
  if (!form.querySelector("input[name=authority]")) return "Without an authority nothing can be searched.";
  if (!probes.length) return "Choose a photograph first.";
  if (probes.some((probe) => probe.found && !probe.found.faces.some((face) => face.usable)))
    return "Remove the photographs without a usable face.";
  if (!ready()) return "Choose a face in each photograph.";
  if (!chosenAuthority()) return "Choose the authority to search under.";
  return "";
}

function update() {
  const missing = whatIsMissing();
  button.disabled = missing !== "";
  document.querySelector("#drop").classList.toggle("compact", probes.length > 0);
  readiness.textContent = missing;
  readiness.hidden = missing === "";
}

async function search(event) {
  event.preventDefault();
  if (whatIsMissing()) return;
  error.hidden = true;
  button.disabled = true;
  button.classList.add("busy");
  announcer.textContent = "Searching…";
  const body = new FormData();
  // What is compared later is what was searched with, whatever is chosen in the meantime.
  const used = probes.map(({ blob, image, found, chosen }) => ({ blob, image, found, chosen }));
  for (const probe of probes) {
    body.append("photograph", probe.blob, "photograph");
    body.append("face", String(probe.chosen));
  }
  body.append("authority", chosenAuthority());
  try {
    present({ ...(await call("POST", "/searches", { form: body })), probes: used });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    error.textContent = problem.words;
    error.hidden = false;
    announcer.textContent = "";
  } finally {
    button.classList.remove("busy");
    update();
    await countUses();
  }
}

function present(found) {
  forgetCrops();
  result = found;
  sessionStorage.setItem("search", JSON.stringify([found.search, found.handle]));
  show(found, (rank) => openDetail(result, rank));
  announcer.textContent = found.groups.length
    ? `${counted(found.groups.length, "picture")} found. ${found.reliable ? "" : "No reliable candidate."}`
    : "Nothing alike was found.";
  const section = document.querySelector("#results");
  section.focus({ preventScroll: true });
  section.scrollIntoView({ block: "start" });
}

async function countUses() {
  const { authorities } = await call("GET", "/authorities");
  for (const authority of authorities) {
    const place = document.querySelector(`[data-left="${authority.id}"]`);
    if (place) place.textContent = `${counted(authority.left, "search", "searches")} left`;
  }
}

// After a reload the candidates are shown again while their handle lives; the photograph was never kept.
async function again() {
  const kept = sessionStorage.getItem("search");
  if (!kept) return;
  const [id, handle] = JSON.parse(kept);
  try {
    const found = await call("GET", `/searches/${id}`, { handle });
    result = { ...found, probes: [] };
    show(result, (rank) => openDetail(result, rank));
  } catch {
    sessionStorage.removeItem("search");
  }
}

document.querySelector("#open-export").addEventListener("click", () => exporting.showModal());
document.querySelector("#export-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = event.target.elements;
  formError(event.target, "");
  try {
    const file = await call("POST", `/searches/${result.search}/exports`, {
      handle: result.handle,
      json: { recipient: fields.recipient.value, purpose: fields.purpose.value },
      as: "blob",
    });
    save(file, `countenance-${result.search}.zip`);
    exporting.close();
    announcer.textContent = "Exported. The ledger names the recipient.";
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    formError(event.target, problem.words);
  }
});

form.addEventListener("submit", search);
form.addEventListener("change", update);
onChange(update);
intake(add);
update();
await again();
