// To the server: that the person agreed, and the recording.

const STALLED_SECONDS = 45; // without any progress: the connection is gone, whatever the browser thinks
const LONGEST_WAIT_SECONDS = 30;

/** The server has refused for good; `code` says why. */
export class Refused extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

/** @returns {Promise<string>} where the recording goes. Throws Refused, and TypeError without a connection. */
export async function agree(path, version) {
  const response = await fetch(path, { method: "POST", body: new URLSearchParams({ version }), credentials: "omit" });
  if (response.ok) return (await response.json()).uploadUrl;
  if (response.status >= 500) throw new TypeError("the server is busy");
  throw new Refused((await response.json()).code);
}

/**
 * Sends the recording whole, and again whole after a lost connection, until `deadline`.
 * @param {{url: string, recording: Blob, deadline: number, onProgress: (percent: number) => void,
 *   onWait: (wait: {seconds: number, again: () => void}) => void}} sending `deadline` in the milliseconds of
 *   `performance.now()`; `again` ends the wait
 */
export async function send({ url, recording, deadline, onProgress, onWait }) {
  for (let seconds = 1; ; seconds = Math.min(seconds * 2, LONGEST_WAIT_SECONDS)) {
    const status = await put(url, recording, onProgress);
    if (status === 200) return;
    if (status === 403) throw new Refused("link_expired");
    if (status === 404) throw new Refused("link_expired");
    if (status === 409) throw new Refused("already_recorded");
    if (status === 413) throw new Refused("too_large");
    if (performance.now() > deadline) throw new Refused("link_expired");
    await new Promise((again) => {
      const timer = setTimeout(end, seconds * 1000);
      window.addEventListener("online", end);
      onWait({ seconds, again: end });
      function end() {
        clearTimeout(timer);
        window.removeEventListener("online", end);
        again();
      }
    });
  }
}

/** One try. @returns {Promise<number>} the status; 0 when the connection was lost */
function put(url, recording, onProgress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let stalled;
    const alive = () => {
      clearTimeout(stalled);
      stalled = setTimeout(() => request.abort(), STALLED_SECONDS * 1000);
    };
    request.open("PUT", url);
    request.upload.onprogress = (event) => {
      alive();
      onProgress((100 * event.loaded) / event.total);
    };
    request.onloadend = () => {
      clearTimeout(stalled);
      resolve(request.status);
    };
    alive();
    request.send(recording);
  });
}
