"""What the model card says of the model. Its numbers are the constants that the code runs on."""

from __future__ import annotations

from collections.abc import Mapping

from apps.model_runs.wellness.confidence import LEVEL_CAPS
from apps.model_runs.wellness.features.registry import HEAD_FEATURES
from apps.model_runs.wellness.fusion import WORD_LIMITS
from apps.model_runs.wellness.heads import FEMALE, MALE, Dimension
from apps.model_runs.wellness.interface import Limits
from apps.model_runs.wellness.quality import LOW_SNR_DB
from apps.model_runs.wellness.scores import BUCKETS, MENTAL_STRAIN, to_logit, to_share
from apps.model_runs.wellness.training.card_markdown import markdown
from apps.model_runs.wellness.training.card_tables import Table
from apps.model_runs.wellness.training.corpus import AGES, SEXES
from apps.model_runs.wellness.training.corpus import LABELS as LABELS_OF_EMODB
from apps.model_runs.wellness.training.disturbances import DISTURBANCES
from apps.model_runs.wellness.training.fit import TARGETS
from apps.model_runs.wellness.training.units import JOIN_SECONDS
from apps.model_runs.wellness.words.embedding import LAYERS, SIZE

LIMITS = Limits()
_MEN, _WOMEN = (sum(sex == own for own in SEXES.values()) for sex in (MALE, FEMALE))
_YOUNGEST, _OLDEST = min(AGES.values()), max(AGES.values())
_SPEAKERS = f"{len(SEXES)} actors, {_WOMEN} women and {_MEN} men"

_UNKNOWN = {
    "distress": "Nobody recorded was in distress. Whether felt fear or sadness sounds like acted is not known.",
    "stress": "Nobody recorded was under stress. What is heard is tension, which joy and anger have too.",
    "exhaustion": "No recording is labelled exhausted. That a slack voice means exhaustion is only read.",
    "sleepPropensity": "No recording is labelled sleepy. Boredom stands in for it.",
    "lowSelfEsteem": "No recording is labelled with self-esteem: the voice counts nothing.",
}


def title(version: str) -> str:
    return f"""\
# Model card: Helios wellness model {version}

The model turns a recording with {LIMITS.min_speech_seconds:g} seconds of speech or more, and the English words in it,
into six numbers between 0 and 1. Each is **a place among reference speakers**: 0.8 means that the model
puts this voice and these words above 80 % of the reference. It is not the probability of a state, not a degree of
severity, and not a finding.

**The voice was learnt from {_SPEAKERS}, who played emotions in German; the words from sentences
written for the purpose and from public comments. Nobody in the data was examined by a clinician; no score has been
compared with a clinical scale, and none of the figures below says that one would agree.** They say how well the model
tells apart what it was trained to tell apart, on speakers and sentences that it had not met."""


PURPOSE = """\
## What it is for, and what it must not be used for

It is meant for adults who agreed to it and see their own result: to start a conversation, or to follow one person over
weeks on the same microphone, compared with his or her own earlier recordings of the same model version.

It is **not a medical device**. It does not diagnose, screen for, treat or monitor a disease, and no decision about
care may rest on it. It is **not an emergency tool**: nobody is alerted, and a low score is no sign of safety.

It must not be used

- on anyone who did not agree, or could not refuse: covertly, in hiring, at work, in school, in custody, at a border;
- to decide on employment, insurance, credit, benefits, custody of children, immigration, or anything in policing or
  court. Inferring emotions at work or in education is forbidden by law in some places;
- on people under 18: no child's voice is in the data, and the model takes a high voice for a tense one;
- to compare two people, two groups, two languages or two sites with each other: microphones and accents move scores;
- as the target or the reward of another system."""


def rests_on(dimensions: Mapping[str, Dimension]) -> str:
    """What each of the six scores is made of."""
    rows = [_rests_on(name, dimension) for name, dimension in dimensions.items()]
    rows.append(
        (
            MENTAL_STRAIN,
            f"mean of the {len(dimensions)} scores above",
            "the weakest of theirs",
            "-",
            "-",
            "-",
            "-",
            "Whether a mean of the five measures strain. It is a convention.",
        )
    )
    head = (
        "score",
        "voice learnt from (acted)",
        "evidence, confidence at most",
        "voice weight",
        "word weight",
        "voice above 90 % of peers, no words",
        "words alone, at their limits",
        "what no data says",
    )
    return f"""\
## What each score rests on

{markdown(Table("", head, rows))}

The evidence class is given with every score and caps its confidence. Where the words move one of these scores more
than the voice does, its class is `authored_words` (at most {LEVEL_CAPS["authored_words"]}). `trained` and
`customer_trained` are kept for models that learnt from people in the state itself; this model has neither.

The two columns before the last show what the weights mean: a voice weight of 1 leaves the percentile as it is, less
draws it towards the middle of the peers, so that weak evidence cannot give an extreme score by itself."""


