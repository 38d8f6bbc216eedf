"""The query parameters of exports and imports."""

from __future__ import annotations

from collections.abc import Mapping

from django import forms
from django.http import QueryDict

from apps.patients.transfer.lines import TYPES
from apps.patients.transfer.services import Options
from helios_site.api.families.healos.errors import Invalid
from helios_site.api.families.healos.fields import wrong_choice
from helios_site.api.families.healos.query import ChoiceField, refuse_wrong

MODES = ("skip", "update")
TRUTH = ("true", "false")


class _OptionsForm(forms.Form):
    mode = ChoiceField(choices=MODES)
    dry_run = ChoiceField(choices=TRUTH)
    atomic = ChoiceField(choices=TRUTH)


def read_options(query: QueryDict) -> Options:
    """What an import is asked to do. Raises Invalid; unknown parameters are ignored."""
    form = _OptionsForm(query)
    refuse_wrong(form)
    said = form.cleaned_data
    return Options(update=said["mode"] == "update", dry_run=said["dry_run"] == "true", atomic=said["atomic"] == "true")


def named_types(query: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The types that an export is asked for, in the order of TYPES, and those that are unknown. All unless it says."""
    words = query["types"].split(",") if "types" in query else list(TYPES)
    return [name for name in TYPES if name in words], [word for word in words if word not in TYPES]


def read_types(query: Mapping[str, str]) -> list[str]:
    """The same. Raises Invalid for an unknown one."""
    known, unknown = named_types(query)
    if unknown:
        raise Invalid({"types": [wrong_choice(word, TYPES) for word in unknown]})
    return known
