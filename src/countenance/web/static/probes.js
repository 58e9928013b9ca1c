// Photographs that somebody gives: dropped, pasted, picked or taken. Each is sent once to find its faces, and again with
// the search; the server keeps neither.

import { Problem, call } from "/static/api.js";
import { chip } from "/static/chips.js";
import { choose } from "/static/overlay.js";

const MOST = 10;
const list = document.querySelector("#probes");
const template = document.querySelector("#probe-template");
const announcer = document.querySelector("#announcer");

export const probes = [];
let changed = () => {};

export function onChange(listener) {
  changed = listener;
}

export function ready() {
  return probes.length > 0 && probes.every((probe) => probe.chosen !== null);
}

export async function add(blobs) {
  for (const blob of blobs) {
    if (probes.length >= MOST) {
      announcer.textContent = `At most ${MOST} photographs can be searched with at once.`;
      return;
    }
    await show(blob);
  }
}

async function show(blob) {
  const item = template.content.firstElementChild.cloneNode(true);
  const probe = { blob, item, image: item.querySelector("img"), found: null, chosen: null };
  const state = item.querySelector(".probe-state");
  probes.push(probe);
  probe.image.src = URL.createObjectURL(blob);
  probe.image.addEventListener("error", () => item.classList.add("unseeable"));
  item.querySelector(".probe-name").textContent = blob.name || "From the camera";
  item.querySelector("[data-remove]").addEventListener("click", () => remove(probe));
  list.append(item);
  changed();
  const form = new FormData();
  form.append("photograph", blob, "photograph");
  try {
    probe.found = await call("POST", "/faces", { form });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    state.textContent = error.words;
    item.classList.add("failed");
    return;
  }
  const stage = item.querySelector(".stage");
  stage.querySelector("svg").setAttribute("aria-label", `Faces in ${blob.name || "the photograph"}`);
  choose(stage.querySelector("svg"), probe.found, (n) => {
    probe.chosen = n;
    tell(probe, state);
    changed();
  });
  tell(probe, state);
  changed();
}

function tell(probe, state) {
  const usable = probe.found.faces.filter((face) => face.usable);
  if (usable.length === 0)
    state.textContent = probe.found.faces.length ? "No face here is good enough to search with." : "No face was found.";
  else if (probe.chosen === null) state.textContent = `${usable.length} faces. Choose the one to look for.`;
  else state.textContent = usable.length === 1 ? "One face." : `Face ${probe.chosen} of ${usable.length} chosen.`;
  const face = probe.found.faces.find((one) => one.n === probe.chosen) || (usable.length ? null : probe.found.faces[0]);
  const chips = probe.item.querySelector(".chips");
  chips.replaceChildren(...(face ? face.warnings : []).map(chip));
}


function remove(probe) {
  probes.splice(probes.indexOf(probe), 1);
  URL.revokeObjectURL(probe.image.src);
  probe.item.remove();
  changed();
  document.querySelector("#pick").focus();
}

// The chosen face as a square, framed as the server frames its crops: 0.4 of the box's longer side around it.
export function drawFace(canvas, probe) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!probe || !probe.found || !probe.image.naturalWidth) return false;
  const { width, height, faces } = probe.found;
  const [x, y, w, h] = faces.find((face) => face.n === probe.chosen).box;
  const side = Math.min(Math.max(w, h) * 1.8, width, height);
  const left = Math.min(Math.max(0, x + w / 2 - side / 2), width - side);
  const top = Math.min(Math.max(0, y + h / 2 - side / 2), height - side);
  const scale = probe.image.naturalWidth / width;
  context.imageSmoothingQuality = "high";
  context.drawImage(probe.image, left * scale, top * scale, side * scale, side * scale, 0, 0, canvas.width, canvas.height);
  return true;
}
