// Sends a form once, however often its button is pressed: what a form makes is not made twice.
const AGAIN_AFTER = 10_000; // milliseconds: an answer that is a file leaves the page where it is

addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, AGAIN_AFTER);
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent; // who comes back by the browser's button may send it again
});
