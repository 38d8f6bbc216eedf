"""The form of the staff's admin for webhooks."""

from __future__ import annotations

from django import forms

from apps.api_keys.validation import MAX_REASON_CHARS, clean_reason


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=MAX_REASON_CHARS, help_text="Stays in the audit trail; the organisation sees it."
    )

    def clean_reason(self) -> str:
        return clean_reason(self.cleaned_data["reason"])
