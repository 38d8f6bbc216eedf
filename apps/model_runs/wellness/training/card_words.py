"""The figures of the word heads as tables, and the aims of the model beside what was measured."""

from __future__ import annotations

from collections.abc import Iterable

from apps.model_runs.wellness.scores import MENTAL_STRAIN
from apps.model_runs.wellness.training.card_tables import COVERAGE_TOLERANCE, Figures, Row, Table, interval, number
from apps.model_runs.wellness.training.straying import COVERAGE
from apps.model_runs.wellness.words.corpus import POSITIVE

MET, NOT_MET, NOT_HERE = "met", "not met", "not measured here"
_PINK_NOISE = "pink noise 10 dB"
_ALARMS = 0.01
_KINDS = {
    POSITIVE: ("positives found", 0.90),
    "negated": ("denials kept low", 0.95),
    "third": ("sentences of somebody else kept low", 0.95),
    "idiom": ("idioms kept low", 0.90),
    "recovered": ("sentences of something overcome kept low", 0.85),
    "neutral": ("neutral sentences kept low", 0.99),
}


def word_tables(words: Figures) -> list[Table]:
    """All tables of the word heads, in the order of the card."""
    return [by_kind(words), false_alarms(words), on_comments(words)]


def by_kind(words: Figures) -> Table:
    """Share of held-out sentences on the right side of the threshold."""
    templates = words["heldOutTemplates"]
    kinds = list(next(iter(templates.values())))
    rows = [
        (kind, *(f"{number(found[kind]['share'])} of {found[kind]['sentences']}" for found in templates.values()))
        for kind in kinds
    ]
    return Table("Held-out templates: share read rightly, and sentences", ("", *templates), rows)


def false_alarms(words: Figures) -> Table:
    """Share of everyday paragraphs for which a head speaks up."""
    found = words["neutralParagraphs"]
    row = (f"of {found['paragraphs']} paragraphs", *(number(share, 4) for share in found["falseAlarms"].values()))
    return Table("Everyday paragraphs above the threshold", ("", *found["falseAlarms"]), [row])


def on_comments(words: Figures) -> Table:
    """Distress against everything else on comments that training never saw."""
    found = words["distressComments"]
    area = interval([found["auc"], found["low"], found["high"]])
    head = ("", "AUC", "comments marked", "other comments")
    return Table("Comments labelled by raters", head, [("distress", area, str(found["marked"]), str(found["others"]))])


def aims(evaluation: Figures) -> Table:
    """What the model was to reach, beside what these data can say of it."""
    heads, words = evaluation["voice"]["heads"], evaluation["words"]
    comments = words["distressComments"]
    move = heads["stress"]["disturbances"][_PINK_NOISE]["meanMove"]
    shuffled = {name: head["aucShuffledLabels"] for name, head in heads.items()}
    held = {
        name: found["held"]
        for name, found in evaluation["voice"]["intervals"]["all"].items()
        if name in heads or name == MENTAL_STRAIN
    }
    low, high = COVERAGE - COVERAGE_TOLERANCE, COVERAGE + COVERAGE_TOLERANCE
    unseen = ("actors of three other corpora", "posts labelled by raters")
    return Table(
        "Aims and what was measured",
        ("aim", "at least / at most", "measured here", "verdict"),
        [
            (f"acted tension, {unseen[0]}: AUC", ">= 0.90, 0.80, 0.94", _beside(heads["stress"]["auc"]), NOT_HERE),
            (f"acted distress, {unseen[0]}: AUC", ">= 0.78, 0.75, 0.65", _beside(heads["distress"]["auc"]), NOT_HERE),
            ("words of stress, posts: AUC", ">= 0.78", "the tables of held-out sentences", NOT_HERE),
            ("words of low self-esteem, posts: AUC", ">= 0.80", "the tables of held-out sentences", NOT_HERE),
            ("words of sleepiness, tweets: AUC", ">= 0.88", "the tables of held-out sentences", NOT_HERE),
            ("words of exhaustion, tweets: AUC", ">= 0.90", "the tables of held-out sentences", NOT_HERE),
            (
                "words of distress, comments: AUC",
                ">= 0.90",
                interval([comments["auc"], comments["low"], comments["high"]]),
                _verdict(comments["auc"] >= 0.90),
            ),
            *_kind_rows(words),
            _alarm_row(words["neutralParagraphs"]["falseAlarms"]),
            ("pink noise at 10 dB raises stress by", "<= 0.10", number(move), _verdict(move <= 0.10)),
            _range("training on shuffled labels: AUC", 0.45, 0.55, shuffled),
            _range(f"intervals of {COVERAGE * 100:g} % hold, all conditions", low, high, held),
        ],
    )


def _kind_rows(words: Figures) -> Iterable[Row]:
    for kind, (what, aim) in _KINDS.items():
        shares = {name: found[kind]["share"] for name, found in words["heldOutTemplates"].items()}
        worst = min(shares, key=shares.__getitem__)
        yield (what, f">= {aim:.2f}", f"{number(shares[worst])} ({worst}, the worst)", _verdict(shares[worst] >= aim))


def _alarm_row(shares: Figures) -> Row:
    worst = max(shares, key=shares.__getitem__)
    found = f"{number(shares[worst])} ({worst}, the worst)"
    return "everyday paragraphs above the threshold", f"<= {_ALARMS:.2f}", found, _verdict(shares[worst] <= _ALARMS)


def _range(what: str, low: float, high: float, by_name: Figures) -> Row:
    least, most = min(by_name.values()), max(by_name.values())
    return (
        what,
        f"{low:.2f} to {high:.2f}",
        f"{number(least, 4)} to {number(most, 4)}",
        _verdict(low <= least and most <= high),
    )


def _beside(area: list[float]) -> str:
    return f"{interval(area)} on held-out speakers of the training corpus"


def _verdict(met: bool) -> str:
    return MET if met else NOT_MET
