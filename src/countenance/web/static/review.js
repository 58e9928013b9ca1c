// One pair at a time: shown, judged, and only then what the program made of it.

import { Problem, call } from "/static/api.js";
import { chip } from "/static/chips.js";
import { formError } from "/static/page.js";

const pair = document.querySelector("#pair");
const told = document.querySelector("#told");
const form = document.querySelector("#verdict");
let review = null;

const first = document.querySelector("#take");
first.addEventListener("click", take);
first.disabled = false;
document.querySelector("#another").addEventListener("click", take);

async function take() {
  document.querySelector("#start").hidden = true;
  told.hidden = true;
  const given = (await call("POST", "/reviews/next")).pair;
  document.querySelector("#nothing").hidden = given !== null;
  pair.hidden = given === null;
  if (given === null) return;
  review = given.id;
  form.reset();
  formError(form, "");
  await Promise.all(["probe", "candidate"].map((side) => show(side, given[side])));
  document.querySelector("#pair-title").focus();
}

async function show(side, { there, warnings }) {
  const image = document.getElementById(side);
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  image.parentElement.classList.toggle("erased", !there);
  document.querySelector(`[data-warnings=${side}]`).replaceChildren(...warnings.map(chip));
  if (there) image.src = URL.createObjectURL(await call("GET", `/reviews/${review}/${side}`, { as: "blob" }));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  formError(form, "");
  const fields = new FormData(form);
  let said;
  try {
    said = await call("POST", `/reviews/${review}/verdicts`, { json: { verdict: fields.get("verdict"), reason: fields.get("reason") } });
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    formError(form, problem.words);
    return;
  }
  pair.hidden = true;
  told.hidden = false;
  document.querySelector("#told-words").textContent = words(said);
  document.querySelector("#another").focus();
});

function words({ control, truth, likeness, outcome }) {
  if (control) return `This was a known pair. The answer: ${truth ?? "no longer kept"}.`;
  const score = likeness === null ? "It is no longer kept how alike the program found them." : `The program found a likeness of ${likeness.toFixed(3)} (cosine).`;
  return `${score} ${outcome ? `Together the reviewers say: ${outcome}.` : "Somebody else judges next."}`;
}
