"""The CapabilityStatement: what can be read, and how. A test holds it to the routes."""

from __future__ import annotations

from typing import Any

from helios_site.api.families.fhir.bundles import MAX_COUNT
from helios_site.api.families.fhir.elements import Element, base_url

CHANGED = "2026-12-01"  # when what is said here last changed
FHIR_VERSION = "4.0.1"
_SECURITY = (
    "Each call sends an API key in the header `x-api-key`, and nowhere else; only this statement and the code system "
    "are open. A key reaches the records of its organisation, as far as its scopes go. Calls count against the limit "
    "of the key, as those under `/ext-api/v1` do; the headers `X-RateLimit-*` tell how many are left."
)
_READ: Element = {"interaction": [{"code": "read"}], "versioning": "versioned", "conditionalRead": "not-match"}
# A link expires although the document has not changed.
_READ_AFRESH = {**_READ, "conditionalRead": "not-supported"}
_PAGES = "Entries on a page, {} at most; 0 gives the total alone. Follow the link `next` for the next page."


def capability_statement() -> Element:
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{base_url()}/metadata",
        "name": "Helios",
        "title": "Helios, read-only",
        "status": "active",
        "date": CHANGED,
        "kind": "instance",
        "software": {"name": "Helios"},
        "implementation": {"description": "Patients, and the scores of their voice wellness checks", "url": base_url()},
        "fhirVersion": FHIR_VERSION,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "cors": False,
                    "service": [{"text": "API key in the header x-api-key"}],
                    "description": _SECURITY,
                },
                "resource": _resources(),
            }
        ],
    }


def _resources() -> list[dict[str, Any]]:
    return [
        _resource("Patient", _READ, "Scope `patients:read`."),
        _resource(
            "Appointment",
            _READ,
            "Scope `appointments:read`. A repeated appointment is its first occurrence; `comment` says how it goes on.",
        ),
        _resource(
            "DocumentReference",
            _READ_AFRESH,
            "Scope `documents:read`. The link in `content.attachment.url` needs no key and expires; read again for a "
            "new one.",
        ),
        {
            **_resource("Observation", _READ, "Scopes `patients:read` and `model_runs:read`. One score of one run."),
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [
                {
                    "name": "patient",
                    "definition": "http://hl7.org/fhir/SearchParameter/clinical-patient",
                    "type": "reference",
                    "documentation": "Required: `<id>` or `Patient/<id>`.",
                },
                {"name": "_count", "type": "number", "documentation": _PAGES.format(MAX_COUNT)},
            ],
        },
        {"type": "CodeSystem", "documentation": "Open to everybody.", "interaction": [{"code": "read"}]},
    ]


def _resource(resource_type: str, how: Element, documentation: str) -> Element:
    return {"type": resource_type, "documentation": documentation, **how}
