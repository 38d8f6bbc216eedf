"""A patient as FHIR's Patient.

What has no element there stays out: pronouns, notes, consent, and the history that clinical notes show.
"""

from __future__ import annotations

from apps.patients.models import Patient
from helios_site.api.families.fhir.elements import Element, concept, identifiers, present, resource, text_of

_IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
# The free text of a gender -> FHIR's administrative gender. What is not here is left out, since a guess about a person
# is worse than silence.
_GENDERS = {
    **dict.fromkeys(("male", "m", "man"), "male"),
    **dict.fromkeys(("female", "f", "woman"), "female"),
    **dict.fromkeys(("other", "non-binary", "nonbinary", "non binary", "diverse"), "other"),
    "unknown": "unknown",
}


def patient_resource(patient: Patient) -> Element:
    name = present(
        text=text_of(patient.name),
        family=text_of(patient.last_name),
        given=[patient.first_name] if text_of(patient.first_name) else [],
    )
    return resource(
        "Patient",
        patient.pk,
        patient.version,
        patient.updated_at,
        identifier=[
            *identifiers(patient.organization_id, "patient", patient.external_id),
            *(
                {"type": concept(_IDENTIFIER_TYPES, "MR", "Medical record number"), **mrn}
                for mrn in identifiers(patient.organization_id, "mrn", patient.mrn)
            ),
        ],
        active=True,  # a deleted one is not there
        name=[name] if name else [],
        telecom=[
            {"system": system, "value": value}
            for system, value in (("phone", patient.phone), ("email", patient.email))
            if text_of(value)
        ],
        gender=_GENDERS.get((patient.gender or "").strip().casefold()),
        birthDate=patient.date_of_birth and patient.date_of_birth.isoformat(),
    )