def _rests_on(name: str, dimension: Dimension) -> tuple[str, ...]:
    target = TARGETS[dimension.head]
    learnt = " or ".join(" and ".join(sorted(part)) for part in target.parts)
    lowest, highest = (to_share(dimension.word_weight * limit) for limit in WORD_LIMITS)
    return (
        name,
        f"{learnt} against {', '.join(sorted(target.negative))}" if dimension.voice_weight else "nothing",
        f"`{dimension.evidence}`, {LEVEL_CAPS[dimension.evidence]}",
        f"{dimension.voice_weight:g}",
        f"{dimension.word_weight:g}",
        f"{to_share(dimension.voice_weight * float(to_logit(0.9))):.2f}",
        f"{lowest:.2f} to {highest:.2f}",
        _UNKNOWN[name],
    )


def how() -> str:
    low, high = WORD_LIMITS
    cuts = ", ".join(f"{cut:g}" for cut in LIMITS.bucket_cuts)
    buckets = ", ".join(f"{value:g}" for value in BUCKETS)
    return f"""\
## How a score comes about

1. **Voice.** {len(HEAD_FEATURES)} measurements of pitch, loudness movement, spectrum, voice quality and rhythm, none of
   which sees the recording's level, are set against reference speakers of the birth sex that was given (all of them
   where it is unknown or intersex). A logistic head turns them into a logit, and that into the share of the reference
   that lies below it. The reference is the training speakers, speaking neutrally half of the time and with an acted
   emotion otherwise: **an everyday population is not in it.**
2. **Age changes nothing.** The reference speakers are {_YOUNGEST} to {_OLDEST} years old, too few to be divided by age.
   For anyone older or younger the comparison is with people of another age.
3. **Words.** English is transcribed on the spot. Each sentence is embedded (MiniLM, {LAYERS} layers, {SIZE} numbers),
   read by a grammar for negation, person, idiom, supposition and recovery, and judged by one logistic head a state.
4. **Both together.** With the voice's share p and the words' logit w above the head's own threshold,

       logit of the score = voice weight * logit(p) + word weight * gate * trust * (w between {low:g} and {high:g})

   The gate is 1 only if the person says in the first person that the state is there, or that it is not; otherwise 0,
   and the words change nothing. A denial weighs less than a statement. `trust` is 1 for a good recording and less for a
   noisy one or an implausible number of words a second. In other languages than English it is 0: voice alone. With a
   voice weight under 1, or with words, the result is no longer a counted share of the reference but a place on the
   same scale.
5. **Buckets.** Scores are cut at {cuts} into {buckets}: quarters of the scale, not clinical cut-offs.
6. **{MENTAL_STRAIN}** is the plain mean of the five. **lowSelfEsteem** is heard in words alone. Where a person says
   nothing that bears on it, it is 0.5, the middle of the reference, with the lowest confidence, an interval that holds
   four fifths of the reference, and a warning: that 0.5 is no measurement.
7. **Refusals and warnings.** Less than {LIMITS.min_speech_seconds:g} s of speech is refused. Noise (below
   {LOW_SNR_DB:g} dB), clipping, a quiet or narrow-band recording, a background, a repetition, a voice unlike one grown
   person talking, a pitch unusual for the given sex, a birth date under 18 and a transcript that does not read like
   the declared language are named in a sentence and set every level to LOW; of a voice that no training heard, such as
   a whisper, the interval says that nothing is known. Two like voices, good synthetic speech and some foreign speech
   are not noticed."""


