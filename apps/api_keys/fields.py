"""Fields and rules that the forms about keys share, of staff and of an organisation's admins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from apps.api_keys import validation
from apps.api_keys.scopes import API_KEY_SCOPES


class ScopesField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def __init__(self, **options: Any) -> None:
        choices = [(scope, f"{scope} · {meaning}") for scope, meaning in API_KEY_SCOPES.items()]
        super().__init__(choices=choices, help_text="What the key may do; writing does not include reading.", **options)


class NetworksField(forms.CharField):
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
        return validation.clean_networks((value or "").replace(",", " ").split())

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(list(initial or []) != self.to_python(data))
        except ValidationError:
            return True


class KeyRules:
    """The rules of the services as the cleaning of a form's fields, so that every error is found at once."""

    cleaned_data: dict[str, Any]

    def clean_name(self) -> str:
        return validation.clean_name(self.cleaned_data["name"])

    def clean_scopes(self) -> list[str]:
        return validation.clean_scopes(self.cleaned_data["scopes"])

    def clean_expires_at(self) -> datetime | None:
        return validation.clean_expiry(self.cleaned_data["expires_at"])

    def clean_rate_limit_per_minute(self) -> int | None:
        return validation.clean_rate_limit(self.cleaned_data["rate_limit_per_minute"])
