"""Reasons to doubt a result, and every sentence that tells its reader so.

A recording can have enough speech and still not be what the model judges: a grown person who talks by himself or
herself, in the declared language, into a fair microphone. Each doubt takes every score's confidence down to LOW and is
named in a sentence that says what to do. None of them changes a score.

Each limit lies at the far end of what ordinary recordings measure, so that it speaks of the exception: the reference
speakers in seven acted moods (62 recordings, clean and under noise, telephone, coding and three rooms: 434); for words
see `words.strangeness`. What two people of like voice say by turns, what a good machine reads
out, and a foreign language that the recogniser turns into varied English pass unseen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np

from apps.model_runs.wellness.features import track
from apps.model_runs.wellness.fusion import Fused, transcript_confidence
from apps.model_runs.wellness.heads import VoiceReading
from apps.model_runs.wellness.interface import (
    QUALITY_WARNING,
    SAMPLE_RATE,
    Person,
    Quality,
    Recording,
    Samples,
    Speech,
    Transcript,
)
from apps.model_runs.wellness.quality import GOOD_SNR_DB
from apps.model_runs.wellness.speech import frame_rms

ISSUE_WARNINGS = {
    "LOW_SNR": "The background is loud; record again in a quiet room, close to the microphone.",
    "CLIPPING": "The sound is cut off where it is loudest; record again with less gain or further from the microphone.",
    "LOW_LEVEL": "The recording is very quiet; record again closer to the microphone.",
    "SECOND_SPEAKER": "Two voices seem to speak; record again with one person alone.",
    "NARROW_BAND": "The recording lacks high frequencies, as over a telephone; "
    "record again with an app or browser at 16 kHz or more.",
}
LOOP_WARNING = (
    "The recording repeats itself sound for sound, so that it holds less speech than its length; "
    "record again without a repetition."
)
BACKGROUND_WARNING = (
    "Music, a machine or another voice sounds in the pauses of the speech; record again without a background."
)
TALK_WARNING = (
    "The voice does not sound like one person talking: it may be whispered, shouted, sung or made by a machine, or be "
    "several voices; the scores may be far off. Record again with one person talking as usual."
)
LITTLE_VOICE_WARNING = (
    "Little voiced sound was found; the scores rest on few measurements. Record again with the voice raised a little."
)
PITCH_WARNING = (
    "The pitch of the voice is unusual for an adult of the birth sex that was given; the scores may be far off. "
    "Check the birth sex."
)
CHILD_SOUND_WARNING = (
    "The voice sounds like a child's, or more than one speaks, and the reference speakers are adults; "
    "record again with one grown person, and rely on no score of a child."
)
MINOR_WARNING = (
    "The person is under 18 by the birth date, and the reference speakers are adults; rely on no score of a child."
)
NO_WORDS_WARNING = (
    "No words were recognised in the recording; check that it holds speech in the declared language, or record again."
)
STRANGE_WORDS_WARNING = (
    "The transcript does not read like speech in the declared language: it repeats itself, has too few or too many "
    "words, or words of no language; check the language, or record again with clear speech."
)
SELF_ESTEEM_WARNING = (
    "Nothing was said that bears on self-esteem; lowSelfEsteem is the middle of the reference group, "
    "with the lowest confidence."
)

MISSING_LIMIT = 0.25  # with a greater share of features that could not be measured nothing is certain

# Of the voice; the ranges are those of the 62 recordings clean and in rooms.
FARTHEST = 2.1  # distance from the peers (see heads): .5 to 2.1 clean, but for shouted anger, up to 2.6
VOICED_SHARE = (0.25, 0.88)  # .40 to .85: whispers have hardly any voice; a tune or machine gives it to consonants too
PITCH_SPREAD = (1.0, 5.6)  # semitones, 1.3 to 5.6 clean: a machine on one note; two voices
CHILD_F3 = 3_500.0  # Hz, up to 3,393; at five years about 3,700 (Lee, Potamianos & Narayanan, JASA 105(3), 1999)
CHILD_F3_HIGH_PITCH = 3_300.0  # Hz, together with
CHILD_PITCH = 38.0  # semitones above 27.5 Hz, 247 Hz: both at once in one woman's shouted anger only
ADULT_YEARS = 18

# Of the background, where it is loud enough to matter: share of the pauses that has a pitch.
TUNED_PAUSES = 0.4  # a dry or echoing room 0 to .14; chords or a melody 15 dB under the speech .58 and more
FEWEST_PAUSE_FRAMES = 30  # 0.3 s of pauses to judge by

# Of repetition: correlation of the loudness with itself, `_SHORTEST_LOOP_SECONDS` and more later.
LOOP_CORRELATION = 0.88  # reading reaches .5, one actor's takes of the same sentence in a row .76; a copy .98
_SHORTEST_LOOP_SECONDS = 1.0
_LEAST_COMMON_SECONDS = 3.0
_LEAST_COMMON_SHARE = 1 / 3  # of the speech that must be the copy of other speech


def doubts(
    recording: Recording,
    speech: Speech,
    quality: Quality,
    transcript: Transcript,
    person: Person,
    measured: Mapping[str, float],
    reading: VoiceReading,
) -> tuple[str, ...]:
    """A sentence for each reason why no score's confidence may be above LOW; () for an ordinary recording."""
    return (
        *(ISSUE_WARNINGS[issue] for issue in quality.issues),
        *_doubts_of_sound(recording.samples, speech, quality),
        *_doubts_of_voice(measured, reading, quality, person),
        *_doubts_of_words(transcript, speech, quality),
    )


def is_strange(found: tuple[str, ...]) -> bool:
    """Whether a doubt is among `found` that the intervals know nothing of: noise and the like were in their training,
    a whisper or a child was not."""
    return not set(found) <= {*ISSUE_WARNINGS.values(), NO_WORDS_WARNING, STRANGE_WORDS_WARNING}