_EMODB = (
    "Berlin Database of Emotional Speech: F. Burkhardt, A. Paeschke, M. Rolfes, W. Sendlmeier, B. Weiss, *A Database of"
    f" German Emotional Speech*, Interspeech 2005. {_SPEAKERS}, {_YOUNGEST} to {_OLDEST} years old, say the same"
    f" everyday sentences in {len(LABELS_OF_EMODB)} ways"
)
_AUTHORED = (
    "Sentences written for Helios, in its repository (`words/authored.tsv`), English: positives of each state, and"
    " sentences that only look like them (denied, of somebody else, idioms, overcome, supposed)"
)
_COMMENTS = (
    "GoEmotions: D. Demszky, D. Movshovitz-Attias, J. Ko, A. Cowen, G. Nemade, S. Ravi, *GoEmotions: A Dataset of"
    " Fine-Grained Emotions*, ACL 2020. English Reddit comments labelled by human raters"
)
_EMBEDDING = (
    "all-MiniLM-L6-v2: N. Reimers, I. Gurevych, *Sentence-BERT*, EMNLP 2019; W. Wang and others, *MiniLM*, NeurIPS 2020"
)
_RECOGNISER = (
    "Moonshine (tiny, English): N. Jeffries and others, *Moonshine: Speech Recognition for Live Transcription and Voice"
    " Commands*, 2024"
)
_SOURCES = (
    (
        _EMODB,
        "voice heads, reference, intervals",
        "offered for free download; its authors ask to be cited; not passed on",
    ),
    (_AUTHORED, "word heads", "Apache-2.0, as Helios"),
    (
        _COMMENTS,
        "everyday sentences, part of distress; its development part only to evaluate",
        "Apache-2.0; not passed on",
    ),
    (_EMBEDDING, "embeds sentences, unchanged", "Apache-2.0"),
    (_RECOGNISER, "transcribes, unchanged", "MIT"),
)


def data() -> str:
    return f"""\
## Data

{markdown(Table("", ("data", "used for", "terms"), _SOURCES))}

As used here every take lasts two seconds or less: longer ones had been cut, shorter ones padded with digital zeros,
more in some emotions than in others. The zeros are cut off before anything is measured, and a row of the first table
below shows what their length alone would be worth. Takes of one speaker and one emotion are joined to about
{JOIN_SECONDS:g} s, so rhythm across sentences is not what it is in free speech. The heads are fitted with a penalty on
everything that {len(DISTURBANCES)} disturbances (noise, rooms, microphones, lines, codecs, tempo) do to the logit."""


FAILS = f"""\
## Where it fails

- **Acted is not felt.** Actors show what listeners expect; people in distress often hide it. Expect less than the
  figures above on spontaneous speech, most of all for distress.
- **{_SPEAKERS}**, young and German, are no population. Accents, dialects, other languages, older people, voice
  disorders, hoarseness, colds, medication, hormones and hearing loss were not tested. Words are English alone.
- **Sex.** A wrong or missing birth sex moves the reference. Transgender and intersex people are compared with a
  reference that may not fit them. The figures by sex above rest on few speakers.
- **Recording.** Noise, reverberation, music under speech, a telephone or 8 kHz, clipping, noise suppressors and
  a second speaker: most are noticed and lower the confidence, none is repaired, and not every one is noticed.
- **Manner.** Whispering, shouting, singing, reading aloud, joking, synthetic speech and a repeated sentence are scored
  as if they were talk. Children's voices pass for tense ones.
- **Words.** The recogniser mishears, most of all names, accents and noise; a lost "not" turns a sentence around.
  Sarcasm, quotation, film plots, lyrics and euphemism are read as meant. What is only hinted at is not heard. Words are
  read sentence by sentence: what an earlier sentence takes back is not.
- **Slightly optimistic figures.** The strength of the penalty and the choice of measurements were settled while looking
  at the held-out speakers, and the grammar and its lists of phrases while looking at the sentences written for it.
  Nothing was set aside that had never been looked at.
- **Nothing on change.** How a score moves over weeks in one person was not measured; the personal baseline says what
  change is more than that person's own scatter, not what it means.

## Crisis language

Statements about self-harm are looked for by written rules, not by this model. They never change a score, they miss
what is misheard or hinted at, and **no clinician has reviewed them**. Helios alerts nobody: who reads the finding, and
how fast, is for the operator to settle before the first recording.

## Ethics

A number about a mind invites more trust than it has earned. Show it with its interval, its evidence class and its
reasons, or not at all. Do not keep it longer than it is needed: recordings, transcripts and phrases are health data,
and erasing a run erases them. Let people refuse without a loss, and correct a birth sex or an age. A person who says
that the score is wrong is the better witness."""

REPRODUCE = """\
## Making it again, and making your own

- `make reproduce` trains everything again from the raw data in `HELIOS_TRAINING_DATA`, into a new folder, and compares
  it with the weights that ship. `manage.py reproduce_wellness_model` writes weights, `evaluation.json` and this page.
- `manage.py evaluate_wellness_model` prints every figure of this card, measured anew; with a file of labelled
  recordings, what the finished scores are worth on them. Do that before you rely on a score.
- `manage.py train_wellness_model` trains heads on your own labelled recordings and writes a card like this one;
  `manage.py activate_wellness_model` lets an organisation use them. Runs keep the version of the model they had.

Questions, complaints and errors go to whoever operates the installation that gave the score.

This page is generated from `evaluation.json`; edit `training/card*.py`, not this file."""
