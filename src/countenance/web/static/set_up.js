// The set-up code stands behind the # of the link, where no server's log and no Referer sees it.

import { Problem, post } from "/static/api.js";
import { formError } from "/static/page.js";

const form = document.querySelector("#set-up");
const code = location.hash.slice(1);
history.replaceState(null, "", "/set-up");
if (code) {
  form.elements.code.value = code;
  document.querySelector("#code-field").hidden = true;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  formError(form, "");
  const { code: given, password, again } = form.elements;
  if (password.value !== again.value) {
    formError(form, "These are two different passwords.");
    return;
  }
  try {
    await post("/set-up", { code: given.value.slice(given.value.indexOf("#") + 1).trim(), password: password.value });
    location.replace("/account");
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) document.querySelector("#code-field").hidden = false;
    formError(form, problem.status === 401 ? "This code was used already, is too old, or is not one." : problem.words);
  }
});
