// Tells the page around, if this one stands in a frame, how far the activity is.

const { run, origins } = document.body.dataset;
const allowed = origins.split(" ").filter(Boolean);

/** Whether this page stands in a frame. */
export const isFramed = window.parent !== window;

/**
 * To each allowed origin and no other, so that no other page can listen.
 * @param {string} what `ready`, `recording`, `uploaded`, `complete` or `error`
 * @param {object} [more] what else the message says
 */
export function tell(what, more = {}) {
  if (!isFramed) return;
  // Browsers that name the frames around complain of a message to any other origin.
  const around = window.location.ancestorOrigins?.[0];
  for (const origin of allowed) {
    if (around === undefined || around === origin) {
      window.parent.postMessage({ type: `helios.activity.${what}`, modelRunId: run, ...more }, origin);
    }
  }
}
