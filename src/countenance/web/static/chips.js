// A short remark on a picture.

export function chip(text) {
  const made = document.createElement("li");
  made.textContent = text;
  return made;
}
