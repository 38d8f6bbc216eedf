"""How FHIR writes values in JSON: what is empty is absent, never null, `""`, `[]` or `{}`."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from helios_site.api.families.healos.fields import timestamp

Element = dict[str, Any]


def base_url() -> str:
    """The service base: relative references are read from here."""
    return f"{settings.HELIOS_PUBLIC_BASE_URL}/fhir"


def present(**elements: Any) -> Element:
    """`elements` without those that are empty. Zero and false are values."""
    return {name: value for name, value in elements.items() if value not in (None, "", [], {})}


def text_of(value: str | None) -> str | None:
    """A `string`: one of white space alone would be none."""
    return value if value and value.strip() else None


def instant(moment: datetime) -> str:
    """Of an `instant` or `dateTime`: UTC, to the millisecond."""
    return str(timestamp(moment))


def reference(resource_type: str, identifier: object) -> Element:
    return {"reference": f"{resource_type}/{identifier}"}


def identifiers(organization_id: UUID, kind: str, value: str | None) -> list[Element]:
    """The caller's own identifier of a record. It is unique in its organisation and for its kind of record, so that is
    its system."""
    system = f"{base_url()}/sid/{organization_id}/{kind}"
    return [{"system": system, "value": value}] if text_of(value) else []


def concept(system: str, code: str, display: str | None = None) -> Element:
    """A CodeableConcept of one coding."""
    return {"coding": [present(system=system, code=code, display=display)]}


def resource(resource_type: str, resource_id: object, version: int, changed: datetime, /, **elements: Any) -> Element:
    """A resource with what each has: its id, and the version that it is in since `changed`."""
    return {
        "resourceType": resource_type,
        "id": str(resource_id),
        "meta": {"versionId": str(version), "lastUpdated": instant(changed)},
        **present(**elements),
    }
