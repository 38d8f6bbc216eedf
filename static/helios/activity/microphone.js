// The microphone: opened, measured, recorded.

// As it is: what browsers do to make calls pleasant takes away what the wellness model listens to.
const SOUND = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const BITS_PER_SECOND = 96_000;

/** Whether this browser can record here at all. */
export function isSupported() {
  return Boolean(
    window.isSecureContext && navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode && window.MediaRecorder,
  );
}

/** Whether the page around, if there is one, lets this one use a feature; true where the browser does not tell. */
export function isAllowed(feature) {
  const rules = document.permissionsPolicy ?? document.featurePolicy;
  return !rules || rules.allowsFeature(feature);
}

export class Microphone {
  /**
   * @param {(frames: object[]) => void} onFrames what was heard, as `FrameMeter` measures it
   * @param {() => void} onLost the device is gone
   */
  constructor(onFrames, onLost) {
    this.onFrames = onFrames;
    this.onLost = onLost;
    this.stream = this.lock = null;
  }

  /** Asks for the microphone and begins to measure. Rejects as `getUserMedia` does. */
  async open() {
    if (this.stream) return;
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    for (const track of this.stream.getAudioTracks()) track.addEventListener("ended", this.onLost);
    this.context = new AudioContext();
    await this.context.resume();
    await this.context.audioWorklet.addModule(new URL("./meter-worklet.js", import.meta.url));
    const meter = new AudioWorkletNode(this.context, "helios-meter", { numberOfOutputs: 0 });
    meter.port.onmessage = (event) => this.onFrames(event.data);
    this.context.createMediaStreamSource(this.stream).connect(meter);
  }

  /** Begins a recording of what is heard from now on. */
  start() {
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    this.pieces = [];
    this.recorder = new MediaRecorder(this.stream, { mimeType, audioBitsPerSecond: BITS_PER_SECOND });
    this.recorder.ondataavailable = (event) => this.pieces.push(event.data);
    this.recorder.start(1000);
    // A phone that goes to sleep stops listening. Where a page may not ask for that, it goes without.
    if (isAllowed("screen-wake-lock")) {
      navigator.wakeLock?.request("screen").then(
        (lock) => (this.lock = lock),
        () => {},
      );
    }
  }

  pause() {
    this.recorder.pause();
  }

  resume() {
    this.recorder.resume();
  }

  /** Ends the recording and lets go of the microphone. @returns {Promise<Blob>} */
  async finish() {
    const { recorder } = this;
    if (recorder.state !== "inactive") {
      await new Promise((resolve) => {
        recorder.addEventListener("stop", resolve, { once: true });
        recorder.stop();
      });
    }
    this.close();
    return new Blob(this.pieces, { type: recorder.mimeType });
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) {
      track.removeEventListener("ended", this.onLost);
      track.stop();
    }
    this.context?.close();
    this.lock?.release();
    this.stream = this.context = this.lock = null;
  }
}
