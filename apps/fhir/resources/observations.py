"""The scores of a finished run as FHIR's Observations: one for each score.

Each score stands for itself: it is charted over time, compared and asked for by its own code, which is what clients of
FHIR do with the `code` and `valueQuantity` of an Observation. Components are for values that mean nothing alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.fhir.resources.scores import SCORES, system
from helios_site.api.families.fhir.elements import Element, concept, instant, reference, resource, text_of
from helios_site.api.families.healos.fields import parse_uuid

_CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_UCUM = "http://unitsofmeasure.org"

# The columns of a run that an Observation, and its place in a list, are made of.
FIELDS = (
    "id", "patient_id", "created_at", "completed_at", "recording_time", "warnings", "scores", "model_version",
)  # fmt: skip
Run = Mapping[str, Any]  # with FIELDS


def observation_id(run_id: UUID, code: str) -> str:
    return f"{run_id}.{code}"


def parse_observation_id(text: str) -> tuple[UUID, str] | None:
    """Run and code; None for what is no id of an Observation."""
    run, _, code = text.partition(".")
    run_id = parse_uuid(run)
    return (run_id, code) if run_id is not None and code in SCORES else None


def observation_resource(run: Run, code: str) -> Element:
    value = (run["scores"] or {}).get(code)
    finished = instant(run["completed_at"])
    version = run["model_version"]
    return resource(
        "Observation",
        observation_id(run["id"], code),
        1,  # a finished run is never changed
        run["completed_at"],
        status="final",
        # An assessment by an instrument, as scores of questionnaires are; nobody examined the person.
        category=[concept(_CATEGORIES, "survey", "Survey")],
        code={**concept(system(), code, SCORES[code].display), "text": SCORES[code].display},
        subject=reference("Patient", run["patient_id"]),
        # The wall clock of a recording has no zone, so only its day can be said.
        effectiveDateTime=run["recording_time"][:10] if run["recording_time"] else finished,
        issued=finished,
        valueQuantity=None if value is None else {"value": value, "unit": "1", "system": _UCUM, "code": "1"},
        dataAbsentReason=concept(_ABSENT, "unknown", "Unknown") if value is None else None,
        note=[{"text": warning} for warning in run["warnings"] if text_of(warning)],
        device={"display": f"Helios wellness model {version}"} if version else None,
    )
