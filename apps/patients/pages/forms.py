"""What a person types of a patient, held to the rules of the API."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django import forms

from apps.patients.models import Patient
from apps.patients.serializers import PatientChangeSerializer, PatientCreateSerializer
from helios_site.api.families.healos.errors import details_of

LABELS = {"name": "Name", "pronouns": "Pronouns", "notes": "Notes", "consent": "Consent"}
_TOO_LONG = re.compile(r"at most (\d+) character")


class PatientForm(forms.Form):
    """`cleaned_data` are the fields of a service; what is empty is None."""

    serializer: Any = PatientChangeSerializer
    name = forms.CharField(error_messages={"required": "Enter a name."})
    pronouns = forms.CharField(required=False)
    notes = forms.CharField(required=False, strip=False)
    consent = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        typed = {name: _kept(value) for name, value in self.cleaned_data.items()}
        sent = self.serializer(data=typed, partial=True)
        if not sent.is_valid():
            for name, said in details_of(sent.errors).items():
                self.add_error(name, [_plain(message) for message in said])
        return typed


class NewPatientForm(PatientForm):
    serializer = PatientCreateSerializer
    external_id = forms.CharField(required=False)


def values_of(patient: Patient) -> dict[str, Any]:
    """What the form shows of a patient."""
    return {name: getattr(patient, name) for name in LABELS}


def mark(value: Any) -> str:
    """A short text that stands for a value: a form carries it to tell later what it showed."""
    plain = _kept(value) if isinstance(value, str) else value
    return hashlib.sha256(repr(plain).encode()).hexdigest()[:16]


def marks_of(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}:{mark(values[name])}" for name in LABELS)


def read_marks(text: str) -> dict[str, str]:
    """By name, what `marks_of` wrote; of another text what can be read of it."""
    return {name: found for name, _, found in (one.partition(":") for one in text.split())}


def _kept(value: Any) -> Any:
    """Browsers send two characters for each end of a line."""
    return value.replace("\r\n", "\n") or None if isinstance(value, str) else value


def _plain(message: str) -> str:
    too_long = _TOO_LONG.search(message)
    return f"This has more than {too_long[1]} characters. Shorten it." if too_long else message
