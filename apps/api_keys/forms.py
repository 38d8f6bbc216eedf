"""Forms of the staff's admin for keys. The rules are those of the services; here they become fields."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from apps.api_keys import services, validation
from apps.api_keys.models import ApiKey
from apps.api_keys.scopes import API_KEY_SCOPES


class _ScopesField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def __init__(self) -> None:
        choices = [(scope, f"{scope} · {meaning}") for scope, meaning in API_KEY_SCOPES.items()]
        super().__init__(choices=choices, help_text="What the key may do; writing does not include reading.")


class _NetworksField(forms.CharField):
    """One network a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 45})

    def __init__(self) -> None:
        super().__init__(
            label="allowed networks",
            required=False,
            help_text="One a line, such as 203.0.113.0/24 or 2001:db8::/32. Empty: any address.",
        )

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return validation.clean_networks((value or "").split())

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(list(initial or []) != self.to_python(data))
        except ValidationError:
            return True


class ApiKeyForm(forms.ModelForm):
    scopes = _ScopesField()
    allowed_cidrs = _NetworksField()

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

    def clean_name(self) -> str:
        return validation.clean_name(self.cleaned_data["name"])

    def clean_scopes(self) -> list[str]:
        return validation.clean_scopes(self.cleaned_data["scopes"])

    def clean_expires_at(self) -> Any:
        return validation.clean_expiry(self.cleaned_data["expires_at"])

    def clean_rate_limit_per_minute(self) -> int | None:
        return validation.clean_rate_limit(self.cleaned_data["rate_limit_per_minute"])

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
    )

    def clean_reason(self) -> str:
        return validation.clean_reason(self.cleaned_data["reason"])
