"""The model card: what each number is worth, for clinicians and for engineers, made from `evaluation.json` alone."""

from __future__ import annotations

from apps.model_runs.wellness.training import card_reading as reading
from apps.model_runs.wellness.training import card_tables as tables
from apps.model_runs.wellness.training import card_text as text
from apps.model_runs.wellness.training.card_aims import aims
from apps.model_runs.wellness.training.card_markdown import markdown, reflowed
from apps.model_runs.wellness.training.card_plots import plots
from apps.model_runs.wellness.training.card_tables import Figures, Table
from apps.model_runs.wellness.training.card_words import word_tables
from apps.model_runs.wellness.training.plots import Plot, svg


def card(evaluation: Figures, name: str) -> dict[str, str]:
    """The texts of the card by relative path: the page `name`.md, and its plots in the folder `name`/.

    `evaluation` is `version`, the figures of the voice and those of the words, as `reproduce` gives them. The same
    figures give the same bytes.
    """
    drawn = plots(evaluation["voice"])
    images = {stem: _image(name, stem, plot) for stem, plot in drawn.items()}
    parts = [*_head(evaluation), *_voice(evaluation["voice"], images), *_words(evaluation["words"]), *_tail(evaluation)]
    return {
        f"{name}.md": "\n\n".join(reflowed(block) for part in parts for block in part.split("\n\n")) + "\n",
        **{f"{name}/{stem}.svg": svg(plot) for stem, plot in drawn.items()},
    }


def _head(evaluation: Figures) -> list[str]:
    # Whoever trains the model needs the card; the card needs of it what the scores are made of.
    from apps.model_runs.wellness.training.reproduce import DIMENSIONS

    return [
        text.title(evaluation["version"]),
        text.PURPOSE,
        text.rests_on(DIMENSIONS),
        text.how(),
        text.data(),
    ]


def _voice(voice: Figures, images: dict[str, str]) -> list[str]:
    return [
        reading.voice_intro(voice),
        markdown(tables.worth(voice)),
        reading.voice_reading(voice),
        images["roc"],
        *_titled(tables.groups(voice)),
        reading.unequal(voice),
        reading.CALIBRATION,
        markdown(tables.calibration(voice)),
        *_titled(tables.calibration_bins(voice)),
        images["calibration"],
        reading.other_emotions(voice),
        markdown(tables.by_label(voice)),
        reading.DISTURBED,
        *_titled(tables.by_seconds(voice)),
        images["speech-seconds"],
        *_titled(tables.by_noise(voice)),
        images["snr"],
        reading.MOVES,
        markdown(tables.disturbances(voice)),
        reading.intervals(voice),
        markdown(tables.coverage(voice)),
    ]


def _words(words: Figures) -> list[str]:
    return [reading.words_intro(), *(part for table in word_tables(words) for part in _titled(table))]


def _tail(evaluation: Figures) -> list[str]:
    return [reading.AIMS, markdown(aims(evaluation)), text.FAILS, text.REPRODUCE]


def _titled(table: Table) -> tuple[str, str]:
    return f"{table.title}:", markdown(table)


def _image(name: str, stem: str, plot: Plot) -> str:
    return f"![{plot.title}. {plot.description}]({name}/{stem}.svg)"
