// Runs beside the page: measures what the microphone hears, five frames a message.

import { FrameMeter } from "./frames.js";

const FRAMES_AT_ONCE = 5;

class Meter extends AudioWorkletProcessor {
  constructor() {
    super();
    this.meter = new FrameMeter(sampleRate);
    this.frames = [];
  }

  process([input]) {
    if (input[0]) {
      this.frames.push(...this.meter.push(input[0]));
      if (this.frames.length >= FRAMES_AT_ONCE) {
        this.port.postMessage(this.frames);
        this.frames = [];
      }
    }
    return true;
  }
}

registerProcessor("helios-meter", Meter);
