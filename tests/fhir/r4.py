"""The elements that FHIR R4 (4.0.1) and R4B (4.3.0) have in the same form, of the resources that we write and of the
data types in them, with the type of each that has elements of its own. Types that we do not write are left empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def _elements(names: str, **typed: str) -> dict[str, str]:
    return {**dict.fromkeys(names.split(), ""), **typed}


_RESOURCE = _elements("resourceType id implicitRules language", meta="Meta")
_DOMAIN = _RESOURCE | _elements("text contained extension modifierExtension")
_PUBLISHED = _DOMAIN | _elements(
    "url version name title status experimental date publisher contact description useContext jurisdiction purpose "
    "copyright"
)

TYPES: dict[str, dict[str, str]] = {
    "Patient": _DOMAIN
    | _elements(
        "active gender birthDate deceasedBoolean deceasedDateTime address maritalStatus multipleBirthBoolean "
        "multipleBirthInteger photo contact communication generalPractitioner managingOrganization link",
        identifier="Identifier",
        name="HumanName",
        telecom="ContactPoint",
    ),
    "Appointment": _DOMAIN
    | _elements(
        "status cancelationReason serviceCategory serviceType specialty reasonCode reasonReference priority "
        "description supportingInformation start end minutesDuration slot created comment patientInstruction basedOn "
        "requestedPeriod",
        identifier="Identifier",
        appointmentType="CodeableConcept",
        participant="AppointmentParticipant",
    ),
    "AppointmentParticipant": _elements("type required status period", actor="Reference"),
    "DocumentReference": _DOMAIN
    | _elements(
        "masterIdentifier status docStatus type category date author authenticator custodian relatesTo description "
        "securityLabel context",
        identifier="Identifier",
        subject="Reference",
        content="DocumentReferenceContent",
    ),
    "DocumentReferenceContent": _elements("format", attachment="Attachment"),
    "Observation": _DOMAIN
    | _elements(
        "identifier basedOn partOf status focus encounter effectiveDateTime effectivePeriod effectiveTiming "
        "effectiveInstant issued performer valueCodeableConcept valueString valueBoolean valueInteger valueRange "
        "valueRatio valueSampledData valueTime valueDateTime valuePeriod interpretation bodySite method specimen "
        "referenceRange hasMember derivedFrom component",
        category="CodeableConcept",
        code="CodeableConcept",
        subject="Reference",
        valueQuantity="Quantity",
        dataAbsentReason="CodeableConcept",
        note="Annotation",
        device="Reference",
    ),
    "Bundle": _RESOURCE
    | _elements("identifier type timestamp total signature", link="BundleLink", entry="BundleEntry"),
    "BundleLink": _elements("relation url"),
    "BundleEntry": _elements("link fullUrl request response", search="BundleEntrySearch", resource="*"),
    "BundleEntrySearch": _elements("mode score"),
    "OperationOutcome": _DOMAIN | _elements("", issue="OperationOutcomeIssue"),
    "OperationOutcomeIssue": _elements("severity code details diagnostics location expression"),
    "CodeSystem": _PUBLISHED
    | _elements(
        "identifier caseSensitive valueSet hierarchyMeaning compositional versionNeeded content supplements count "
        "filter property",
        concept="CodeSystemConcept",
    ),
    "CodeSystemConcept": _elements("code display definition designation property concept"),
    "CapabilityStatement": _PUBLISHED
    | _elements(
        "kind instantiates imports fhirVersion format patchFormat implementationGuide messaging document",
        software="CapabilityStatementSoftware",
        implementation="CapabilityStatementImplementation",
        rest="CapabilityStatementRest",
    ),
    "CapabilityStatementSoftware": _elements("name version releaseDate"),
    "CapabilityStatementImplementation": _elements("description url custodian"),
    "CapabilityStatementRest": _elements(
        "mode documentation interaction searchParam operation compartment",
        security="CapabilityStatementRestSecurity",
        resource="CapabilityStatementRestResource",
    ),
    "CapabilityStatementRestSecurity": _elements("cors description", service="CodeableConcept"),
    "CapabilityStatementRestResource": _elements(
        "type profile supportedProfile documentation versioning readHistory updateCreate conditionalCreate "
        "conditionalRead conditionalUpdate conditionalDelete referencePolicy searchInclude searchRevInclude operation",
        interaction="CapabilityStatementRestResourceInteraction",
        searchParam="CapabilityStatementRestResourceSearchParam",
    ),
    "CapabilityStatementRestResourceInteraction": _elements("code documentation"),
    "CapabilityStatementRestResourceSearchParam": _elements("name definition type documentation"),
    "Meta": _elements("versionId lastUpdated source profile security tag"),
    "Identifier": _elements("use system value period assigner", type="CodeableConcept"),
    "HumanName": _elements("use text family given prefix suffix period"),
    "ContactPoint": _elements("system value use rank period"),
    "Reference": _elements("reference type identifier display"),
    "CodeableConcept": _elements("text", coding="Coding"),
    "Coding": _elements("system version code display userSelected"),
    "Quantity": _elements("value comparator unit system code"),
    "Annotation": _elements("authorReference authorString time text"),
    "Attachment": _elements("contentType language data url size hash title creation"),
}


def others(value: Any, type_name: str, place: str = "") -> Iterator[str]:
    """The places of elements in `value` that are not those of its type, and of what must not be empty."""
    if type_name == "*":
        type_name = value["resourceType"]
    place = place or type_name
    for name, inner in value.items():
        where = f"{place}.{name}"
        if name not in TYPES[type_name] or inner in (None, "", [], {}):
            yield where
            continue
        inner_type = TYPES[type_name][name]
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict) != bool(inner_type):
                yield where
            elif inner_type:
                yield from others(one, inner_type, where)
