"""The code system of the scores, and the CodeSystem that defines them. The codes are the scores' names in `/v1`."""

from __future__ import annotations

from typing import NamedTuple

from helios_site.api.families.fhir.elements import Element, base_url

ID = "wellness-scores"
_DESCRIPTION = (
    "The scores of a voice wellness check. They are neither a diagnosis nor a degree of severity, and no decision "
    "about care may rest on them. The classes of four steps that stand beside them in `/v1` follow from these numbers."
)


class Score(NamedTuple):
    display: str
    definition: str


def _place(display: str, of_what: str) -> Score:
    return Score(
        display,
        f"The place of {of_what} among reference speakers, from 0 to 1: at 0.8 it shows more than in 80 % of them.",
    )


SCORES: dict[str, Score] = {
    "mentalStrain": Score("Mental strain", "The arithmetic mean of the five other scores, from 0 to 1."),
    "uniformDistress": _place("Distress", "the distress in a person's voice and words"),
    "uniformStress": _place("Stress", "the stress in a person's voice and words"),
    "uniformExhaustion": _place("Exhaustion", "the exhaustion in a person's voice and words"),
    "uniformSleepPropensity": _place("Sleep propensity", "the sleepiness in a person's voice and words"),
    "uniformLowSelfEsteem": _place("Low self-esteem", "the low self-esteem in a person's words"),
}
CODES = tuple(SCORES)


def system() -> str:
    return f"{base_url()}/CodeSystem/{ID}"


def code_system(identifier: str) -> Element | None:
    if identifier != ID:
        return None
    return {
        "resourceType": "CodeSystem",
        "id": ID,
        "url": system(),
        "version": "1",
        "name": "HeliosWellnessScores",
        "title": "Helios wellness scores",
        "status": "active",
        "experimental": False,
        "description": _DESCRIPTION,
        "caseSensitive": True,
        "content": "complete",
        "count": len(SCORES),
        "concept": [
            {"code": code, "display": score.display, "definition": score.definition} for code, score in SCORES.items()
        ],
    }
