"""`manage.py reproduce_wellness_model` without the training data; training itself is tested beside the model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def test_without_the_data_it_says_in_one_line_what_to_do_and_writes_nothing(settings: Any, tmp_path: Path) -> None:
    settings.HELIOS_TRAINING_DATA = tmp_path / "data"
    with pytest.raises(CommandError, match="HELIOS_TRAINING_DATA must name the folder") as caught:
        call_command("reproduce_wellness_model", output=tmp_path / "voice.json")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []
