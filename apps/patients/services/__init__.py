"""Every write of patients."""

from __future__ import annotations

from apps.patients.services.patients import (
    change_patient,
    create_patient,
    delete_patient,
    record_read,
    restore_patient,
)
from apps.patients.services.records import ExternalIdTaken

__all__ = [
    "ExternalIdTaken",
    "change_patient",
    "create_patient",
    "delete_patient",
    "record_read",
    "restore_patient",
]