def warnings_of(
    found: tuple[str, ...], quality: Quality, transcript: Transcript, person: Person, fused: Mapping[str, Fused]
) -> tuple[str, ...]:
    """What a reader of the scores should know: the documented text, the doubts `found`, and what is missing."""
    warnings = [QUALITY_WARNING] if quality.level == "POOR" else []
    warnings += found
    if not transcript.supported:
        warnings.append(f"There is no transcriber for {person.language}; the scores rest on the voice alone.")
    if fused["lowSelfEsteem"].unknown:
        warnings.append(SELF_ESTEEM_WARNING)
    return tuple(warnings)


def _doubts_of_sound(samples: Samples, speech: Speech, quality: Quality) -> Iterator[str]:
    if repetition(samples, speech) > LOOP_CORRELATION:
        yield LOOP_WARNING
    # A hum far under the speech is in many recordings and does no harm.
    loud = quality.snr_db is not None and quality.snr_db < GOOD_SNR_DB
    if loud and tuned_share_of_pauses(samples, speech) > TUNED_PAUSES:
        yield BACKGROUND_WARNING


def _doubts_of_voice(
    measured: Mapping[str, float], reading: VoiceReading, quality: Quality, person: Person
) -> Iterator[str]:
    # Noise and a telephone alone move a voice that far, and have been named.
    heard_well = not {"LOW_SNR", "NARROW_BAND"} & set(quality.issues)
    if reading.missing_share > MISSING_LIMIT:
        yield LITTLE_VOICE_WARNING
    elif heard_well and not _is_talk(measured, reading):
        yield TALK_WARNING
    elif heard_well and _is_child(measured):
        yield CHILD_SOUND_WARNING
    if reading.pitch_is_unusual:
        yield PITCH_WARNING
    if _is_minor(person, datetime.now(UTC).date()):
        yield MINOR_WARNING


def _is_talk(measured: Mapping[str, float], reading: VoiceReading) -> bool:
    """What could not be measured (NaN) is no reason against it."""
    return not (
        reading.distance > FARTHEST
        or _outside(measured["voicedShare"], VOICED_SHARE)
        or _outside(measured["pitchSpread"], PITCH_SPREAD)
    )


def _outside(value: float, limits: tuple[float, float]) -> bool:
    return value < limits[0] or value > limits[1]


def _is_child(measured: Mapping[str, float]) -> bool:
    """By the length of the throat and mouth, which an adult's high voice does not change."""
    f3, pitch = measured["f3"], measured["pitchMedian"]
    return f3 > CHILD_F3 or (f3 > CHILD_F3_HIGH_PITCH and pitch > CHILD_PITCH)


def _is_minor(person: Person, today: date) -> bool:
    born = person.date_of_birth
    if born is None:
        return False
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < ADULT_YEARS


def _doubts_of_words(transcript: Transcript, speech: Speech, quality: Quality) -> Iterator[str]:
    if not transcript.supported:
        return
    if not transcript.text.strip():
        yield NO_WORDS_WARNING
    elif transcript_confidence(transcript, speech, replace(quality, level="GOOD")) < 1:
        yield STRANGE_WORDS_WARNING


def tuned_share_of_pauses(samples: Samples, speech: Speech) -> float:
    """Share of the pauses between and around the speech in which something has a pitch, 0..1."""
    edges = [0.0, *(edge for span in speech.spans for edge in span), len(samples) / SAMPLE_RATE]
    margin = 0.05  # the last of a vowel and the first of the next belong to the speech
    gaps = tuple(
        (start + margin, finish - margin)
        for start, finish in zip(edges[::2], edges[1::2], strict=True)
        if finish - start > 0.2
    )
    tracked = track(samples, Speech(gaps, sum(end - start for start, end in gaps), speech.voiced))
    sounding = tracked.frames.peak > 0  # digital silence was put there by a program
    if sounding.sum() < FEWEST_PAUSE_FRAMES:
        return 0.0
    return float(tracked.pitch.voiced[sounding].mean())


def repetition(samples: Samples, speech: Speech) -> float:
    """Greatest correlation, -1..1, of the speech's loudness in dB by 10 ms with itself later on.

    Only pairs of moments count that both lie in speech, so that pauses of like length are no likeness.
    """
    rms = frame_rms(samples).astype(np.float64)
    inside = np.zeros(len(rms))
    for start, finish in speech.spans:
        inside[round(start * 100) : round(finish * 100)] = 1
    if not inside.any():
        return 0.0
    loud = np.log(np.maximum(rms, 0.01 * float(rms[inside > 0].max()) + 1e-9))
    loud = (loud - loud[inside > 0].mean()) * inside
    size = 1 << (2 * len(rms)).bit_length()
    one, mask, square = (np.fft.rfft(signal, size) for signal in (loud, inside, loud**2))

    def later(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Sum of first(t + lag) second(t) for each lag."""
        return np.fft.irfft(first * second.conj(), size)[: len(rms)]

    count = np.round(later(mask, mask))
    least = max(100 * _LEAST_COMMON_SECONDS, _LEAST_COMMON_SHARE * float(inside.sum()))
    lags = np.flatnonzero(count >= least)
    lags = lags[lags >= 100 * _SHORTEST_LOOP_SECONDS]
    if not len(lags):
        return 0.0
    n, head, tail = count[lags], later(one, mask)[lags], later(mask, one)[lags]
    covariance = later(one, one)[lags] - head * tail / n
    spread = (later(square, mask)[lags] - head**2 / n) * (later(mask, square)[lags] - tail**2 / n)
    return float(np.max(covariance / np.sqrt(np.maximum(spread, 1e-9))))
