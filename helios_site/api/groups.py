"""Under which headings /api-reference shows the operations."""

from __future__ import annotations

import re
from typing import Any

from helios_site.api.families.schema import Schema

_HELIOS = 'Errors are `{"detail": …}`.'
_HEALOS = 'Errors are `{"error": …, "details": …}`.'
# The first of which the path matches; shown in this order.
_GROUPS = (
    ("Wellness checks", r"/v1/(account|models|users)\b|/uploads/", f"Recordings in, scores out. {_HELIOS}"),
    ("Webhooks", r"/v1/webhooks\b", f"Being told of events instead of asking. {_HELIOS}"),
    ("Usage", r"/v1/usage\b", f"What each key did, and the limits. {_HELIOS}"),
    ("API keys", r"/api/v1/ext-api-keys\b|/ext-api/v1/key$", f"Issue, limit, replace and revoke keys. {_HEALOS}"),
    ("Audit trail", r"/ext-api/v1/audit-events\b", f"Who did what, and when. {_HEALOS}"),
    ("Documents", r"/ext-api/v1/patients/.*/documents\b|/documents/", f"Files of a patient. {_HEALOS}"),
    ("Patients", r"/ext-api/v1/patients\b", f"People, their runs and scores, and what is kept of them. {_HEALOS}"),
    ("Appointments", r"/ext-api/v1/appointments\b", f"Single and repeated ones. {_HEALOS}"),
    ("Notes", r"/ext-api/v1/(notes|sessions)\b", f"Clinical notes and their sessions. {_HEALOS}"),
    ("Export and import", r"/ext-api/v1/(export|import)$", f"All records as lines of JSON. {_HEALOS}"),
    ("FHIR", r"/fhir/", "The same records as FHIR R4, to be read. Errors are an `OperationOutcome`."),
)


_METHODS = ("get", "post", "put", "patch", "delete")


def describe_groups(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook: each operation under one heading, those of a path in one order for every process.

    Raises StopIteration for a path that has no heading.
    """
    for path, operations in result["paths"].items():
        name = next(name for name, pattern, _ in _GROUPS if re.match(pattern, path))
        for operation in operations.values():
            operation["tags"] = [name]
        result["paths"][path] = {method: operations[method] for method in _METHODS if method in operations}
    result["tags"] = [{"name": name, "description": description} for name, _, description in _GROUPS]
    return result
