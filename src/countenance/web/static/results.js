// What a search showed: the verdict, the groups, the receipt.

import { call, counted, save } from "/static/api.js";
import { chip } from "/static/chips.js";

const groupTemplate = document.querySelector("#group-template");
const crops = new Map();

// A crop is fetched with the handle in a header, never in an address, and kept as long as the page shows this search.
export async function crop(result, sighting) {
  const key = `${result.search} ${sighting.id}`;
  if (!crops.has(key))
    crops.set(
      key,
      call("GET", `/searches/${result.search}/crops/${sighting.id}`, { handle: result.handle, as: "blob" }).then((blob) =>
        URL.createObjectURL(blob),
      ),
    );
  return crops.get(key);
}

export function forgetCrops() {
  for (const address of crops.values()) address.then((url) => URL.revokeObjectURL(url)).catch(() => {});
  crops.clear();
}

export async function showCrop(image, result, sighting) {
  image.removeAttribute("src");
  if (!sighting.has_crop) return;
  try {
    image.src = await crop(result, sighting);
  } catch {
    image.alt = "The crop can no longer be opened";
  }
}

export function host(address) {
  try {
    const url = new URL(address);
    return url.protocol === "file:" ? decodeURIComponent(url.pathname).split("/").slice(-2).join("/") : url.host;
  } catch {
    return address;
  }
}

export function day(moment) {
  return new Date(moment).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
}

export function facts(list, rows) {
  list.replaceChildren(
    ...rows
      .filter(([, value]) => value)
      .map(([name, value]) => {
        const row = document.createElement("div");
        const term = document.createElement("dt");
        const words = document.createElement("dd");
        term.textContent = name;
        words.textContent = value;
        row.append(term, words);
        return row;
      }),
  );
}

// Two people took this candidate for somebody else than this person, in an earlier search: said, and never hidden.
export function judgedBefore(sightings) {
  const on = sightings.map((one) => one.judged_different).filter(Boolean).sort().at(-1);
  return on ? [`Judged different on ${day(on)}`] : [];
}

export function dates(sightings) {
  const first = sightings.map((one) => one.first_seen).sort()[0];
  const last = sightings.map((one) => one.last_seen).sort().at(-1);
  const seen = day(first) === day(last) ? `Seen ${day(first)}` : `Seen ${day(first)} to ${day(last)}`;
  return sightings.every((one) => one.vanished) ? `${seen}, gone since` : seen;
}

export function show(result, open) {
  const section = document.querySelector("#results");
  section.hidden = false;
  const none = result.groups.length === 0;
  const verdict = document.querySelector("#verdict");
  verdict.className = `verdict ${none ? "verdict-none" : result.reliable ? "verdict-reliable" : "verdict-unreliable"}`;
  verdict.querySelector(".verdict-title").textContent = none
    ? "Nothing alike was found"
    : result.reliable
      ? "A candidate worth a close look. You decide."
      : "No reliable candidate";
  verdict.querySelector(".verdict-text").textContent = none
    ? "No face in these collections is alike enough to show. That does not prove that the person is not there."
    : result.reliable
      ? "A stranger is unlikely to look this alike to the best candidate by chance, but unlikely is not never, and relatives look alike. Compare each one."
      : "In an index of this size, strangers are expected to look as alike as these do. They are shown so that you can judge, not because one of them is right.";
  document.querySelector("#results-title").textContent = none ? "No candidates" : `Candidates in ${counted(result.groups.length, "picture")}`;
  facts(document.querySelector("#result-facts"), [
    ["Searched", `${counted(result.index.faces, "face")} in ${result.index.collections.join(", ")}`],
    ["With", `${counted(result.probe.faces, "face")} from ${counted(result.probe.photographs, "photograph")}`],
    ["Yours is", result.probe.warnings.join(", ")],
    ["Authority", `${result.authority}${result.self_approved ? ", self-approved" : ""}`],
    ["Model", result.pack],
  ]);
  document.querySelector("#groups").replaceChildren(...result.groups.map((group) => card(result, group, open)));
  document.querySelector("#truncated").hidden = !result.truncated;
  receipt(result);
}

