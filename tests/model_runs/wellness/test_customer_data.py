"""A customer's CSV: what is accepted, and that every fault is named with its line, all at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from apps.model_runs.wellness.training.customer_data import BadData, Sheet, read_sheet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.wav", "c.wav"):
        (tmp_path / name).write_bytes(b"sound")
    return tmp_path


def sheet(folder: Path, text: str | bytes, positive_from: float | None = None) -> Sheet:
    path = folder / "data.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_sheet(path, positive_from)


def problems(folder: Path, text: str, positive_from: float | None = None) -> list[str]:
    return [f"line {line}: {fault}" for line, fault in sorted(sheet(folder, text, positive_from).problems)]


def whole(folder: Path, text: str | bytes) -> str:
    with pytest.raises(BadData) as caught:
        sheet(folder, text)
    return str(caught.value)


def test_rows_with_all_columns(folder: Path) -> None:
    rows = sheet(
        folder,
        "path,speaker,target,score,sex,birth_date,text\n"
        'a.wav,P1,stress,1,female,1985-04-23,"I am tired, and\nI said so."\n'
        f"{folder / 'b.wav'},P2,distress,0,,,\n",
    ).rows
    assert [(row.path, row.speaker, row.target, row.positive) for row in rows] == [
        (folder / "a.wav", "P1", "stress", True),
        (folder / "b.wav", "P2", "distress", False),
    ]
    assert (rows[0].sex, rows[0].birth_date, rows[0].text) == (
        "FEMALE",
        date(1985, 4, 23),
        "I am tired, and\nI said so.",
    )
    assert (rows[1].sex, rows[1].birth_date, rows[1].text) == ("UNKNOWN", None, "")
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_spreadsheets_write_it_in_many_ways(folder: Path, mark: bytes, delimiter: str, end: str) -> None:
    lines = ["Path,Speaker,Target,Score", "a.wav,Zoë,stress,1", "b.wav,Zoë,stress,0", ""]
    found = sheet(folder, mark + end.join(lines).replace(",", delimiter).encode())
    assert found.problems == ()
    assert [(row.speaker, row.positive) for row in found.rows] == [("Zoë", True), ("Zoë", False)]


def test_a_scale_is_cut_where_the_option_says(folder: Path) -> None:
    text = "path;speaker;target;score\na.wav;1;stress;13,5\nb.wav;2;stress;14\nc.wav;3;stress;-2\n"
    assert [row.positive for row in sheet(folder, text, positive_from=14).rows] == [False, True, False]
    assert len(problems(folder, text)) == 3


def test_one_recording_may_have_several_targets(folder: Path) -> None:
    text = "path,speaker,target,score\na.wav,1,stress,1\na.wav,1,distress,0\n"
    assert [row.target for row in sheet(folder, text).rows] == ["stress", "distress"]


def test_what_one_row_says_of_a_speaker_holds_in_all(folder: Path) -> None:
    text = (
        "path,speaker,target,score,sex,birth_date,text\na.wav,1,stress,1,,,\nb.wav,1,stress,0,MALE,1990-01-01,\n"
        "a.wav,1,distress,1,,,Hello.\n"
    )
    rows = sheet(folder, text).rows
    assert {(row.sex, row.birth_date) for row in rows} == {("MALE", date(1990, 1, 1))}
    assert [row.text for row in rows] == ["Hello.", "", "Hello."]


def test_every_fault_of_every_line_is_named(folder: Path) -> None:
    text = (
        "path,speaker,target,score,sex,birth_date\n"
        "gone.wav,,tension,often,X,23.4.1985\n"
        "a.wav,1,stress,2,,\n"
        "a.wav,1,stress\n"
        "b.wav,1,stress,nan,,0085-01-01\n"
        ",1,stress,1,,\n"
        "c.wav,1,stress,1,,\n"
    )
    found = problems(folder, text)
    assert [fault.split(":")[0] for fault in found] == [
        *["line 2"] * 6,
        "line 3",
        "line 4",
        "line 5",
        "line 5",
        "line 6",
    ]
    for words in (
        f"there is no file {folder / 'gone.wav'}", "no speaker", "'tension' is unknown", "'often' is no number",
        "'X' is unknown", "'23.4.1985' is no date", "the score 2 is neither 0 nor 1; for a scale say --positive-from",
        "3 values under 6 columns", "'nan' is no number", "'0085-01-01' is no date", "no path",
    ):  # fmt: skip
        assert sum(words in fault for fault in found) == 1, words
    assert len(sheet(folder, text).rows) == 1


def test_rows_that_contradict_each_other(folder: Path) -> None:
    text = (
        "path,speaker,target,score,sex,birth_date,text\n"
        "a.wav,1,stress,1,MALE,1990-01-01,Yes.\n"
        "a.wav,1,stress,0,MALE,1990-01-01,\n"
        "b.wav,1,stress,1,FEMALE,1991-01-01,\n"
        "a.wav,2,distress,1,,,No.\n"
    )
    assert problems(folder, text) == [
        "line 3: a.wav has a label for stress in line 2; keep one of the two.",
        "line 4: the birth date of speaker 1 is 1991-01-01 here and 1990-01-01 in line 2; correct one of the two.",
        "line 4: the sex of speaker 1 is FEMALE here and MALE in line 2; correct one of the two.",
        "line 5: a.wav has another text in an earlier line; keep one of the two.",
        "line 5: the speaker of a.wav is 2 here and 1 in line 2; correct one of the two.",
    ]


def test_files_that_cannot_be_read_as_a_whole(folder: Path) -> None:
    assert "not UTF-8" in whole(folder, "path,speaker\nZoë".encode("latin-1"))
    assert "header and no rows" in whole(folder, "path,speaker,target,score\n\n")
    missing = whole(folder, "path,name,target,score\na.wav,1,stress,1\n")
    assert "speaker is missing" in missing
    assert "'name' is unknown" in missing
    assert "path stands twice" in whole(folder, "path,path,speaker,target,score\n")
    assert whole(folder, "").count("is missing") == 4
    with pytest.raises(FileNotFoundError):
        read_sheet(folder / "nowhere.csv")
