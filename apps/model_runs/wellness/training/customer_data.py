"""A customer's labelled recordings as a CSV file: read, checked line by line, every fault named at once."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from apps.model_runs.wellness.interface import DIMENSIONS

REQUIRED = ("path", "speaker", "target", "score")
OPTIONAL = ("sex", "birth_date", "text")
SEXES = ("MALE", "FEMALE", "INTERSEX", "UNKNOWN")
_EARLIEST_BIRTH = date(1900, 1, 1)
_LONGEST_CELL = 2_000_000  # characters; a transcript may be long


class BadData(Exception):
    """What is wrong with a file of labels: one sentence for each fault, in order of line."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = tuple(f"line {line}: {text}" if line else text for line, text in sorted(problems))
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Row:
    """One label: recording, speaker and target, and whether the recording counts as positive."""

    line: int  # of the file, where the row begins
    path: Path  # absolute
    speaker: str
    target: str  # one of DIMENSIONS
    positive: bool
    sex: str  # one of SEXES, the same for all rows of a speaker
    birth_date: date | None
    text: str  # empty where none is given


@dataclass(frozen=True, slots=True)
class Sheet:
    """The good rows of a file, and the faults of the others as (line, sentence)."""

    rows: tuple[Row, ...]
    problems: tuple[tuple[int, str], ...]


