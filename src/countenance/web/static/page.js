// What every page has: colours, dialogs, copying, printing, the message left by the page before.

const NAMES = { system: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };

function theme() {
  const button = document.querySelector("#theme");
  const show = () => {
    const now = document.documentElement.dataset.theme || "system";
    button.setAttribute("aria-label", NAMES[now]);
    button.title = NAMES[now];
  };
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || "system";
    const next = { system: "light", light: "dark", dark: "system" }[now];
    if (next === "system") {
      delete document.documentElement.dataset.theme;
      localStorage.removeItem("theme");
    } else {
      document.documentElement.dataset.theme = next;
      localStorage.setItem("theme", next);
    }
    show();
  });
  show();
}

export function flash(message) {
  const place = document.querySelector("#flash");
  place.hidden = false;
  place.textContent = message;
}

function dialogs() {
  for (const opener of document.querySelectorAll("[data-open]"))
    opener.addEventListener("click", () => document.getElementById(opener.dataset.open).showModal());
  for (const closer of document.querySelectorAll("[data-close]"))
    closer.addEventListener("click", () => closer.closest("dialog").close());
}

function copying() {
  for (const button of document.querySelectorAll("[data-copy]"))
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      flash("Copied.");
    });
}

// Bases that rest on a document ask for it.
function documents() {
  for (const choice of document.querySelectorAll("[data-basis]")) {
    const place = choice.form.querySelector("[data-document]");
    const field = place.querySelector("input");
    const show = () => {
      const needed = choice.selectedOptions[0].hasAttribute("data-needs-document");
      place.hidden = !needed;
      field.required = needed;
    };
    choice.addEventListener("change", show);
    show();
  }
}

export function formError(form, message) {
  const place = form.querySelector(".form-error");
  place.hidden = !message;
  place.textContent = message || "";
}

// A group of the menu closes with Escape, which gives the focus back, and when one goes elsewhere.
function menu() {
  for (const group of document.querySelectorAll("nav details")) {
    group.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !group.open) return;
      group.open = false;
      group.querySelector("summary").focus();
    });
    group.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !group.contains(event.relatedTarget)) group.open = false;
    });
  }
  document.addEventListener("click", (event) => {
    for (const group of document.querySelectorAll("nav details[open]")) if (!group.contains(event.target)) group.open = false;
  });
}

theme();
menu();
dialogs();
copying();
documents();
for (const button of document.querySelectorAll("#print")) button.addEventListener("click", () => window.print());
const left = sessionStorage.getItem("flash");
if (left) {
  sessionStorage.removeItem("flash");
  flash(left);
}
