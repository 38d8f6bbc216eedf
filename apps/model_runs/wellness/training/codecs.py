"""What a voice is after it has been through a lossy codec. Needs PyAV in this process, which only training may do."""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray

from apps.model_runs.wellness.interface import SAMPLE_RATE

Signal = NDArray[np.float64]


def through_codec(signal: Signal, container: str, codec: str, bits_per_second: int, rate: int = SAMPLE_RATE) -> Signal:
    """The signal (n,) encoded and decoded again, as long as it was. `rate` is what the codec works at, in Hz."""
    peak = max(float(np.abs(signal).max()), 1e-9)
    file = io.BytesIO(_encoded(signal * (0.5 / peak), container, codec, bits_per_second, rate))
    resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
    with av.open(file, "r") as decoder:
        frames = [out for frame in decoder.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    decoded = np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)
    fitted = np.zeros(len(signal))
    kept = min(len(signal), len(decoded))
    fitted[:kept] = decoded[:kept]
    return fitted * (peak / 0.5)


def _encoded(signal: Signal, container: str, codec: str, bits_per_second: int, rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as encoder:
        stream = encoder.add_stream(codec, rate=rate, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = bits_per_second
        frame = av.AudioFrame.from_ndarray(np.round(signal * 32_767).astype(np.int16)[None, :], "s16", "mono")
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(stream.format.name, "mono", rate, stream.frame_size or 0)
        for part in (*resampler.resample(frame), *resampler.resample(None), None):
            encoder.mux(stream.encode(part))
    return file.getvalue()
