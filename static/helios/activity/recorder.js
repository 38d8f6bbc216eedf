// The steps of the activity, from the consent to the thanks.

import { isFramed, tell } from "./messages.js";
import { Microphone, isSupported } from "./microphone.js";
import { PROBLEMS, codeOf } from "./problems.js";
import { Refused, agree, send } from "./sending.js";
import { SpeechCounter } from "./speech.js";

const { consentPath, consentVersion, secondsLeft, returnUrl, ...figures } = document.body.dataset;
const NEEDED = Number(figures.needed);
const ADVISED = Number(figures.advised);
const LONGEST = Number(figures.longest);
const ENOUGH = NEEDED + 1; // the server's count decides, and may be a little lower
const HEARD_SECONDS = 0.4; // a few syllables show that the microphone works
const SILENT_SECONDS = 5;
const HINT_FRAMES = 200; // a hint stays for two seconds, so that it can be read
const RETURN_SECONDS = 5;
const QUIETEST_DB = -70; // the left end of the level meter
const deadline = performance.now() + Number(secondsLeft) * 1000;

const find = (id) => document.getElementById(id);
const sections = [...document.querySelectorAll("[data-step]")];
const tasks = [...document.querySelectorAll("[data-prompt]")];
const counter = new SpeechCounter();
const microphone = new Microphone(listen, () => lost());

let step = "";
let uploadUrl = "";
let recording = null;
let recordedFrames = 0;
let isRecording = false; // and not paused
let hintDue = 0; // in recorded frames
let said = ""; // the last milestone that was announced
let shownLevel = QUIETEST_DB;
let frames = 0;

function show(name) {
  const first = step === "";
  step = name;
  for (const section of sections) section.hidden = section.dataset.step !== name;
  find("problem").hidden = true;
  if (!first) sections.find((section) => !section.hidden).querySelector("h1").focus();
  window.scrollTo(0, 0);
}

/** Says what went wrong; `retry` is what "Try again" does. An error for good takes the place of the step. */
function problem(code, retry = null) {
  const [title, text] = PROBLEMS[code] ?? PROBLEMS.unknown;
  find("problem-title").textContent = title;
  find("problem-text").textContent = text;
  find("problem-retry").hidden = retry === null;
  find("problem-retry").onclick = () => {
    find("problem").hidden = true;
    sections.find((section) => !section.hidden)?.querySelector("h1").focus();
    retry();
  };
  find("problem-window").hidden = !(isFramed && code === "frame_without_microphone");
  find("problem").hidden = false;
  tell("error", { code });
}

function end(code) {
  microphone.close();
  recording = null;
  isRecording = false;
  for (const section of sections) section.hidden = true;
  problem(code);
}

// -- What the microphone hears --------------------------------------------------------------------------

function listen(heard) {
  for (const frame of heard) {
    frames += 1;
    shownLevel = Math.max(frame.level, shownLevel - 0.5);
    if (step === "microphone" || isRecording) counter.push(frame);
    else counter.learn(frame);
    if (isRecording) recordedFrames += 1;
  }
  if (step === "microphone") check();
  if (step === "record") showRecording();
}

function showLevel(id) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, 1 - shownLevel / QUIETEST_DB)));
  const meter = find(id);
  meter.firstElementChild.style.inlineSize = `${percent}%`;
  if (frames % 50 < 5) meter.setAttribute("aria-valuenow", String(percent));
}

function check() {
  showLevel("check-level");
  if (find("checked").disabled && counter.seconds >= HEARD_SECONDS) {
    find("checked").disabled = false;
    find("problem").hidden = true;
    say("check-said", "We hear you well.");
  } else if (find("checked").disabled && counter.silence > SILENT_SECONDS && find("problem").hidden) {
    problem("silence", () => counter.begin());
  }
}

function hint() {
  if (counter.silence > SILENT_SECONDS) return "We do not hear you. Speak louder or come closer to the microphone.";
  if (counter.isClipped) return "That is too loud. Move away from the microphone a little.";
  if (counter.isNoisy) return "It is noisy around you. Close the window, or find a quieter place.";
  return "Recording.";
}

function say(id, text) {
  if (find(id).textContent !== text) find(id).textContent = text;
}

function showRecording() {
  showLevel("level");
  if (!isRecording) return;
  const seconds = Math.floor(counter.seconds);
  say("seconds", String(seconds));
  find("filled").style.inlineSize = `${Math.min(100, (100 * counter.seconds) / ADVISED)}%`;
  find("count").classList.toggle("enough", counter.seconds >= ENOUGH);
  if (recordedFrames >= hintDue) {
    hintDue = recordedFrames + HINT_FRAMES;
    say("hint", hint());
  }
  let milestone = "";
  if (counter.seconds >= ADVISED) milestone = `${ADVISED} seconds of speech. Finish whenever you like.`;
  else if (counter.seconds >= ENOUGH) milestone = `That is enough. ${ADVISED} seconds are better still.`;
  else if (counter.seconds >= NEEDED / 2) milestone = `Half of the ${NEEDED} seconds. Go on.`;
  if (milestone !== said) {
    said = milestone;
    say("milestone", milestone);
    if (counter.seconds >= ENOUGH) say("aim", milestone);
  }
  if (recordedFrames >= LONGEST * 100) finish();
}

