"""Forms of the staff's admin for keys, of which the console has the one that asks why."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms

from apps.api_keys import services, validation
from apps.api_keys.fields import KeyRules, NetworksField, ScopesField
from apps.api_keys.models import ApiKey


class ApiKeyForm(KeyRules, forms.ModelForm):
    scopes = ScopesField()
    allowed_cidrs = NetworksField()

    class Meta:
        model = ApiKey
        fields: ClassVar = [
            "organization",
            "name",
            "scopes",
            "expires_at",
            "allowed_cidrs",
            "rate_limit_per_minute",
        ]
        help_texts: ClassVar = {
            "rate_limit_per_minute": "Empty: what the plan allows. What you set here counts in both API families, "
            "also above the plan."
        }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        organization = self.cleaned_data.get("organization")
        if organization is not None and self.instance._state.adding:
            # Inside the transaction of the admin's view: the room that is found stays until the key is made.
            services.require_room(organization)
        return cleaned


class _AnyTextField(forms.CharField):
    """Logs hold what they like, also NUL."""

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\x00", " ")


class PastedTextForm(forms.Form):
    text = _AnyTextField(
        label="A key, or any text that may hold some",
        max_length=500_000,
        strip=False,
        widget=forms.Textarea(
            attrs={"rows": 12, "cols": 100, "autocomplete": "off", "spellcheck": "false", "autofocus": True}
        ),
        help_text="Such as a part of a log. It is searched in memory and not kept.",
    )


class RevocationForm(forms.Form):
    reason = forms.CharField(
        max_length=validation.MAX_REASON_CHARS,
        help_text="It stays with the key and in the audit trail, and is mailed to the organisation's admins.",
        widget=forms.TextInput(attrs={"size": 60, "autofocus": True}),
        error_messages={"required": "Say why: the reason stays in the audit trail."},
    )

    def clean_reason(self) -> str:
        return validation.clean_reason(self.cleaned_data["reason"])
