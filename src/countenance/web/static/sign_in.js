// Signing in: with a password and, when it is asked for, a code; or with a passkey.

import { Problem, post } from "/static/api.js";
import { formError } from "/static/page.js";
import { answerOf, asked } from "/static/passkey.js";

const form = document.querySelector("#sign-in");
const second = document.querySelector("#second");

async function attempt(act) {
  formError(form, "");
  try {
    await act();
    location.replace("/");
  } catch (problem) {
    if (problem.name === "NotAllowedError") return;
    if (!(problem instanceof Problem)) throw problem;
    if (problem.code === "second-factor-needed") {
      second.hidden = false;
      form.elements.code.required = true;
      form.elements.code.focus();
      return;
    }
    formError(form, problem.words);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, password, code } = form.elements;
  const given = { name: name.value, password: password.value };
  if (code.value) given.code = code.value;
  attempt(() => post("/sign-in", given));
});

document.querySelector("#passkey")?.addEventListener("click", () =>
  attempt(async () => {
    const options = asked(await post("/sign-in/passkey/begin", {}));
    const credential = await navigator.credentials.get({ publicKey: options });
    await post("/sign-in/passkey", { answer: answerOf(credential) });
  }),
);
