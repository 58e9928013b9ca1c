// The ways in for a photograph.

const drop = document.querySelector("#drop");
const pick = document.querySelector("#pick");
const camera = document.querySelector("#camera");
const viewfinder = document.querySelector("#viewfinder");
const announcer = document.querySelector("#announcer");

export function intake(add) {
  pick.addEventListener("change", async () => {
    const files = [...pick.files];
    pick.value = "";
    await add(files);
  });
  for (const kind of ["dragenter", "dragover"])
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      drop.classList.add("over");
    });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) drop.classList.remove("over");
  });
  document.addEventListener("drop", async (event) => {
    drop.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    await add([...event.dataTransfer.files]);
  });
  document.addEventListener("paste", async (event) => {
    const files = [...event.clipboardData.files].filter((file) => file.type.startsWith("image/"));
    if (files.length) await add(files);
  });
  document.querySelector("#open-camera").addEventListener("click", openCamera);
  document.querySelector("#close-camera").addEventListener("click", closeCamera);
  document.querySelector("#take").addEventListener("click", async () => {
    const canvas = document.createElement("canvas");
    canvas.width = viewfinder.videoWidth;
    canvas.height = viewfinder.videoHeight;
    canvas.getContext("2d").drawImage(viewfinder, 0, 0);
    closeCamera();
    await add([await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95))]);
  });
}

async function openCamera() {
  try {
    viewfinder.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 } } });
  } catch {
    announcer.textContent = "The camera cannot be used: there is none, or it was not allowed.";
    return;
  }
  const take = document.querySelector("#take");
  take.disabled = true;
  camera.hidden = false;
  drop.hidden = true;
  // Before the first frame there is nothing to take.
  await viewfinder.play();
  take.disabled = false;
  take.focus();
}

function closeCamera() {
  for (const track of viewfinder.srcObject?.getTracks() ?? []) track.stop();
  viewfinder.srcObject = null;
  camera.hidden = true;
  drop.hidden = false;
  document.querySelector("#open-camera").focus();
}
