"""The commands that activate, roll back and list trained models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Organization
from apps.model_runs.model_files import digest
from apps.model_runs.models import WellnessModelVersion
from apps.model_runs.wellness.model import shipped
from tests.model_runs.trained import store, write

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    call_command(command, *map(str, arguments))
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_trained_model_is_activated_from_its_file_with_figures_and_card(
    organization: Organization, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "trained", "clinic-1")
    arguments = ("--organization", organization.name, "--file", path, "--reason", "validated")
    said = run("activate_wellness_model", *arguments, capsys=capsys)
    assert f"Stored clinic-1, SHA-256 {digest(path.read_bytes())}." in said
    assert "Northern Clinic is scored with clinic-1 from its next run on." in said
    stored = WellnessModelVersion.objects.get()
    assert (stored.evaluation, stored.card, stored.created_by) == (
        {"stress": {"auc": 0.81}}, "# clinic-1\n\nTrained for a test.\n", "system",
    )  # fmt: skip
    again = run("activate_wellness_model", *arguments, capsys=capsys)
    assert again == "Northern Clinic is scored with clinic-1 already; nothing changed.\n"


def test_commands_name_the_model_in_use(
    organization: Organization, tmp_path: Path, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    model = store("clinic-1")
    to = ("--organization", organization.name, "--reason", "why")
    assert "clinic-1 from its" in run("activate_wellness_model", *to, "--model-version", "clinic-1", capsys=capsys)
    assert f"clinic-1  {model.sha256}  Northern Clinic\n" in run("list_wellness_models", capsys=capsys)
    assert "the shipped model from" in run("activate_wellness_model", *to, "--model-version", "shipped", capsys=capsys)
    assert "with clinic-1 again" in run("roll_back_wellness_model", *to, capsys=capsys)
    assert "with the shipped model again" in run("roll_back_wellness_model", *to, capsys=capsys)
    settings.HELIOS_MODEL_VERSION = "clinic-1"
    said = run("activate_wellness_model", *to, "--model-version", "shipped", capsys=capsys)
    assert "already; nothing changed" in said
    assert "HELIOS_MODEL_VERSION is set: clinic-1 scores every run." in said
    listed = run("list_wellness_models", capsys=capsys).splitlines()
    assert listed[0].startswith(f"{shipped().version}  shipped")
    assert listed[1:] == [
        f"clinic-1  {model.sha256}  not in use", "HELIOS_MODEL_VERSION pins clinic-1 for every organisation.",
    ]  # fmt: skip


def test_commands_say_in_one_line_what_is_wrong(organization: Organization, tmp_path: Path) -> None:
    path = write(tmp_path / "trained", "clinic-1")
    broken = write(tmp_path / "broken", "clinic-2")
    broken.with_name("evaluation.json").write_text('{"card": "\\u0000"}')
    (tmp_path / "text.json").write_text("no model")
    here, why = ["--organization", organization.name], ["--reason", "why"]
    for command, arguments, message in (
        ("activate_wellness_model", [*here, *why, "--model-version", "clinic-9"], "neither the shipped model"),
        ("activate_wellness_model", [*here, *why, "--file", str(tmp_path / "none.json")], "No such file"),
        ("activate_wellness_model", [*here, *why, "--file", str(tmp_path)], "Is a directory"),
        ("activate_wellness_model", [*here, *why, "--file", str(tmp_path / "text.json")], "not a wellness model"),
        ("activate_wellness_model", [*here, *why, "--file", str(broken)], "evaluation.json cannot be read"),
        ("activate_wellness_model", [*here, "--reason", " ", "--file", str(path)], "Say why"),
        ("activate_wellness_model", ["--organization", "Nobody", *why, "--file", str(path)], "no organisation"),
        ("roll_back_wellness_model", [*here, *why], "no activation to roll back"),
        ("roll_back_wellness_model", ["--organization", "Nobody", *why], "no organisation"),
    ):
        with pytest.raises(CommandError, match=message) as refused:
            call_command(command, *arguments)
        assert "\n" not in str(refused.value)
    assert not WellnessModelVersion.objects.exists()
