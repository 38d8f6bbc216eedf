// Runs the sample with the session of who looks: the calls of every run, each with what it answered.
import { showLocalTimes } from "./times.js";

const section = document.getElementById("sample");
const form = section.querySelector("form");
const button = form.querySelector("button");
const [news, problem, result] = ["news", "problem", "result"].map((name) => section.querySelector(`[data-sample-${name}]`));
const POLL = 1000; // milliseconds
const GIVE_UP = 300_000;
const LOST = "The connection was lost. Check it, then press the button again.";
const SIGNED_OUT = "You are signed out, or work for another organisation by now. Load this page again.";
const WIDTH = 600; // of a drawing

class Problem extends Error {}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const stepOf = (name) => section.querySelector(`[data-step="${name}"]`);

function tell(step, state, answer) {
  step.dataset.state = state;
  step.querySelector("[data-answer]").textContent = answer;
}

/** The answer of a call. Throws Problem with what to do about any other than a success. */
async function call(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, options);
  } catch {
    throw new Problem(LOST);
  }
  if (answer.redirected || answer.status === 401 || answer.status === 403) throw new Problem(SIGNED_OUT);
  if (answer.status === 404) throw new Problem("The run was deleted meanwhile. Press the button for another one.");
  if (answer.status === 429) {
    const seconds = answer.headers.get("Retry-After") ?? "60";
    throw new Problem(`Those were too many calls. Wait ${seconds} seconds, then press the button again.`);
  }
  if (answer.status === 507) throw new Problem("The disk of this Helios is full. Tell its operator, then try again.");
  if (answer.ok) return answer;
  const id = answer.headers.get("X-Request-ID");
  throw new Problem(`Helios answered ${answer.status}. Press the button again; if that does not help, tell its operator ${id}.`);
}

async function create(step) {
  tell(step, "doing", "");
  const headers = {
    accept: "application/json",
    "content-type": "application/json",
    "X-CSRFToken": form.elements.csrfmiddlewaretoken.value,
  };
  const answer = await call(form.dataset.runs, { method: "POST", headers, body: form.dataset.body });
  const created = await answer.json();
  const shown = created.recordingUploadUrl.replace(/\?.*/, "?…");
  tell(step, "done", `${answer.status} {"id": "${created.id}", "recordingUploadUrl": "${shown}"}`);
  return created;
}

async function upload(step, created) {
  tell(step, "doing", "");
  const recording = await (await call(form.dataset.recording)).blob();
  const url = new URL(created.recordingUploadUrl); // made for programs; the page may have been opened at another address
  const headers = { "content-type": recording.type };
  const answer = await call(url.pathname + url.search, { method: "PUT", headers, body: recording });
  await answer.text(); // empty, but unread the browser counts it as broken off
  tell(step, "done", `${answer.status}, ${(recording.size / 1e6).toFixed(1)} MB sent`);
}

async function wait(step, id) {
  const began = performance.now();
  const seconds = () => Math.round((performance.now() - began) / 1000);
  tell(step, "doing", "");
  while (performance.now() - began < GIVE_UP) {
    await pause(POLL);
    const answer = await call(`${form.dataset.runs}/${id}`, { headers: { accept: "application/json" } });
    const run = await answer.json();
    const isOver = run.status.startsWith("COMPLETE");
    tell(step, isOver ? "done" : "doing", `${answer.status} {"status": "${run.status}", …} after ${seconds()} s`);
    if (run.status === "COMPLETE_OK") return run;
    if (isOver) throw new Problem(`${run.errorReason} The run's page says what to do.`);
  }
  throw new Problem("No worker has scored it for five minutes. Ask the operator of this Helios whether the workers run.");
}

function show(run) {
  const values = run.results.sections[0];
  for (const item of result.querySelectorAll("[data-score]")) {
    const { value } = values[item.dataset.score];
    const { low, high, level } = run.extensions?.confidence?.[item.dataset.confidence] ?? {};
    const isKnown = typeof low === "number";
    const uncertainty = isKnown ? `${low.toFixed(2)} to ${high.toFixed(2)}, ${level.toLowerCase()} confidence` : "";
    item.querySelector(".figure").textContent = value.toFixed(2);
    item.querySelector("[data-uncertainty]").textContent = uncertainty;
    const title = item.querySelector("h4").textContent;
    item.querySelector("svg").setAttribute("aria-label", `${title}: ${value.toFixed(2)}. ${uncertainty}`);
    place(item.querySelector(".value"), { x1: value * WIDTH, x2: value * WIDTH });
    place(item.querySelector(".interval"), isKnown ? { x: low * WIDTH, width: (high - low) * WIDTH } : { width: 0 });
  }
  result.querySelector("a").href = `${form.dataset.page}/${run.id}`;
  result.hidden = false;
}

function place(shape, attributes) {
  for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value.toFixed(1));
}

/** Puts this run before those of lately. The others stay as they were when the page was loaded. */
function addToLately(run) {
  const lately = document.querySelector(".lately");
  const row = lately.querySelector("template").content.cloneNode(true);
  row.querySelector("a").href = `${form.dataset.page}/${run.id}`;
  row.querySelector("time").dateTime = run.createdAt;
  showLocalTimes(row);
  lately.querySelector("tbody").prepend(row);
  lately.querySelector("[data-some]").hidden = false;
  lately.querySelector("[data-none]").hidden = true;
  const scored = lately.querySelector("[data-scored]");
  scored.textContent = Number(++scored.dataset.scored).toLocaleString("en");
}

function complain(error, created) {
  for (const step of section.querySelectorAll("[data-state=doing]")) step.dataset.state = "failed";
  if (!(error instanceof Problem)) console.error(error);
  const text = error instanceof Problem ? error.message : "The page failed. Load it again, and tell your operator.";
  problem.querySelector("p").textContent = text;
  if (created) {
    const link = document.createElement("a");
    link.href = `${form.dataset.page}/${created.id}`;
    link.textContent = "The run's page";
    problem.querySelector("p").append(" ", link);
  }
  problem.hidden = false;
  news.textContent = "";
}

async function runSample() {
  button.setAttribute("aria-disabled", "true");
  problem.hidden = result.hidden = true;
  for (const step of section.querySelectorAll("[data-step]")) tell(step, "", "");
  let created;
  try {
    news.textContent = "Creating the run …";
    created = await create(stepOf("create"));
    news.textContent = "The run is created. Uploading the recording …";
    await upload(stepOf("upload"), created);
    news.textContent = "The recording is uploaded. Waiting for the scores …";
    const scored = await wait(stepOf("wait"), created.id);
    show(scored);
    addToLately(scored);
    news.textContent = "Scored: the six scores are below.";
  } catch (error) {
    complain(error, created);
  }
  button.removeAttribute("aria-disabled");
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!button.hasAttribute("aria-disabled")) runSample();
});
