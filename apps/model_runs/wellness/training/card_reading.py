"""How the figures of the model card are to be read; what is said of them is computed from them."""

from __future__ import annotations

from apps.model_runs.wellness.interface import Limits
from apps.model_runs.wellness.scores import MENTAL_STRAIN
from apps.model_runs.wellness.training.card_markdown import percent
from apps.model_runs.wellness.training.card_tables import COVERAGE_TOLERANCE, SEX_NAMES, Figures
from apps.model_runs.wellness.training.fit import TARGETS
from apps.model_runs.wellness.training.straying import COVERAGE
from apps.model_runs.wellness.training.units import JOIN_SECONDS, PART_SECONDS
from apps.model_runs.wellness.words.training import FOLDS

_UNEQUAL = 0.1  # of AUC between the sexes: a reader must not miss it


def voice_intro(voice: Figures) -> str:
    units = voice["units"]
    return f"""\
## What the voice heads are worth

Each of the {units["speakers"]} speakers is scored by heads, reference and all, that were fitted on the other
{units["speakers"] - 1} (leave one speaker out); figures are over {units["joins"]} clean joined recordings unless they
say otherwise. AUC is the chance that a recording of the acted state scores above one without it: 0.5 is a coin. 95 %
intervals are over new samples of whole speakers; with so few speakers they are themselves rough, and an end at 1 does
not mean that nobody will be misjudged."""


def voice_reading(voice: Figures) -> str:
    return f"""\
How to read this:

- *Within sex* compares women with women and men with men: what merely tells the sexes apart cannot raise it.
- *Baselines* choose the better direction with the labels in sight. {_pitch(voice)}
- *Permutation p* is the chance that labels which tell nothing reach the AUC, speakers exchanging theirs; one
  over the number of deals is the least that it can be. *Shuffled labels* trains everything again on
  each speaker's labels dealt at random: near 0.5 if nothing leaks.
- *Padding* looks for a leak: the AUC of the zeros' length by itself, and its correlation with the head's logit within
  speaker and label. Near 0.5 and near 0 the head does not hear how the files were cut."""


def _pitch(voice: Figures) -> str:
    """The sentence that a reader must not miss: where the head does no better than pitch."""
    no_better = [n for n, h in voice["heads"].items() if h["baselinePitchWithinSex"] >= h["aucWithinSex"][1]]
    if not no_better:
        return "Within sex every head does better than median pitch alone."
    names = " and ".join(no_better)
    return (
        f"**Within sex, median pitch alone lies inside or above the interval of {names}**: on these actors, who raise"
        " or lower their voices with the emotion, that much could be had from pitch. The head spreads its weight over"
        " more measurements, which is meant to help on other voices; these data cannot show that it does."
    )


def unequal(voice: Figures) -> str:
    """What the table by sex and age must not be read without."""
    gaps = []
    for name, head in voice["heads"].items():
        areas = {sex: found["auc"] for sex, found in head["bySex"].items()}
        worst, best = min(areas, key=areas.__getitem__), max(areas, key=areas.__getitem__)
        if areas[best] - areas[worst] > _UNEQUAL:
            gaps.append(f"{name} ({areas[worst]:.3f} for {SEX_NAMES[worst]}, {areas[best]:.3f} for {SEX_NAMES[best]})")
    return f"""\
A row rests on a handful of speakers: it can show that a head fails for a group, not that it is fair to it. Heads whose
AUC differs between the sexes by more than {_UNEQUAL:g}: {", ".join(gaps) or "none"}."""


CALIBRATION = """\
### Calibration, or why scores are places and not probabilities

A calibrated head would predict 0.7 where 7 of 10 recordings show the state. The tables show how far the heads are from
it even on the corpus that they were trained on, whose share of positives says nothing of any other place. Elsewhere
that share and the microphones differ: probabilities do not carry over, the order of recordings does so better. So the
product never shows a probability; it shows the place in a reference."""


