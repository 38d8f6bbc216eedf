"""Trained models for tests (the shipped one with other intercepts), and what is done with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apps.accounts.audit import SYSTEM
from apps.accounts.models import Organization
from apps.model_runs import services
from apps.model_runs.model_choice import model_for
from apps.model_runs.model_files import ModelFile, read_model
from apps.model_runs.models import WellnessModelActivation, WellnessModelVersion
from apps.model_runs.wellness.model import model_to_json, shipped


def trained(version: str, shift: float = 1.5) -> bytes:
    """The file of a model whose voice logits lie `shift` above those of the shipped one."""
    data = model_to_json(shipped())
    data["version"] = version
    for head in data["voice"]["heads"].values():
        head["intercepts"] = {group: [part + shift for part in parts] for group, parts in head["intercepts"].items()}
    return json.dumps(data).encode()


def store(version: str, shift: float = 1.5, card: str = "") -> WellnessModelVersion:
    content = trained(version, shift)
    file = ModelFile(content, read_model(content), {"stress": {"auc": 0.81}} if card else None, card)
    return services.store_model(actor=SYSTEM, file=file)[0]


def write(folder: Path, version: str, shift: float = 1.5) -> Path:
    """What training writes: the model, its figures, its card. The path of the model."""
    folder.mkdir()
    (folder / "evaluation.json").write_text(json.dumps({"stress": {"auc": 0.81}}))
    (folder / "card.md").write_text(f"# {version}\n\nTrained for a test.\n")
    path = folder / "model.json"
    path.write_bytes(trained(version, shift))
    return path


def activate(organization: Organization, version: str, reason: str = "a test") -> bool:
    """Whether a step was taken."""
    return services.activate_model(actor=SYSTEM, organization_id=organization.id, version=version, reason=reason)[1]


def roll_back(organization: Organization, **options: Any) -> WellnessModelActivation:
    return services.roll_back_model(actor=SYSTEM, organization_id=organization.id, reason="worse", **options)


def in_use(organization: Organization) -> str:
    return model_for(organization.id).version
