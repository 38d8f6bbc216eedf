// What went wrong, in words that say what to do. Each has a code for the page around.

import { isAllowed } from "./microphone.js";

export const PROBLEMS = {
  unsupported: [
    "This browser cannot record here",
    "Open the link in an up-to-date Chrome, Edge, Firefox or Safari, at an address that begins with https.",
  ],
  permission_denied: [
    "The microphone is blocked",
    "Allow it for this page: press the sign left of the address, or look under microphone in the browser's settings. Then try again.",
  ],
  frame_without_microphone: [
    "The page around this one keeps the microphone back",
    "Open the check in a window of its own.",
  ],
  microphone_missing: ["No microphone was found", "Plug one in, or switch it on in the system's settings. Then try again."],
  microphone_busy: [
    "The microphone is in use",
    "Close other programs that use it, such as a call, and try again.",
  ],
  microphone_lost: [
    "The microphone went away while you were speaking",
    "Plug it in again and start over. Nothing has been sent.",
  ],
  silence: [
    "We do not hear you",
    "See that the right microphone is chosen in the system's settings and is not muted, then speak a little louder.",
  ],
  link_expired: ["This link has expired", "Nothing was sent. Ask for a new link where you got this one."],
  already_recorded: [
    "This check already has a recording",
    "A link is good for one. Ask for a new link if you want to record again.",
  ],
  too_large: ["The recording is too large", "Record again, and speak for about half a minute."],
  connection_lost: ["There is no connection", "See that you are online, then try again."],
  unknown: ["Something went wrong", "Load the page again. If that does not help, open the link in another browser."],
};

/** The code of what `getUserMedia` rejects with. */
export function codeOf(error) {
  if (error.name === "NotAllowedError") {
    return isAllowed("microphone") ? "permission_denied" : "frame_without_microphone";
  }
  if (error.name === "NotFoundError" || error.name === "OverconstrainedError") return "microphone_missing";
  return error.name === "NotReadableError" || error.name === "AbortError" ? "microphone_busy" : "unknown";
}
