"""What `manage.py check --database default` says of the stored models; worker and services say it again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import DatabaseError

from apps.model_runs import selectors
from apps.model_runs.model_choice import ModelUnavailable, model_of_version, pinned_model


@checks.register(checks.Tags.database)
def usable_models(databases: Iterable[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """A pinned model that cannot be used stops every run; an active one, those of its organisations."""
    if "default" not in (databases or ()):
        return []
    try:
        return [*_pinned(), *_active()]
    except DatabaseError:
        return []  # away, or not migrated yet: `migrate` runs the checks too


def _pinned() -> list[checks.CheckMessage]:
    if settings.HELIOS_MODEL_VERSION:
        try:
            pinned_model()
        except ModelUnavailable as error:
            hint = "Name the shipped model or a stored one (manage.py list_wellness_models), or none."
            return [checks.Error(str(error), hint, id="model_runs.E001")]
    return []


def _active() -> list[checks.CheckMessage]:
    unusable: list[checks.CheckMessage] = []
    for version in selectors.active_versions():
        try:
            model_of_version(version)
        except ModelUnavailable as error:
            hint = "Its organisations' runs will fail. Train it again with this release, or roll it back."
            # No error, which would keep `migrate` from making way for the new model.
            unusable.append(checks.Warning(str(error), hint, id="model_runs.W001"))
    return unusable