def other_emotions(voice: Figures) -> str:
    louder = "; ".join(found for found in map(_as_high, voice["heads"], voice["heads"].values()) if found)
    return f"""\
### What else raises a score

Shares of the peers for each acted emotion, held-out speakers. A head answers to more than its name: what is loud, high
and lively raises stress and distress whether it is anger or joy, and what is slack raises exhaustion and sleepiness
whether it is sadness or boredom. A high score therefore never says which of them was heard. **Emotions that a head was
not meant for, but that lie as high as one that it was meant for:** {louder or "none"}."""


def _as_high(name: str, head: Figures) -> str:
    """The labels whose median reaches the lowest one among the labels that the head was to find."""
    medians = {label: quartiles[1] for label, quartiles in head["byLabel"].items()}
    meant = TARGETS[name].positive
    least = min(median for label, median in medians.items() if label in meant)
    others = [label for label, median in medians.items() if label not in meant and median >= least]
    return f"{name}: {', '.join(others)}" if others else ""


DISTURBED = f"""\
### Little speech, noise, rooms, microphones, codecs

Recordings of less than {Limits().min_speech_seconds:g} s of speech are refused by the product's default; the shorter
ones here show why."""

MOVES = """\
A *move* is the change of the share of the peers between a clean recording and the same one disturbed: its mean, up
counted positive, and its mean size. The heads were penalised for such moves while fitting, on other speakers but with
the same disturbances: rooms and microphones that are not in this list may move a score further."""


def intervals(voice: Figures) -> str:
    low, high = COVERAGE - COVERAGE_TOLERANCE, COVERAGE + COVERAGE_TOLERANCE
    heads = list(voice["heads"])
    names = [
        group
        for group, found in voice["intervals"].items()
        if group != "all" and any(found[name]["held"] < low for name in (*heads, MENTAL_STRAIN))
    ]
    parts = ", ".join(f"{seconds:g}" for seconds in PART_SECONDS)
    return f"""\
### What the confidence interval means

**It is repeatability, not accuracy.** The interval of a score is made to hold, in {percent(COVERAGE)} of the cases, the
value that the same model gives to *all* the clean speech of that speaker with that emotion, when it is shown only a
part: about {parts} or {JOIN_SECONDS:g} s of it, clean or disturbed. A model can be wrong and repeat itself perfectly.
The interval says nothing of how the person felt, and nothing of another day.

The table shows how often it held, each speaker judged by the law of the others; {percent(low)} to {percent(high)} is
what it should be. Widths are medians, as shares of the peers, before the voice weight draws them in. In these rows at
least one score was held less often than that, so that an interval given there is too narrow:
{", ".join(names) or "none"}.
The rows by length show what is too short for the product to score by default.

The voice's part is calibrated on these joins. What the words add to the width, and what a contradiction of voice and
words adds, is a fixed share that no data of ours could calibrate: in the corpus everybody speaks given sentences."""


def words_intro() -> str:
    return f"""\
## What the word heads are worth

Sentences of one template stay together in one of {FOLDS} folds; a template is read by heads that were fitted without
its fold. Thresholds come from the same folds. A positive counts as read rightly above the head's own threshold, every
other sentence below it; what a positive of one state says about another is unknown, so it is left out there. *As
recognised* is the same sentence without capitals and punctuation, some words taken for others and some lost, as a poor
recogniser writes it. **The sentences were written by the makers of the model**, in the style in which they expect
people to speak: people will say it otherwise. Intervals of 95 % take sentences as independent (Wilson; DeLong for
AUC), which sentences of one template are not: they are somewhat too narrow.

Everyday paragraphs are public comments that raters called neutral and nothing else, joined in fives;
the comments labelled sad, afraid, grieving, nervous or sorry are set against pleasant and neutral ones. No comment
of either was seen in training. Raters judged comments of strangers, not their own state."""


AIMS = """\
## What was aimed at, and what was measured

The first aims speak of recordings and texts by other people, from corpora that are not part of this repository; for
them the column shows the nearest figure that can be had here, which is no substitute."""
