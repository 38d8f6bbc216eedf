"""What the model was to reach, beside what these data can say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from apps.model_runs.wellness.scores import MENTAL_STRAIN
from apps.model_runs.wellness.training.card_tables import COVERAGE_TOLERANCE, Figures, Row, Table, interval, number
from apps.model_runs.wellness.training.card_words import area
from apps.model_runs.wellness.training.disturbances import LOSSY
from apps.model_runs.wellness.training.straying import COVERAGE
from apps.model_runs.wellness.words.corpus import NEUTRAL, POSITIVE

MET, NOT_MET, NOT_HERE, TESTED = "met", "not met", "not measured here", "tested with the code, on other recordings"

_LEAST_COMMENTS_AUC = 0.90
_MOST_ALARMS = 0.01
_MOST_NOISE_MOVE = 0.10
_SHUFFLED = (0.45, 0.55)
_KINDS = {
    POSITIVE: ("positives found", 0.90),
    "negated": ("denials kept low", 0.95),
    "third": ("sentences of somebody else kept low", 0.95),
    "idiom": ("idioms kept low", 0.90),
    "recovered": ("sentences of something overcome kept low", 0.85),
    NEUTRAL: ("neutral sentences kept low", 0.99),
}


def aims(evaluation: Figures) -> Table:
    """Each aim, what was measured here, and whether that meets it."""
    rows = [*_elsewhere(evaluation), *_of_words(evaluation["words"]), *_of_voice(evaluation["voice"])]
    return Table("Aims and what was measured", ("aim", "at least / at most", "measured here", "verdict"), rows)


def _elsewhere(evaluation: Figures) -> Iterable[Row]:
    """Aims on corpora that nobody has here, with the nearest figure."""
    corpora = "on three unseen corpora: AUC"
    heads, separation = evaluation["voice"]["heads"], evaluation["words"]["separation"]
    for what, head, least in (("tension", "stress", "0.90, 0.80, 0.94"), ("distress", "distress", "0.78, 0.75, 0.65")):
        nearest = f"{interval(heads[head]['auc'])} on held-out speakers of the training corpus"
        yield f"acted {what} {corpora}", f">= {least}", nearest, NOT_HERE
    for what, name, least in (
        ("stress in posts", "stress", "0.78"),
        ("low self-esteem in posts", "lowSelfEsteem", "0.80"),
        ("sleepiness in tweets", "sleepPropensity", "0.88"),
        ("exhaustion in tweets", "exhaustion", "0.90"),
    ):
        nearest = f"{area(separation[name])} on held-out sentences of our own"
        yield f"words of {what}: AUC", f">= {least}", nearest, NOT_HERE


def _of_words(words: Figures) -> Iterable[Row]:
    comments = words["distressComments"]
    met = _verdict(comments["auc"] >= _LEAST_COMMENTS_AUC)
    yield "words of distress in comments: AUC", f">= {_LEAST_COMMENTS_AUC:.2f}", area(comments), met
    for kind, (what, least) in _KINDS.items():
        shares = {name: found[kind]["share"] for name, found in words["heldOutTemplates"].items()}
        worst = min(shares, key=shares.__getitem__)
        yield what, f">= {least:.2f}", _worst(shares, worst), _verdict(shares[worst] >= least)
    alarms = words["neutralParagraphs"]["falseAlarms"]
    worst = max(alarms, key=alarms.__getitem__)
    met = _verdict(alarms[worst] <= _MOST_ALARMS)
    yield "everyday paragraphs above the threshold", f"<= {_MOST_ALARMS:.2f}", _worst(alarms, worst), met
    yield "neutral words that are read move a score by", "<= 0.02", "nothing while the gate is shut", TESTED


def _of_voice(voice: Figures) -> Iterable[Row]:
    heads = voice["heads"]
    coded = max(head["disturbances"][name]["meanSize"] for head in heads.values() for name in LOSSY)
    yield "another format of the same audio moves a score by", "<= 0.08", f"on average up to {number(coded)}", TESTED
    quiet = max(head["disturbances"]["quiet microphone"]["meanSize"] for head in heads.values())
    yield (
        "20 dB less, or the lowest bit, moves a score by",
        "<= 0.02",
        f"40 dB less: {number(quiet)} on average",
        TESTED,
    )
    move = heads["stress"]["disturbances"]["pink noise 10 dB"]["meanMove"]
    met = _verdict(move <= _MOST_NOISE_MOVE)
    yield "noise at 10 dB raises stress by", f"<= {_MOST_NOISE_MOVE:.2f}", f"{number(move)} (pink)", met
    yield _between(
        "training on shuffled labels: AUC",
        *_SHUFFLED,
        {name: head["aucShuffledLabels"] for name, head in heads.items()},
    )
    held = {name: voice["intervals"]["all"][name]["held"] for name in (*heads, MENTAL_STRAIN)}
    low, high = COVERAGE - COVERAGE_TOLERANCE, COVERAGE + COVERAGE_TOLERANCE
    yield _between(f"intervals of {COVERAGE * 100:g} % hold, all conditions", low, high, held)
    yield "the same weights after training again", "1e-6", "`make reproduce` prints it", NOT_HERE
    yield "times as fast as speech, without transcription", ">= 60", "`benchmarks/pipeline.py` prints it", NOT_HERE


def _worst(by_name: Mapping[str, float], name: str) -> str:
    return f"{number(by_name[name])} ({name}, the worst)"


def _between(what: str, low: float, high: float, by_name: Mapping[str, float]) -> Row:
    least, most = min(by_name.values()), max(by_name.values())
    found = f"{number(least, 4)} to {number(most, 4)}"
    return what, f"{low:.2f} to {high:.2f}", found, _verdict(low <= least and most <= high)


def _verdict(met: bool) -> str:
    return MET if met else NOT_MET