function card(result, group, open) {
  const item = groupTemplate.content.firstElementChild.cloneNode(true);
  const best = group.sightings[0];
  item.dataset.rank = group.rank;
  const image = item.querySelector("img");
  image.alt = `Candidate ${group.rank}`;
  item.querySelector(".rank").textContent = group.rank;
  item.querySelector(".likeness-number").textContent = group.likeness.toFixed(2);
  item.querySelector("meter").value = Math.max(0, group.likeness);
  item.querySelector(".strangers").textContent = strangers(group);
  item.querySelector(".title").textContent = best.title || "";
  const sites = [...new Set(group.sightings.map((one) => host(one.page)))];
  item.querySelector(".site").textContent = `${sites[0]}${sites.length > 1 ? ` and ${counted(sites.length - 1, "other site")}` : ""}`;
  item.querySelector(".dates").textContent = `${counted(group.sightings.length, "page")}. ${dates(group.sightings)}`;
  item.querySelector(".chips").replaceChildren(...judgedBefore(group.sightings).map(chip), ...best.warnings.map(chip));
  const compare = item.querySelector(".compare");
  compare.setAttribute("aria-label", `Compare candidate ${group.rank}`);
  compare.addEventListener("click", () => open(group.rank));
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    showCrop(image, result, best);
  }).observe(item);
  return item;
}

// Small expectations read better as one in so many: an expected 0.00004 strangers says nothing to most people.
export function strangers({ expected_strangers: { value, low, high } }) {
  const measured = value !== null;
  const beyond = measured ? "" : " (beyond what was measured)";
  if (high < 0.1)
    return `A stranger this alike is expected in ${measured ? "about" : "fewer than"} 1 of ${rounded(1 / (measured ? value : high))} such searches${beyond}`;
  if (!measured) return `Fewer than ${rounded(high)} strangers this alike are expected${beyond}`;
  const range = rounded(low) === rounded(high) ? "" : ` (${rounded(low)} to ${rounded(high)})`;
  return `About ${rounded(value)} strangers this alike are expected${range}`;
}

function rounded(number) {
  return number.toLocaleString("en", { maximumSignificantDigits: 2 });
}

function receipt(result) {
  const slip = result.receipt;
  const entry = JSON.parse(slip.entry);
  document.querySelector("#receipt-line").textContent =
    `Entry ${slip.seq}, written before anything was shown${result.self_approved ? "; self-approved" : ""}${result.demo ? "; DEMO" : ""}`;
  document.querySelector("#receipt-seq").textContent = slip.seq;
  facts(document.querySelector("#receipt-facts"), [
    ["When", entry.at],
    ["Who", entry.actor.authenticated],
    ["Search", result.search],
    ["Authority", `${result.authority}${result.self_approved ? " (self-approved)" : ""}`],
    ["Leaf", slip.leaf],
  ]);
  document.querySelector("#receipt-page").href = `/ledger/receipts/${slip.seq}`;
  document.querySelector("#receipt-checked").textContent = "";
  document.querySelector("#check-receipt").onclick = async () => {
    const { seq, leaf, entry: text, inclusion, checkpoint } = slip;
    const answer = await call("POST", "/ledger/check-receipt", { json: { seq, leaf, entry: text, inclusion, checkpoint } });
    document.querySelector("#receipt-checked").textContent = answer.proven
      ? "Proven: this entry is in the signed ledger."
      : `Not proven: ${answer.why_not}`;
  };
  document.querySelector("#save-receipt").onclick = () =>
    save(new Blob([JSON.stringify(slip, null, 2)], { type: "application/json" }), `countenance-receipt-${slip.seq}.json`);
}
