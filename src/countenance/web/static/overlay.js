// Faces outlined on a picture. The drawing's units are the picture's own pixels, so that it fits at any size.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function outline(svg, width, height, boxes) {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(...boxes.map(([x, y, w, h]) => element("rect", { class: "box", x, y, width: w, height: h, rx: w * 0.08 })));
}

// Faces that can be chosen, by click, Enter, Space or the arrow keys. `chosen(n)` is told.
export function choose(svg, found, chosen) {
  svg.setAttribute("viewBox", `0 0 ${found.width} ${found.height}`);
  const largest = Math.max(found.width, found.height) * 0.03;
  const several = found.faces.filter((face) => face.usable).length > 1;
  const marks = found.faces.map((face) => {
    const [x, y, w, h] = face.box;
    const group = element("g", { class: face.usable ? "face" : "face unusable", "data-n": face.n });
    group.append(element("rect", { class: "box", x, y, width: w, height: h, rx: w * 0.08 }));
    if (several || !face.usable) {
      // Above the box where there is room, so that it never covers the face.
      const words = face.usable ? String(face.n) : "–";
      const size = Math.min(largest, h * 0.3);
      const width = size * (0.7 + 0.6 * words.length);
      const top = Math.max(0, y - size * 1.35);
      const label = element("text", { x: x + width / 2, y: top + size * 1.03, "font-size": size, "text-anchor": "middle" });
      label.textContent = words;
      group.append(element("rect", { class: "badge", x, y: top, width, height: size * 1.35, rx: size * 0.25 }), label);
    }
    if (face.usable) {
      group.setAttribute("role", "radio");
      group.setAttribute("aria-label", `Face ${face.n}${face.warnings.length ? `, ${face.warnings.join(", ")}` : ""}`);
      group.addEventListener("click", () => pick(face.n, true));
      group.addEventListener("keydown", (event) => press(event, face.n));
    }
    return group;
  });
  svg.setAttribute("role", "radiogroup");
  svg.replaceChildren(...marks);
  const usable = marks.filter((mark) => mark.classList.contains("face") && !mark.classList.contains("unusable"));

  function pick(n, focus) {
    for (const mark of usable) {
      const here = Number(mark.dataset.n) === n;
      mark.setAttribute("aria-checked", String(here));
      mark.setAttribute("tabindex", here ? "0" : "-1");
      mark.classList.toggle("chosen", here);
      if (here && focus) mark.focus();
    }
    chosen(n);
  }

  function press(event, n) {
    const at = usable.findIndex((mark) => Number(mark.dataset.n) === n);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) pick(Number(usable[(at + step + usable.length) % usable.length].dataset.n), true);
    else if (event.key === "Enter" || event.key === " ") pick(n, true);
    else return;
    event.preventDefault();
  }

  usable.forEach((mark, at) => {
    mark.setAttribute("aria-checked", "false");
    mark.setAttribute("tabindex", at === 0 ? "0" : "-1");
  });
  if (usable.length === 1) pick(Number(usable[0].dataset.n), false);
}
