"""Every voice feature the model measures: name, unit, formula, source, and the words for it.

The order of `FEATURES` is the order of the vectors that the heads see. Sources are cited by short name:

- Boersma 1993: *Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise
  ratio of a sampled sound*, IFA Proceedings 17.
- Eyben 2016: *The Geneva Minimalistic Acoustic Parameter Set (GeMAPS)*, IEEE Trans. Affective
  Computing 7(2). Our measures follow its definitions; where they differ, the formula says how.
- Hammarberg 1980: *Perceptual and acoustic correlates of abnormal voice qualities*, Acta
  Oto-laryngologica 90.
- Davis 1980: *Comparison of parametric representations for monosyllabic word recognition*, IEEE ASSP 28(4).
- Makhoul 1975: *Spectral linear prediction: properties and applications*, IEEE ASSP 23(3).
- Titze 1993: *Comparison of F0 extraction methods for high-precision voice perturbation measurements*,
  JSHR 36(6).
- Hanson 1997: *Glottal characteristics of female speakers*, JASA 101(1).
- de Jong 2009: *Praat script to detect syllable nuclei and measure speech rate automatically*,
  Behavior Research Methods 41(2).

All features are free of level: multiplying the recording by a constant leaves them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """One measured property of the voice."""

    name: str  # as the API shows it
    unit: str
    formula: str
    source: str
    higher: str  # plain words for a value above the middle of the group
    lower: str
    in_heads: bool = True  # False: measured, but no head is trained on it
    sex_bound: bool = False  # mostly tells the speaker's sex: left out where the birth sex is unknown


def _f(name: str, unit: str, formula: str, source: str, higher: str, lower: str, **flags: bool) -> Feature:
    return Feature(name, unit, formula, source, higher, lower, **flags)


_MFCC = "coefficient {k} of the orthonormal DCT-II of 26 log mel bands (150-4,000 Hz), voiced frames; {s}"


def _mfcc(k: int) -> tuple[Feature, Feature]:
    # Coefficient 1 is the balance of low to high frequencies; the others are finer shapes without a plain name.
    shape = f"The shape of the sound spectrum (coefficient {k})"
    higher, lower = f"{shape} was higher", f"{shape} was lower"
    if k == 1:
        higher, lower = "The voice had more low sound", "The voice had less low sound"
    return (
        _f(f"mfcc{k}Mean", "1", _MFCC.format(k=k, s="mean"), "Davis 1980", higher, lower),
        _f(
            f"mfcc{k}Spread",
            "1",
            _MFCC.format(k=k, s="standard deviation"),
            "Davis 1980",
            f"{shape} varied more",
            f"{shape} varied less",
        ),
    )


FEATURES: tuple[Feature, ...] = (
    # Pitch: semitones above 27.5 Hz (A0), voiced frames of 10 ms.
    _f(
        "pitchMedian",
        "semitones re 27.5 Hz",
        "median of 12 log2(f0 / 27.5 Hz)",
        "Boersma 1993, Eyben 2016",
        "Pitch was higher",
        "Pitch was lower",
        sex_bound=True,
    ),
    _f(
        "pitchLow",
        "semitones re 27.5 Hz",
        "20th percentile of pitch",
        "Eyben 2016",
        "The low end of the pitch was higher",
        "The low end of the pitch was lower",
        sex_bound=True,
    ),
    _f(
        "pitchHigh",
        "semitones re 27.5 Hz",
        "80th percentile of pitch",
        "Eyben 2016",
        "The high end of the pitch was higher",
        "The high end of the pitch was lower",
        sex_bound=True,
    ),
    _f(
        "pitchSpread",
        "semitones",
        "standard deviation of pitch within 12 semitones of its median",
        "Eyben 2016",
        "Pitch varied more",
        "Pitch varied less",
    ),
    _f(
        "pitchMovement",
        "semitones/s",
        "mean absolute slope of pitch, smoothed over 5 frames",
        "Eyben 2016",
        "Pitch moved faster",
        "Pitch moved more slowly",
    ),
    _f(
        "pitchRise",
        "semitones/s",
        "mean slope of rising pitch",
        "Eyben 2016",
        "Pitch rose more steeply",
        "Pitch rose less steeply",
    ),
    _f(
        "pitchFall",
        "semitones/s",
        "mean steepness of falling pitch",
        "Eyben 2016",
        "Pitch fell more steeply",
        "Pitch fell less steeply",
    ),
    # Loudness, relative to the recording itself.
    _f(
        "loudnessSpread",
        "dB",
        "standard deviation of the level of voiced frames (100-5,000 Hz)",
        "Eyben 2016",
        "Loudness varied more",
        "Loudness varied less",
    ),
    _f(
        "loudnessRange",
        "dB",
        "80th minus 20th percentile of that level",
        "Eyben 2016",
        "The range of loudness was wider",
        "The range of loudness was narrower",
    ),
    _f(
        "loudnessMovement",
        "dB/s",
        "mean absolute slope of that level, smoothed over 5 frames",
        "Eyben 2016",
        "Loudness changed faster",
        "Loudness changed more slowly",
    ),
    # Spectrum of voiced frames, with the estimated noise floor taken off.
    _f(
        "alphaRatio",
        "dB",
        "level of 50-1,000 Hz over level of 1,000-5,000 Hz, mean",
        "Eyben 2016",
        "The voice had less high-frequency energy",
        "The voice had more high-frequency energy",
    ),
    _f(
        "hammarbergIndex",
        "dB",
        "strongest peak of 0-2,000 Hz over strongest of 2,000-5,000 Hz, mean",
        "Hammarberg 1980",
        "The voice sounded softer in the high range",
        "The voice sounded sharper in the high range",
    ),
    _f(
        "slope0to500",
        "dB/kHz",
        "least-squares slope of the level, smoothed over 140 Hz, 0-500 Hz, mean",
        "Eyben 2016",
        "The lowest part of the spectrum rose more",
        "The lowest part of the spectrum rose less",
    ),
    _f(
        "slope500to1500",
        "dB/kHz",
        "least-squares slope of the level, smoothed over 140 Hz, 500-1,500 Hz, mean",
        "Eyben 2016",
        "The middle part of the spectrum was flatter",
        "The middle part of the spectrum fell more steeply",
    ),
    _f(
        "spectralCentroid",
        "Hz",
        "mean frequency weighted by power, 100-4,000 Hz, mean",
        "Eyben 2016",
        "The voice sounded brighter",
        "The voice sounded darker",
    ),
    _f(
        "spectralRolloff",
        "Hz",
        "frequency below which 85 % of the power of 100-4,000 Hz lies, mean",
        "Eyben 2016",
        "The energy of the voice reached higher",
        "The energy of the voice reached less high",
    ),
    _f(
        "spectralFlux",
        "1",
        "mean squared change of the unit-norm amplitude spectrum from frame to frame, 100-4,000 Hz",
        "Eyben 2016",
        "The sound changed faster",
        "The sound changed more slowly",
    ),
    _f(
        "alphaRatioSpread",
        "dB",
        "standard deviation of the alpha ratio",
        "Eyben 2016",
        "The high-frequency share varied more",
        "The high-frequency share varied less",
    ),
    *_mfcc(1),
    *_mfcc(2),
    *_mfcc(3),
    *_mfcc(4),
    # Voice quality. Cycle-to-cycle measures are kept out of the heads: one flipped low bit moved them by a quarter of a
    # standard deviation, and held-out accuracy is the same without them.
    _f(
        "jitter",
        "1",
        "mean absolute difference of successive periods over the mean period",
        "Titze 1993",
        "Vocal-fold timing was less even",
        "Vocal-fold timing was more even",
        in_heads=False,
    ),
    _f(
        "shimmer",
        "dB",
        "mean absolute level difference of successive periods' peak-to-peak amplitudes",
        "Titze 1993",
        "Loudness was less even from cycle to cycle",
        "Loudness was more even from cycle to cycle",
        in_heads=False,
    ),
    _f(
        "hnr",
        "dB",
        "10 log10(r / (1 - r)), r the autocorrelation at the period, median",
        "Boersma 1993",
        "The voice was clearer",
        "The voice was breathier or rougher",
    ),
    _f(
        "hnrSpread",
        "dB",
        "standard deviation of the harmonics-to-noise ratio",
        "Boersma 1993",
        "The clearness of the voice varied more",
        "The clearness of the voice varied less",
    ),
    _f(
        "h1h2",
        "dB",
        "level of the first harmonic over the second, uncorrected for formants, mean",
        "Hanson 1997",
        "The voice was softer or breathier",
        "The voice was more pressed",
    ),
    _f(
        "h1a3",
        "dB",
        "level of the first harmonic over the strongest bin within 15 % of the third formant, mean",
        "Hanson 1997",
        "The overtones of the voice were weaker",
        "The overtones of the voice were stronger",
    ),
    # Formants: linear prediction of order 10 on 0-5,250 Hz. They follow the vowels, and the training speakers all say
    # the same ten sentences, so no head was trained on them.
    _f(
        "f1",
        "Hz",
        "first formant, median of voiced frames",
        "Makhoul 1975",
        "The mouth was more open",
        "The mouth was less open",
        in_heads=False,
    ),
    _f(
        "f2",
        "Hz",
        "second formant, median",
        "Makhoul 1975",
        "The second formant was higher",
        "The second formant was lower",
        in_heads=False,
    ),
    _f(
        "f3",
        "Hz",
        "third formant, median",
        "Makhoul 1975",
        "The third formant was higher",
        "The third formant was lower",
        in_heads=False,
    ),
    _f(
        "f1Spread",
        "Hz",
        "half the distance of the 16th and 84th percentiles of the first formant",
        "Makhoul 1975",
        "Articulation was wider",
        "Articulation was narrower",
        in_heads=False,
    ),
    _f(
        "f2Spread",
        "Hz",
        "half the distance of the 16th and 84th percentiles of the second formant",
        "Makhoul 1975",
        "The vowels were more distinct",
        "The vowels were less distinct",
        in_heads=False,
    ),
    # Rhythm. The training recordings are cut to a length, so none of these may reach a head trained on them.
    _f(
        "voicedShare",
        "1",
        "voiced frames over frames of speech",
        "Eyben 2016",
        "More of the speech was voiced",
        "Less of the speech was voiced",
        in_heads=False,
    ),
    _f(
        "speechRate",
        "syllables/s",
        "syllable nuclei over the time from the first to the last speech",
        "de Jong 2009",
        "Speech was faster",
        "Speech was slower",
        in_heads=False,
    ),
    _f(
        "articulationRate",
        "syllables/s",
        "syllable nuclei over the time of speech, pauses left out",
        "de Jong 2009",
        "Syllables followed one another faster",
        "Syllables followed one another more slowly",
        in_heads=False,
    ),
    _f(
        "pauseShare",
        "1",
        "pauses over the time from the first to the last speech",
        "de Jong 2009",
        "More of the time was pauses",
        "Less of the time was pauses",
        in_heads=False,
    ),
    _f(
        "pauseMean",
        "s",
        "mean length of pauses",
        "de Jong 2009",
        "Pauses were longer",
        "Pauses were shorter",
        in_heads=False,
    ),
    _f(
        "pauseSpread",
        "s",
        "standard deviation of the length of pauses",
        "de Jong 2009",
        "The length of pauses varied more",
        "The length of pauses varied less",
        in_heads=False,
    ),
    _f(
        "pauseRate",
        "1/min",
        "pauses over the time from the first to the last speech",
        "de Jong 2009",
        "There were more pauses",
        "There were fewer pauses",
        in_heads=False,
    ),
)

BY_NAME: dict[str, Feature] = {feature.name: feature for feature in FEATURES}
HEAD_FEATURES: tuple[str, ...] = tuple(feature.name for feature in FEATURES if feature.in_heads)