def read_sheet(path: Path, positive_from: float | None = None) -> Sheet:
    """Reads a CSV file with the columns REQUIRED and any of OPTIONAL, divided by commas, semicolons or tabs.

    `score` is 0 or 1; with `positive_from` any number, positive from there on. Audio is not looked at, but a missing
    file is a fault. Raises BadData where the file as a whole cannot be read, OSError where it cannot be opened.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadData([(0, f"{path.name} is not UTF-8; save it as CSV in UTF-8.")]) from error
    header, records, delimiter = _records(path.name, text)
    parser = _Parser(path.absolute().parent, positive_from, delimiter)
    for line, cells in records:
        if len(cells) == len(header):
            parser.add(line, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
        elif any(cell.strip() for cell in cells):
            parser.fault(
                line, f"{len(cells)} values under {len(header)} columns; quote values that hold a {delimiter!r}."
            )
    if not parser.rows and not parser.problems:
        raise BadData([(0, f"{path.name} has a header and no rows.")])
    _check_speakers(parser.rows, parser.fault)
    return Sheet(tuple(_completed(parser.rows)), tuple(parser.problems))


def _records(name: str, text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]], str]:
    """Column names, the rows below with their line numbers, and the delimiter."""
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)

    def records() -> Iterator[tuple[int, list[str]]]:
        line = reader.line_num + 1
        try:
            for cells in reader:
                yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise BadData([(line, f"not CSV: {error}.")]) from error

    header = [cell.strip().lower() for cell in next(records(), (1, []))[1]]
    known = ", ".join((*REQUIRED, *OPTIONAL))
    faults = [f"The column {name} is missing." for name in REQUIRED if name not in header]
    faults += [
        f"The column {name!r} is unknown; the columns are {known}. Rename it or leave it out."
        for name in sorted(set(header) - {*REQUIRED, *OPTIONAL})
    ]
    faults += [f"The column {name} stands twice." for name in sorted(set(header)) if header.count(name) > 1]
    if faults:
        raise BadData([(0, f"{name}: {fault}") for fault in faults])
    return header, records(), delimiter


class _Parser:
    """Turns cells into rows; keeps what is wrong with those it cannot turn."""

    def __init__(self, folder: Path, positive_from: float | None, delimiter: str) -> None:
        self.rows: list[Row] = []
        self.problems: list[tuple[int, str]] = []
        self._folder = folder
        self._positive_from = positive_from
        self._decimal_comma = delimiter != ","
        self._seen: dict[tuple[Path, str], int] = {}

    def fault(self, line: int, text: str) -> None:
        self.problems.append((line, text))

    def add(self, line: int, cells: dict[str, str]) -> None:
        before = len(self.problems)
        path = self._path(line, cells["path"])
        if not cells["speaker"]:
            self.fault(line, "no speaker; give every person a name or number of her or his own.")
        if cells["target"] not in DIMENSIONS:
            self.fault(line, f"the target {cells['target']!r} is unknown; it is one of {', '.join(DIMENSIONS)}.")
        positive = self._positive(line, cells["score"])
        sex = self._sex(line, cells.get("sex", ""))
        birth_date = self._birth_date(line, cells.get("birth_date", ""))
        if len(self.problems) > before:
            return
        first = self._seen.setdefault((path, cells["target"]), line)
        if first != line:
            self.fault(line, f"{cells['path']} has a label for {cells['target']} in line {first}; keep one of the two.")
            return
        self.rows.append(
            Row(line, path, cells["speaker"], cells["target"], positive, sex, birth_date, cells.get("text", ""))
        )

    def _path(self, line: int, cell: str) -> Path:
        path = self._folder / cell
        if not cell:
            self.fault(line, "no path; name the recording, from the CSV's folder or in full.")
        elif path.is_file():
            return path.resolve()
        else:
            self.fault(line, f"there is no file {path}; paths count from the CSV's folder.")
        return path

    def _positive(self, line: int, cell: str) -> bool:
        try:
            score = float(cell.replace(",", ".") if self._decimal_comma else cell)
        except ValueError:
            score = math.nan
        if not math.isfinite(score):
            self.fault(line, f"the score {cell!r} is no number.")
        elif self._positive_from is not None:
            return score >= self._positive_from
        elif score not in (0, 1):
            self.fault(line, f"the score {cell} is neither 0 nor 1; for a scale say --positive-from.")
        return score == 1

    def _sex(self, line: int, cell: str) -> str:
        sex = cell.upper() or "UNKNOWN"
        if sex not in SEXES:
            self.fault(line, f"the sex {cell!r} is unknown; it is one of {', '.join(SEXES)}, or empty.")
        return sex

    def _birth_date(self, line: int, cell: str) -> date | None:
        if not cell:
            return None
        try:
            birth_date = date.fromisoformat(cell)
        except ValueError:
            birth_date = date.min
        if birth_date < _EARLIEST_BIRTH:
            self.fault(line, f"the birth date {cell!r} is no date; write it as 1985-04-23.")
        return birth_date


def _completed(rows: list[Row]) -> Iterator[Row]:
    """What one row says of a speaker or of a recording holds in all rows."""
    sexes = {row.speaker: row.sex for row in rows if row.sex != "UNKNOWN"}
    births = {row.speaker: row.birth_date for row in rows if row.birth_date is not None}
    texts = {row.path: row.text for row in rows if row.text}
    for row in rows:
        yield replace(
            row,
            sex=sexes.get(row.speaker, "UNKNOWN"),
            birth_date=births.get(row.speaker),
            text=texts.get(row.path, ""),
        )


def _check_speakers(rows: list[Row], fault: Callable[[int, str], None]) -> None:
    """A speaker has one sex and one birth date, and a recording one speaker and one text, in all rows."""
    facts: dict[tuple[str, str], tuple[object, int]] = {}

    def check(row: Row, owner: str, kind: str, value: object) -> None:
        known, line = facts.setdefault((kind, owner), (value, row.line))
        if known != value:
            fault(row.line, f"{kind} is {value} here and {known} in line {line}; correct one of the two.")

    for row in rows:
        if row.sex != "UNKNOWN":
            check(row, row.speaker, f"the sex of speaker {row.speaker}", row.sex)
        if row.birth_date is not None:
            check(row, row.speaker, f"the birth date of speaker {row.speaker}", row.birth_date)
        check(row, str(row.path), f"the speaker of {row.path.name}", row.speaker)
        if row.text and facts.setdefault(("text", str(row.path)), (row.text, row.line))[0] != row.text:
            fault(row.line, f"{row.path.name} has another text in an earlier line; keep one of the two.")
