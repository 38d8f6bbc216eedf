// What is heard in each 10 ms: how loud it is, and how much like a voice. No browser is needed for it.

const LOWEST_HZ = 70; // pitch of a voice
const HIGHEST_HZ = 400;
const RATE = 8000; // samples a second are enough for the pitch
const WINDOW = 320; // samples of RATE in which a period is looked for: 40 ms
const CLIPPED = 0.985; // of full scale

export class FrameMeter {
  /** @param {number} sampleRate samples a second of what is pushed */
  constructor(sampleRate) {
    this.size = Math.round(sampleRate / 100);
    this.step = sampleRate / RATE;
    this.smooth = Math.exp((-2 * Math.PI * 3000) / sampleRate); // low-pass before samples are left out
    this.steady = Math.exp((-2 * Math.PI * 60) / sampleRate); // high-pass: hum, handling, offset
    this.low = 0;
    this.before = 0;
    this.high = 0;
    this.position = 0;
    this.recent = new Float32Array(WINDOW);
    this.reset();
  }

  reset() {
    this.count = 0;
    this.power = 0;
    this.peak = 0;
    this.clipped = 0;
    this.fresh = [];
  }

  /**
   * @param {Float32Array} samples mono, in -1..1
   * @returns {{level: number, period: number, peak: number, clipped: number}[]} the frames that they complete; `level`
   *   in dB of full scale, `period` 0..1 says how alike two periods are
   */
  push(samples) {
    const frames = [];
    for (const sample of samples) {
      this.high = this.steady * (this.high + sample - this.before);
      this.before = sample;
      this.low += (1 - this.smooth) * (this.high - this.low);
      this.power += this.low * this.low;
      const size = Math.abs(sample);
      if (size > this.peak) this.peak = size;
      if (size >= CLIPPED) this.clipped += 1;
      this.position += 1;
      if (this.position >= this.step) {
        this.position -= this.step;
        this.fresh.push(this.low);
      }
      this.count += 1;
      if (this.count === this.size) frames.push(this.frame());
    }
    return frames;
  }

  frame() {
    const kept = this.recent.subarray(this.fresh.length);
    this.recent.copyWithin(0, this.fresh.length);
    this.recent.set(this.fresh, kept.length);
    const found = {
      level: 10 * Math.log10(this.power / this.size + 1e-10),
      period: periodicity(this.recent),
      peak: this.peak,
      clipped: this.clipped,
    };
    this.reset();
    return found;
  }
}

/** The largest correlation of the samples with themselves one period of a voice later. */
function periodicity(samples) {
  let best = 0;
  for (let lag = Math.floor(RATE / HIGHEST_HZ); lag <= RATE / LOWEST_HZ; lag += 1) {
    let product = 0;
    let first = 1e-9;
    let second = 1e-9;
    for (let place = lag; place < samples.length; place += 1) {
      product += samples[place] * samples[place - lag];
      first += samples[place] * samples[place];
      second += samples[place - lag] * samples[place - lag];
    }
    best = Math.max(best, product / Math.sqrt(first * second));
  }
  return best;
}
