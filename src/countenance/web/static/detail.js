// One candidate, beside the face that was searched with, at the same size; the whole picture; every page it was on.

import { Problem, call, counted } from "/static/api.js";
import { outline } from "/static/overlay.js";
import { chip } from "/static/chips.js";
import { drawFace } from "/static/probes.js";
import { day, facts, host, judgedBefore, showCrop, strangers } from "/static/results.js";

const dialog = document.querySelector("#detail");
const whole = document.querySelector("#whole");
const why = document.querySelector("#whole-why");
const otherProbe = document.querySelector("#other-probe");
const sightingTemplate = document.querySelector("#sighting-template");

let result = null;
let rank = 1;
let sighting = null;
let probe = 0;

document.querySelector("#close-detail").addEventListener("click", () => dialog.close());
document.querySelector("#previous").addEventListener("click", () => step(-1));
document.querySelector("#next").addEventListener("click", () => step(1));
document.querySelector("#open-whole").addEventListener("click", openWhole);
document.querySelector("#ask-review").addEventListener("click", askForReview);
otherProbe.addEventListener("click", () => {
  probe = (probe + 1) % result.probes.length;
  drawProbe();
});
dialog.addEventListener("close", closeWhole);
dialog.addEventListener("keydown", (event) => {
  if (event.target.closest("input, textarea, summary")) return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});

export function openDetail(shown, at) {
  result = shown;
  rank = at;
  probe = 0;
  dialog.showModal();
  show();
  document.querySelector("#detail-title").focus();
}

function step(by) {
  const next = rank + by;
  if (next < 1 || next > result.groups.length) return;
  rank = next;
  show();
}

function show() {
  const group = result.groups[rank - 1];
  document.querySelector("#detail-title").textContent = `Candidate ${rank} of ${result.groups.length}`;
  document.querySelector("#previous").disabled = rank === 1;
  document.querySelector("#next").disabled = rank === result.groups.length;
  drawProbe();
  document.querySelector("#sightings").replaceChildren(...group.sightings.map(row));
  choose(group, group.sightings[0]);
}

function drawProbe() {
  const canvas = document.querySelector("#probe-face");
  canvas.parentElement.classList.toggle("missing", !drawFace(canvas, result.probes[probe]));
  otherProbe.hidden = result.probes.length < 2;
}

function choose(group, one) {
  sighting = one;
  document.querySelector("#review-words").textContent = "";
  closeWhole();
  showCrop(document.querySelector("#candidate-face"), result, one);
  facts(document.querySelector("#detail-facts"), [
    ["Likeness", `${one.likeness.toFixed(3)} (cosine; 1 is the same picture)`],
    ["By chance", strangers(group)],
    ["Before", judgedBefore([one])[0]],
    ["Quality", one.warnings.join(", ") || "nothing to warn of"],
    ["Picture", `${one.size[0]} × ${one.size[1]} pixels, on ${counted(group.sightings.length, "page")}`],
  ]);
  for (const item of document.querySelectorAll("#sightings > li")) {
    const here = item.dataset.id === one.id;
    item.classList.toggle("shown", here);
    item.querySelector("[data-show]").setAttribute("aria-pressed", String(here));
  }
}

function row(one) {
  const item = sightingTemplate.content.firstElementChild.cloneNode(true);
  item.dataset.id = one.id;
  item.querySelector(".sighting-title").textContent = one.title || host(one.page);
  item.querySelector(".sighting-page").append(address(one.page));
  const words = [one.alt, one.caption].filter(Boolean);
  item.querySelector(".sighting-words").textContent = words.length ? `“${words.join("” “")}”` : "";
  facts(item.querySelector("dl"), [
    ["Likeness", one.likeness.toFixed(3)],
    ["Source", one.source],
    ["Dated", one.dated && day(one.dated)],
    ["First seen", day(one.first_seen)],
    ["Last seen", day(one.last_seen)],
    ["Gone since", one.vanished && day(one.vanished)],
    ["Image", one.image],
  ]);
  item.querySelector(".chips").replaceChildren(...one.warnings.map(chip));
  const button = item.querySelector("[data-show]");
  button.hidden = result.groups[rank - 1].sightings.length === 1;
  button.setAttribute("aria-label", `Show the face on ${one.title || host(one.page)}`);
  button.addEventListener("click", () => choose(result.groups[rank - 1], one));
  return item;
}

// Addresses come from strangers: only http and https become links, everything else stays text.
function address(text) {
  if (!/^https?:\/\//i.test(text)) return document.createTextNode(text);
  const link = document.createElement("a");
  link.href = text;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = text;
  return link;
}

async function askForReview() {
  const words = document.querySelector("#review-words");
  const given = result.probes[probe];
  if (!given) {
    words.textContent = "The photograph was not kept. Choose it again to ask.";
    return;
  }
  words.textContent = "Asking…";
  const photograph = await new Promise((done) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => done(reader.result.split(",")[1]));
    reader.readAsDataURL(given.blob);
  });
  try {
    const asked = { sighting: sighting.id, photograph, face: given.chosen };
    const review = await call("POST", `/searches/${result.search}/reviews`, { json: asked, handle: result.handle });
    words.textContent = `Asked for, as ${review.id}. Two others judge it, without your word for it.`;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    words.textContent = error.words;
  }
}

async function openWhole() {
  why.textContent = "Opening…";
  const opened = sighting;
  let picture;
  try {
    picture = await call("POST", `/searches/${result.search}/pictures/${opened.id}`, { handle: result.handle });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    why.textContent = error.words;
    return;
  }
  if (opened !== sighting) return;
  if (picture.content === null) {
    why.textContent = picture.why_missing;
    return;
  }
  const bytes = Uint8Array.from(atob(picture.content), (letter) => letter.charCodeAt(0));
  const image = whole.querySelector("img");
  image.src = URL.createObjectURL(new Blob([bytes], { type: picture.media_type }));
  outline(whole.querySelector("svg"), picture.width, picture.height, [picture.box]);
  whole.hidden = false;
  why.textContent = "The ledger says that you opened it.";
}

function closeWhole() {
  const image = whole.querySelector("img");
  if (image.src) URL.revokeObjectURL(image.src);
  image.removeAttribute("src");
  whole.hidden = true;
  why.textContent = "";
}
