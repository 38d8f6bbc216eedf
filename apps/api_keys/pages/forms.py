"""Forms of the pages of keys. The rules are those of the services; a limit above the plan is refused by them alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from apps.api_keys import services, validation
from apps.api_keys.fields import KeyRules, NetworksField, ScopesField
from apps.api_keys.models import ApiKey
from apps.api_keys.pages import scope_choices
from helios_site.zones import read_moment

GRACE_PERIODS = (
    (0, "at once"),
    (3_600, "after an hour"),
    (86_400, "after a day"),
    (7 * 86_400, "after 7 days"),
    (services.MAX_GRACE_SECONDS, "after 30 days"),
)


class KeyForm(KeyRules, forms.Form):
    """What of a key can be changed."""

    name = forms.CharField(error_messages={"required": "A key needs a name."})
    access = forms.ChoiceField(
        choices=[*((name, known.title) for name, known in scope_choices.SETS.items()), (scope_choices.ONE_BY_ONE, "")],
        error_messages={"required": "Choose what the key may do."},
    )
    scopes = ScopesField(required=False, widget=forms.SelectMultiple)  # whose name for a label is the whole group's
    allowed_cidrs = NetworksField()
    rate_limit_per_minute = forms.IntegerField(required=False)

    def clean_scopes(self) -> list[str]:
        """Those of the chosen set; one by one, those that are ticked."""
        known = scope_choices.SETS.get(self.cleaned_data.get("access", ""))
        if known is not None:
            return list(known.scopes)
        if "access" not in self.cleaned_data:  # which has an error of its own
            return list(self.cleaned_data["scopes"])
        return super().clean_scopes()

    @property
    def fields_of_key(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name not in ("access", "zone")}


class NewKeyForm(KeyForm):
    """What is chosen once."""

    zone = forms.CharField(required=False)
    expires_at = forms.CharField(required=False)

    def clean_expires_at(self) -> datetime | None:
        typed = self.cleaned_data["expires_at"]
        return validation.clean_expiry(read_moment(typed, self.cleaned_data.get("zone", ""))) if typed else None


class RotationForm(forms.Form):
    grace = forms.TypedChoiceField(
        choices=GRACE_PERIODS, coerce=int, error_messages={"required": "Choose when the old key stops working."}
    )


def form_of(key: ApiKey) -> KeyForm:
    return KeyForm(
        initial={
            "name": key.name,
            "access": scope_choices.set_of(key.scopes),
            "scopes": key.scopes,
            "allowed_cidrs": key.allowed_cidrs,
            "rate_limit_per_minute": key.rate_limit_per_minute,
        }
    )
