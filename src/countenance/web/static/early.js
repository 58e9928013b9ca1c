// What is pressed before the page's scripts have come is kept, and done once they are there: on a slow line nothing is
// lost, and no form is sent in the browser's own way that a script was to send. Not a module, which would come too late.
(() => {
  const kept = new Map();
  const keep = (event) => {
    const pressed = event.type === "submit" ? event.target : event.target.closest("button");
    if (!pressed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    kept.set(pressed, event.type);
  };
  const moments = ["click", "submit"];
  for (const moment of moments) addEventListener(moment, keep, true);
  // Modules have run when this comes.
  document.addEventListener("DOMContentLoaded", () => {
    for (const moment of moments) removeEventListener(moment, keep, true);
    for (const [pressed, moment] of kept) {
      if (moment === "submit") pressed.requestSubmit();
      else pressed.click();
    }
  });
})();
