"""What staff write about a patient: what clinical notes show of the person, and clinical notes themselves."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from apps.accounts.forms import ReasonForm
from apps.patients.models import Note, Patient

_DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
_MOMENT = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class WhyForm(ReasonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Stays in the audit trail, also once the patient is erased: name no person."


class LinesField(forms.CharField):
    """Texts, one a line. Those that nobody touched count as unchanged, whatever white space they hold."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 80})

    def prepare_value(self, value: Any) -> str:
        return value if isinstance(value, str) else "\n".join(self.lines(value))

    def lines(self, value: Any) -> list[str]:
        return list(value or ())

    def clean(self, value: Any) -> Any:
        return _lines(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return _lines(self.prepare_value(initial)) != _lines(data or "")


class CodesField(LinesField):
    """Codes and what they mean, one `code: meaning` a line."""

    def lines(self, value: Any) -> list[str]:
        return [f"{code}: {meaning}" for code, meaning in (value or {}).items()]

    def clean(self, value: Any) -> dict[str, str]:
        codes: dict[str, str] = {}
        for line in super().clean(value):
            code, _, meaning = (part.strip() for part in line.partition(":"))
            if not code or code in codes:
                raise ValidationError("Write each code once, and its meaning after a colon, one a line.")
            codes[code] = meaning
        return codes


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class _RecordForm(WhyForm, forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"])  # why comes last

    def changes(self) -> dict[str, Any]:
        """The fields of the model that are to change."""
        return {name: self.cleaned_data[name] for name in self._meta.fields or () if name in self.changed_data}


class _ChangeForm(_RecordForm):
    """Knows which version of the record it shows."""

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        return self.instance.version if field_name == "version" else super().get_initial_for_field(field, field_name)


class PatientForm(_ChangeForm):
    """What is edited here or comes by import; the rest is the organisation's to change."""

    medical_history = forms.CharField(required=False, max_length=settings.HEALOS_MAX_CHARS["notes"])
    family_history = forms.CharField(required=False, max_length=settings.HEALOS_MAX_CHARS["notes"])
    social_history = forms.CharField(required=False, max_length=settings.HEALOS_MAX_CHARS["notes"])
    previous_treatment = forms.CharField(required=False, max_length=settings.HEALOS_MAX_CHARS["notes"])

    class Meta:
        model = Patient
        fields = ("first_name", "last_name", "date_of_birth", "gender", "email", "phone", "mrn")
        widgets: ClassVar = {"date_of_birth": _DAY}

    def __init__(self, data: Any, *, instance: Patient, initial: dict[str, Any]) -> None:
        super().__init__(data, instance=instance, initial={**(instance.client_history or {}), **initial})
        for name in Patient.CLIENT_HISTORY:
            self.fields[name].widget = forms.Textarea(attrs={"rows": 4, "cols": 80})

    def changes(self) -> dict[str, Any]:
        changes = super().changes()
        if not set(Patient.CLIENT_HISTORY).isdisjoint(self.changed_data):
            history = {name: self.cleaned_data[name] or None for name in Patient.CLIENT_HISTORY}
            changes["client_history"] = history if any(history.values()) else None
        return changes


class _NoteForm(_RecordForm):
    content = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 12, "cols": 80}))
    problems = LinesField(required=False, help_text="One a line.")
    procedures = LinesField(required=False, help_text="One a line.")
    icd10_codes = CodesField(required=False, label="ICD-10 codes", help_text="One a line: code: meaning.")
    cpt_codes = CodesField(required=False, label="CPT codes", help_text="One a line: code: meaning.")

    class Meta:
        model = Note
        fields = (
            "note_type", "specialty", "template_id", "template_name", "content", "problems", "procedures",
            "icd10_codes", "cpt_codes",
        )  # fmt: skip


class NoteChangeForm(_ChangeForm, _NoteForm):
    class Meta(_NoteForm.Meta):
        pass


class NewNoteForm(_NoteForm):
    """A note with the session that it was taken in."""

    SESSION: ClassVar = ("title", "session_date", "start_time", "end_time", "summary", "text")
    title = forms.CharField(required=False, max_length=255, label="Title of the session")
    session_date = forms.DateField(widget=_DAY, label="Day of the session")
    start_time = forms.DateTimeField(required=False, widget=_MOMENT, label="Start (UTC)")
    end_time = forms.DateTimeField(required=False, widget=_MOMENT, label="End (UTC)")
    summary = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4, "cols": 80}))
    text = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 8, "cols": 80}), label="Transcript")

    class Meta(_NoteForm.Meta):
        pass

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("start_time"), cleaned.get("end_time")
        if start and end and end < start:
            self.add_error("end_time", "The session cannot end before it starts.")
        return cleaned

    def note(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self._meta.fields or ()}

    def session(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.SESSION}
