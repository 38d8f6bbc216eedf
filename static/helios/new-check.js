// Sends a recording with a bar that shows how far it is. What the server refuses is shown as it answers it; without
// this the form is sent by the browser itself.
const place = document.querySelector("[data-check]");
let isSending = false;

place.addEventListener("change", ({ target }) => {
  if (target.type === "file" || target.name === "how") judge(target.form);
});

place.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.elements.how.value !== "upload") return;
  event.preventDefault();
  if (!isSending) send(form);
});

/** Too large a file is told before it is sent, not after. */
function judge(form) {
  const { recording, how } = form.elements;
  const isWanted = how.value === "upload";
  recording.required = isWanted;
  const isTooLarge = isWanted && recording.files[0]?.size > Number(form.dataset.most);
  recording.setCustomValidity(
    isTooLarge ? `The file is too large: at most ${form.dataset.mostWords} are taken. Choose a shorter or compressed recording.` : "",
  );
}

function send(form) {
  const [bar, said, button] = ["progress", "[data-said]", "button[type=submit]"].map((what) => form.querySelector(what));
  const request = new XMLHttpRequest();
  const show = (percent, text) => {
    bar.value = percent;
    if (said.textContent !== text) said.textContent = text;
  };
  isSending = button.disabled = true;
  form.querySelector("[data-sending]").hidden = false;
  show(0, "Sending. Keep this page open.");
  request.upload.onprogress = ({ loaded, total }) => show((100 * loaded) / total, "Sending. Keep this page open.");
  request.upload.onload = () => show(100, "Sent. The server looks at it.");
  request.onloadend = () => {
    isSending = button.disabled = false;
    form.querySelector("[data-sending]").hidden = true;
    if (request.status === 0) said.textContent = "The connection was lost. Press the button to send it again.";
    else if (request.responseURL !== form.action) location.assign(request.responseURL);
    else refuse(form, request.responseText);
  };
  request.open("POST", form.action);
  request.send(new FormData(form));
}

/** The answer's page in place of this one, with the file that is still chosen here. */
function refuse(form, html) {
  const { files } = form.elements.recording;
  const answer = new DOMParser().parseFromString(html, "text/html");
  const now = answer.querySelector("[data-check]");
  if (!now) {
    form.querySelector("[data-said]").textContent = answer.querySelector("main")?.textContent.trim() || "Something went wrong. Load the page again.";
    return;
  }
  document.title = answer.title;
  place.replaceChildren(...now.children);
  const fresh = place.querySelector("form[method=post]");
  if (fresh) {
    fresh.elements.recording.files = files;
    judge(fresh);
  }
  place.querySelector("[role=alert]")?.focus();
}

const form = place.querySelector("form[method=post]");
if (form) judge(form);