// -- Steps ----------------------------------------------------------------------------------------------

async function consent() {
  find("agree").disabled = true;
  try {
    uploadUrl = await agree(consentPath, consentVersion);
    show("microphone");
  } catch (error) {
    if (error instanceof Refused) end(error.code);
    else problem("connection_lost", consent);
  } finally {
    find("agree").disabled = false;
  }
}

/** Whether the microphone is on; if not, the person has read why. */
async function open(retry) {
  try {
    await microphone.open();
    return true;
  } catch (error) {
    microphone.close();
    problem(codeOf(error), retry);
    return false;
  }
}

async function turnOn() {
  if (!(await open(turnOn))) return;
  counter.begin();
  find("turn-on").hidden = true;
  find("checking").hidden = false;
  find("checking").focus();
}

function choose() {
  const chosen = document.querySelector("[name=prompt]:checked").value;
  for (const task of tasks) task.hidden = task.dataset.prompt !== chosen;
  ready();
}

/** Before the first word, of the first recording or of another one. */
function ready() {
  recording = null;
  counter.begin();
  recordedFrames = hintDue = 0;
  said = "";
  say("seconds", "0");
  say("hint", "");
  say("milestone", "");
  say("aim", `At least ${NEEDED} are needed, ${ADVISED} are better. Pauses do not count.`);
  find("filled").style.inlineSize = "0";
  find("count").classList.remove("enough");
  buttons("start");
  show("record");
}

function buttons(...shown) {
  for (const id of ["start", "pause", "finish", "other-prompt"]) find(id).hidden = !shown.includes(id);
  if (shown.includes("start")) find("other-prompt").hidden = false;
}

async function start() {
  if (!(await open(start))) return;
  microphone.start();
  isRecording = true;
  find("pause").textContent = "Pause";
  buttons("pause", "finish");
  find("pause").focus();
  say("hint", "Recording.");
  tell("recording");
}

function pause() {
  isRecording = !isRecording;
  if (isRecording) microphone.resume();
  else microphone.pause();
  say("pause", isRecording ? "Pause" : "Go on");
  say("hint", isRecording ? "Recording." : "Paused. Nothing is recorded until you go on.");
}

async function finish() {
  if (step !== "record" || find("finish").disabled) return;
  find("finish").disabled = true;
  isRecording = false;
  recording = await microphone.finish();
  find("finish").disabled = false;
  URL.revokeObjectURL(find("player").src);
  find("player").src = URL.createObjectURL(recording);
  const seconds = Math.floor(counter.seconds * 10) / 10;
  const isEnough = seconds >= NEEDED;
  find("send").disabled = !isEnough;
  find("verdict").classList.toggle("enough", isEnough);
  if (isEnough) say("verdict", `${Math.floor(seconds)} seconds of speech: that is enough.`);
  else say("verdict", `${seconds} seconds of speech were heard and ${NEEDED} are needed. Record again and speak longer.`);
  show("review");
}

function lost() {
  if (isRecording || recordedFrames) {
    isRecording = false;
    microphone.close();
    ready();
  }
  microphone.close();
  problem("microphone_lost", step === "microphone" ? turnOn : start);
}

async function deliver() {
  show("sending");
  find("player").pause();
  try {
    await send({
      url: uploadUrl,
      recording,
      deadline,
      onProgress: (percent) => {
        find("progress").value = percent;
        find("send-again").hidden = true;
        say("sending-said", "Keep this page open.");
      },
      onWait: ({ seconds, again }) => {
        find("progress").value = 0;
        say("sending-said", "The connection was lost. Your recording is kept in this page and is sent again by itself.");
        find("send-again").hidden = seconds < 2;
        find("send-again").onclick = again;
      },
    });
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.code === "too_large") {
      ready();
      problem(error.code);
    } else {
      end(error.code);
    }
    return;
  }
  recording = null;
  tell("uploaded");
  show("done");
  tell("complete");
  if (returnUrl && !isFramed) goBack();
}

function goBack() {
  let left = RETURN_SECONDS;
  find("going-back").hidden = false;
  const timer = setInterval(() => {
    left -= 1;
    say("going-back-seconds", String(left));
    if (left === 0) {
      clearInterval(timer);
      window.location.assign(returnUrl);
    }
  }, 1000);
  find("stay").onclick = () => {
    clearInterval(timer);
    find("going-back").hidden = true;
    find("return").focus();
  };
}

find("agree").onclick = consent;
find("turn-on").onclick = turnOn;
find("checked").onclick = () => show("prompt");
find("chosen").onclick = choose;
find("other-prompt").onclick = () => show("prompt");
find("start").onclick = start;
find("pause").onclick = pause;
find("finish").onclick = finish;
find("redo").onclick = ready;
find("send").onclick = deliver;
find("own-window").href = window.location.href;
find("mark").style.insetInlineStart = `${(100 * NEEDED) / ADVISED}%`;
window.addEventListener("beforeunload", (event) => {
  if (isRecording || recording) event.preventDefault();
});
setTimeout(() => {
  if (step !== "sending" && step !== "done") end("link_expired");
}, Math.min(Number(secondsLeft) * 1000, 2 ** 31 - 1));

if (isSupported()) {
  show("consent");
  tell("ready");
} else {
  problem("unsupported");
}
