// The one-time code stands behind the # of the link, where no server's log and no Referer sees it.

const words = document.querySelector("#entering");
const form = document.querySelector("#enter");

async function enter(code) {
  const answer = await fetch("/enter", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
  });
  if (answer.ok) {
    location.replace("/");
    return true;
  }
  return false;
}

function ask(message) {
  words.textContent = message;
  form.hidden = false;
}

const code = location.hash.slice(1);
history.replaceState(null, "", "/enter");
if (code) {
  words.textContent = "Opening…";
  if (!(await enter(code))) ask("This link was used already or is too old.");
} else {
  ask(words.textContent);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const given = form.elements.code.value.trim();
  const error = form.querySelector(".form-error");
  error.hidden = true;
  if (!(await enter(given.slice(given.indexOf("#") + 1)))) {
    error.textContent = "This code was used already, is too old, or is not one.";
    error.hidden = false;
  }
});
