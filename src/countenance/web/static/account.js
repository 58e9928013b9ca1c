// One's own account: each form posts to its own address, with the password once more.

import { Problem, post, reloadWith } from "/static/api.js";
import { formError } from "/static/page.js";
import { answerOf, asked } from "/static/passkey.js";

const codes = document.querySelector("#codes");

function showCodes(form, list) {
  form.closest("dialog").close();
  document.querySelector("#code-list").replaceChildren(
    ...list.map((code) => {
      const line = document.createElement("li");
      line.textContent = code;
      return line;
    }),
  );
  codes.showModal();
}
codes.addEventListener("cancel", (event) => event.preventDefault());
document.querySelector("#codes-kept").addEventListener("click", () => reloadWith("Done."));

const after = {
  password: () => reloadWith("The password is set. Every other session has ended."),
  authenticator: (form, answer) => {
    const next = form.nextElementSibling;
    form.hidden = true;
    next.hidden = false;
    next.querySelector("img").src = `/account/authenticator.svg?${Date.now()}`;
    document.querySelector("#secret").textContent = answer.secret.replaceAll(/(.{4})/g, "$1 ").trim();
    next.elements.code.focus();
  },
  "authenticator/confirm": (form, answer) => showCodes(form, answer.codes),
  "authenticator/remove": () => reloadWith("The authenticator is removed."),
  codes: (form, answer) => showCodes(form, answer.codes),
  passkeys: () => reloadWith("The passkey is added."),
  "passkeys/remove": () => reloadWith("The passkey is removed."),
};

async function addPasskey({ label, ...password }) {
  const options = asked(await post("/account/passkeys/begin", password));
  const credential = await navigator.credentials.create({ publicKey: options });
  return post("/account/passkeys", { answer: answerOf(credential), label });
}

for (const form of document.querySelectorAll("form[data-do]"))
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    formError(form, "");
    const given = Object.fromEntries(new FormData(form));
    try {
      const what = form.dataset.do;
      const answer = what === "passkeys" ? await addPasskey(given) : await post(`/account/${what}`, given);
      after[what](form, answer);
    } catch (problem) {
      if (problem.name === "NotAllowedError" || problem.name === "InvalidStateError") {
        formError(form, "The device made no passkey.");
        return;
      }
      if (!(problem instanceof Problem)) throw problem;
      formError(form, problem.code === "not-signed-in" ? "That is not your password." : problem.words);
    }
  });

const remove = document.querySelector("#no-passkey");
for (const button of document.querySelectorAll("[data-passkey]"))
  button.addEventListener("click", () => {
    remove.querySelector("[name=id]").value = button.dataset.passkey;
    document.querySelector("#which-passkey").textContent = button.dataset.label;
    remove.showModal();
  });

document.querySelector("#end-sessions").addEventListener("click", async () => {
  await post("/account/sessions/end", {});
  reloadWith("Every other session has ended.");
});
