// Counts seconds of speech in frames of 10 ms, in the way of the server and a little more strictly: the server's count
// decides, and a person who reads "enough" here must not be told "too little" there. No browser is needed for it.

const FRAME_SECONDS = 0.01;
const ABOVE_NOISE_DB = 12; // from there on a frame may be speech
const BELOW_SPEECH_DB = 26; // what is that far below the loudest speech of late is none
const QUIETEST_DB = -72; // of full scale
const PERIODIC = 0.6; // a frame of a voice repeats itself
const PAUSE_FRAMES = 26; // a pause up to that length inside an utterance counts
const VOICED_FRAMES = 8; // an utterance has at least so many
const VOICED_SHARE = 0.35;
const NOISE_FRAMES = 300; // the noise floor is the quietest of that long
const NOISE_STEP = 10; // frames over which it is averaged
const NOISY_DB = 28; // loudest speech less than that above the noise: 12 dB between the two on average

export class SpeechCounter {
  constructor() {
    this.noise = [];
    this.sum = 0;
    this.summed = 0;
    this.floor = -50;
    this.loud = -90;
    this.begin();
  }

  /** Counts from zero; what is known of the room stays. */
  begin() {
    this.done = 0;
    this.frames = 0;
    this.clipped = 0;
    this.quiet = 0; // frames since speech was last heard
    this.endUtterance();
  }

  endUtterance() {
    this.length = 0; // frames from its first to its last that may be speech
    this.gap = 0; // frames since
    this.voiced = 0;
  }

  /** @param {{level: number, period: number, clipped: number}} frame the next 10 ms */
  push(frame) {
    this.frames += 1;
    this.learn(frame);
    if (frame.clipped > 1) this.clipped += 1;
    const least = Math.max(this.floor + ABOVE_NOISE_DB, this.loud - BELOW_SPEECH_DB, QUIETEST_DB);
    this.quiet += 1;
    if (frame.level > least) {
      this.length += this.length ? this.gap + 1 : 1;
      this.gap = 0;
      if (frame.period > PERIODIC) {
        this.voiced += 1;
        this.quiet = 0;
      }
    } else if (this.length) {
      this.gap += 1;
      if (this.gap > PAUSE_FRAMES) {
        this.done += this.utterance();
        this.endUtterance();
      }
    }
  }

  /** Frames of the present utterance, as far as it is one. */
  utterance() {
    const is = this.voiced >= VOICED_FRAMES && this.voiced >= VOICED_SHARE * this.length;
    return is ? this.length : 0;
  }

  learn(frame) {
    this.sum += frame.level;
    this.summed += 1;
    if (this.summed === NOISE_STEP) {
      this.noise.push(this.sum / NOISE_STEP);
      if (this.noise.length > NOISE_FRAMES / NOISE_STEP) this.noise.shift();
      this.floor = Math.min(...this.noise);
      this.sum = 0;
      this.summed = 0;
    }
    if (frame.period > PERIODIC) this.loud = Math.max(this.loud - 0.01, frame.level);
  }

  /** Seconds of speech so far. */
  get seconds() {
    return (this.done + this.utterance()) * FRAME_SECONDS;
  }

  /** Seconds since a voice was heard. */
  get silence() {
    return this.quiet * FRAME_SECONDS;
  }

  /** Whether what is around is nearly as loud as the voice. */
  get isNoisy() {
    return this.seconds > 1 && this.loud - this.floor < NOISY_DB;
  }

  /** Whether the voice is too loud for the microphone. */
  get isClipped() {
    return this.clipped > Math.max(3, this.frames * 0.005);
  }
}
