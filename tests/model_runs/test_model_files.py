"""What a file must be for its model to be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.model_runs.model_files import LARGEST_BYTES, ModelRefused, read_model, read_model_file, read_trained
from apps.model_runs.wellness.model import model_to_json, shipped
from tests.model_runs.trained import trained, write

Data = dict[str, Any]


def replaced(number: bytes) -> Callable[[Data], bytes]:
    """The file with a number that JSON knows not, or that is not finite."""
    return lambda data: json.dumps(data).encode().replace(b'"threshold": ', b'"threshold": ' + number + b', "x": ', 1)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"", "Expecting value"),
        (lambda data: b"\xff", "utf-8"),
        (lambda data: b"[]", "not a wellness model"),
        (lambda data: b"{}", "'format' is missing"),
        (lambda data: b"[" * 200_000, "recursion"),
        (replaced(b"NaN"), "NaN is no finite number"),
        (replaced(b"-1e999"), "-1e999 is no finite number"),
        (lambda data: data.update(format=0), "format 0"),
        (lambda data: data.update(version=""), "at most 64 letters"),
        (lambda data: data.update(version="a/b"), "at most 64 letters"),
        (lambda data: data.update(version="shipped"), 'not "shipped"'),
        (lambda data: data["voice"]["features"].__setitem__(0, "aura"), "'aura' is missing"),
        (lambda data: data["voice"]["dimensions"]["stress"].update(head="aura"), "aura"),
        (lambda data: data["voice"]["dimensions"]["stress"].update(aura=1), "aura"),
        (lambda data: data["voice"]["dimensions"].pop("stress"), "'stress' is missing"),
        (lambda data: data["voice"]["groups"]["MALE"].update(centre="many"), "not a wellness model"),
        (lambda data: data["voice"]["groups"]["MALE"].update(centre=[0.0]), "not a wellness model"),
        (lambda data: data["voice"]["dimensions"]["stress"].update(evidence="aura"), "aura"),
        (lambda data: data["voice"]["straying"]["stress"].update(slopes=[1.0]), "not a wellness model"),
        (lambda data: data["voice"]["straying"]["stress"].update(high="x"), "not a wellness model"),
        (lambda data: data["voice"]["heads"]["stress"]["intercepts"].update(MALE=[1e308] * 2), "coefficients for 2"),
        (lambda data: data["words"]["heads"].pop("stress"), "'stress' is missing"),
    ],
)
def test_what_is_no_usable_model_is_refused_with_one_line(spoil: Callable[[Data], Any], message: str) -> None:
    data = json.loads(trained("clinic-1"))
    spoilt = spoil(data)
    with pytest.raises(ModelRefused, match=message) as refused:
        read_model(spoilt if isinstance(spoilt, bytes) else json.dumps(data).encode())
    assert "\n" not in str(refused.value)


def test_a_trained_model_is_read_with_what_lies_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "trained", "clinic-1")
    read = read_trained(path)
    assert read.content == path.read_bytes() == trained("clinic-1")
    assert read.model.version == "clinic-1"
    assert (read.evaluation, read.card) == ({"stress": {"auc": 0.81}}, "# clinic-1\n\nTrained for a test.\n")
    alone = read_model_file(path)
    assert (alone.evaluation, alone.card) == (None, "")
    path.with_name("evaluation.json").write_text('{"auc": NaN}')
    assert read_trained(path).evaluation == {"auc": None}
    for beside in ("evaluation.json", "card.md"):
        path.with_name(beside).unlink()
    assert read_trained(path).evaluation is None
    assert read_trained(path).card == ""


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evaluation.json", b'{"a": "\\u0000"}'), ("evaluation.json", b'{"a": "\\ud800"}'),
        ("evaluation.json", b"[]"), ("evaluation.json", b"no JSON"), ("card.md", b"\xff"), ("card.md", b"a\0"),
    ],
)  # fmt: skip
def test_what_the_database_could_not_hold_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path / "trained", "clinic-1")
    path.with_name(name).write_bytes(content)
    with pytest.raises(ModelRefused, match=f"{name} cannot be read"):
        read_trained(path)
    assert read_model_file(path).model.version == "clinic-1"


def test_a_file_that_is_far_too_large_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    with path.open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    with pytest.raises(ModelRefused, match="larger than 4096 kB"):
        read_model_file(path)


def test_the_shipped_model_is_one_that_can_be_read() -> None:
    assert read_model(json.dumps(model_to_json(shipped())).encode()).version == shipped().version
