// Buttons that copy what an element of the page says: `<button type="button" data-copy="its id" hidden>`. They are
// hidden where there is no script to serve them.
const SHOWN_FOR = 4000;

for (const button of document.querySelectorAll("[data-copy]")) {
  const said = document.createElement("span");
  said.className = "copied";
  said.setAttribute("role", "status");
  button.after(said);
  button.hidden = false;
  let ending;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    said.textContent = (await copied(source)) ? "Copied" : "Selected: copy it with the keyboard";
    clearTimeout(ending);
    ending = setTimeout(() => said.replaceChildren(), SHOWN_FOR);
  });
}

/** Whether it worked: browsers give the clipboard to secure pages alone, and the older way serves the others. */
async function copied(source) {
  try {
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    return true;
  } catch {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}
