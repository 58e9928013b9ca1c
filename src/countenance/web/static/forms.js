// Forms that send their fields to the API as JSON, and say what came of it: <form data-post="/path" data-done="Done.">.
// A field with data-number is sent as a number; one that is left empty is left out.

import { Problem, call, reloadWith } from "/static/api.js";
import { formError } from "/static/page.js";

for (const form of document.querySelectorAll("form[data-post]"))
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    formError(form, "");
    const asked = {};
    for (const field of form.elements) {
      if (!field.name || !field.value || (field.type === "radio" && !field.checked)) continue;
      if (field.type === "checkbox") {
        if (field.checked) (asked[field.name] ??= []).push(field.value);
      } else if (field.hasAttribute("data-number")) asked[field.name] = Number(field.value);
      else if (field.hasAttribute("data-day")) asked[field.name] = `${field.value}T00:00:00Z`;
      else asked[field.name] = field.value;
    }
    const button = form.querySelector("button.primary");
    button.disabled = true;
    button.classList.add("busy");
    try {
      await call("POST", form.dataset.post, { json: asked });
      reloadWith(form.dataset.done);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      formError(form, problem.words);
    } finally {
      button.disabled = false;
      button.classList.remove("busy");
    }
  });
